"""What a run tells a program that watches it: the contract of ``--json``.

Each event is one of the dataclasses below, and one line of JSON: its fields, and before them ``event`` (its name in
``NAMES``), ``schema``, ``number`` and ``time_s``. A name or a field is never given another meaning under the same
``SCHEMA``; new ones may be added, so whoever reads the lines skips what they do not know. docs/events.md is the same
for people.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from any2bokeh.errors import InputError, shown

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The first line of every run.

    Attributes:
        command: ``refocus`` or ``batch``.
        version: of any2bokeh.
        process: its number on this machine.
    """

    command: str
    version: str
    process: int


@dataclass(frozen=True, slots=True)
class RunPlanned:
    """What the run is about to do.

    Attributes:
        clips: of each its ``input`` and ``output``; the number of a clip in other events is its place here, from 0.
    """

    clips: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class ClipStarted:
    """A clip is opened.

    Attributes:
        clip: its number.
        input, output: as in the plan.
    """

    clip: int
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class ClipPlanned:
    """What is rendered of a clip; a clip of a batch that is finished already has none.

    Attributes:
        frames: that are rendered, the kept ones included.
        start_frame: the first of them, counted from 0 in the clip.
        width, height: of the result in pixels.
        fps: frames a second, a fraction such as ``24000/1001``.
        engine: ``layered`` or ``diffusion``.
        recipe: fingerprint of the recipe, equal for equal recipes; None if it cannot be written to a file.
        segments: how many the result is cut into; 0 without segments.
        segments_kept: those that an earlier run has finished.
        clip: its number.
    """

    frames: int
    start_frame: int
    width: int
    height: int
    fps: str
    engine: str
    recipe: str | None
    segments: int = 0
    segments_kept: int = 0
    clip: int = 0


@dataclass(frozen=True, slots=True)
class SegmentQueued:
    """A segment was handed to a cluster, which starts it when a machine is free.

    Attributes:
        start_frame, stop_frame: its frames, counted from 0 in the clip, the last one exclusive.
        clip: its number.
    """

    start_frame: int
    stop_frame: int
    clip: int = 0


@dataclass(frozen=True, slots=True)
class SegmentStarted:
    """The first frame of a segment is encoded, on this machine; see ``SegmentQueued`` for the fields."""

    start_frame: int
    stop_frame: int
    clip: int = 0


@dataclass(frozen=True, slots=True)
class SegmentFinished:
    """A segment is complete and on the disk.

    Attributes:
        start_frame, stop_frame: its frames; fewer than planned where the clip ends early.
        seconds: wall-clock time that it took.
        bytes: of its files; None where another machine has written them.
        host: name of the machine that rendered it.
        clip: its number.
    """

    start_frame: int
    stop_frame: int
    seconds: float
    bytes: int | None
    host: str
    clip: int = 0


@dataclass(frozen=True, slots=True)
class SegmentFailed:
    """A segment failed on a cluster.

    Attributes:
        start_frame, stop_frame: its frames.
        message: why, in one line.
        is_tried_again: whether it was handed to the cluster once more.
        clip: its number.
    """

    start_frame: int
    stop_frame: int
    message: str
    is_tried_again: bool
    clip: int = 0


@dataclass(frozen=True, slots=True)
class FramesDone:
    """How far a clip is; at most four a second in all, and one when the last frame of a stage is done.

    Attributes:
        stage: ``estimating`` (disparity) or ``rendering``.
        done, total: frames; of a render that goes on, those that were missing.
        frames_per_s: mean since the first frame was done, which the compilation of the renderer delays; None before.
        left_s: seconds that the rest of the stage takes at this rate; None where the rate is not known.
        within: how much of the next frame is done, to 1; told of large frames alone, None elsewhere.
        clip: its number.
    """

    stage: Literal["estimating", "rendering"]
    done: int
    total: int
    frames_per_s: float | None = None
    left_s: float | None = None
    within: float | None = None
    clip: int = 0


@dataclass(frozen=True, slots=True)
class Remark:
    """What is odd about a clip, or was changed, converted or left out; ``warning:`` on the terminal.

    Attributes:
        message: one line.
        clip: its number.
    """

    message: str
    clip: int = 0


@dataclass(frozen=True, slots=True)
class Warned:
    """What is wrong with the machine or the run and stops nothing, such as a cache that cannot be written.

    Attributes:
        message: one line.
    """

    message: str


