"""One stroke of a brush that mends disparity, and its JSON; docs/studio.md says what the tools do."""

from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from any2bokeh.errors import InputError, is_finite_number, require_choice, require_in_unit_range, shown
from any2bokeh.json_file import require_known, within

Tool = Literal[
    "nearer",  # raises disparity, by a quarter of its whole range at strength 1
    "farther",  # lowers it as much
    "same",  # brings it to that of the place where the stroke begins
    "smooth",  # evens it out
    "front",  # matte: what is painted belongs to the nearest surface under the brush
    "back",  # matte: to the farthest
]

MAX_STROKES = 2000
_MAX_POINTS = 2000
_MAX_FRAME = 10**9
_RADII = (0.001, 0.5)


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke.

    Attributes:
        frame: of the clip that it was painted on; it is carried along from there.
        tool: what it does.
        points: way of the brush, x and y in 0..1 of the displayed picture; 1 to 2000 of them.
        radius: of the brush, as a share of the longer side of the picture, 0.001 to 0.5.
        strength: 0 to 1.
        softness: share of the radius over which the brush fades, 0 to 1.

    Raises:
        InputError: a value is outside its range.
    """

    frame: int
    tool: Tool
    points: tuple[tuple[float, float], ...]
    radius: float = 0.03
    strength: float = 0.5
    softness: float = 0.5

    def __post_init__(self) -> None:
        if isinstance(self.frame, bool) or not isinstance(self.frame, int) or not 0 <= self.frame <= _MAX_FRAME:
            raise InputError(f"frame is {shown(self.frame)}; allowed is a whole number from 0 to {_MAX_FRAME}")
        require_choice("tool", self.tool, get_args(Tool))
        if not 1 <= len(self.points) <= _MAX_POINTS:
            raise InputError(f"points has {len(self.points)} points; allowed are 1 to {_MAX_POINTS}")
        for number, point in enumerate(self.points):
            for name, value in zip("xy", point, strict=True):
                require_in_unit_range(f"{name} of points[{number}]", value)
        if not is_finite_number(self.radius) or not _RADII[0] <= self.radius <= _RADII[1]:
            raise InputError(f"radius is {shown(self.radius)}; allowed is a number from {_RADII[0]} to {_RADII[1]}")
        require_in_unit_range("strength", self.strength)
        require_in_unit_range("softness", self.softness)


def require_count(count: int) -> None:
    """Refuse more strokes than a clip can have.

    Raises:
        InputError: there are more than ``MAX_STROKES``.
    """
    if count > MAX_STROKES:
        raise InputError(f"there are {count} brush strokes; at most {MAX_STROKES} are allowed: undo some")


def stroke_json(stroke: Stroke) -> dict[str, Any]:
    """A stroke as a JSON object."""
    return {
        "frame": stroke.frame,
        "tool": stroke.tool,
        "points": [list(point) for point in stroke.points],
        "radius": stroke.radius,
        "strength": stroke.strength,
        "softness": stroke.softness,
    }


def strokes_of(given: object) -> tuple[Stroke, ...]:
    """Strokes from parsed JSON, an array of objects.

    Raises:
        InputError: anything else, too many, an unknown or missing key, or a value outside its range; the message says
            in which stroke.
    """
    if not isinstance(given, list):
        raise InputError(f"it is {shown(given)}; give an array of strokes")
    rows = cast(list[object], given)
    require_count(len(rows))
    return tuple(within(f"stroke {number}", lambda row=row: _stroke(row)) for number, row in enumerate(rows))


_KEYS = ("frame", "tool", "points", "radius", "strength", "softness")


def _stroke(given: object) -> Stroke:
    if not isinstance(given, dict):
        raise InputError(f"it is {shown(given)}; give an object with {', '.join(_KEYS)}")
    values = cast(dict[str, Any], given)
    require_known(values, _KEYS, "stroke")
    for key in _KEYS[:3]:
        if key not in values:
            raise InputError(f"{key} is missing; give it")
    return Stroke(**{**values, "points": _points(values["points"])})


def _points(given: object) -> tuple[tuple[float, float], ...]:
    if not isinstance(given, list):
        raise InputError(f"points is {shown(given)}; give an array of [x, y]")
    points = cast(list[object], given)
    if len(points) > _MAX_POINTS:
        raise InputError(f"points has {len(points)} points; allowed are 1 to {_MAX_POINTS}")
    for number, point in enumerate(points):
        is_pair = isinstance(point, list) and len(point) == 2  # pyright: ignore[reportUnknownArgumentType]
        if not is_pair or not all(map(is_finite_number, cast(list[object], point))):
            raise InputError(f"points[{number}] is {shown(point)}; give [x, y], both from 0 to 1")
    return tuple((float(x), float(y)) for x, y in cast(list[list[float]], points))
