"""Options that say where the disparity of a clip is, and how it is read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from any2bokeh.cli.clip_options import ModelOptions
from any2bokeh.cli.options import option
from any2bokeh.disparity import DisparityKind, DisparityReading, Levels, Polarity
from any2bokeh.errors import InputError

if TYPE_CHECKING:
    from any2bokeh.cli.progress import Report
    from any2bokeh.disparity import EstimatedDisparity
    from any2bokeh.disparity.estimators import Device
    from any2bokeh.focus import FocusScript
    from any2bokeh.video import VideoSource


@dataclass(frozen=True, slots=True)
class DisparityOptions(ModelOptions):
    """Where disparity comes from."""

    disparity: Annotated[
        Path | None,
        option("--disparity", help="Folder of PNG, JPEG or EXR, .npz, .npy, or a grey video.", metavar="PATH"),
    ] = None
    disparity_kind: Annotated[
        DisparityKind | None,
        option(
            "--disparity-kind",
            help="What the values of --disparity are: disparity, depth (metres in float files), or depth-mm "
            "(millimetres, as depth cameras write them). Default: depth for an EXR channel called Z, else disparity.",
        ),
    ] = None
    disparity_polarity: Annotated[
        Polarity | None,
        option(
            "--disparity-polarity",
            help="Which end of the scale of --disparity is near. Default: near-white. Depth needs none.",
        ),
    ] = None
    disparity_levels: Annotated[
        str | None,
        option(
            "--disparity-levels",
            help="Curve over the disparity of --disparity, in which 1 is nearest: LOW becomes 0, HIGH becomes 1 "
            "(0 <= LOW < HIGH <= 1), then it is raised to GAMMA (above 0, at most 10). Default: 0,1,1, which changes "
            "nothing.",
            metavar="LOW,HIGH,GAMMA",
        ),
    ] = None

    def reading(self) -> DisparityReading:
        """How the files of ``--disparity`` are read.

        Raises:
            InputError: numbers outside their range, or options that contradict each other.
        """
        levels = None
        if self.disparity_levels is not None:
            from any2bokeh.cli.focus_options import numbers_of

            levels = Levels(*numbers_of("--disparity-levels", self.disparity_levels, "LOW,HIGH,GAMMA", "0.1,0.9,1"))
        scale_alignment = self.scale_alignment if self.disparity is not None else None
        return DisparityReading(self.disparity_kind, self.disparity_polarity, levels, scale_alignment)

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
            InputError: both a path and a model, an option of the one with the other, or see
                ``ModelOptions.estimated``.
        """
        if self.scale_alignment not in (None, "none") and source.info.frame_count == 1 and notice is not None:
            notice(f"--scale-alignment {self.scale_alignment} changes nothing: there is one frame")
        if self.disparity is not None:
            typed = {"--depth-model": self.depth_model, "--allow-noncommercial": self.allow_noncommercial or None}
            for name, value in typed.items():
                if value is not None:
                    raise InputError(f"--disparity {self.disparity} and {name} contradict each other; give one")
            return self.disparity
        of_files = {
            "--disparity-kind": self.disparity_kind,
            "--disparity-polarity": self.disparity_polarity,
            "--disparity-levels": self.disparity_levels,
        }
        for name, value in of_files.items():
            if value is not None:
                raise InputError(
                    f"{name} {value} says how files are read, but the disparity is estimated by a depth model; give "
                    f"--disparity too, or leave {name} out"
                )
        from any2bokeh.focus import FocusScript

        script = focus if isinstance(focus, FocusScript) else None
        is_enough = _lies_within(script, source, start, stop) and _is_seen_within(focus, start, stop)
        first, last = (start, stop) if is_enough else (0, None)
        if notice is not None and not is_enough and (start, stop) != (0, source.info.frame_count):
            notice(
                f"what is in focus is seen outside frames {start}:{stop}, so the disparity of the whole clip is "
                f"estimated; --focus-frame {start} shows it within them"
            )
        if notice is not None and is_enough and (start, stop) != (0, source.info.frame_count) and _is_a_plane(script):
            notice(
                f"frames {start}:{stop} are estimated as a clip of their own, whose scale is its own: a focus given "
                f"as a number may lie elsewhere than in a run of the whole clip; any2bokeh depth makes one scale"
            )
        return self.estimated(
            source,
            seed=None if script is None else script.first_subject(source.info.fps, first=first),
            start=first,
            stop=last,
            device=device,
            progress=progress,
            notice=notice,
        )


def _is_a_plane(script: "FocusScript | None") -> bool:
    """Whether a number says where the focus lies."""
    from any2bokeh.focus import DisparityTarget

    return script is not None and any(isinstance(keyframe.target, DisparityTarget) for keyframe in script.keyframes)


def _lies_within(script: "FocusScript | None", source: "VideoSource", start: int, stop: int | None) -> bool:
    """Whether the focus of a part can be found from the part alone."""
    from any2bokeh.focus import MaskTarget

    if script is None:
        return True
    end = source.info.frame_count if stop is None else stop
    places = [script.clip_frame(keyframe.frame, source.info.fps) for keyframe in script.keyframes]
    follows_masks = any(isinstance(keyframe.target, MaskTarget) for keyframe in script.keyframes)
    return script.dense is None and not follows_masks and all(start <= place < end for place in places)


def _is_seen_within(focus: "FocusScript | object | None", start: int, stop: int | None) -> bool:
    """Whether the frame in which words name a subject belongs to a part."""
    from any2bokeh.focus import TextSubject

    seen = focus.frame if isinstance(focus, TextSubject) else None
    return seen is None or start <= seen < (seen + 1 if stop is None else stop)
