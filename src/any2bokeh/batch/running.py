"""Rendering the clips of a batch, one after the other; one that cannot be rendered stops none of the others."""

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from any2bokeh.batch.item import Item, Outcome
from any2bokeh.batch.plan import Need, need_of
from any2bokeh.batch.recipes import with_fields
from any2bokeh.batch.record import Record
from any2bokeh.errors import InputError
from any2bokeh.pending_output import writing
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import Progress, refocus
from any2bokeh.segments.cut import Segmentation
from any2bokeh.segments.parts import Job
from any2bokeh.segments.workers import SegmentWorkers
from any2bokeh.video import Encoding, VideoSource

Notice = Callable[[str], None]


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
        self,
        items: Iterable[Item],
        *,
        progress: Callable[[Item], Progress] | None = None,
        estimating: Callable[[Item], Progress] | None = None,
    ) -> Iterator[Outcome]:
        """Render clips, and tell of each, in order, what became of it.

        Args:
            items: the clips.
            progress, estimating: give what ``refocus`` calls while it works on a clip.
        """

        def rendered(item: Item) -> Outcome:
            began, remarks = time.perf_counter(), list[str]()

            def work() -> Outcome:
                reports = [None if each is None else each(item) for each in (progress, estimating)]
                return self._rendered(item, reports[0], reports[1], remarks.append)

            outcome = _guarded(item, work)
            assert isinstance(outcome, Outcome)
            return replace(outcome, elapsed_s=time.perf_counter() - began, remarks=tuple(remarks))

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

    def _planned(self, item: Item) -> Outcome | Need:
        with self.opened(item) as source:
            job, record = self._job(item, source, None)
            made_of = None if record.made_of is None or self.overwrite else job.made_of(record.made_of)
            if made_of is not None and record.is_done(made_of):
                return Outcome(item, "kept", record.frames)
            self._require_replaceable(record)
            return need_of(job)

    def _rendered(self, item: Item, progress: Progress | None, estimating: Progress | None, notice: Notice) -> Outcome:
        with self.opened(item) as source:
            job, record = self._job(item, source, notice)
            made_of = job.made_of(record.made_of)
            if record.is_done(made_of) and not self.overwrite:
                return Outcome(item, "kept", record.frames)
            self._require_replaceable(record)
            with writing(item.output):
                item.output.parent.mkdir(parents=True, exist_ok=True)
            record.begin(made_of, job.stop - job.start)
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
                    progress=progress,
                    estimating=estimating,
                    notice=notice,
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
