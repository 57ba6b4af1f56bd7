"""The lens that a visitor has put on: what it does to light, and how strong a blur its numbers give."""

from dataclasses import dataclass, fields, replace
from typing import Any

from any2bokeh.cli.look_options import LookOptions
from any2bokeh.errors import InputError
from any2bokeh.optics.catalogue import NamedLens, find_lens
from any2bokeh.optics.lens import Lens

NO_LENS = "plain"
"""A thin lens with a round aperture, which the catalogue does not list."""


@dataclass(frozen=True, slots=True)
class Range:
    """What a control of the page takes."""

    low: float
    high: float
    step: float


RANGES = {
    "blades": Range(0, 16, 1),
    "blade_curvature": Range(0, 1, 0.05),
    "aperture_rotation_deg": Range(-90, 90, 1),
    "anamorphic_ratio": Range(1, 2.5, 0.05),
    "cat_eye": Range(0, 1, 0.05),
    "swirl": Range(0, 0.9, 0.05),
    "spherical": Range(-1, 1, 0.05),
    "onion_rings": Range(0, 1, 0.05),
    "axial_chromatic": Range(0, 0.03, 0.001),
    "highlights": Range(0, 20, 0.5),
    "f_number": Range(0.7, 16, 0.1),
    "focal_length_mm": Range(4, 300, 1),
    "focus_distance_m": Range(0.3, 20, 0.1),
}
"""Ranges of the controls, by the names of ``Look``; narrower than what the renderer takes."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the lens does to light, by the names of ``LookOptions``; and its numbers.

    Attributes:
        lens: name of the lens of the catalogue that the rest came from, or ``NO_LENS``.
        blades: of the iris; 0 for a round one.
        f_number, focal_length_mm, sensor_width_mm, focus_distance_m: see ``Lens``.
    """

    lens: str = NO_LENS
    blades: int = 0
    blade_curvature: float = 0.0
    aperture_rotation_deg: float = 0.0
    anamorphic_ratio: float = 1.0
    cat_eye: float = 0.0
    swirl: float = 0.0
    spherical: float = 0.0
    onion_rings: float = 0.0
    axial_chromatic: float = 0.0
    highlights: float = 0.0
    softness: float = 0.0
    f_number: float = 1.8
    focal_length_mm: float = 50.0
    sensor_width_mm: float = 36.0
    focus_distance_m: float = 2.0

    @classmethod
    def of(cls, name: str) -> "Look":
        """The look of a lens of the catalogue.

        Raises:
            InputError: no such lens.
        """
        if name == NO_LENS:
            return cls()
        lens = find_lens(name)
        return cls(
            lens=name,
            blades=lens.blades or 0,
            blade_curvature=_of(lens, "curvature"),
            anamorphic_ratio=_of(lens, "anamorphic") or 1.0,
            cat_eye=_of(lens, "cat_eye"),
            swirl=_of(lens, "swirl"),
            spherical=_of(lens, "spherical"),
            onion_rings=_of(lens, "onion_rings"),
            axial_chromatic=_of(lens, "axial_chromatic"),
            softness=_of(lens, "softness"),
            f_number=lens.f_number,
            focal_length_mm=lens.focal_length_mm,
            sensor_width_mm=lens.sensor_width_mm,
        )

    def changed(self, **values: Any) -> "Look":
        """With other values.

        Raises:
            InputError: one that is no number, or outside its range.
        """
        for name, value in values.items():
            allowed = RANGES.get(name)
            if allowed is None or isinstance(value, bool) or not isinstance(value, int | float):
                raise InputError(f"{name.replace('_', ' ')} is {value!r}; give a number")
            if not allowed.low <= value <= allowed.high:
                raise InputError(
                    f"{name.replace('_', ' ')} is {value:g}; it lies in {allowed.low:g} to {allowed.high:g}"
                )
        if "blades" in values:
            values["blades"] = int(values["blades"])
            if 0 < values["blades"] < 3:
                values["blades"] = 0 if values["blades"] == 1 else 3
        return replace(self, **values)

    @property
    def optics(self) -> Lens:
        """The lens as numbers."""
        return Lens(self.f_number, self.focal_length_mm, self.sensor_width_mm, self.focus_distance_m)

    def options(self) -> LookOptions:
        """As the command line takes it; what is neutral is left out."""
        given: dict[str, Any] = {}
        if self.blades:
            given["blades"] = self.blades
            given["blade_curvature"] = self.blade_curvature
            if self.aperture_rotation_deg:
                given["aperture_rotation_deg"] = self.aperture_rotation_deg
        if self.anamorphic_ratio != 1.0:
            given["anamorphic_ratio"] = self.anamorphic_ratio
        names = ("cat_eye", "swirl", "spherical", "onion_rings", "axial_chromatic", "highlights", "softness")
        given |= {name: getattr(self, name) for name in names if getattr(self, name) != 0}
        return LookOptions(**given)

    def typed(self) -> list[str]:
        """The same as words of a command line."""
        options = self.options()
        given = {field.name: getattr(options, field.name) for field in fields(options)}
        return [
            word
            for name, value in given.items()
            if value is not None
            for word in (f"--{name.replace('_', '-')}", f"{value:g}")
        ]


def _of(lens: NamedLens, name: str) -> float:
    return float(getattr(lens, name) or 0.0)
