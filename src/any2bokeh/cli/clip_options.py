"""Options that say which pictures, and where their disparity is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from any2bokeh.cli.options import option
from any2bokeh.disparity import Polarity
from any2bokeh.disparity.estimators.base import Steadying
from any2bokeh.errors import InputError
from any2bokeh.video.reading import Deinterlace, Reading

if TYPE_CHECKING:
    from any2bokeh.cli.progress import Report
    from any2bokeh.disparity import EstimatedDisparity
    from any2bokeh.disparity.estimators import Device
    from any2bokeh.disparity.rough.seed import Seed
    from any2bokeh.focus import FocusScript
    from any2bokeh.video import VideoSource

Input = Annotated[
    str, typer.Argument(metavar="INPUT", help="Video file, folder of frames, or pattern such as shot.####.exr.")
]


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How the input is read."""

    fps: Annotated[
        str | None,
        option(
            "--fps",
            help="Frames per second: of a folder of frames, what EXR files say, or 24, unless given; of a video stream "
            "without time stamps (.h264, .m2v), what it says, or 25, unless given.",
            metavar="N",
        ),
    ] = None
    strict: Annotated[
        bool,
        option(
            "--strict",
            help="Refuse a damaged input, and images with gaps in their numbers. Without it, damaged frames are "
            "concealed as players do, and reported, as gaps are.",
        ),
    ] = Reading().strict
    deinterlace: Annotated[
        Deinterlace,
        option("--deinterlace", help="auto makes whole frames of interlaced video; off leaves its fields as they are."),
    ] = Reading().deinterlace
    layer: Annotated[
        str | None,
        option(
            "--layer",
            help="Layer or part of EXR files that is the picture (default: the beauty pass, such as Combined or rgba).",
            metavar="NAME",
        ),
    ] = Reading().layer

    @contextmanager
    def opened(self, path: str, notice: Callable[[str], None] | None = None) -> "Iterator[VideoSource]":
        """The input, open.

        Args:
            path: as typed.
            notice: told what the user should know of it: at once and, of damage, once it was read.

        Raises:
            InputError: see ``open_source``.
        """
        from any2bokeh.video import open_source

        with open_source(path, fps=self.fps, reading=Reading(self.strict, self.deinterlace, self.layer)) as source:
            if notice is not None:
                source.tell(notice)
            yield source
            if notice is not None:
                source.tell(notice, at_end=True)


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Which depth model estimates the disparity."""

    depth_model: Annotated[
        str | None,
        option(
            "--depth-model",
            help="Estimate it: auto, rough, small, another known name, a hub id or a folder; auto unless given.",
            metavar="auto|ID|FOLDER",
        ),
    ] = None
    allow_noncommercial: Annotated[
        bool, option("--allow-noncommercial", help="Take depth models whose licence does not allow any use.")
    ] = False
    steadying: Annotated[
        Steadying | None,
        option("--steadying", help="How its maps share one scale in a shot; what the model needs unless given."),
    ] = None

    def estimated(
        self,
        source: "VideoSource",
        *,
        seed: "Seed | None" = None,
        start: int = 0,
        stop: int | None = None,
        device: "Device" = "auto",
        progress: "Report | None" = None,
        notice: Callable[[str], None] | None = None,
    ) -> "EstimatedDisparity":
        """What the model makes of the frames ``start`` to ``stop``; nothing is estimated yet.

        Raises:
            InputError: a model that is not to be had, or of another kind.
        """
        from any2bokeh.disparity import EstimatedDisparity
        from any2bokeh.disparity.estimators import DEFAULT_CHOICE, open_estimator

        estimator = open_estimator(
            DEFAULT_CHOICE if self.depth_model is None else self.depth_model,
            allow_noncommercial=self.allow_noncommercial,
            seed=seed,
            device=device,
            notice=notice,
        )
        return EstimatedDisparity(
            source,
            estimator,
            steadying=self.steadying,
            start=start,
            stop=stop,
            progress=progress,
            notice=notice,
        )


@dataclass(frozen=True, slots=True)
class DisparityOptions(ModelOptions):
    """Where disparity comes from."""

    disparity: Annotated[
        Path | None,
        option("--disparity", help="Folder of PNG, JPEG or EXR, .npz, .npy, or a grey video.", metavar="PATH"),
    ] = None
    disparity_polarity: Annotated[Polarity, option("--disparity-polarity", help="Which end of the scale is near.")] = (
        "near-white"
    )

    def of(
        self,
        source: "VideoSource",
        focus: "FocusScript | object | None" = None,
        *,
        start: int = 0,
        stop: int | None = None,
        device: "Device" = "auto",
        progress: "Report | None" = None,
        notice: Callable[[str], None] | None = None,
    ) -> "Path | EstimatedDisparity":
        """The disparity's path; or, where there is none, what a depth model makes of the clip.

        A part of a clip (``--start``, ``--end``) is estimated as a clip of its own, unless the focus script needs more.

        Args:
            source: the clip.
            focus: what is in focus, which tells the built-in estimate where the subject is.
            start, stop: the frames that are wanted.
            device: where a model runs.
            progress: called while the disparity is estimated.
            notice: told what the user must know of a model.

        Raises:
            InputError: both a path and a model, or see ``ModelOptions.estimated``.
        """
        if self.disparity is not None:
            typed = {"--depth-model": self.depth_model, "--allow-noncommercial": self.allow_noncommercial or None}
            for name, value in typed.items():
                if value is not None:
                    raise InputError(f"--disparity {self.disparity} and {name} contradict each other; give one")
            return self.disparity
        from any2bokeh.focus import FocusScript

        script = focus if isinstance(focus, FocusScript) else None
        first, last = (start, stop) if _lies_within(script, source, start, stop) else (0, None)
        return self.estimated(
            source,
            seed=_seed(script, source, first),
            start=first,
            stop=last,
            device=device,
            progress=progress,
            notice=notice,
        )


def _lies_within(script: "FocusScript | None", source: "VideoSource", start: int, stop: int | None) -> bool:
    """Whether the focus of a part can be found from the part alone."""
    from any2bokeh.focus import MaskTarget

    if script is None:
        return True
    end = source.info.frame_count if stop is None else stop
    places = [_clip_frame(keyframe.frame, script, source) for keyframe in script.keyframes]
    follows_masks = any(isinstance(keyframe.target, MaskTarget) for keyframe in script.keyframes)
    return script.dense is None and not follows_masks and all(start <= place < end for place in places)


def _seed(script: "FocusScript | None", source: "VideoSource", first: int) -> "Seed | None":
    """Where a focus script first says that the subject is; None where it does not."""
    from any2bokeh.disparity.rough.seed import Seed
    from any2bokeh.focus import BoxTarget, PointTarget

    for keyframe in script.keyframes if script else ():
        frame = max(0, _clip_frame(keyframe.frame, script, source) - first)
        match keyframe.target:
            case PointTarget(x=x, y=y):
                return Seed(frame, point=(x, y))
            case BoxTarget(x0=x0, y0=y0, x1=x1, y1=y1):
                return Seed(frame, box=(x0, y0, x1, y1))
    return None


def _clip_frame(frame: int, script: "FocusScript | None", source: "VideoSource") -> int:
    """The clip's frame at the time of a keyframe."""
    if script is None or script.fps is None:
        return frame
    return round(frame * float(source.info.fps) / script.fps)


@dataclass(frozen=True, slots=True)
class RangeOptions:
    """Which part of a clip."""

    start: Annotated[float | None, option("--start", help="From this second of the clip.", metavar="S")] = None
    end: Annotated[float | None, option("--end", help="Up to this second of the clip.", metavar="S")] = None
