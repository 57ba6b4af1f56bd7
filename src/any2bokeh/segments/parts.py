"""The folder beside a result that holds its finished segments until it is whole."""

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from any2bokeh.claim import remove
from any2bokeh.errors import InputError
from any2bokeh.grain import GrainModel, MatchedGrain
from any2bokeh.pending_output import pointed_at, require_unclaimed, writing
from any2bokeh.recipe import Recipe
from any2bokeh.segments.cut import Segment, Segmentation, cut
from any2bokeh.segments.fingerprint import Fingerprint, differences, digest, fingerprint
from any2bokeh.segments.kept_shot import is_kept, keep_shot, kept_shot
from any2bokeh.segments.marks import Marks, is_marked, marks_of, write_whole
from any2bokeh.shot import Shot
from any2bokeh.video import Encoding, VideoSink, VideoSource
from any2bokeh.video.picture_encoder import encoder_threads

if TYPE_CHECKING:
    from any2bokeh.aov.kinds import AovRequest
    from any2bokeh.aov.sink import AovSink

_FORMAT = 1
_JOB, _GRAIN, _END = "job.json", "grain.json", "end.json"
_SEGMENT, PARTIAL = "segment-", ".partial"
PICTURES, AOVS = "pictures", "aov"
"""Folders within that of a segment."""


def parts_folder(output: Path) -> Path:
    """Where the segments of a result are kept: ``OUT.parts`` beside ``OUT``."""
    place = pointed_at(output)
    return place.with_name(f"{place.name}.parts")


def segment_name(segment: Segment) -> str:
    """Name of the folder of a segment that is complete."""
    return f"{_SEGMENT}{segment.start:08d}"


def remark_on_parts(output: Path) -> str | None:
    """What to tell of segments of an unfinished render that a run leaves alone; None where there are none."""
    if _kept_job(output) is None:
        return None
    folder = parts_folder(output)
    return f"{folder} holds segments of an unfinished render; --resume goes on from them, or remove the folder"


def _kept_job(output: Path) -> dict[str, Any] | None:
    """What the kept segments of a result were made of; None where there are none."""
    with suppress(OSError, ValueError):
        job = json.loads((parts_folder(output) / _JOB).read_text())
        if isinstance(job, dict) and job.get("format") == _FORMAT:
            return job
    return None


@dataclass(frozen=True, slots=True)
class Job:
    """A render in segments.

    Attributes:
        source, recipe, output: of what, how and where to.
        start, stop: the frames of the clip that the result shows.
        encoding, segmentation: how the result is encoded, and how it is cut.
        aovs: pictures for compositing beside it.
    """

    source: VideoSource
    recipe: Recipe
    output: Path
    start: int
    stop: int
    encoding: Encoding
    segmentation: Segmentation
    aovs: "AovRequest | None" = None

    @property
    def segment_frames(self) -> int:
        return self.segmentation.frames_of(self.source.info)

    def made_of(self, known: Mapping[str, Any] | None = None) -> Fingerprint:
        """Its fingerprint.

        Args:
            known: an earlier one; see ``fingerprint``.

        Raises:
            InputError: see ``fingerprint``.
        """
        aovs = None if self.aovs is None else [list(self.aovs.kinds), self.aovs.format]
        return fingerprint(
            self.source,
            self.recipe,
            self.encoding,
            known=known,
            frames=[self.start, self.stop],
            segment_frames=self.segment_frames,
            output=self.output.suffix.lower(),
            aovs=aovs,
        )


