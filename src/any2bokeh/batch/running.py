"""Rendering the clips of a batch, one after the other; one that cannot be rendered stops none of the others."""

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from any2bokeh.batch.item import Item, Outcome
from any2bokeh.batch.plan import Need, need_of
from any2bokeh.batch.recipes import with_fields
from any2bokeh.batch.record import Record
from any2bokeh.claim import sweep
from any2bokeh.errors import InputError
from any2bokeh.events import ClipFailed, ClipFinished, ClipStarted, Event, FrameEvents, Remark, Watch
from any2bokeh.pending_output import PUBLISHED, pointed_at, writing
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.segments.cut import Segmentation
from any2bokeh.segments.parts import Job
from any2bokeh.segments.sink import bytes_of
from any2bokeh.segments.workers import SegmentWorkers
from any2bokeh.video import Encoding, VideoSource
from any2bokeh.worker_process import WorkDefect, WorkerDied, WorkerProcess

Notice = Callable[[str], None]
ItemWatch = Callable[[Item, Event], None]


@dataclass(frozen=True, slots=True)
class Batch:
    """How the clips of a batch are rendered.

    Attributes:
        opened: opens the clip of an item.
        part: the frames ``start <= index < stop`` of an item's clip.
        recipe: what all clips share, for a clip and the first frame that is wanted.
        encoding, segmentation, workers: see ``refocus``.
        at_once: clips that are worked on at one time, 1 unless ``workers`` render them.
        overwrite: replace results that are finished, and files that no batch has made.
        also_read: see ``refocus``.
    """

    opened: Callable[[Item], AbstractContextManager[VideoSource]]
    part: Callable[[Item, VideoSource], tuple[int, int]]
    recipe: Callable[[Item, VideoSource, int, Notice | None], Recipe]
    encoding: Encoding = field(default_factory=Encoding)
    segmentation: Segmentation = field(default_factory=Segmentation)
    workers: SegmentWorkers | None = None
    at_once: int = 1
    overwrite: bool = False
    also_read: tuple[Path, ...] = ()

    def planned(self, item: Item) -> Outcome | Need:
        """What would be done for an item: what its render needs, or the outcome where it is not rendered."""
        return _guarded(item, lambda: self._planned(item))

    def rendered(
        self, items: Iterable[Item], *, watch: ItemWatch | None = None, apart: bool = False
    ) -> Iterator[Outcome]:
        """Render clips, and tell of each, in order, what became of it.

        Args:
            items: the clips.
            watch: told of what happens to a clip, each as number 0: from its ``ClipStarted`` to ``ClipFinished`` or
                ``ClipFailed``.
            apart: render in a process of its own, so that a clip whose decoder crashes, or that takes all memory, costs
                itself only. What the batch holds must then be picklable; not for ``workers``, which are apart already.
        """
        tell = watch or (lambda item, event: None)
        with self._made(apart) as made:

            def rendered(item: Item) -> Outcome:
                began = time.perf_counter()
                tell(item, ClipStarted(0, str(item.clip), str(item.output)))
                outcome = replace(made(item, partial(tell, item)), elapsed_s=time.perf_counter() - began)
                tell(item, _end_of(outcome))
                return outcome

            if self.at_once == 1:
                yield from map(rendered, items)
                return
            with ThreadPoolExecutor(self.at_once, thread_name_prefix="any2bokeh clip") as pool:
                try:
                    yield from pool.map(rendered, items)
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    if self.workers is not None:
                        self.workers.stop()
                    raise

    def outcome(self, item: Item, watch: Watch) -> Outcome:
        """Render a clip in this process, and tell what became of it.

        Args:
            item: which.
            watch: told of ``ClipPlanned``, ``FramesDone``, segments and remarks.
        """
        remarks: list[str] = []

        def notice(remark: str) -> None:
            remarks.append(remark)
            watch(Remark(remark))

        outcome = _guarded(item, lambda: self._rendered(item, watch, notice))
        assert isinstance(outcome, Outcome)
        return replace(outcome, remarks=tuple(remarks))

    @contextmanager
    def _made(self, apart: bool) -> Iterator[Callable[[Item, Watch], Outcome]]:
        """What gives the outcome of an item: this process, or one of its own."""
        if not apart:
            yield self.outcome
            return
        with WorkerProcess(self.outcome, name="any2bokeh clips") as process:
            yield lambda item, watch: _outcome_of(process, item, watch)

    def _planned(self, item: Item) -> Outcome | Need:
        with self.opened(item) as source:
            job, record = self._job(item, source, None)
            made_of = None if record.made_of is None or self.overwrite else job.made_of(record.made_of)
            if made_of is not None and record.is_done(made_of):
                return Outcome(item, "kept", record.frames)
            self._require_replaceable(record)
            return need_of(job)

    def _rendered(self, item: Item, watch: Watch, notice: Notice) -> Outcome:
        with self.opened(item) as source:
            job, record = self._job(item, source, notice)
            made_of = job.made_of(record.made_of)
            if record.is_done(made_of) and not self.overwrite:
                return Outcome(item, "kept", record.frames)
            self._require_replaceable(record)
            with writing(item.output):
                item.output.parent.mkdir(parents=True, exist_ok=True)
            record.begin(made_of, job.stop - job.start)
            rendering = FrameEvents(watch, "rendering")
            try:
                result = refocus(
                    source,
                    item.output,
                    job.recipe,
                    frames=(job.start, job.stop),
                    encoding=self.encoding,
                    segmentation=self.segmentation,
                    workers=self.workers,
                    overwrite=True,  # what may not be replaced has been refused
                    also_read=self.also_read,
                    progress=rendering,
                    within=rendering.within,
                    estimating=FrameEvents(watch, "estimating"),
                    notice=notice,
                    watch=watch,
                )
            except BaseException:
                with suppress(InputError):  # the failure that led here is told
                    record.give_up()
                raise
            record.finish(made_of, result.frame_count)
            return Outcome(item, "rendered", result.frame_count)

    def _job(self, item: Item, source: VideoSource, notice: Notice | None) -> tuple[Job, Record]:
        start, stop = self.part(item, source)
        shared = self.recipe(item, source, start, notice)
        recipe = with_fields(shared, item.fields, title=item.title, root=item.root)
        job = Job(source, recipe, item.output, start, stop, self.encoding, self.segmentation)
        return job, Record(item.output)

    def _require_replaceable(self, record: Record) -> None:
        output = record.output
        is_empty = output.is_dir() and not any(output.iterdir())
        if not (record.may_be_replaced or is_empty or self.overwrite):
            raise InputError(
                f"{output} exists already, and no batch has made it as it is; move it away or pass --overwrite"
            )


