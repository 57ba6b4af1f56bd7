"""One pass over frames, for two that read them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Fork(Generic[Item]):
    """Gives the same items to two readers, one of which takes a reduced form of them.

    What one reader is ahead of the other waits: whole items for ``whole``, reduced ones for ``reduced``.

    Args:
        items: read once.
        reduce: makes the reduced form.
    """

    def __init__(self, items: Iterable[Item], reduce: Callable[[Item], Item]) -> None:
        self._items = iter(items)
        self._reduce = reduce
        self._whole: deque[Item] = deque()
        self._reduced: deque[Item] = deque()

    def whole(self) -> Iterator[Item]:
        """The items, for the first reader."""
        while self._whole or self._advance():
            yield self._whole.popleft()

    def reduced(self) -> Iterator[Item]:
        """Their reduced form, for the second reader."""
        while self._reduced or self._advance():
            yield self._reduced.popleft()

    def _advance(self) -> bool:
        for item in self._items:
            self._whole.append(item)
            self._reduced.append(self._reduce(item))
            return True
        return False
