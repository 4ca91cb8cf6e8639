"""What the benchmarks share: which machine it was, percentiles, Markdown tables, JSON."""

from collections.abc import Iterable, Sequence
import json
from pathlib import Path

from camera_mp.proof.report import host
import numpy as np
import numpy.typing as npt


def machine() -> dict[str, str]:
    """Name what the numbers depend on."""
    return {**host(), 'numpy': np.__version__}


def percentiles(values: npt.ArrayLike) -> dict[str, float]:
    """Give p50, p99 and max of a series."""
    p50, p99, most = np.percentile(np.asarray(values, float), [50, 99, 100])
    return {'p50': float(p50), 'p99': float(p99), 'max': float(most)}


def _cell(value: object) -> str:
    return f'{value:.3g}' if isinstance(value, float) else str(value)


def table(rows: Sequence[dict[str, object]]) -> str:
    """Give rows of the same keys as a Markdown table."""
    def line(cells: Iterable[str]) -> str:
        return f'| {" | ".join(cells)} |'
    head = list(rows[0])
    return '\n'.join([line(head), line(['---'] * len(head)),
                      *[line(map(_cell, row.values())) for row in rows]])


class Report:
    """Prints each table as soon as it is known and keeps it for a JSON file."""

    def __init__(self, title: str) -> None:
        self._parts: dict[str, object] = {'machine': machine()}
        print(f'# {title}\n\n{", ".join(f"{key} {is_}" for key, is_ in machine().items())}')

    def add(self, title: str, rows: Sequence[dict[str, object]]) -> None:
        """Print a table under its title."""
        self._parts[title] = rows
        print(f'\n## {title}\n\n{table(rows)}', flush=True)

    def save(self, path: Path | None) -> None:
        """Write all of it as JSON, if asked to."""
        if path:
            path.write_text(json.dumps(self._parts, indent=1) + '\n')
