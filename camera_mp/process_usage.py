"""CPU and memory of a process, out of /proc (proc(5))."""

import os
from pathlib import Path
import time

_TICKS = os.sysconf('SC_CLK_TCK')  # of utime and stime in /proc/PID/stat, a second


class ProcessUsage:
    """
    Follows one process at a time: CPU since the last look, and memory of its own.

    None stands for what cannot be seen: the process is gone, or in another PID namespace.
    """

    def __init__(self) -> None:
        self._before: tuple[int, float, float] | None = None

    def cpu(self, pid: int) -> float | None:
        """Give the percent of one core since the last call for the same process."""
        try:
            # the name in the second field may contain anything, blanks and brackets too
            rest = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        used, now = (int(rest[11]) + int(rest[12])) / _TICKS, time.monotonic()
        before, self._before = self._before, (pid, used, now)
        if before is None or before[0] != pid or now == before[2]:
            return None
        return 100 * (used - before[1]) / (now - before[2])


def own_memory(pid: int) -> int | None:
    """Give the bytes of RAM that a process adds: its PSS without shared memory, as rings are."""
    try:
        lines = Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in
                 (line.partition(':') for line in lines)}
    return 1024 * (kilobytes['Pss_Anon'] + kilobytes['Pss_File'])
