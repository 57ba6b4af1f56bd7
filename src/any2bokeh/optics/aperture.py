"""Shapes of the aperture, and the spans of pixel rows that they cover.

An aperture is a convex shape in the unit disc. A point out of focus spreads over that shape scaled by its circle of
confusion. The layered engine never draws the shape pixel by pixel: it needs, for each row, where the row enters and
leaves the shape and how much of the row's height the shape fills. :class:`SpanTable` holds these for every radius.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray


class Aperture(Protocol):
    """A convex shape with its centre at the origin, y downwards as in pictures. Hashable: it keys a cache."""

    def outline(self, vertices: int) -> NDArray[np.float64]:
        """The boundary as a closed polygon, ``(vertices, 2)`` of (x, y), the farthest about 1 from the origin."""
        ...

    def contains(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether points lie in the shape; the definition that the reference renderer draws with."""
        ...


@dataclass(frozen=True, slots=True)
class Disc:
    """A fully open, round aperture of radius 1."""

    def outline(self, vertices: int) -> NDArray[np.float64]:
        angle = np.arange(vertices) * (2 * np.pi / vertices)
        # The polygon that has the disc's area, not the one inscribed in it.
        radius = np.sqrt(2 * np.pi / vertices / np.sin(2 * np.pi / vertices))
        return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def contains(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.bool_]:
        return np.asarray(x) ** 2 + np.asarray(y) ** 2 <= 1


@dataclass(frozen=True, slots=True)
class Polygon:
    """An iris of straight or rounded blades, turned and squeezed.

    Attributes:
        blades: 3 to 16.
        curvature: 0 = straight blades, 1 = a disc.
        rotation_deg: turns the shape clockwise on the screen; 0 has a vertex on top.
        squeeze: width over height of the shape; an anamorphic lens of squeeze 2 has 0.5. The larger axis keeps 1.
    """

    blades: int = 6
    curvature: float = 0.0
    rotation_deg: float = 0.0
    squeeze: float = 1.0

    def __post_init__(self) -> None:
        if not 3 <= self.blades <= 16:
            raise ValueError(f"blades is {self.blades}; an aperture has 3 to 16")
        if not 0 <= self.curvature <= 1:
            raise ValueError(f"blade curvature is {self.curvature}; it lies in 0 (straight) to 1 (round)")
        if not np.isfinite(self.rotation_deg):
            raise ValueError(f"aperture rotation is {self.rotation_deg} degrees; give a finite angle")
        if not 0.25 <= self.squeeze <= 4:
            raise ValueError(f"aperture squeeze is {self.squeeze}; it lies in 0.25 to 4")

    def outline(self, vertices: int) -> NDArray[np.float64]:
        angle = np.arange(vertices) * (2 * np.pi / vertices)
        radius = self._radius(angle)
        turned = angle - np.pi / 2 + np.deg2rad(self.rotation_deg)
        squeeze_x, squeeze_y = self._axes()
        return np.stack([squeeze_x * radius * np.cos(turned), squeeze_y * radius * np.sin(turned)], axis=1)

    def contains(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.bool_]:
        squeeze_x, squeeze_y = self._axes()
        u, v = np.asarray(x) / squeeze_x, np.asarray(y) / squeeze_y
        return np.hypot(u, v) <= self._radius(np.arctan2(v, u) + np.pi / 2 - np.deg2rad(self.rotation_deg))

    def _radius(self, angle: NDArray[np.floating]) -> NDArray[np.float64]:
        """Distance of the boundary from the centre; angle 0 is a vertex."""
        sector = 2 * np.pi / self.blades
        straight = np.cos(sector / 2) / np.cos(np.mod(angle, sector) - sector / 2)
        return straight + self.curvature * (1 - straight)

    def _axes(self) -> tuple[float, float]:
        return min(self.squeeze, 1.0), min(1 / self.squeeze, 1.0)


# Radii in the table: linear up to 16 px, then geometric. The largest rounding error of a radius is 1/64 px below
# 16 px and 0.1 % above, both far below what a picture of 16 bits can show of a disc's edge.
_LINEAR_STEPS_PER_PX = 32
_LINEAR_LIMIT_PX = 16.0
_STEPS_PER_E_FOLD = 512
_LINEAR_COUNT = int(_LINEAR_LIMIT_PX * _LINEAR_STEPS_PER_PX)
# Below half a pixel the disc lies inside its own pixel.
IDENTITY_RADIUS_PX = 0.5


@njit(nogil=True, cache=True, inline="always")
def radius_index(radius_px):
    """Row of the table for a radius; 0 for every radius below half a pixel."""
    if radius_px < IDENTITY_RADIUS_PX:
        return 0
    if radius_px < _LINEAR_LIMIT_PX:
        return int(radius_px * _LINEAR_STEPS_PER_PX + 0.5)
    return _LINEAR_COUNT + int(np.log(radius_px / _LINEAR_LIMIT_PX) * _STEPS_PER_E_FOLD + 0.5)


def table_radius_px(index: int) -> float:
    """The radius that row ``index`` of a table stands for; inverse of :func:`radius_index`."""
    if index < _LINEAR_COUNT:
        return index / _LINEAR_STEPS_PER_PX
    return _LINEAR_LIMIT_PX * float(np.exp((index - _LINEAR_COUNT) / _STEPS_PER_E_FOLD))