class Parts:
    """Segments of one result. A context manager: the folder goes once the result is whole, and stays on any failure.

    Nothing in it is believed before it is complete: files get their names when they are written, a segment's folder
    when all of its files are on the disk. So a run that is killed at any moment leaves what the next can go on from.

    Args:
        job: what is rendered.
        made_of: its fingerprint.
        threads: of encoders, which what they make depends on.
        first_s: when the first frame of the result is shown, on the source's clock.
        is_new: what is in the folder is of another render, and goes.
        attempt: tells what is written here from what another machine writes of the same segment.
        notice: told what is there, and what is kept when a run fails.

    Attributes:
        folder: ``OUT.parts``.
        whole: the frames of the result.
        first_s: as given.
    """

    def __init__(
        self,
        job: Job,
        made_of: Fingerprint,
        *,
        threads: int,
        first_s: Fraction,
        is_new: bool,
        attempt: str = "",
        notice: Callable[[str], None] | None = None,
    ) -> None:
        self.folder = parts_folder(job.output)
        self.whole = Segment(job.start, job.stop)
        self.first_s = first_s
        self._job = job
        self._made_of = made_of
        self._threads = threads
        self._segments = cut(job.start, job.stop, job.segment_frames)
        self._is_new = is_new
        self._is_begun = False
        self._keeps = job.segmentation.keeps
        self._ending = f".{attempt}{PARTIAL}" if attempt else PARTIAL
        self._notice = notice or (lambda remark: None)

    @classmethod
    def begun(cls, job: Job, *, overwrite: bool, notice: Callable[[str], None] | None = None) -> "Parts":
        """Those that are there, or new ones; nothing is written yet.

        Args:
            job: what is rendered.
            overwrite: let segments of another render go.
            notice: see the class.

        Raises:
            InputError: the folder holds segments of another render, or something else.
        """
        require_unclaimed(job.output)
        folder, kept = parts_folder(job.output), _kept_job(job.output)
        made_of = job.made_of(None if kept is None else kept["made_of"])
        if kept is None:
            if folder.exists() and not (folder.is_dir() and _is_ours(folder)):
                raise InputError(
                    f"{folder}, where segments of {job.output.name} are kept, holds something else; remove it or "
                    f"choose another name"
                )
            changed = ["what it was begun with"]
        else:
            changed = differences(kept["made_of"], made_of)
            if changed and not overwrite:
                raise InputError(
                    f"{folder} holds segments of another render ({' and '.join(changed)} changed); pass --overwrite to "
                    f"begin anew, or choose another name"
                )
        if kept is not None and not changed:
            threads, first_s = int(kept["threads"]), Fraction(kept["first_s"])
        else:
            threads = encoder_threads(job.encoding)
            first_s = next(iter(job.source.frames(job.start, job.start + 1))).time_s
        return cls(job, made_of, threads=threads, first_s=Fraction(first_s), is_new=bool(changed), notice=notice)

    @classmethod
    def under_way(cls, job: Job, made_of: str, *, attempt: str) -> "Parts":
        """Those of a render that another process has begun and will join; segments are added to them.

        Args:
            job: what is rendered.
            made_of: the ``digest`` of the fingerprint that it was begun with.
            attempt: see the class.

        Raises:
            InputError: they are not seen on this machine, or what is rendered is something else here.
        """
        kept = _kept_job(job.output)
        if kept is None or digest(kept["made_of"]) != made_of:
            raise InputError(
                f"{parts_folder(job.output)} is not on {socket.gethostname()} what it is where the render was begun; "
                f"give an output in a folder that all machines share under one path"
            )
        here = job.made_of(kept["made_of"])
        if changed := differences(kept["made_of"], here):
            raise InputError(
                f"{job.source.info.path} would be another render on {socket.gethostname()} ({' and '.join(changed)} "
                f"differ); give all machines the same versions and files"
            )
        threads, first_s = int(kept["threads"]), Fraction(kept["first_s"])
        return cls(job, here, threads=threads, first_s=first_s, is_new=False, attempt=attempt)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._remove()
        elif self._is_begun:
            for each in self.folder.glob(f"*{PARTIAL}"):
                remove(each)
            if not self._keeps or (not self._done and not is_kept(self.folder)):
                self._remove()
                return
            self._notice(
                f"{self._done} of {len(self._segments)} segments are kept in {self.folder}; the same command with "
                f"--resume goes on from there"
            )

    @property
    def is_published(self) -> bool:
        """Whether the result has its name: the run that gave it was killed before it removed the segments."""
        return all(self._have_names)

    @property
    def may_replace(self) -> bool:
        """Whether the result has its name, and the AOVs beside it have not: a run was killed between the two."""
        return any(self._have_names)

    @property
    def encoding(self) -> Encoding:
        """That of every segment, whichever machine it is rendered on."""
        return replace(self._job.encoding, threads=self._threads)

    def begin(self) -> None:
        """Make the folder, and note in it what the segments are of.

        Raises:
            InputError: it cannot be written.
        """
        if self._is_begun:
            return
        if self._is_new:
            if self._done:
                self._notice(f"segments of another render in {self.folder} are removed")
            remove(self.folder)
            self._is_new = False
        with writing(self._job.output):
            self.folder.mkdir(exist_ok=True)
            self._is_begun = True
            for each in self.folder.glob(f"*{PARTIAL}"):
                remove(each)
            if not (self.folder / _JOB).exists():
                self._note_job(result=None)
            elif self._done:
                self._keeps = True  # an earlier run wanted them
                self._notice(f"{self._done} of {len(self._segments)} segments are there already, in {self.folder}")

    def shot(self, found: Callable[[], Shot]) -> Shot:
        """The shot that is kept, or one that is found, and kept, now.

        Raises:
            InputError: see ``Shot.open``; or the disk is full.
        """
        self.begin()
        kept = self.kept_shot()
        if kept is not None:
            return kept
        shot = found()
        keep_shot(shot, self.folder)
        return shot

    def kept_shot(self) -> Shot | None:
        """The shot that is kept; None where there is none.

        Raises:
            InputError: see ``kept_shot`` of ``segments.kept_shot``.
        """
        job = self._job
        return kept_shot(self.folder, job.source, job.recipe, job.start, job.stop)

    def grain(self) -> MatchedGrain:
        """The grain of the clip, measured once.

        Raises:
            InputError: the disk is full.
        """
        amount, source = self._job.recipe.grain, self._job.source
        with suppress(OSError, ValueError, KeyError, TypeError):
            model = json.loads((self.folder / _GRAIN).read_text())
            return MatchedGrain(amount, None if model is None else GrainModel.loaded(model), source.info.transfer)
        grain = MatchedGrain.of_clip(amount, source)
        with writing(self._job.output):
            write_whole(self.folder / _GRAIN, json.dumps(None if grain.model is None else grain.model.dumped()))
        return grain

    @property
    def count(self) -> int:
        """Segments of the result, those that are missing included."""
        return len(self._segments)

    @property
    def kept_count(self) -> int:
        """Segments that an earlier run of the same render has finished."""
        return 0 if self._is_new else self._done

    def missing(self) -> list[Segment]:
        """Segments that are not there yet, in order."""
        end = self.end()
        return [each for each in self._segments if each.start < end and not self._place(each).is_dir()]

    def end(self) -> int:
        """The frame after the last one of the clip: earlier than expected where the clip turned out to end early."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            return int(json.loads((self.folder / _END).read_text())["stop"])
        return self.whole.stop

    def ends_at(self, stop: int) -> None:
        """Note that the clip turned out to end early; of several ends the earliest counts."""
        if stop >= self.end():
            return
        with writing(self._job.output):
            write_whole(self.folder / _END, json.dumps({"stop": stop}))

    def partial(self, segment: Segment) -> Path:
        """An empty folder to write a segment into.

        Raises:
            InputError: it cannot be made.
        """
        folder = self._place(segment).with_suffix(self._ending)
        remove(folder)
        with writing(self._job.output):
            folder.mkdir()
        return folder

    def complete(self, segment: Segment) -> Path:
        """Give a segment its name, once all of it is on the disk; where it is.

        Raises:
            InputError: the disk is full or went away.
        """
        place = self._place(segment)
        partial = place.with_suffix(self._ending)
        with writing(self._job.output):
            _flush(partial)
            try:
                partial.rename(place)
            except OSError:
                if not place.is_dir():  # another machine, taken for lost, was faster
                    raise
                remove(partial)
            _flush_folder(self.folder)
        return place

    def join(self, sink: VideoSink, aovs: "AovSink | None", joining: Callable[[int, int], None] | None = None) -> None:
        """Make the result, all segments of which are there; they stay.

        Args:
            sink, aovs: of the result.
            joining: called with the frames of the result that are joined, and with all of them.

        Raises:
            InputError: a segment is damaged, or the disk is full.
        """
        joining, end = joining or (lambda done, total: None), self.end()
        segments = [each for each in self._segments if each.start < end]

        def pictures() -> Iterator[Path]:
            for segment in segments:
                joining(segment.start - self.whole.start, end - self.whole.start)
                yield self._place(segment) / PICTURES

        sink.join(pictures(), first_s=self.first_s)
        joining(end - self.whole.start, end - self.whole.start)
        if aovs is not None:
            aovs.join([self._place(each) / AOVS for each in segments])

    def scratch(self, segment: Segment) -> Path:
        """An empty folder for what is written while a segment is, and goes with it.

        Raises:
            InputError: it cannot be made.
        """
        folder = self._place(segment).with_suffix(f".scratch{self._ending}")
        remove(folder)
        with writing(self._job.output):
            folder.mkdir()
        return folder

    @property
    def made_of(self) -> str:
        """The ``digest`` of what the segments are of."""
        return digest(self._made_of)

    @contextmanager
    def marking(self, temporary: Callable[[], list[Path]]) -> Iterator[None]:
        """Note what the whole result is at its end, before it gets its name.

        Args:
            temporary: tells where it lies, and what is beside it.
        """
        yield
        with writing(self._job.output):
            self._note_job(result=[marks_of(each) for each in temporary()])

    def _note_job(self, *, result: list[Marks] | None) -> None:
        job = {
            "format": _FORMAT,
            "made_of": self._made_of,
            "threads": self._threads,
            "first_s": str(self.first_s),
            "result": result,
        }
        write_whole(self.folder / _JOB, json.dumps(job))

    @property
    def _done(self) -> int:
        return sum(self._place(each).is_dir() for each in self._segments)

    @property
    def _have_names(self) -> list[bool]:
        """Of the result and of what is beside it, whether it has its name."""
        places = [self._job.output, *([] if self._job.aovs is None else [self._job.aovs.folder])]
        marks = (_kept_job(self._job.output) or {}).get("result")
        if self._is_new or not isinstance(marks, list) or len(marks) != len(places):
            return [False]
        return [is_marked(pointed_at(place), mark) for place, mark in zip(places, marks, strict=True)]

    def _place(self, segment: Segment) -> Path:
        return self.folder / segment_name(segment)

    def _remove(self) -> None:
        """What tells that the result is whole goes last."""
        if not self.folder.is_dir():
            return
        for each in self.folder.iterdir():
            if each.name != _JOB:
                remove(each)
        remove(self.folder)


def _is_ours(folder: Path) -> bool:
    """Whether nothing is in a folder that this program has not put there."""
    own = (_JOB, _GRAIN, _END, "shot.json", "track.npz", "disparity.npy")
    return all(
        each.name in own or each.name.startswith(_SEGMENT) or each.name.endswith(PARTIAL) for each in folder.iterdir()
    )


def _flush(folder: Path) -> None:
    for each in folder.rglob("*"):
        if each.is_file():
            file = os.open(each, os.O_RDWR)  # Windows flushes no other
            try:
                os.fsync(file)
            finally:
                os.close(file)
        else:
            _flush_folder(each)
    _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    with suppress(OSError):  # not every system flushes folders
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
