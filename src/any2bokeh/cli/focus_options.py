"""Options that say what is in focus and how strong the blur is."""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from any2bokeh.cli.completion import lens_names
from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.engines import Engine
from any2bokeh.errors import InputError, alternatives
from any2bokeh.optics.catalogue import NamedLens, find_lens
from any2bokeh.optics.lens import UNSTATED_DISTANCE_M, Lens
from any2bokeh.optics.sensors import SENSOR_WIDTHS_MM, sensor_width_mm

if TYPE_CHECKING:
    from any2bokeh.focus import FocusFinder, FocusScript, Target, TrackerChoice
    from any2bokeh.video import VideoInfo

TrackerKind = Literal["auto", "sam2", "classical"]
Detectors = Literal["auto", "off"]
_LENS_DEFAULT = {field.name: field.default for field in fields(Lens)}
DEFAULT_BLUR = 16.0
"""K of a fast lens at a portrait's distance."""

_FOCUS, _BLUR = Group.FOCUS, Group.BLUR
_TRACKING = Group.TRACKING


@dataclass(frozen=True, slots=True)
class SubjectOptions:
    """A subject that can be followed, and what follows it, as typed."""

    focus: Annotated[
        str | None,
        option(
            "--focus",
            help="Disparity of the focal plane, from 0 (farthest) to 1 (nearest), or auto to choose and follow "
            "subjects.",
            common="From 0 (far) to 1 (near); auto finds subjects.",
            panel=_FOCUS,
            metavar="D|auto",
        ),
    ] = None
    focus_point: Annotated[
        str | None,
        option(
            "--focus-point",
            help="Focus on what is at this point of the first frame (see --focus-frame); 0,0 is the top left corner "
            "and 1,1 the bottom right.",
            common="Point of the first frame; 0,0 is the top left.",
            panel=_FOCUS,
            metavar="X,Y",
        ),
    ] = None
    focus_box: Annotated[
        str | None,
        option(
            "--focus-box",
            help="Focus on the subject in this box of the first frame, in the units of --focus-point.",
            common="Box around the subject in the first frame.",
            panel=_FOCUS,
            metavar="X0,Y0,X1,Y1",
        ),
    ] = None
    focus_text: Annotated[
        str | None,
        option(
            "--focus-text",
            help="Focus on what these words describe in the first frame, such as 'the dog'.",
            common="Words for the subject, such as 'the dog'.",
            panel=_FOCUS,
            metavar="WORDS",
        ),
    ] = None
    focus_frame: Annotated[
        int | None,
        option(
            "--focus-frame",
            help="Frame that the point, box or text refers to, counted from 0 at the start of the clip even if only "
            "a part is rendered (default: 0).",
            panel=_TRACKING,
            metavar="N",
        ),
    ] = None

    track: Annotated[
        bool,
        option("--track/--no-track", help="Follow the subject, or keep the focus where it is in --focus-frame.",
               panel=_TRACKING),
    ] = True  # fmt: skip
    tracker: Annotated[
        TrackerKind,
        option(
            "--tracker",
            help="Tracker that follows the subject; auto is sam2 if its weights are on this machine, otherwise "
            "classical.",
            panel=_TRACKING,
        ),
    ] = "auto"
    tracker_model: Annotated[
        str | None,
        option(
            "--tracker-model",
            help="Folder or hub id of a SAM 2 video model (default: facebook/sam2.1-hiera-tiny).",
            panel=_TRACKING,
            metavar="FOLDER|ID",
        ),
    ] = None
    text_model: Annotated[
        str | None,
        option(
            "--text-model",
            help="Folder or hub id of a Grounding DINO or OWLv2 model for --focus-text (default: whichever is on this "
            "machine).",
            panel=_TRACKING,
            metavar="FOLDER|ID",
        ),
    ] = None

    detect: Annotated[
        Detectors,
        option(
            "--detect",
            help="With --focus auto: prefer faces, then people, if their models are on this machine (auto), or look "
            "for neither (off).",
            panel=_TRACKING,
        ),
    ] = "auto"

    def tracker_choice(self) -> "TrackerChoice":
        """Which tracker follows the subject.

        Raises:
            InputError: a model is given to the classical tracker.
        """
        from any2bokeh.focus import TrackerChoice

        return TrackerChoice(self.tracker, self.tracker_model)

    def seen_frame(self, info: "VideoInfo") -> int:
        """Frame of the clip that a point, box or text is seen in.

        Raises:
            InputError: there is no such frame, or nothing that is seen in one.
        """
        if self.focus_frame is None:
            return 0
        if not 0 <= self.focus_frame < info.frame_count:
            raise InputError(f"--focus-frame is {self.focus_frame}; {info.path} has frames 0 to {info.frame_count - 1}")
        return self.focus_frame

    def require_effect(self) -> None:
        """Refuse options that change nothing with the focus that is typed.

        Raises:
            InputError: names the option and what it is for.
        """
        pointed_at = any(given is not None for given in (self.focus_point, self.focus_box, self.focus_text))
        is_followed = self._may_be_followed()
        without_effect = {
            "--focus-frame": (self.focus_frame, pointed_at, "a point, a box or words"),
            "--no-track": (None if self.track else "", pointed_at, "a point, a box or words"),
            "--tracker": (None if self.tracker == "auto" else self.tracker, is_followed, "a subject that is followed"),
            "--tracker-model": (self.tracker_model, is_followed, "a subject that is followed"),
            "--text-model": (self.text_model, self.focus_text is not None, "--focus-text"),
            "--detect": (None if self.detect == "auto" else self.detect, self.focus == "auto", "--focus auto"),
        }
        for name, (value, has_effect, wanted) in without_effect.items():
            if value is not None and not has_effect:
                raise InputError(f"{f'{name} {value}'.strip()} is for {wanted}, which is not given; leave it out")

    def _may_be_followed(self) -> bool:
        pointed_at = any(given is not None for given in (self.focus_point, self.focus_box, self.focus_text))
        return self.focus == "auto" or (pointed_at and self.track)

    def subject(self, first_frame: int) -> "FocusScript | FocusFinder | None":
        """What is in focus where it is a subject; None where none is typed.

        Args:
            first_frame: frame of the clip that a point, box or text is seen in.

        Raises:
            InputError: a value is outside its range.
        """
        from any2bokeh.focus import Autofocus, BoxTarget, FocusScript, Keyframe, PointTarget, TextSubject

        if self.focus_text is not None:
            return TextSubject(self.focus_text, model=self.text_model, track=self.track, frame=first_frame)
        if self.focus == "auto":
            return Autofocus(detect=self.detect)
        if self.focus_point is not None:
            numbers = numbers_of("--focus-point", self.focus_point, "X,Y", "0.5,0.4")
            return FocusScript(keyframes=(Keyframe(first_frame, PointTarget(*numbers, track=self.track)),))
        if self.focus_box is not None:
            numbers = numbers_of("--focus-box", self.focus_box, "X0,Y0,X1,Y1", "0.3,0.2,0.6,0.9")
            return FocusScript(keyframes=(Keyframe(first_frame, BoxTarget(*numbers, track=self.track)),))
        return None

    def typed_focus(self) -> dict[str, object]:
        """Every option that says what is in focus, with its value."""
        return {
            "--focus": self.focus,
            "--focus-point": self.focus_point,
            "--focus-box": self.focus_box,
            "--focus-text": self.focus_text,
        }

    def require_one_focus(self) -> None:
        """Refuse none and more than one.

        Raises:
            InputError: names what is typed.
        """
        typed = self.typed_focus()
        given = [f"{name} {value}" for name, value in typed.items() if value is not None]
        if not given:
            raise InputError(f"no focus is given; give one of {', '.join(typed)}")
        if len(given) > 1:
            raise InputError(f"{' and '.join(given)} contradict each other; give one")


