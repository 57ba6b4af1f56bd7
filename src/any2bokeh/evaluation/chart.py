"""Line charts as SVG, drawn without a plotting library."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 170, 40, 55
_COLOURS = ("#888888", "#d95f02", "#7570b3", "#1b9e77", "#e7298a", "#1f78b4", "#a6761d", "#000000")
_TICKS = 5


def line_chart(
    title: str,
    lines: Mapping[str, Points],
    *,
    x_label: str,
    y_label: str,
    x_names: Mapping[float, str] | None = None,
) -> str:
    """An SVG document with a line and a mark at each point for every name.

    Args:
        title: above the chart.
        lines: by name, in the order of the legend; points ``(x, y)`` of each in order of x.
        x_label, y_label: with the unit.
        x_names: what to write at values of x instead of numbers.
    """
    points = [point for line in lines.values() for point in line]
    xs = _Axis([x for x, _ in points], _LEFT, _WIDTH - _RIGHT, room=0)
    ys = _Axis([y for _, y in points], _HEIGHT - _BOTTOM, _TOP, room=0.05)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_LEFT, 22, title, size=15),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 14, x_label, anchor="middle"),
        f'<g transform="translate(18 {_HEIGHT / 2:.0f}) rotate(-90)">{_text(0, 0, y_label, anchor="middle")}</g>',
    ]
    for value in ys.ticks():
        y = ys.place(value)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{value:g}", anchor="end"))
    for value in x_names or xs.ticks():
        name = x_names[value] if x_names else f"{value:g}"
        parts.append(_text(xs.place(value), _HEIGHT - _BOTTOM + 18, name, anchor="middle"))
    for number, (name, line) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{xs.place(x):.1f},{ys.place(y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{xs.place(x):.1f}" cy="{ys.place(y):.1f}" r="3" fill="{colour}"/>' for x, y in line]
        height = _TOP + 10 + 20 * number
        parts.append(f'<path d="M{_WIDTH - _RIGHT + 15} {height}h20" stroke="{colour}" stroke-width="3"/>')
        parts.append(_text(_WIDTH - _RIGHT + 42, height + 4, name))
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Axis:
    """Values onto pixels, with round values to mark."""

    def __init__(self, values: Sequence[float], first_px: float, last_px: float, *, room: float) -> None:
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        spare = room * (high - low) or (0 if high > low else abs(high) * 0.05 or 0.5)
        self._low, self._high = low - spare, high + spare
        self._first_px, self._last_px = first_px, last_px

    def place(self, value: float) -> float:
        share = (value - self._low) / (self._high - self._low)
        return self._first_px + share * (self._last_px - self._first_px)

    def ticks(self) -> list[float]:
        raw = (self._high - self._low) / _TICKS
        magnitude = 10.0 ** np.floor(np.log10(raw))
        step = next(factor for factor in (1, 2, 5, 10) if factor * magnitude >= raw) * magnitude
        first = int(np.ceil(self._low / step - 1e-9))
        last = int(np.floor(self._high / step + 1e-9))
        return [float(f"{k * step:.10g}") for k in range(first, last + 1)]


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'
