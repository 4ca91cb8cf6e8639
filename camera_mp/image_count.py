"""How many frames the cameras of a domain have taken, from their rings' headers."""

from camera_mp.errors import RingError
from camera_mp.ring import list_rings, RingMapping


class ImageCount:
    """Adds up the frames of all rings from its making on; each `look` takes in what is new."""

    def __init__(self, domain: int | None = None) -> None:
        self._domain = domain
        self._seen: dict[tuple[str, int], int] = {}  # (name, generation): frames so far
        self.total = 0
        self.look()
        self.total = 0

    def look(self) -> int:
        """Give the frames taken until now, those of cameras that have ended since too."""
        for _, name, path in list_rings(self._domain):
            try:
                ring = RingMapping.open(path)
            except RingError:
                continue  # no ring: it has no frames
            if ring:
                key, newest = (name, ring.generation), ring.newest
                self.total += newest - self._seen.get(key, 0)
                self._seen[key] = newest
        return self.total
