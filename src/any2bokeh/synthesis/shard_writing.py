"""Shards of the clips of a maker, written by this process or by several."""

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType
from typing import Literal, NoReturn, cast

from any2bokeh.errors import InputError
from any2bokeh.pending_output import PUBLISHED
from any2bokeh.synthesis import shard
from any2bokeh.synthesis.maker import ClipMaker

Progress = Callable[[int, int], None]
Job = tuple[int, Path]
"""A clip of the maker, and the file for it."""

_PATIENCE_S = 10.0  # for a process that was asked to end: a frame takes a second or two


def write_shards(maker: ClipMaker, jobs: Sequence[Job], *, processes: int = 1, progress: Progress) -> None:
    """Write clips as shards, the same bytes whatever the number of processes.

    Args:
        maker: of the clips; where it leaves the number of threads open, the processes share the processors.
        jobs: which clips, and where to.
        processes: how many clips are made at a time. Each process holds one clip and its pictures in memory.
        progress: hears of frames done and to do.

    Raises:
        InputError: a source or a place that is unfit, or a process that was ended from outside.
    """
    total = len(jobs) * maker.frame_count
    progress(0, total)
    if min(processes, len(jobs)) <= 1:
        for before, (index, path) in zip(range(0, total, maker.frame_count), jobs, strict=True):
            shard.write(path, maker.clip(index, progress=_offset(progress, before, total)))
        return
    with _workers(maker, min(processes, len(jobs))) as workers:
        _share_out(workers, jobs, lambda done: progress(done, total))


def _offset(progress: Progress, before: int, total: int) -> Progress:
    return lambda done, _: progress(before + done, total)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a worker reports: a frame or a clip is done, or why it could not be."""

    kind: Literal["frame", "clip", "unfit", "defect"]
    text: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Worker:
    """A process that makes one clip at a time, and this process' end of the pipe to it."""

    process: SpawnProcess
    pipe: Connection


def _share_out(workers: list[_Worker], jobs: Sequence[Job], progress: Callable[[int], None]) -> None:
    """Give every worker a clip, and the next one when it is done, until all are."""
    waiting, frames = list(reversed(jobs)), 0
    busy = {worker.pipe: (worker, waiting.pop()) for worker in workers}
    for worker, job in busy.values():
        worker.pipe.send(job)
    while busy:
        for ready in wait(list(busy)):
            pipe = cast(Connection, ready)  # of another class on Windows
            worker, (_, path) = busy[pipe]
            said = _heard(worker)
            if said.kind == "frame":
                frames += 1
                progress(frames)
                continue
            PUBLISHED.append(path)
            if waiting:
                busy[pipe] = (worker, waiting.pop())
                pipe.send(busy[pipe][1])
            else:
                del busy[pipe]


def _heard(worker: _Worker) -> _Said:
    try:
        said = worker.pipe.recv()
    except (EOFError, ConnectionResetError):
        worker.process.join(_PATIENCE_S)
        raise InputError(
            f"a process that makes clips was ended (exit code {worker.process.exitcode}), often for want of memory; "
            "give fewer --processes, and start again to go on"
        ) from None
    if said.kind == "unfit":
        raise InputError(said.text)
    if said.kind == "defect":
        raise RuntimeError(f"a process that makes clips failed:\n{said.text}")
    return said


@contextmanager
def _workers(maker: ClipMaker, count: int) -> Iterator[list[_Worker]]:
    """Processes that have ended when the block has, however it ends."""
    # Not forked: threads of numerical libraries do not survive that.
    context = multiprocessing.get_context("spawn")
    threads = max(1, (os.cpu_count() or 1) // count) if maker.threads is None else maker.threads
    workers: list[_Worker] = []
    try:
        with _ctrl_c_held_back():
            for _ in range(count):
                own, theirs = context.Pipe()
                process = context.Process(target=_work, args=(theirs, maker, threads), daemon=True)
                process.start()
                theirs.close()  # so that the end of either process is seen by the other
                workers.append(_Worker(process, own))
        yield workers
    except BaseException:
        for worker in workers:
            worker.process.terminate()
        raise
    finally:
        for worker in workers:
            worker.pipe.close()
        for worker in workers:
            worker.process.join(_PATIENCE_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Processes that start meanwhile never get a Ctrl-C, which a terminal sends to all: this one ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(pipe: Connection, maker: ClipMaker, threads: int) -> None:
    """Make the clips that come through the pipe until its other end is closed."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    cv2.setNumThreads(threads)
    maker.threads = threads
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # who gave the work is gone
        while True:
            index, path = pipe.recv()
            pipe.send(_made(pipe, maker, index, path))


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """Unwind, so that no partial file stays behind."""
    raise SystemExit(128 + number)


def _made(pipe: Connection, maker: ClipMaker, index: int, path: Path) -> _Said:
    try:
        shard.write(path, maker.clip(index, progress=lambda done, total: pipe.send(_Said("frame"))))
    except InputError as error:
        return _Said("unfit", str(error))
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception:
        return _Said("defect", traceback.format_exc())
    return _Said("clip")
