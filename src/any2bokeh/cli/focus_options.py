"""Options that say what is in focus and how strong the blur is."""

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from any2bokeh.cli.options import option
from any2bokeh.errors import InputError
from any2bokeh.optics.lens import Lens

if TYPE_CHECKING:
    from any2bokeh.focus import FocusScript, Target

_LENS_DEFAULT = {field.name: field.default for field in fields(Lens)}
_FOCUS, _BLUR = "Focus: exactly one of", "Blur: its strength, or a lens"


@dataclass(frozen=True, slots=True)
class FocusOptions:
    """What is in focus and how strong the blur is, as typed."""

    focus: Annotated[str | None, option("--focus", help="A disparity, 0 far to 1 near.", panel=_FOCUS, metavar="D")] = (
        None
    )
    focus_point: Annotated[
        str | None,
        option("--focus-point", help="What is here in the first frame, 0 to 1.", panel=_FOCUS, metavar="X,Y"),
    ] = None
    focus_box: Annotated[
        str | None,
        option("--focus-box", help="The subject in this box of the first frame.", panel=_FOCUS, metavar="X0,Y0,X1,Y1"),
    ] = None
    focus_mask: Annotated[
        Path | None,
        option("--focus-mask", help="The subject of a mask folder or mask video.", panel=_FOCUS, metavar="PATH"),
    ] = None
    focus_script: Annotated[
        Path | None, option("--focus-script", help="Focus over time, from a file.", panel=_FOCUS, metavar="FILE")
    ] = None

    blur: Annotated[
        float | None,
        option(
            "--blur",
            help="Radius in pixels, per unit of disparity, in a frame of 1024 px on its longer side.",
            panel=_BLUR,
            metavar="K",
        ),
    ] = None
    f_number: Annotated[
        float | None, option("--f-number", help="Focal length over aperture, such as 1.8.", panel=_BLUR, metavar="N")
    ] = None
    focal_length_mm: Annotated[
        float | None, option("--focal-length-mm", help="Of the lens, such as 50.", panel=_BLUR, metavar="F")
    ] = None
    sensor_width_mm: Annotated[
        float | None,
        option(
            "--sensor-width-mm",
            help=f"Of the frame's longer side; {_LENS_DEFAULT['sensor_width_mm']:g} unless given.",
            panel=_BLUR,
            metavar="S",
        ),
    ] = None
    focus_distance_m: Annotated[
        float | None,
        option(
            "--focus-distance-m",
            help=f"To what is in focus first; {_LENS_DEFAULT['focus_distance_m']:g} unless given.",
            panel=_BLUR,
            metavar="Z",
        ),
    ] = None

    def script(self, first_frame: int) -> "FocusScript":
        """The focus script that the options stand for.

        Args:
            first_frame: frame of the clip that a point or box is seen in.

        Raises:
            InputError: not exactly one focus, a value outside its range, or a script with a fault.
        """
        from any2bokeh.focus import FocusScript, Keyframe
        from any2bokeh.refocus import gives_blur_strength

        self._require_one_focus()
        if self.focus_script is None:
            return FocusScript(keyframes=(Keyframe(frame=first_frame, target=self._target()),))
        script = FocusScript.load(self.focus_script)
        typed = {"blur": self.blur, **self._lens_values()}
        also = [_option_name(name) for name, value in typed.items() if value is not None]
        if also and gives_blur_strength(script):
            raise InputError(
                f"focus script {self.focus_script} gives the blur strength itself; leave {also[0]} out, or take "
                f"blur_strength out of the script"
            )
        return script

    def blur_strength(self) -> float | Lens | None:
        """K, or the lens that gives it; None where it is left to the focus script.

        Raises:
            InputError: no strength at all, two of them, or a value outside its range.
        """
        lens = {name: value for name, value in self._lens_values().items() if value is not None}
        if self.blur is not None:
            if lens:
                name, value = next(iter(lens.items()))
                raise InputError(f"--blur {self.blur:g} and {_option_name(name)} {value:g} contradict; give one")
            if not (math.isfinite(self.blur) and self.blur >= 0):
                raise InputError(f"--blur is {self.blur:g}; give a finite number, 0 or more, such as 16")
            return self.blur
        if lens:
            if self.f_number is None or self.focal_length_mm is None:
                name, value = next(iter(lens.items()))
                missing = "--f-number" if self.f_number is None else "--focal-length-mm"
                raise InputError(f"{_option_name(name)} {value:g} is not yet a lens; give {missing} too")
            return Lens(**lens)
        if self.focus_script is None:
            raise InputError("nothing says how strong the blur is; give --blur K, such as --blur 16")
        return None

    def _lens_values(self) -> dict[str, float | None]:
        return {
            "f_number": self.f_number,
            "focal_length_mm": self.focal_length_mm,
            "sensor_width_mm": self.sensor_width_mm,
            "focus_distance_m": self.focus_distance_m,
        }

    def _require_one_focus(self) -> None:
        typed = {
            "--focus": self.focus,
            "--focus-point": self.focus_point,
            "--focus-box": self.focus_box,
            "--focus-mask": self.focus_mask,
            "--focus-script": self.focus_script,
        }
        given = [f"{name} {value}" for name, value in typed.items() if value is not None]
        if not given:
            raise InputError(f"nothing says what is in focus; give one of {', '.join(typed)}")
        if len(given) > 1:
            raise InputError(f"{' and '.join(given)} contradict each other; give one")

    def _target(self) -> "Target":
        from any2bokeh.focus import BoxTarget, DisparityTarget, MaskTarget, PointTarget

        if self.focus_point is not None:
            return PointTarget(*_numbers("--focus-point", self.focus_point, "X,Y", "0.5,0.4"))
        if self.focus_box is not None:
            return BoxTarget(*_numbers("--focus-box", self.focus_box, "X0,Y0,X1,Y1", "0.3,0.2,0.6,0.9"))
        if self.focus_mask is not None:
            return MaskTarget(str(self.focus_mask.absolute()))
        assert self.focus is not None
        if self.focus == "auto":
            raise InputError("--focus auto is not in this version; give --focus-point X,Y or --focus-mask PATH instead")
        return DisparityTarget(*_numbers("--focus", self.focus, "D", "0.8"))


def _option_name(field: str) -> str:
    return "--" + field.replace("_", "-")


def _numbers(name: str, text: str, form: str, example: str) -> list[float]:
    """The numbers of an option such as X,Y."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != form.count(",") + 1:
        raise InputError(f"{name} is {text!r}; give {form}, from 0 to 1, such as {example}")
    return numbers
