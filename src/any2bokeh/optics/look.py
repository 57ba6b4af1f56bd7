"""The look of a lens: what it does to light besides blurring it, as one table that every surface reads."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from any2bokeh.errors import InputError, require_choice
from any2bokeh.optics.setting import setting, settings_of

if TYPE_CHECKING:
    from any2bokeh.optics.aperture import Aperture
    from any2bokeh.optics.highlights import Highlights
    from any2bokeh.optics.profile import BokehProfile
    from any2bokeh.optics.vignetting import Vignetting


@dataclass(frozen=True, slots=True)
class Look:
    """Aperture, vignetting, aberrations and highlights of a lens; the defaults are a plain thin lens.

    Every number is checked against its range. ``LOOK_SETTINGS`` holds the ranges and the words.

    Attributes:
        aperture_image: a picture of the opening, white on black, in place of an iris.

    Raises:
        InputError: a value outside its range, or values that contradict each other.
    """

    blades: int = setting(
        0, low=0, high=16, step=1, is_whole=True, label="Iris blades",
        help="Number of iris blades, 3 to 16; 0 is a round aperture",
    )  # fmt: skip
    blade_curvature: float = setting(
        0.0,
        low=0,
        high=1,
        step=0.05,
        label="Blade curvature",
        help="Curvature of the iris blades: 0 is straight, 1 is round",
    )
    aperture_rotation_deg: float = setting(
        0.0, low=-360, high=360, step=1, slider=(-90, 90), unit="degrees", label="Iris rotation",
        help="Rotates the iris clockwise; at 0 a vertex is at the top",
    )  # fmt: skip
    anamorphic_ratio: float = setting(
        1.0, low=0.25, high=4, step=0.05, label="Anamorphic ratio",
        help="Height of the bokeh discs divided by their width; 2 for a classic anamorphic lens",
    )  # fmt: skip
    cat_eye: float = setting(
        0.0, low=0, high=1, step=0.05, label="Cat's eye",
        help="Mechanical vignetting: cuts discs to the shape of a cat's eye, more strongly towards the corners",
    )  # fmt: skip
    swirl: float = setting(
        0.0, low=0, high=0.9, step=0.05, label="Swirl",
        help="Squeezes discs along the radius, more strongly towards the corners, so that they swirl around the centre",
    )  # fmt: skip
    spherical: float = setting(
        0.0, low=-1, high=1, step=0.05, label="Spherical aberration",
        help="Spherical aberration: above 0, bokeh discs have bright rims behind the focal plane and bright centres in "
        "front of it; below 0, the reverse",
    )  # fmt: skip
    softness: float = setting(
        0.0,
        low=0,
        high=1,
        step=0.05,
        label="Softness",
        help="Width of the soft rim of bokeh discs, as a share of their radius",
    )
    onion_rings: float = setting(
        0.0,
        low=0,
        high=1,
        step=0.05,
        label="Onion rings",
        help="Contrast of onion rings, which aspheric elements leave in bokeh discs",
    )
    axial_chromatic: float = setting(
        0.0, low=-0.2, high=0.2, step=0.001, slider=(0, 0.03), unit="of disparity", label="Axial colour",
        help="Axial chromatic aberration: distance between the focal planes of red and green",
    )  # fmt: skip
    highlights: float | Literal["auto"] = setting(
        0.0, low=0, high=1000, step=0.5, slider=(0, 20), word="auto", label="Highlight gain",
        help="Restores clipped highlights: makes clipped pixels up to 1 + this many times as bright as white, or, if "
        "auto, lamps alone, as their rims show",
    )  # fmt: skip
    highlight_threshold: float = setting(
        0.9, low=0, high=0.999, step=0.01, label="Highlight threshold",
        help="Pixel value, 1 being white, above which light counts as a highlight",
    )  # fmt: skip
    aperture_image: Path | None = None

    def __post_init__(self) -> None:
        for name, each in LOOK_SETTINGS.items():
            each.require(getattr(self, name))
        if 0 < self.blades < 3:
            raise InputError(f"blades is {self.blades}; an iris has 3 to 16 blades, and 0 is a round opening")
        if self.aperture_image is not None:
            for name in ("blades", "blade_curvature", "aperture_rotation_deg", "anamorphic_ratio"):
                if getattr(self, name) != LOOK_SETTINGS[name].default:
                    raise InputError(
                        f"aperture image {self.aperture_image} has a shape of its own; leave out "
                        f"{LOOK_SETTINGS[name].option} {getattr(self, name):g}"
                    )

    def changed(self, **values: Any) -> "Look":
        """With other values.

        Raises:
            InputError: a name that is no setting, or as for ``Look``.
        """
        for name in values:
            require_choice("setting of a look", name, (*LOOK_SETTINGS, "aperture_image"))
        return replace(self, **values)

    def numbers(self) -> dict[str, float | str]:
        """The settings that differ from a plain thin lens, by name."""
        return {
            name: getattr(self, name) for name, each in LOOK_SETTINGS.items() if getattr(self, name) != each.default
        }

    def aperture(self) -> "Aperture":
        """The shape of the opening.

        Raises:
            InputError: the picture of it cannot be read, or lets no light through.
        """
        from any2bokeh.optics.aperture import Disc, ImageAperture, Polygon

        if self.aperture_image is not None:
            return ImageAperture.load(self.aperture_image)
        if self.blades == 0 and self.anamorphic_ratio == 1:
            return Disc()
        # An oval is an iris of any number of round blades.
        blades, curvature = (self.blades, self.blade_curvature) if self.blades else (6, 1.0)
        return Polygon(blades, curvature, self.aperture_rotation_deg, squeeze=1 / self.anamorphic_ratio)

    def vignetting(self) -> "Vignetting":
        """What the lens barrel cuts off towards the corners."""
        from any2bokeh.optics.vignetting import Vignetting

        return Vignetting(self.cat_eye, self.swirl)

    def profile(self) -> "BokehProfile":
        """How light lies within a disc."""
        from any2bokeh.optics.profile import BokehProfile

        return BokehProfile(self.spherical, self.softness, self.onion_rings)

    def recovery(self) -> "Highlights":
        """How clipped highlights are raised."""
        from any2bokeh.optics.highlights import Highlights

        return Highlights(self.highlights, self.highlight_threshold)


LOOK_SETTINGS = settings_of(Look)
"""Every number of a look, by name: range, step, unit, label and help."""
