"""Options that say what the lens does to light besides blurring it."""

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from any2bokeh.cli.options import option
from any2bokeh.errors import InputError
from any2bokeh.optics.focus_range import FocusRange

if TYPE_CHECKING:
    from any2bokeh.optics.aperture import Aperture
    from any2bokeh.optics.catalogue import NamedLens

_APERTURE = "Aperture: round unless given"
_LOOK = "Look of the lens"
_RANGE = "Focus range"


@dataclass(frozen=True, slots=True)
class LookOptions:
    """The aperture, and what else makes one lens unlike another, as typed. What is not typed comes from ``--lens``."""

    blades: Annotated[int | None, option("--blades", help="Of the iris.", panel=_APERTURE, metavar="N")] = None
    blade_curvature: Annotated[
        float | None, option("--blade-curvature", help="0 straight to 1 round.", panel=_APERTURE, metavar="C")
    ] = None
    aperture_rotation_deg: Annotated[
        float | None, option("--aperture-rotation-deg", help="Clockwise.", panel=_APERTURE, metavar="DEG")
    ] = None
    anamorphic_ratio: Annotated[
        float | None,
        option("--anamorphic-ratio", help="Height over width of the discs.", panel=_APERTURE, metavar="R"),
    ] = None
    aperture_image: Annotated[
        Path | None,
        option("--aperture-image", help="A picture of the opening, white on black.", panel=_APERTURE, metavar="PATH"),
    ] = None

    cat_eye: Annotated[
        float | None,
        option("--cat-eye", help="Discs cut by the barrel towards the corners, 0 to 1.", panel=_LOOK, metavar="A"),
    ] = None
    swirl: Annotated[
        float | None,
        option("--swirl", help="Discs narrowed around the centre, 0 to 0.9.", panel=_LOOK, metavar="A"),
    ] = None
    spherical: Annotated[
        float | None,
        option(
            "--spherical",
            help="Above 0 bright rims behind the focal plane and bright cores in front of it, -1 to 1.",
            panel=_LOOK,
            metavar="A",
        ),
    ] = None
    softness: Annotated[
        float | None, option("--softness", help="Share of a disc over which it fades.", panel=_LOOK, metavar="A")
    ] = None
    onion_rings: Annotated[
        float | None, option("--onion-rings", help="Contrast of rings in discs, 0 to 1.", panel=_LOOK, metavar="A")
    ] = None
    axial_chromatic: Annotated[
        float | None,
        option(
            "--axial-chromatic",
            help="Disparity between the focal planes of red and green, such as 0.01.",
            panel=_LOOK,
            metavar="D",
        ),
    ] = None
    highlights: Annotated[
        float | None,
        option(
            "--highlights",
            help="How many times brighter than white clipped light is taken to be.",
            panel=_LOOK,
            metavar="G",
        ),
    ] = None
    highlight_threshold: Annotated[
        float | None,
        option("--highlight-threshold", help="Code value from which light is raised; 0.9.", panel=_LOOK, metavar="V"),
    ] = None

    focus_slab: Annotated[
        float | None,
        option(
            "--focus-slab", help="All within this disparity of the focal plane is sharp.", panel=_RANGE, metavar="D"
        ),
    ] = None
    focus_shoulder: Annotated[
        float | None,
        option("--focus-shoulder", help="Disparity over which blur sets in beside it.", panel=_RANGE, metavar="D"),
    ] = None
    near_blur: Annotated[
        float | None, option("--near-blur", help="Multiplies blur in front.", panel=_RANGE, metavar="X")
    ] = None
    far_blur: Annotated[
        float | None, option("--far-blur", help="Multiplies blur behind.", panel=_RANGE, metavar="X")
    ] = None
    max_radius: Annotated[
        float | None,
        option("--max-radius", help="Largest radius in a frame of 1024 px.", panel=_RANGE, metavar="PX"),
    ] = None

    def typed(self) -> dict[str, Any]:
        """Options of the look that were typed, which only the layered engine knows; by their names."""
        own = ("focus_slab", "focus_shoulder", "near_blur", "far_blur", "max_radius")
        given = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in own}
        return {f"--{name.replace('_', '-')}": value for name, value in given.items() if value is not None}

    def layered(self, lens: "NamedLens | None") -> dict[str, Any]:
        """Arguments of ``LayeredRenderer``.

        Raises:
            InputError: values outside their range, or options that contradict each other.
        """
        from any2bokeh.optics.barrel import Barrel
        from any2bokeh.optics.highlights import Highlights
        from any2bokeh.optics.profile import BokehProfile

        def value(name: str) -> float:
            typed = getattr(self, name)
            return typed if typed is not None else (getattr(lens, name, None) or 0.0)

        if self.highlight_threshold is not None and self.highlights is None:
            raise InputError(
                f"--highlight-threshold {self.highlight_threshold:g} raises nothing; give --highlights, such as 8"
            )
        threshold = {} if self.highlight_threshold is None else {"threshold": self.highlight_threshold}
        return {
            "aperture": self._aperture(lens),
            "profile": BokehProfile(value("spherical"), value("softness"), value("onion_rings")),
            "barrel": Barrel(value("cat_eye"), value("swirl")),
            "axial_chromatic": value("axial_chromatic"),
            "highlights": Highlights(self.highlights or 0.0, **threshold),
        }

    def focus_range(self) -> FocusRange:
        """What stays in focus, and how near and far are blurred.

        Raises:
            InputError: values outside their range.
        """
        if self.focus_shoulder is not None and self.focus_slab is None:
            raise InputError(f"--focus-shoulder {self.focus_shoulder:g} needs --focus-slab, such as --focus-slab 0.05")
        names = {
            "slab": self.focus_slab,
            "shoulder": self.focus_shoulder,
            "near": self.near_blur,
            "far": self.far_blur,
            "max_radius_px": self.max_radius,
        }
        return FocusRange(**{name: value for name, value in names.items() if value is not None})

    def _aperture(self, lens: "NamedLens | None") -> "Aperture":
        from any2bokeh.optics.aperture import Disc, ImageAperture, Polygon

        if self.aperture_image is not None:
            for name in ("blades", "blade_curvature", "aperture_rotation_deg", "anamorphic_ratio"):
                if getattr(self, name) is not None:
                    raise InputError(
                        f"--aperture-image {self.aperture_image} has a shape of its own; leave out "
                        f"--{name.replace('_', '-')} {getattr(self, name):g}"
                    )
            return ImageAperture.load(self.aperture_image)
        blades = self.blades if self.blades is not None or lens is None else lens.blades
        curvature = self.blade_curvature
        if curvature is None and lens is not None and self.blades is None:
            curvature = lens.curvature
        ratio = self.anamorphic_ratio if self.anamorphic_ratio is not None or lens is None else lens.anamorphic
        if blades is None and curvature is not None:
            raise InputError(f"--blade-curvature {curvature:g} needs --blades, such as --blades 7")
        if ratio is not None and not (math.isfinite(ratio) and ratio > 0):
            raise InputError(f"--anamorphic-ratio is {ratio:g}; give a number above 0, such as 2")
        if blades is None and ratio is None and self.aperture_rotation_deg is None:
            return Disc()
        shape = {
            "blades": blades,
            "curvature": 1.0 if blades is None else curvature,
            "rotation_deg": self.aperture_rotation_deg,
            "squeeze": None if ratio is None else 1 / ratio,
        }
        try:
            return Polygon(**{name: value for name, value in shape.items() if value is not None})
        except ValueError as error:
            raise InputError(str(error)) from None
