"""Widths of sensors, mm."""

from any2bokeh.errors import InputError

SENSOR_WIDTHS_MM = {
    "full-frame": 36.0,
    "super-35": 24.89,
    "aps-c": 23.5,
    "micro-four-thirds": 17.3,
    "one-inch": 13.2,
    "phone": 9.8,
}
"""Widths of the formats that have names: the longer side. ``phone`` is the 1/1.28 inch type."""


def sensor_width_mm(name: str) -> float:
    """The width of a named sensor, or a number of millimetres as text.

    Raises:
        InputError: neither.
    """
    if name in SENSOR_WIDTHS_MM:
        return SENSOR_WIDTHS_MM[name]
    try:
        return float(name)
    except ValueError:
        raise InputError(f"sensor is {name!r}; give a width in mm, or one of {', '.join(SENSOR_WIDTHS_MM)}") from None
