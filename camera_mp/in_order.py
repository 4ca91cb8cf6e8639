"""Puts back in order what several finish in any order."""

from typing import Generic, TypeVar

T = TypeVar('T')


class InOrder(Generic[T]):
    """Keeps what is done until all that was begun before it is done too; locked by its user."""

    def __init__(self) -> None:
        self._begun = self._passed = 0
        self._early: dict[int, T | None] = {}

    @property
    def waiting(self) -> int:
        """How many that are done wait for one that is not."""
        return len(self._early)

    def begin(self) -> int:
        """Give the ticket of the next one."""
        self._begun += 1
        return self._begun - 1

    def settle(self, ticket: int, result: T | None) -> list[T]:
        """Say what came of a ticket, None for nothing; give all results that may go now."""
        self._early[ticket] = result
        free = []
        while self._passed in self._early:
            item = self._early.pop(self._passed)
            self._passed += 1
            if item is not None:
                free.append(item)
        return free
