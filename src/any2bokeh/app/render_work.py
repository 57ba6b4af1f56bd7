"""What a render does: exactly what ``any2bokeh refocus`` does with the saved focus script."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from any2bokeh.app.depth import ClipDepth
from any2bokeh.app.follower import FocusFollower
from any2bokeh.app.render_job import Report
from any2bokeh.errors import require_choice
from any2bokeh.focus import FocusScript
from any2bokeh.focus.tracked_subjects import LoadsTracker
from any2bokeh.project_file import FORMATS
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.shot import FrameRange
from any2bokeh.subject import Seed, TrackedFrame, Tracker, View
from any2bokeh.video import Encoding

NO_DIFFUSION = "the diffusion engine is not installed on the machine that runs the studio; choose the layered engine"

_LOOK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class RenderWork:
    """Everything that a render needs, fixed when it is asked for.

    Attributes:
        clip: the video.
        depth: its disparity.
        follower: what has found its focus, or is about to.
        recipe: what is wanted, but for the disparity.
        folder: where the result goes.
        frames: the part that is rendered, its end exclusive; None = the whole clip.
    """

    clip: Path
    depth: ClipDepth
    follower: FocusFollower
    recipe: Recipe
    folder: Path
    frames: FrameRange | None = None

    def whole(self, report: Report, *, format: str, number: int) -> Path:
        """Render the clip, or the part of it that is wanted.

        Raises:
            InputError: bad input, or an unknown format.
        """
        require_choice("format", format, FORMATS)
        suffix, encoding = FORMATS[format]
        output = self.folder / f"result-{number}{suffix}"
        self._refocus(report, output, self.recipe, encoding, frames=self.frames)
        return output

    def _refocus(
        self,
        report: Report,
        output: Path,
        recipe: Recipe,
        encoding: Encoding,
        *,
        frames: FrameRange | None = None,
    ) -> None:
        # Estimating and following come before the first frame: they are told as none of none, and can be cancelled.
        script = recipe.focus if isinstance(recipe.focus, FocusScript) else None
        known = self._known_focus(report)  # first: to wait for that can be cancelled
        disparity = self.depth.made(script, lambda done, total: report(0, 0))
        refocus(
            self.clip,
            output,
            replace(
                recipe,
                focus=known or recipe.focus,
                disparity=disparity.path,
                tracker=_WatchedChoice(recipe.tracker, report),
            ),
            frames=frames,
            encoding=encoding,
            progress=report,
        )

    def _known_focus(self, report: Report) -> FocusScript | None:
        """The focus of every frame as the page knows it, waiting while it is being found; None = to be found here."""
        script = self.recipe.focus
        if not isinstance(script, FocusScript):
            return None
        while (found := self.follower.found(script)) is None and self.follower.is_finding(script):
            report(0, 0)
            time.sleep(_LOOK_AGAIN_S)
        return found


@dataclass(frozen=True, slots=True)
class _WatchedChoice:
    """The tracker that is wanted, which can be cancelled between two frames."""

    choice: LoadsTracker
    report: Report

    def load(self) -> tuple[Tracker, str | None]:
        tracker, remark = self.choice.load()
        return _Watched(tracker, self.report), remark


class _Watched:
    name: ClassVar[str] = "tracker of a render"

    def __init__(self, tracker: Tracker, report: Report) -> None:
        self._tracker, self._report = tracker, report

    def track(self, views: Iterable[View], seed: Seed) -> Iterator[TrackedFrame]:
        for tracked in self._tracker.track(views, seed):
            self._report(0, 0)
            yield tracked
