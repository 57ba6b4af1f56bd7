"""Hand items from one thread to the next, a few at a time."""

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Cancelled(Exception):
    """The other end of a channel has stopped, so there is nobody to hand to or to take from."""


class Channel(Generic[Item]):
    """A bounded queue between a thread that gives and a thread that takes; either may cancel it.

    ``queue.Queue`` has no way to wake a thread that waits on a full or empty queue when the other side has failed.

    Args:
        capacity: how many items may wait. It bounds the memory between two threads.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: deque[Item] = deque()
        self._changed = threading.Condition()
        self._complete = False
        self._off = False

    def put(self, item: Item) -> None:
        """Add an item, waiting while the queue is full.

        Raises:
            Cancelled: when either end has cancelled the channel.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._off or len(self._waiting) < self._capacity)
            if self._off:
                raise Cancelled
            self._waiting.append(item)
            self._changed.notify_all()

    def complete(self) -> None:
        """Say that the last item has been given."""
        with self._changed:
            self._complete = True
            self._changed.notify_all()

    def cancel(self) -> None:
        """Drop what waits and wake both ends, which get ``Cancelled``."""
        with self._changed:
            self._off = True
            self._waiting.clear()
            self._changed.notify_all()

    def require_wanted(self) -> None:
        """Go on only while nobody has cancelled the channel.

        Raises:
            Cancelled: either end has.
        """
        if self._off:
            raise Cancelled

    def __iter__(self) -> Iterator[Item]:
        """Take items until the last.

        Raises:
            Cancelled: when either end has cancelled the channel.
        """
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._off or self._complete or len(self._waiting) > 0)
                if self._off:
                    raise Cancelled
                if not self._waiting:
                    return
                item = self._waiting.popleft()
                self._changed.notify_all()
            yield item
