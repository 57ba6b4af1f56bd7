"""Options for the look of the lens, and for what stays in focus."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.errors import InputError
from any2bokeh.optics.focus_range import FocusRange
from any2bokeh.optics.look import LOOK_SETTINGS, Look

if TYPE_CHECKING:
    from any2bokeh.optics.catalogue import NamedLens

_APERTURE = Group.APERTURE
_LOOK = Group.LOOK
_RANGE = Group.RANGE


def _look_option(name: str, panel: Group, metavar: str, common: str | bool = False) -> Any:
    setting = LOOK_SETTINGS[name]
    return option(setting.option, help=setting.sentence, common=common, panel=panel, metavar=metavar)


@dataclass(frozen=True, slots=True)
class LookOptions:
    """The look of the lens, as typed. What is not typed comes from ``--lens``."""

    blades: Annotated[int | None, _look_option("blades", _APERTURE, "N")] = None
    blade_curvature: Annotated[float | None, _look_option("blade_curvature", _APERTURE, "C")] = None
    aperture_rotation_deg: Annotated[float | None, _look_option("aperture_rotation_deg", _APERTURE, "DEG")] = None
    anamorphic_ratio: Annotated[float | None, _look_option("anamorphic_ratio", _APERTURE, "R")] = None
    aperture_image: Annotated[
        Path | None,
        option(
            "--aperture-image",
            help="Image of the aperture, white on black, in place of an iris.",
            panel=_APERTURE,
            metavar="PATH",
        ),
    ] = None

    cat_eye: Annotated[float | None, _look_option("cat_eye", _LOOK, "A")] = None
    swirl: Annotated[float | None, _look_option("swirl", _LOOK, "A")] = None
    spherical: Annotated[float | None, _look_option("spherical", _LOOK, "A")] = None
    softness: Annotated[float | None, _look_option("softness", _LOOK, "A")] = None
    onion_rings: Annotated[float | None, _look_option("onion_rings", _LOOK, "A")] = None
    axial_chromatic: Annotated[float | None, _look_option("axial_chromatic", _LOOK, "D")] = None
    highlights: Annotated[
        str | None, _look_option("highlights", _LOOK, "G", "Restore clipped highlights: a gain, or auto.")
    ] = None
    highlight_threshold: Annotated[float | None, _look_option("highlight_threshold", _LOOK, "V")] = None

    def look(self, lens: "NamedLens | None") -> Look:
        """The look of the lens with what was typed put over it.

        Raises:
            InputError: values outside their range, or options that contradict each other.
        """
        typed = {each.name: getattr(self, each.name) for each in fields(self)}
        typed = {name: value for name, value in typed.items() if value is not None}
        look = Look() if lens is None else lens.look
        if self.highlights is not None:
            typed["highlights"] = LOOK_SETTINGS["highlights"].typed(str(self.highlights))
        if "highlight_threshold" in typed and typed.get("highlights", look.highlights) in (0, "auto"):
            raise InputError(
                f"--highlight-threshold {self.highlight_threshold:g} has no effect without --highlights; give it, "
                f"such as --highlights 8"
            )
        if self.aperture_image is not None:
            # It replaces the iris of the named lens, but contradicts one that was typed.
            look = look.changed(blades=0, blade_curvature=0.0, aperture_rotation_deg=0.0, anamorphic_ratio=1.0)
        elif self.blades is not None:
            look = look.changed(blade_curvature=0.0)
        elif self.blade_curvature is not None and look.blades == 0:
            raise InputError(f"--blade-curvature {self.blade_curvature:g} needs --blades, such as --blades 7")
        look = look.changed(**typed)
        if self.aperture_image is None and look.blades == 0 and self.aperture_rotation_deg:
            raise InputError(
                f"--aperture-rotation-deg {self.aperture_rotation_deg:g} has no effect on a round aperture; give "
                f"--blades, such as --blades 7, or leave it out"
            )
        return look


@dataclass(frozen=True, slots=True)
class FocusRangeOptions:
    """What stays in focus, and how differently near and far are blurred, as typed."""

    focus_slab: Annotated[
        str | None,
        option(
            "--focus-slab",
            help="Range of disparity on either side of the focal plane that stays sharp (0 to 1; default: auto, as far "
            "as the subject that is followed reaches, and 0 where none is).",
            panel=_RANGE,
            metavar="D|auto",
        ),
    ] = None
    focus_shoulder: Annotated[
        float | None,
        option(
            "--focus-shoulder",
            help="Range of disparity around the border of --focus-slab over which the blur sets in (0 to 1; default: "
            "0.02).",
            panel=_RANGE,
            metavar="D",
        ),
    ] = None
    near_blur: Annotated[
        float | None,
        option(
            "--near-blur",
            help="Factor for the blur in front of the focal plane (0 to 16; default: 1).",
            panel=_RANGE,
            metavar="X",
        ),
    ] = None
    far_blur: Annotated[
        float | None,
        option(
            "--far-blur",
            help="Factor for the blur behind the focal plane (0 to 16; default: 1).",
            panel=_RANGE,
            metavar="X",
        ),
    ] = None
    max_radius: Annotated[
        float | None,
        option(
            "--max-radius",
            help="Largest blur radius, in pixels of a frame whose longer side is 1024 px; above 0 (default: no limit).",
            panel=_RANGE,
            metavar="PX",
        ),
    ] = None

    def focus_range(self) -> FocusRange:
        """What stays in focus, and how near and far are blurred.

        Raises:
            InputError: values outside their range.
        """
        slab = self._slab()
        if self.focus_shoulder is not None and (self.focus_slab is None or slab == 0):
            raise InputError(
                f"--focus-shoulder {self.focus_shoulder:g} needs --focus-slab above 0, such as --focus-slab 0.05, or "
                "auto"
            )
        names = {
            "slab": slab,
            "shoulder": self.focus_shoulder,
            "near": self.near_blur,
            "far": self.far_blur,
            "max_radius_px": self.max_radius,
        }
        return FocusRange(**{name: value for name, value in names.items() if value is not None})

    def _slab(self) -> float | Literal["auto"]:
        if self.focus_slab in (None, "auto"):
            return "auto"
        try:
            return float(self.focus_slab)
        except ValueError:
            raise InputError(f"--focus-slab is {self.focus_slab!r}; give a disparity, 0 to 1, or auto") from None
