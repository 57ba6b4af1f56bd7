"""What a page is told: plain values, the same for every page that shows a session."""

import json
from collections.abc import Mapping
from typing import Any, TypedDict

from any2bokeh.app.follower import Stage
from any2bokeh.app.render_job import JobKind
from any2bokeh.disparity.edges import EdgeTreatment


class FindingSnapshot(TypedDict):
    """How far the search for the focus is; see ``follower.Progress``."""

    stage: Stage
    done: int
    total: int
    message: str
    remarks: list[str]


class LensSnapshot(TypedDict):
    """The lens on the camera: its name in the catalogue, its look, in which a word may stand, and its numbers."""

    name: str
    look: dict[str, float | str]
    numbers: dict[str, float]


class ProposalSnapshot(TypedDict):
    """How far the search for keyframes is; see ``proposal.ProposalProgress``."""

    state: str
    done: int
    total: int
    message: str


class OverviewSnapshot(TypedDict):
    """What is seen of a clip at a glance; see ``overview.Overview``. ``thumbnails`` are those there, and in all."""

    thumbnails: list[int]
    ribbon: list[tuple[float, float] | None]
    inverse_metres_per_unit: float | None


class PlaybackSnapshot(TypedDict):
    """How a clip plays.

    ``of`` differs for every clip that is opened; ``first`` and ``last`` are the frames that it plays from and to;
    ``ready`` are the runs of frames, each its first and the one after its last, that can be shown refocused; ``proxy``
    and ``proxy_done`` tell of the small copy, see ``proxy.ProxyProgress``.
    """

    of: str
    is_playing: bool
    first: int
    last: int
    ready: list[tuple[int, int]]
    proxy: str
    proxy_done: int
    has_sound: bool


class ClipSnapshot(TypedDict):
    """A clip, and what is decided about it.

    ``in_frame`` and ``out_frame`` are the first and last frame that is played and rendered, None that end of the clip.
    ``f_number_times_blur`` is what an f-number and its K make together with the lens, None while that is not known.
    ``strengths`` are the frames from which on another blur strength K is meant, with that K; ``focus`` and ``blur``
    are samples of d_f and K evenly over the clip, None where they are not known yet; ``strokes`` are frame and tool of
    each stroke of the brush.
    """

    name: str
    width: int
    height: int
    fps: float
    frames: int
    is_demo: bool
    in_frame: int | None
    out_frame: int | None
    overview: OverviewSnapshot
    revision: int
    depth: str
    depth_is_rough: bool
    keyframes: list[dict[str, Any]]
    strengths: list[tuple[int, float]]
    strokes: list[tuple[int, str]]
    f_number_times_blur: float | None
    is_dense: bool
    can_undo: bool
    can_redo: bool
    finding: FindingSnapshot
    proposal: ProposalSnapshot
    focus: list[float | None]
    blur: list[float | None]
    lens: LensSnapshot
    edges: EdgeTreatment
    playback: PlaybackSnapshot


class JobSnapshot(TypedDict):
    """The newest render; ``ahead`` is how many go before it while it waits."""

    kind: JobKind
    state: str
    done: int
    total: int
    seconds_left: float | None
    elapsed_s: float
    message: str
    name: str
    ahead: int


class RenderSnapshot(JobSnapshot):
    """A render in the list of renders; see ``RenderList``."""

    number: int
    is_current: bool


class ResultSnapshot(TypedDict):
    """A render that is complete; ``is_current`` while nothing has been decided otherwise since it was asked for."""

    file: str
    name: str
    is_current: bool


class ProjectSnapshot(TypedDict):
    """The project that is open, and whether it is kept.

    ``saved`` is when it was kept last; ``notice`` what is not, and why; ``remark`` in what it differs from the project
    that was loaded; ``awaits`` the name of the clip that a project
    which was loaded needs.
    """

    title: str
    keeps: bool
    saved: str
    notice: str
    remark: str
    awaits: str


class DownloadSnapshot(TypedDict):
    """The newest download of a depth model; see ``depth_download``."""

    name: str
    state: str
    share: float
    message: str


class Snapshot(TypedDict):
    """Everything that a page shows. A greater ``number`` is newer."""

    number: int
    clip: ClipSnapshot | None
    project: ProjectSnapshot
    download: DownloadSnapshot | None
    job: JobSnapshot | None
    renders: list[RenderSnapshot]
    results: dict[JobKind, ResultSnapshot]
    engines: list[str]
    command: str


def as_json(told: Mapping[str, Any]) -> str:
    """Text for the page, on one line."""
    return json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