@dataclass(frozen=True, slots=True)
class FocusOptions(SubjectOptions):
    """What is in focus and how strong the blur is, as typed."""

    focus_mask: Annotated[
        Path | None,
        option(
            "--focus-mask",
            help="Focus on the subject that this folder of masks or mask video shows in white.",
            panel=_FOCUS,
            metavar="PATH",
        ),
    ] = None
    focus_script: Annotated[
        Path | None,
        option(
            "--focus-script",
            help="JSON file with the focus and blur over time, such as track writes.",
            common="JSON file with the focus over time (see track).",
            panel=_FOCUS,
            metavar="FILE",
        ),
    ] = None

    blur: Annotated[
        float | None,
        option(
            "--blur",
            help="Blur strength K: blur radius in pixels per unit of disparity from the focal plane, in a frame whose "
            f"longer side is 1024 px; 0 or more (default: {DEFAULT_BLUR:g}).",
            common="Blur strength, 0 or more (default: 16).",
            panel=_BLUR,
            metavar="K",
        ),
    ] = None
    lens: Annotated[
        str | None,
        option(
            "--lens",
            help="Name of a lens whose numbers and look are used; 'any2bokeh lenses' lists them.",
            common="A lens that 'any2bokeh lenses' lists.",
            panel=_BLUR,
            metavar="NAME",
            completion=lens_names,
        ),
    ] = None
    lens_file: Annotated[
        Path | None,
        option("--lens-file", help="TOML file with lenses of your own, for --lens.", panel=_BLUR, metavar="FILE"),
    ] = None
    f_number: Annotated[
        float | None,
        option(
            "--f-number",
            help="F-number of the lens, focal length divided by aperture diameter, such as 1.8.",
            common="F-number, such as 1.8.",
            panel=_BLUR,
            metavar="N",
        ),
    ] = None
    focal_length_mm: Annotated[
        float | None,
        option(
            "--focal-length-mm",
            help="Focal length of the lens, in millimetres, such as 50.",
            common="Focal length in millimetres, such as 50.",
            panel=_BLUR,
            metavar="F",
        ),
    ] = None
    sensor_width_mm: Annotated[
        float | None,
        option(
            "--sensor-width-mm",
            help="Width of the sensor along the longer side of the frame, in millimetres (default: "
            f"{_LENS_DEFAULT['sensor_width_mm']:g}).",
            panel=_BLUR,
            metavar="S",
        ),
    ] = None
    sensor: Annotated[
        str | None,
        option(
            "--sensor",
            help=f"Sensor format, in place of its width: {alternatives(SENSOR_WIDTHS_MM)}.",
            panel=_BLUR,
            metavar="NAME",
        ),
    ] = None
    focus_distance_m: Annotated[
        float | None,
        option(
            "--focus-distance-m",
            help="Distance to what is in focus in the first frame, in metres (default: from metric disparity, "
            f"otherwise {UNSTATED_DISTANCE_M:g}). With metric disparity and no other focus option, it sets the focal "
            "plane.",
            panel=_BLUR,
            metavar="Z",
        ),
    ] = None

    def script(self, seen_frame: int, *, first_frame: int = 0) -> "FocusScript | FocusFinder":
        """The focus script that the options stand for, or what finds it in the clip.

        Args:
            seen_frame: frame of the clip that a point, box or text is seen in.
            first_frame: first frame that is wanted, from which a focus that no frame decides is counted.

        Raises:
            InputError: not exactly one focus, a value outside its range, or a script with a fault.
        """
        from any2bokeh.focus import FocusScript, Keyframe

        if self.focus_distance_m is not None and all(typed is None for typed in self.typed_focus().values()):
            from any2bokeh.focus.plane import FocusPlane

            return FocusPlane(self.focus_distance_m)
        self.require_one_focus()
        self.require_effect()
        if self.focus_script is None:
            found = self.subject(seen_frame)
            return found or FocusScript(keyframes=(Keyframe(frame=first_frame, target=self._fixed_target()),))
        script = FocusScript.load(self.focus_script)
        self._require_follower(script)
        typed = {"blur": self.blur, **self._lens_values()}
        also = [_option_name(name) for name, value in typed.items() if value is not None]
        if also and script.gives_blur_strength:
            raise InputError(
                f"focus script {self.focus_script} gives the blur strength itself; leave {also[0]} out, or take "
                f"blur_strength out of the script"
            )
        return script

    def _require_follower(self, script: "FocusScript") -> None:
        """Refuse a tracker for a script that follows nothing."""
        follows = any(getattr(keyframe.target, "track", False) for keyframe in script.keyframes)
        for name, value in (("tracker", self.tracker), ("tracker_model", self.tracker_model)):
            if value not in (None, "auto") and not follows:
                raise InputError(
                    f"{_option_name(name)} {value} follows subjects, of which focus script {self.focus_script} has "
                    f"none (track is true in no keyframe); leave it out"
                )

    def _may_be_followed(self) -> bool:
        return SubjectOptions._may_be_followed(self) or self.focus_script is not None

    def typed_focus(self) -> dict[str, object]:
        """Every option that says what is in focus, with its value."""
        others: dict[str, object] = {"--focus-mask": self.focus_mask, "--focus-script": self.focus_script}
        return SubjectOptions.typed_focus(self) | others

    def blur_strength(self) -> float | Lens | None:
        """K, or the lens that gives it; ``DEFAULT_BLUR`` where nothing does; None where it is left to the focus script.

        Raises:
            InputError: two strengths, or a value outside its range.
        """
        typed = {name: value for name, value in self._lens_values().items() if value is not None}
        if self.blur is not None:
            if typed:
                name, value = next(iter(typed.items()))
                raise InputError(f"--blur {self.blur:g} and {_option_name(name)} {value} contradict; give one")
            if not (math.isfinite(self.blur) and self.blur >= 0):
                raise InputError(f"--blur is {self.blur:g}; give a finite number, 0 or more, such as 16")
            return self.blur
        named = self.named_lens()
        if named is None and not typed:
            if self.focus_script is None:
                return DEFAULT_BLUR
            return None
        return self._lens(typed, named)

    def lens_with_look(self, engine: Engine, notice: Callable[[str], None] | None) -> NamedLens | None:
        """The lens whose look is drawn: that of ``--lens``; None for the diffusion engine, which learnt one look.

        Raises:
            InputError: as ``named_lens``, or neither numbers nor look of the lens would count.
        """
        lens = self.named_lens()
        if lens is None or engine == "layered":
            return lens
        if self.blur is not None:
            raise InputError(
                f"--lens {self.lens} has no effect with --blur {self.blur:g} and --engine diffusion, which draws no "
                f"look of a lens; leave one of them out"
            )
        if notice is not None and lens.look.numbers():
            notice(
                f"--engine diffusion uses only the focal length, f-number and sensor of lens {self.lens}, not its look"
            )
        return None

    def named_lens(self) -> NamedLens | None:
        """The lens of ``--lens``.

        Raises:
            InputError: no such lens, or a file of lenses with a fault.
        """
        if self.lens is None:
            if self.lens_file is not None:
                raise InputError(f"--lens-file {self.lens_file} has no effect without --lens; give --lens NAME")
            return None
        return find_lens(self.lens, self.lens_file)

    def _lens(self, typed: dict[str, float | str], named: NamedLens | None) -> Lens:
        """The lens of the numbers that were typed, and for the rest of the named one."""
        numbers: dict[str, Any] = dict(typed)
        if "sensor" in numbers:
            if "sensor_width_mm" in numbers:
                raise InputError(
                    f"--sensor {self.sensor} and --sensor-width-mm {self.sensor_width_mm:g} contradict; give one"
                )
            numbers["sensor_width_mm"] = sensor_width_mm(numbers.pop("sensor"))
        if named is not None:
            own = ("f_number", "focal_length_mm", "sensor_width_mm")
            numbers = {name: getattr(named, name) for name in own} | numbers
        for name in ("f_number", "focal_length_mm"):
            if name not in numbers:
                first, value = next(iter(typed.items()))
                raise InputError(
                    f"{_option_name(first)} {value} does not define a lens by itself; give {_option_name(name)} too"
                )
        return Lens(**numbers)

    def _lens_values(self) -> dict[str, float | str | None]:
        return {
            "f_number": self.f_number,
            "focal_length_mm": self.focal_length_mm,
            "sensor_width_mm": self.sensor_width_mm,
            "sensor": self.sensor,
            "focus_distance_m": self.focus_distance_m,
        }

    def _fixed_target(self) -> "Target":
        from any2bokeh.focus import DisparityTarget, MaskTarget

        if self.focus_mask is not None:
            return MaskTarget(str(self.focus_mask.absolute()))
        assert self.focus is not None
        return DisparityTarget(*numbers_of("--focus", self.focus, "D", "0.8"))


def _option_name(field: str) -> str:
    return "--" + field.replace("_", "-")


def numbers_of(name: str, text: str, form: str, example: str) -> list[float]:
    """The numbers of an option such as X,Y.

    Raises:
        InputError: not so many numbers.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != form.count(",") + 1:
        raise InputError(f"{name} is {text!r}; give {form}, from 0 to 1, such as {example}")
    return numbers