@dataclass(frozen=True, slots=True, eq=False)
class SpanTable:
    """Spans of one aperture for every radius, S of them behind the focal plane and S mirrored ones in front of it.

    Attributes:
        first: ``(R,)`` index of a radius' first span behind the focal plane; ``S + first`` in front of it.
        reach: ``(R,)`` rows that the shape reaches above and below its centre; it has ``2 * reach + 1`` spans.
        spans: ``(2 S, 3)`` of (left, right, height): the row is covered from ``left`` to ``right`` in pixels from the
            centre, over ``height`` in [0, 1] of its height.
        cells: ``(2 S, 2)`` columns, from the centre's, in which a span starts and ends.
        shares: ``(2 S, 4)``, the span as a difference along the row: what to add in the starting column and the one
            after it, and in the ending column and the one after it.
        inverse_area: ``(R,)`` one over the covered area in px^2, the weight that conserves energy.
    """

    first: NDArray[np.int32]
    reach: NDArray[np.int32]
    spans: NDArray[np.float32]
    cells: NDArray[np.int32]
    shares: NDArray[np.float32]
    inverse_area: NDArray[np.float32]


def span_table(aperture: Aperture, max_radius_px: float) -> SpanTable:
    """Table of ``aperture`` that holds every radius up to ``max_radius_px`` at least."""
    largest = _LINEAR_LIMIT_PX
    while largest < max_radius_px:
        largest *= 2
    return _span_table(aperture, largest)


@lru_cache(maxsize=8)
def _span_table(aperture: Aperture, max_radius_px: float) -> SpanTable:
    radii = np.array([table_radius_px(i) for i in range(radius_index(max_radius_px) + 2)])
    outline = aperture.outline(1440)
    height = np.abs(outline[:, 1]).max()
    reach = np.floor(radii * height + 0.5).astype(np.int32)
    first = np.concatenate([[0], np.cumsum(2 * reach + 1)]).astype(np.int32)
    behind = np.zeros((first[-1], 3), np.float32)
    _fill_spans(np.ascontiguousarray(outline), radii, first, reach, behind)
    area = np.add.reduceat((behind[:, 1] - behind[:, 0]) * behind[:, 2], first[:-1])
    front = _mirrored(behind, first, reach)
    spans = np.concatenate([behind, front])
    # The pixel in column x reaches from x to x + 1 and has its centre between.
    edges = spans[:, :2] + np.float32(0.5)
    cells = np.floor(edges)
    second = (edges - cells) * spans[:, 2:]
    shares = np.stack([spans[:, 2] - second[:, 0], second[:, 0], second[:, 1] - spans[:, 2], -second[:, 1]], axis=1)
    return SpanTable(
        first[:-1].copy(),
        reach,
        spans,
        cells.astype(np.int32),
        shares.astype(np.float32),
        (1 / area).astype(np.float32),
    )


def _mirrored(spans: NDArray[np.float32], first: NDArray[np.int32], reach: NDArray[np.int32]) -> NDArray[np.float32]:
    """Each radius' shape upside down and mirrored."""
    row = np.arange(len(spans)) - np.repeat(first[:-1], 2 * reach + 1)
    turned = spans[np.repeat(first[:-1] + 2 * reach, 2 * reach + 1) - row]
    return np.stack([-turned[:, 1], -turned[:, 0], turned[:, 2]], axis=1)


# Odd and prime, so that no row falls on the border of two chords and a symmetric shape stays symmetric.
_CHORDS = 4099
_SUBROWS = 64


@njit(cache=True)
def _fill_spans(outline, radii, first, reach, spans):
    # Chords of the unit shape at fine steps of y in [-1, 1].
    left = np.full(_CHORDS, np.inf)
    right = np.full(_CHORDS, -np.inf)
    n = outline.shape[0]
    for chord in range(_CHORDS):
        y = -1 + (chord + 0.5) * 2 / _CHORDS
        for i in range(n):
            x0, y0 = outline[i]
            x1, y1 = outline[(i + 1) % n]
            if (y0 <= y) != (y1 <= y):
                x = x0 + (x1 - x0) * (y - y0) / (y1 - y0)
                left[chord] = min(left[chord], x)
                right[chord] = max(right[chord], x)
    spans[0] = np.array([-0.5, 0.5, 1.0], np.float32)  # every radius below half a pixel: its own pixel
    for index in range(1, radii.shape[0]):
        radius = radii[index]
        for row in range(-reach[index], reach[index] + 1):
            at = first[index] + row + reach[index]
            count, left_sum, right_sum = 0, 0.0, 0.0
            for sub in range(_SUBROWS):
                y = (row - 0.5 + (sub + 0.5) / _SUBROWS) / radius
                chord = int((y + 1) * 0.5 * _CHORDS)
                if y <= -1 or chord >= _CHORDS or left[chord] > right[chord]:
                    continue
                count += 1
                left_sum += left[chord]
                right_sum += right[chord]
            if count > 0:
                spans[at, 0] = radius * left_sum / count
                spans[at, 1] = radius * right_sum / count
                spans[at, 2] = count / _SUBROWS
