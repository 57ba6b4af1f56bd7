"""Hand items from one thread to the next, a few at a time."""

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class CalledOff(Exception):
    """The other end of a handover has stopped, so there is nobody to hand to or to take from."""


class Handover(Generic[Item]):
    """A bounded queue between a thread that gives and a thread that takes; either may call it off.

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

    def give(self, item: Item) -> None:
        """Add an item, waiting while the queue is full.

        Raises:
            CalledOff: when either end has called the handover off.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._off or len(self._waiting) < self._capacity)
            if self._off:
                raise CalledOff
            self._waiting.append(item)
            self._changed.notify_all()

    def complete(self) -> None:
        """Say that the last item has been given."""
        with self._changed:
            self._complete = True
            self._changed.notify_all()

    def call_off(self) -> None:
        """Drop what waits and wake both ends, which get ``CalledOff``."""
        with self._changed:
            self._off = True
            self._waiting.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Item]:
        """Take items until the last.

        Raises:
            CalledOff: when either end has called the handover off.
        """
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._off or self._complete or len(self._waiting) > 0)
                if self._off:
                    raise CalledOff
                if not self._waiting:
                    return
                item = self._waiting.popleft()
                self._changed.notify_all()
            yield item
