"""Clips scored by several processes, each of which takes one after another; the scores are those of one process."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from queue import SimpleQueue

from any2bokeh.errors import InputError
from any2bokeh.evaluation.clips import EvaluationClip, EvaluationFrame
from any2bokeh.evaluation.runner import Bench, ClipResult, Evaluation, Sample, evaluated, score_clip
from any2bokeh.worker_process import Tell, WorkerDied, WorkerProcess

Notice = Callable[[str], None]
MakeBench = Callable[[Notice], Bench]
"""Makes the bench anew in each process, as clips and methods hold what cannot be pickled; it can be pickled itself. It
is given what takes remarks on clips."""

_Worker = WorkerProcess[tuple[int, str], ClipResult]

_FRAME = None
"""What a process tells after each frame of a method."""


def evaluate_apart(
    bench: Bench,
    make_bench: MakeBench,
    processes: int,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    show: Callable[[Sample], None] = lambda sample: None,
    notice: Notice = lambda remark: None,
) -> Evaluation:
    """Score methods on clips in several processes; see ``evaluate``.

    Args:
        bench: what is scored.
        make_bench: makes an equal one in each process.
        processes: how many clips are scored at a time.
        progress, show: see ``evaluate``; samples come as clips are done.
        notice: takes remarks on clips.

    Raises:
        InputError: see ``evaluate``; or a process died.
    """
    count = min(processes, len(bench.clips))
    return evaluated(
        bench,
        lambda told, shown: _scored(bench.clips, make_bench, count, told, shown, notice),
        progress=progress,
        show=show,
    )


@dataclass(slots=True)
class _Scorer:
    """What each process does."""

    make_bench: MakeBench
    bench: Bench | None = None

    def __call__(self, task: tuple[int, str], tell: Tell) -> ClipResult:
        if self.bench is None:
            self.bench = self.make_bench(tell)
        index, name = task
        if index >= len(self.bench.clips) or self.bench.clips[index].name != name:
            raise InputError(f"clip {name} is another one now; leave the clips alone while they are scored")
        clip = self.bench.clips[index]

        def show(sample: Sample) -> None:
            tell(replace(sample, clip=replace(clip, read=_unread)))

        return score_clip(clip, self.bench, lambda: tell(_FRAME), show)


def _unread() -> Iterator[EvaluationFrame]:
    """Frames of a clip that went to another process."""
    return iter(())


def _scored(
    clips: Sequence[EvaluationClip],
    make_bench: MakeBench,
    count: int,
    told: Callable[[], None],
    show: Callable[[Sample], None],
    notice: Notice,
) -> list[ClipResult]:
    one_at_a_time = threading.Lock()

    def hear(said: "Sample | str | None") -> None:
        with one_at_a_time:
            if said is _FRAME:
                told()
            elif isinstance(said, str):
                notice(said)
            elif isinstance(said, Sample):
                show(said)

    with ExitStack() as stack:
        workers = [stack.enter_context(_Worker(_Scorer(make_bench), name="any2bokeh scores")) for _ in range(count)]
        free: SimpleQueue[_Worker] = SimpleQueue()
        for worker in workers:
            free.put(worker)

        def scored(index: int) -> ClipResult:
            worker = free.get()
            try:
                return worker.done((index, clips[index].name), hear)
            except WorkerDied as died:
                raise InputError(
                    f"the process that scored {clips[index].name} {died}; give fewer --processes, or check the clip"
                ) from None
            finally:
                free.put(worker)

        with ThreadPoolExecutor(count, thread_name_prefix="any2bokeh scores") as pool:
            try:
                return list(pool.map(scored, range(len(clips))))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in workers:
                    worker.stop()
                raise