@dataclass(frozen=True, slots=True)
class ClipFinished:
    """A result is there.

    Attributes:
        clip: its number.
        state: ``rendered``, or ``kept`` where it was finished already.
        output: the result.
        frames: of the result.
        bytes: of its files.
        seconds: wall-clock time that the clip took, opening it included.
    """

    clip: int
    state: Literal["rendered", "kept"]
    output: str
    frames: int
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ClipFailed:
    """A clip could not be rendered; a run that ends while it works on a clip says so with this, too.

    Attributes:
        clip: its number.
        message: the line of the terminal, without ``error:``.
        is_defect: whether it is a defect of any2bokeh.
    """

    clip: int
    message: str
    is_defect: bool = False


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The last line of a run that came to its end, even if clips of it failed.

    Attributes:
        exit_code: 0, or 3 where clips of a batch failed.
        rendered, kept, failed: how many clips there are of each.
        seconds: wall-clock time of the run.
        result: of ``refocus``: focus and strength of every frame and the like; of ``batch``: what the report holds, and
            with ``--dry-run`` the plan.
    """

    exit_code: int
    rendered: int
    kept: int
    failed: int
    seconds: float
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The last line of a run that did not come to its end.

    Attributes:
        message: the line of the terminal, without ``error:``.
        exit_code: 2 for bad input or usage, 1 for a defect of any2bokeh, 130 where it was interrupted, 143 terminated.
        seconds: wall-clock time of the run.
    """

    message: str
    exit_code: int
    seconds: float


Event = (
    RunStarted
    | RunPlanned
    | ClipStarted
    | ClipPlanned
    | SegmentQueued
    | SegmentStarted
    | SegmentFinished
    | SegmentFailed
    | FramesDone
    | Remark
    | Warned
    | ClipFinished
    | ClipFailed
    | RunFinished
    | RunFailed
)

NAMES: dict[str, type[Event]] = {
    "run_started": RunStarted,
    "run_planned": RunPlanned,
    "clip_started": ClipStarted,
    "clip_planned": ClipPlanned,
    "segment_queued": SegmentQueued,
    "segment_started": SegmentStarted,
    "segment_finished": SegmentFinished,
    "segment_failed": SegmentFailed,
    "frames_done": FramesDone,
    "remark": Remark,
    "warning": Warned,
    "clip_finished": ClipFinished,
    "clip_failed": ClipFailed,
    "run_finished": RunFinished,
    "run_failed": RunFailed,
}
"""The events by the names that the lines give them, in the order in which a run may tell them."""

_NAME_OF = {kind: name for name, kind in NAMES.items()}

Watch = Callable[[Event], None]
"""Is told of what happens, from any thread, one event at a time."""


class FrameEvents:
    """Tells of the frames of a stage as they are done, and how much is done of a large one.

    Args:
        watch: told of them.
        stage, clip: see ``FramesDone``.
    """

    def __init__(self, watch: Watch, stage: Literal["estimating", "rendering"], clip: int = 0) -> None:
        self._watch = watch
        self._last = FramesDone(stage, 0, 0, clip=clip)

    def __call__(self, done: int, total: int) -> None:
        """So many frames are done, of all of the stage."""
        self._last = replace(self._last, done=done, total=total)
        self._watch(self._last)

    def within(self, share: float) -> None:
        """So much of the next frame is done, to 1."""
        if share < 1 and self._last.total > 0:  # edges may be treated before the frames are counted
            self._watch(replace(self._last, within=round(share, 3)))


def line_of(event: Event, *, number: int, time_s: float) -> str:
    """An event as its line, without the end of the line.

    Args:
        event: what happened.
        number: of the line, counted from 0 and without gaps.
        time_s: when, in seconds since 1970 (UTC).
    """
    head: dict[str, Any] = {
        "event": _NAME_OF[type(event)],
        "schema": SCHEMA,
        "number": number,
        "time_s": round(time_s, 3),
    }
    values = asdict(event)
    if "clip" in values:
        head["clip"] = values["clip"]
    text = json.dumps(head | values, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()  # names of files that are no text


def read_line(line: str) -> Event | None:
    """The event of a line; None where this version does not know it. Fields that it does not know are skipped.

    Raises:
        InputError: the line is no event, or one of another schema.
    """
    try:
        given = json.loads(line)
        name, schema = given["event"], given["schema"]
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{shown(line)} is no event of any2bokeh; give a line that --json printed") from None
    if schema != SCHEMA:
        raise InputError(f"event {shown(name)} has the schema {shown(schema)}; this version reads {SCHEMA}")
    kind = NAMES.get(name)
    if kind is None:
        return None
    try:
        return kind(**{each.name: given[each.name] for each in fields(kind) if each.name in given})
    except TypeError:
        raise InputError(f"event {name} lacks a field; give a line that --json printed") from None
