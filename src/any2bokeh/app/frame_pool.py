"""What is read of a clip by many at a time, with few decoders: pictures and maps that subjects are followed in."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity import DisparitySource

_READERS = 2
# To read on is cheaper than to seek up to so many frames ahead.
_READ_ON = 24
_KEPT = 32  # at most 17 MB of maps at 480x270

Item = TypeVar("Item")


class FramePool(Generic[Item]):
    """Items of the frames of a clip, in any order, for any number of readers that go through it.

    What was read last is kept, so that readers which are near one another share a decoder. Decoders that have not been
    used for longest give way.

    Args:
        read: begins to read at a frame.
        frame_count: frames of the clip.
        readers: how many decoders there are at most.
        kept: how many items are.
    """

    def __init__(
        self,
        read: Callable[[int], Iterator[Item]],
        frame_count: int,
        *,
        readers: int = _READERS,
        kept: int = _KEPT,
    ) -> None:
        self._read = read
        self.frame_count = frame_count
        self._readers, self._kept = readers, kept
        self._running: list[_Reader[Item]] = []  # the one used last is last
        self._items: OrderedDict[int, Item] = OrderedDict()
        self._lock = threading.RLock()

    def at(self, index: int) -> Item:
        """The item of one frame.

        Raises:
            InputError: the clip is damaged.
            IndexError: it ends before the frame, or has been closed.
        """
        with self._lock:
            if index not in self._items:
                self._read_to(index)
            self._items.move_to_end(index)
            return self._items[index]

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Item]:
        """Items of the frames ``start`` to ``stop`` (exclusive; the end where None), in order."""
        for index in range(start, self.frame_count if stop is None else stop):
            try:
                item = self.at(index)
            except IndexError:
                return
            yield item

    def close(self) -> None:
        """Let go of the decoders and of what is kept."""
        with self._lock:
            for reader in self._running:
                reader.close()
            self._running.clear()
            self._items.clear()

    def _read_to(self, index: int) -> None:
        reader = self._reader_for(index)
        try:
            while reader.next <= index:
                at, item = reader.next, reader.read()
                self._items[at] = item
        except StopIteration:
            self._drop(reader)
            raise IndexError(f"frame {index} of {self.frame_count}") from None
        except BaseException:
            self._drop(reader)
            raise
        while len(self._items) > self._kept:
            self._items.popitem(last=False)

    def _reader_for(self, index: int) -> "_Reader[Item]":
        near = [each for each in self._running if each.next <= index <= each.next + _READ_ON]
        reader = max(near, key=lambda each: each.next, default=None)
        if reader is None:
            if len(self._running) >= self._readers:
                self._drop(self._running[0])
            reader = _Reader(index, self._read(index))
        else:
            self._running.remove(reader)
        self._running.append(reader)
        return reader

    def _drop(self, reader: "_Reader[Item]") -> None:
        reader.close()
        with suppress(ValueError):
            self._running.remove(reader)


class _Reader(Generic[Item]):
    """A decoder, and which frame it reads next."""

    def __init__(self, first: int, items: Iterator[Item]) -> None:
        self.next = first
        self._items = items

    def read(self) -> Item:
        item = next(self._items)
        self.next += 1
        return item

    def close(self) -> None:
        close = getattr(self._items, "close", None)
        if close is not None:
            close()


class ReducedMaps:
    """Disparity of a clip at the size of the pictures that subjects are followed in, read through a pool.

    A ``DisparitySource``. Subjects see the same values as at full size, which is brought to this size for them.

    Args:
        maps: of the clip.
        size: ``(width, height)``.
    """

    def __init__(self, maps: DisparitySource, size: tuple[int, int]) -> None:
        self._maps, self._size = maps, size
        self._pool = FramePool(self._read, maps.frame_count)
        self.frame_count = maps.frame_count

    def at(self, index: int) -> NDArray[np.float32]:
        """The map of one frame, ``(1, h, w)``."""
        return self._pool.at(index)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Maps of frames ``start`` to ``stop`` (exclusive; the end where None), in order."""
        return self._pool.frames(start, stop)

    def close(self) -> None:
        """Let go of what is open."""
        self._pool.close()

    def _read(self, start: int) -> Iterator[NDArray[np.float32]]:
        for full in self._maps.frames(start):
            if full.shape[1:] == self._size[::-1]:
                yield full
            else:
                reduced = cv2.resize(full[0], self._size, interpolation=cv2.INTER_AREA)
                yield np.asarray(reduced, np.float32)[None]
