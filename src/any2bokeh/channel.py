"""Hand items from one thread to the next, a few at a time."""

import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any, Generic, TypeVar

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
            self.wait_for_room()
            self._waiting.append(item)
            self._changed.notify_all()

    def wait_for_room(self) -> None:
        """Wait while the queue is full, before an item is made that would have to wait itself.

        Raises:
            Cancelled: when either end has cancelled the channel.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._off or len(self._waiting) < self._capacity)
            if self._off:
                raise Cancelled

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


def made_ahead(items: Generator[Item, Any, Any], *, name: str) -> Generator[Item, None, None]:
    """Make items in a thread of its own, one while the one before is used.

    Args:
        items: what makes them; what it raises is raised once those before have been taken.
        name: of the thread, which has ended when the generator is closed or at its end.
    """
    made: Channel[Item] = Channel(1)
    failures: list[BaseException] = []

    def make() -> None:
        try:
            with closing(items):
                for item in items:
                    made.put(item)
                    made.wait_for_room()
        except BaseException as error:  # Cancelled, too, where nobody is left to be told
            failures.append(error)
        made.complete()

    thread = threading.Thread(target=make, name=name)
    thread.start()
    try:
        yield from made
    finally:
        made.cancel()
        thread.join()
    if failures:
        raise failures[0]
