"""The lens on the camera of a project: its look, and the numbers that give the blur its strength."""

from dataclasses import dataclass, field, replace
from typing import Any

from any2bokeh.errors import require_choice
from any2bokeh.optics.catalogue import find_lens
from any2bokeh.optics.lens import Lens
from any2bokeh.optics.look import LOOK_SETTINGS, Look
from any2bokeh.optics.setting import setting, settings_of

NO_LENS = "plain"
"""A thin lens with a round aperture, which the catalogue does not list."""


@dataclass(frozen=True, slots=True)
class MountedLens:
    """A lens of the catalogue, or none, with what was changed of it.

    Attributes:
        name: of the lens of the catalogue that the rest came from, or ``NO_LENS``.
        look: what it does to light.
        f_number, focal_length_mm, sensor_width_mm, focus_distance_m: see ``Lens``.

    Raises:
        InputError: a number outside its range.
    """

    name: str = NO_LENS
    look: Look = field(default_factory=Look)
    f_number: float = setting(
        1.8, low=0.3, high=64, step=0.1, slider=(0.7, 16), label="Aperture (f-number)",
        help="A smaller number gives more blur",
    )  # fmt: skip
    focal_length_mm: float = setting(
        50.0, low=1, high=2000, step=1, slider=(4, 300), unit="mm", label="Focal length (mm)",
        help="A longer focal length gives more blur",
    )  # fmt: skip
    focus_distance_m: float = setting(
        2.0, low=0.1, high=1000, step=0.1, slider=(0.3, 20), unit="m", label="Distance of the subject (m)",
        help="Distance from the camera to the subject that is first in focus",
    )  # fmt: skip
    sensor_width_mm: float = 36.0

    def __post_init__(self) -> None:
        for name, each in LENS_SETTINGS.items():
            each.require(getattr(self, name))

    @classmethod
    def of(cls, name: str) -> "MountedLens":
        """A lens of the catalogue.

        Raises:
            InputError: no such lens.
        """
        if name == NO_LENS:
            return cls()
        lens = find_lens(name)
        return cls(
            name=name,
            look=lens.look,
            f_number=lens.f_number,
            focal_length_mm=lens.focal_length_mm,
            sensor_width_mm=lens.sensor_width_mm,
        )

    def changed(self, **numbers: Any) -> "MountedLens":
        """With other numbers.

        Raises:
            InputError: one that is no number, or outside its range.
        """
        return replace(self, **numbers)

    def with_look(self, **values: Any) -> "MountedLens":
        """With another look. A slider passes over the 1 and 2 blades that no iris has: they become none and three.

        Raises:
            InputError: no such setting, a value that is no number, or one outside its range.
        """
        for name, value in values.items():
            require_choice("setting of a look", name, LOOK_SETTINGS)  # none of which is a file
            LOOK_SETTINGS[name].require(value)
        if "blades" in values:
            blades = int(values["blades"])
            values["blades"] = {1: 0, 2: 3}.get(blades, blades)
        return replace(self, look=self.look.changed(**values))

    @property
    def optics(self) -> Lens:
        """The lens as numbers."""
        return Lens(self.f_number, self.focal_length_mm, self.sensor_width_mm, self.focus_distance_m)

    def typed_look(self) -> list[str]:
        """The look as words of a command line; what is neutral is left out."""
        return [
            word
            for name, value in self.look.numbers().items()
            for word in (LOOK_SETTINGS[name].option, value if isinstance(value, str) else f"{value:g}")
        ]


LENS_SETTINGS = settings_of(MountedLens)
"""The numbers of the lens that the page offers, by name."""
