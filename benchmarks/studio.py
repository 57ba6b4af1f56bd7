"""How long the studio takes to open a clip, and to show a frame of it that somebody jumps to."""

import itertools
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from any2bokeh.app.settings import Settings
from any2bokeh.app.studio import Studio
from any2bokeh.focus import TrackerChoice
from benchmarks.end_to_end import write_clip
from benchmarks.scenes import demo_scene
from benchmarks.table import table
from benchmarks.timing import Cost, timed

_STRIDE = 37
"""Frames from one jump to the next; most of them leave the group of pictures."""


@dataclass(frozen=True, slots=True)
class StudioCost:
    """Costs on one clip.

    Attributes:
        frames: length of the clip.
        opening: of the clip, before any picture.
        jump: to a frame, and its source picture as JPEG at the size of the page.
    """

    frames: int
    opening: Cost
    jump: Cost


def measure(folder: Path, *, size: tuple[int, int], frames: int) -> StudioCost:
    """Open a clip of the demo's pictures, which run to and fro, and jump through it forwards and backwards."""
    inputs = demo_scene(size, frames=12, blur_strength=16).inputs
    pictures = itertools.islice(itertools.cycle([*inputs, *reversed(inputs)]), frames)
    clip = write_clip(folder / "clip.mp4", (each.pixels for each in pictures), preset="ultrafast")
    with closing(Studio(Settings(depth_model="rough", tracker=TrackerChoice("classical")))) as studio:
        session = studio.arrive()
        upload = session.new_file()
        upload.write_bytes(clip.read_bytes())
        opening = timed(lambda: session.open_video(upload, clip.name))

        def jump_to(frame: int) -> Callable[[], object]:
            return lambda: session.picture(frame, "source")

        places = [*range(0, frames, _STRIDE), *range(frames - 1, 0, -_STRIDE)]
        jumps = [timed(jump_to(frame)) for frame in places]
    jump = Cost.of([wall for wall, _ in jumps], [cpu for _, cpu in jumps])
    return StudioCost(frames, Cost.of([opening[0]], [opening[1]]), jump)


def report(cost: StudioCost) -> str:
    """A table of both."""
    rows = [
        [name, f"{each.median_ms:.0f}", f"{each.iqr_ms:.0f}", f"{each.cpu_ms:.0f}", str(each.runs)]
        for name, each in ((f"open {cost.frames} frames", cost.opening), ("jump to a frame", cost.jump))
    ]
    return table(["", "median ms", "spread", "processor ms", "runs"], rows)
