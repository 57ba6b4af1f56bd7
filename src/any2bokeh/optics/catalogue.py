"""Lenses by name: those that come with the package, and the user's own."""

import tomllib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from any2bokeh.errors import InputError
from any2bokeh.optics.look import LOOK_SETTINGS, Look
from any2bokeh.optics.sensors import sensor_width_mm


@dataclass(frozen=True, slots=True)
class NamedLens:
    """A lens with its numbers and its look.

    Attributes:
        name: of the lens.
        f_number, focal_length_mm: its numbers.
        sensor: name of the sensor that it stands before, or its width in mm.
        about: one line for people.
        look: what it does to light.
    """

    name: str
    f_number: float
    focal_length_mm: float
    sensor: str | float = "full-frame"
    about: str = ""
    look: Look = field(default_factory=Look)

    @property
    def sensor_width_mm(self) -> float:
        """Of its sensor.

        Raises:
            InputError: the sensor is neither known nor a number.
        """
        return sensor_width_mm(str(self.sensor))


def lenses(path: str | Path | None = None) -> dict[str, NamedLens]:
    """The lenses that come with the package, and those of a TOML file of the same form, which go before.

    Raises:
        InputError: the file is missing, not TOML, or has lenses with unknown, missing or wrong values.
    """
    own = _read(resources.files("any2bokeh.optics").joinpath("lenses.toml").read_text(), "lenses.toml")
    if path is None:
        return own
    try:
        text = Path(path).read_text()
    except (OSError, UnicodeDecodeError):
        raise InputError(f"there is no file of lenses {path} that can be read; see any2bokeh lenses --help") from None
    return {**own, **_read(text, str(path))}


def find_lens(name: str, path: str | Path | None = None) -> NamedLens:
    """A lens by its name.

    Raises:
        InputError: no such lens, or a file with a fault.
    """
    known = lenses(path)
    if name not in known:
        raise InputError(f"there is no lens {name!r}; any2bokeh lenses lists them: {', '.join(known)}")
    return known[name]


_NUMBERS = ("f_number", "focal_length_mm")
_KEYS = (*_NUMBERS, "sensor", "about", *LOOK_SETTINGS)


def _read(text: str, where: str) -> dict[str, NamedLens]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where} is not TOML: {error}") from None
    return {name: _lens(name, table, where) for name, table in tables.items()}


def _lens(name: str, table: Any, where: str) -> NamedLens:
    if not isinstance(table, dict):
        raise InputError(f"{name} of {where} is no table; write [{name}] and its values below it")
    unknown = sorted(set(table) - set(_KEYS))
    if unknown:
        raise InputError(f"lens {name} of {where} has unknown keys: {', '.join(unknown)}; known are {', '.join(_KEYS)}")
    for key in _NUMBERS:
        if key not in table:
            raise InputError(f"lens {name} of {where} has no {key}; give one")
    for key, value in table.items():
        text = key == "about" or (key == "sensor" and isinstance(value, str))
        if not (isinstance(value, str) if text else isinstance(value, int | float) and not isinstance(value, bool)):
            raise InputError(f"{key} of lens {name} of {where} is {value!r}; give {'a text' if text else 'a number'}")
    try:
        look = Look(**{key: value for key, value in table.items() if key in LOOK_SETTINGS})
    except InputError as error:
        raise InputError(f"lens {name} of {where}: {error}") from None
    lens = NamedLens(name, look=look, **{key: value for key, value in table.items() if key not in LOOK_SETTINGS})
    if not lens.sensor_width_mm > 0:
        raise InputError(f"sensor of lens {name} of {where} is {lens.sensor!r}; give a width above 0")
    return lens
