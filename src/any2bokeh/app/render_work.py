"""What a render does: exactly what ``any2bokeh refocus`` does with the saved focus script."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, get_args

from any2bokeh.app.depth import ClipDepth
from any2bokeh.app.render_job import Report
from any2bokeh.engines import Device, Engine, EngineSettings, make_renderer
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript, TrackerChoice
from any2bokeh.optics.focus_range import FocusRange
from any2bokeh.optics.look import Look
from any2bokeh.refocusing import refocus
from any2bokeh.renderers.base import Renderer
from any2bokeh.subject import Seed, TrackedFrame, Tracker, View
from any2bokeh.video import Encoding, VideoInfo

FORMATS: dict[str, tuple[str, Encoding]] = {
    "mp4": (".mp4", Encoding()),
    "mov": (".mov", Encoding(codec="prores")),
    "webm": (".webm", Encoding()),
    "mkv": (".mkv", Encoding(codec="ffv1")),
}
"""What a result can be: its extension, and how it is encoded."""

_LOOP = Encoding(codec="h264", quality=20, pixel_format="yuv420p", sound="none")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderWork:
    """Everything that a render needs, fixed when it is asked for.

    Attributes:
        clip: the video.
        depth: its disparity.
        script: what is in focus, and how strong the blur is.
        look: of the lens; only the layered engine knows it.
        engine: which.
        model: weights of the diffusion engine, from the server.
        device: where a model runs.
        tracker: what follows subjects.
        folder: where the result goes.
    """

    clip: Path
    depth: ClipDepth
    script: FocusScript
    look: Look
    engine: Engine
    model: str | None
    device: Device
    tracker: TrackerChoice
    folder: Path

    def whole(self, report: Report, info: VideoInfo, *, format: str, number: int) -> Path:
        """Render the whole clip.

        Raises:
            InputError: bad input, or an unknown format.
        """
        if format not in FORMATS:
            raise InputError(f"there is no format {format!r}; there are {', '.join(FORMATS)}")
        suffix, encoding = FORMATS[format]
        output = self.folder / f"result-{number}{suffix}"
        self._refocus(report, output, self._renderer(info), encoding)
        return output

    def loop(self, report: Report, info: VideoInfo, *, start_s: float, end_s: float, number: int) -> Path:
        """Render a few seconds in draft quality, for a look at them on the page."""
        output = self.folder / f"loop-{number}.mp4"
        renderer = make_renderer(EngineSettings(render_quality="draft"), self.look, info)
        self._refocus(report, output, renderer, _LOOP, start_s=start_s, end_s=end_s)
        return output

    def _refocus(
        self,
        report: Report,
        output: Path,
        renderer: Renderer,
        encoding: Encoding,
        *,
        start_s: float | None = None,
        end_s: float | None = None,
    ) -> None:
        # Estimating and following come before the first frame: they are told as none of none, and can be cancelled.
        disparity = self.depth.made(self.script, lambda done, total: report(0, 0))
        refocus(
            self.clip,
            output,
            disparity=disparity,
            focus=self.script,
            tracker=_WatchedChoice(self.tracker, report),
            renderer=renderer,
            focus_range=FocusRange(slab="auto"),
            start_s=start_s,
            end_s=end_s,
            encoding=encoding,
            progress=report,
        )

    def _renderer(self, info: VideoInfo) -> Renderer:
        if self.engine not in get_args(Engine):
            raise InputError(f"there is no engine {self.engine!r}; there are {', '.join(get_args(Engine))}")
        if self.engine == "layered":
            return make_renderer(EngineSettings(), self.look, info)
        if self.model is None:
            raise InputError("this studio has no diffusion engine; pip install 'any2bokeh[diffusion]' where it runs")
        settings = EngineSettings(engine="diffusion", model=self.model, device=self.device)
        return make_renderer(settings, Look(), info)


@dataclass(frozen=True, slots=True)
class _WatchedChoice:
    """The tracker that is wanted, which can be cancelled between two frames."""

    choice: TrackerChoice
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
