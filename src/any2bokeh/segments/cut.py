"""Where a render is cut into segments, and which frames an engine has to see to render one by itself."""

import math
from dataclasses import dataclass

from any2bokeh.errors import InputError
from any2bokeh.renderers.base import Renderer
from any2bokeh.video import VideoInfo

SHORTEST = 8
"""Frames of a segment at least: shorter ones are encoded with other settings (HEVC), and cost more than they save."""

USUAL_S = 5.0


@dataclass(frozen=True, slots=True)
class Segmentation:
    """How a render is cut; the result depends on it, as each segment is encoded by itself.

    Attributes:
        frames: of a segment, 8 or more; None = those of 5 seconds.
        keeps: whether finished segments stay where a run fails, for the next one.

    Raises:
        InputError: fewer frames.
    """

    frames: int | None = None
    keeps: bool = True

    def __post_init__(self) -> None:
        if self.frames is not None and self.frames < SHORTEST:
            raise InputError(f"segments are of {self.frames} frames; give {SHORTEST} or more")

    def frames_of(self, info: VideoInfo) -> int:
        """Frames of a segment of a clip."""
        return self.frames or max(SHORTEST, math.ceil(float(info.fps) * USUAL_S))


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """The frames ``start <= index < stop`` of a clip."""

    start: int
    stop: int

    @property
    def frames(self) -> range:
        return range(self.start, self.stop)


def cut(start: int, stop: int, frames: int) -> list[Segment]:
    """The frames ``start <= index < stop`` in segments; the last one may be longer by up to ``SHORTEST - 1``."""
    borders = [at for at in range(start, stop, frames) if at == start or stop - at >= SHORTEST]
    return [Segment(at, end) for at, end in zip(borders, [*borders[1:], stop], strict=True)]


def runs(segments: list[Segment]) -> list[Segment]:
    """Segments put together where one follows the other: each is rendered in one go."""
    found: list[Segment] = []
    for segment in segments:
        if found and found[-1].stop == segment.start:
            found[-1] = Segment(found[-1].start, segment.stop)
        else:
            found.append(segment)
    return found


def seen_for(wanted: Segment, whole: Segment, renderer: Renderer) -> Segment:
    """The frames that a renderer has to be given so that those wanted come out as they do in the whole.

    Its windows are counted from the first frame of the whole. What it is given begins with a window after whose overlap
    the first wanted frame comes, as the overlap lacks what the window before says of it. It ends with the last window
    that sees a wanted frame, and one frame more, since a last window fades differently.

    Args:
        wanted: some frames of the whole.
        whole: all that are to be rendered.
        renderer: of which only ``window`` and ``overlap`` matter.
    """
    stride = renderer.window - renderer.overlap
    before = max(0, wanted.start - whole.start - renderer.overlap) // stride * stride
    last_window = (wanted.stop - 1 - whole.start) // stride * stride
    until = last_window + renderer.window + (1 if renderer.overlap else 0)
    return Segment(whole.start + before, min(max(whole.start + until, wanted.stop), whole.stop))
