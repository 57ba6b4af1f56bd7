"""Tiles of one frame after the other, made by this process or by others."""

import atexit
import itertools
import os
import queue
import threading
from collections.abc import Iterable, Iterator

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from any2bokeh.training.edges.mixed_tiles import MixedTileSource
from any2bokeh.training.edges.tiles import TileSource

_LONGEST_FRAME_S = 30.0
_WAITING = 64  # frames that may wait to be taken


class TileStream:
    """Tiles of numbered frames, in order.

    Args:
        source: makes them.
        numbers: of the frames; any iterable that can be run through once.
        workers: processes that make them; 0 = this one.
    """

    def __init__(self, source: TileSource | MixedTileSource, numbers: Iterable[int], workers: int) -> None:
        self._is_over = False
        self._frames: Iterator[tuple[Tensor, Tensor]] = iter(
            DataLoader(
                _Frames(source),
                batch_size=None,
                sampler=self._until_over(numbers),  # pyright: ignore[reportArgumentType]
                num_workers=workers,
                prefetch_factor=4 if workers else None,
                worker_init_fn=_begin if workers else None,
                multiprocessing_context="spawn" if workers else None,
            )
        )

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self

    def __next__(self) -> tuple[Tensor, Tensor]:
        return next(self._frames)

    def close(self) -> None:
        """End the processes, once they have made what they have been asked for."""
        self._is_over = True
        for _ in self._frames:
            pass
        self._frames = iter(())

    def _until_over(self, numbers: Iterable[int]) -> Iterator[int]:
        return itertools.takewhile(lambda _: not self._is_over, numbers)


class WaitingTiles:
    """What a stream has made so far, taken without waiting for the next.

    Args:
        stream: is run through in a thread of its own.
    """

    def __init__(self, stream: TileStream) -> None:
        self._made: queue.Queue[tuple[Tensor, Tensor] | BaseException] = queue.Queue(_WAITING)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(stream,), daemon=True)
        self._thread.start()

    def take(self, *, wait: bool) -> tuple[Tensor, Tensor] | None:
        """The next frame's; None where none is there yet and it is not to be waited for."""
        try:
            made = self._made.get(block=wait)
        except queue.Empty:
            return None
        if isinstance(made, BaseException):
            raise made
        return made

    def close(self) -> None:
        """End the thread; the stream must not be read by it when its processes end."""
        self._is_over.set()
        self._thread.join(_LONGEST_FRAME_S)

    def _run(self, stream: TileStream) -> None:
        try:
            for made in stream:
                while not self._is_over.is_set():
                    try:
                        self._made.put(made, timeout=0.5)
                        break
                    except queue.Full:
                        continue
                if self._is_over.is_set():
                    return
        except BaseException as error:  # told to who takes
            self._made.put(error)


def _begin(worker: int) -> None:
    """Of a process: one thread, as there are as many processes as processors; and an end without taking down.

    Taking down an interpreter with torch and compiled kernels takes seconds, and may abort. The loader waits five, then
    reports the process as killed. By then all tiles have been handed over: see ``TileStream.close``.
    """
    atexit.register(os._exit, 0)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


class _Frames(Dataset[tuple[Tensor, Tensor]]):
    def __init__(self, source: TileSource | MixedTileSource) -> None:
        self._source = source

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        values, targets = self._source.tiles_of(number)
        return torch.from_numpy(values), torch.from_numpy(targets)