def _outcome_of(process: WorkerProcess[Item, Outcome], item: Item, watch: Watch) -> Outcome:
    """What a process of its own made of a clip; its death is the outcome of the clip alone."""
    remarks: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, Remark):
            remarks.append(event.message)
        watch(event)

    try:
        outcome = process.done(item, hear)
    except WorkerDied as died:
        # As the next start would; finished segments stay for it.
        for folder in {item.output.parent, pointed_at(item.output).parent}:
            sweep(folder)
        message = f"the process that rendered {item.clip} {died}; start the batch again to try it once more"
        return Outcome(item, "failed", message=message, remarks=tuple(remarks))
    except WorkDefect as defect:
        return Outcome(item, "failed", message=str(defect), is_defect=True, remarks=tuple(remarks))
    if outcome.state == "rendered":
        PUBLISHED.append(item.output)
    return replace(outcome, item=item)


def _end_of(outcome: Outcome) -> ClipFinished | ClipFailed:
    if outcome.state == "failed":
        return ClipFailed(0, outcome.reason, outcome.is_defect)
    output, seconds = outcome.item.output, round(outcome.elapsed_s, 3)
    return ClipFinished(0, outcome.state, str(output), outcome.frames, bytes_of(output), seconds)


def _guarded(item: Item, work: Callable[[], Outcome | Need]) -> Outcome | Need:
    """What work on an item gives; its failure, where it fails."""
    try:
        if item.problem is not None:
            raise InputError(item.problem)
        return work()
    except InputError as error:
        return Outcome(item, "failed", message=" ".join(str(error).split()))
    except OSError as error:
        reason = error.strerror or str(error)
        return Outcome(item, "failed", message=f"{error.filename}: {reason}" if error.filename else reason)
    except Exception:
        return Outcome(item, "failed", message=traceback.format_exc(), is_defect=True)
