"""What a point out of focus covers, row by row, for every radius.

The layered engine never draws a shape pixel by pixel. It writes each row as the places where the light along it steps
up or down, and fills the row with a running sum. A plain convex shape steps up once and down once; a profile is a pile
of scaled shapes; a picture of an aperture steps wherever it changes.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.optics.aperture import Aperture, ConvexAperture, ImageAperture
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.optics.radii import IDENTITY_RADIUS_PX, LINEAR_LIMIT_PX, indexed_radii_px


@dataclass(frozen=True, slots=True, eq=False)
class Footprint:
    """Rows of one aperture for every radius, first those behind the focal plane, then those in front of it.

    Attributes:
        first: ``(2, R)`` index of a radius' first row, behind the focal plane and in front of it.
        reach: ``(R,)`` rows that the shape reaches above and below its centre; it has ``2 * reach + 1``.
        row_first: ``(rows + 1,)`` index of a row's first step.
        places: ``(S,)`` columns, as fractions, at which the light along the row steps; 0 and 1 are the borders of the
            centre's pixel.
        heights: ``(S,)`` by how much it steps; those of a row sum to 0.
        cells: ``(S,)`` the columns that the steps fall into.
        shares: ``(S, 2)`` each step as a difference along the row: what to add in its column and in the one after it.
        inverse_area: ``(2, R)`` one over the sum over the shape, the weight that conserves energy.
        is_plain: every row steps up once and then down once.
    """

    first: NDArray[np.int32]
    reach: NDArray[np.int32]
    row_first: NDArray[np.int32]
    places: NDArray[np.float32]
    heights: NDArray[np.float32]
    cells: NDArray[np.int32]
    shares: NDArray[np.float32]
    inverse_area: NDArray[np.float32]
    is_plain: bool


def footprint(aperture: Aperture, profile: BokehProfile, max_radius_px: float) -> Footprint:
    """The footprint of ``aperture`` that holds every radius up to ``max_radius_px`` at least."""
    largest = LINEAR_LIMIT_PX
    while largest < max_radius_px:
        largest *= 2
    return _footprint(aperture, profile, largest)


@lru_cache(maxsize=8)
def _footprint(aperture: Aperture, profile: BokehProfile, max_radius_px: float) -> Footprint:
    radii = indexed_radii_px(max_radius_px)
    if isinstance(aperture, ImageAperture):
        return _of_picture(aperture, profile, radii)
    if profile.is_flat:
        return _of_plain(aperture, radii)
    return _of_pile(aperture, profile, radii)


# 1. A plain convex shape


def _of_plain(aperture: ConvexAperture, radii: NDArray[np.float64]) -> Footprint:
    """Two steps a row: in and out."""
    reach, first, behind = _rows_of(aperture, radii)
    spans = np.concatenate([behind, _mirrored(behind, first, reach)])
    area = np.add.reduceat((behind[:, 1] - behind[:, 0]) * behind[:, 2], first[:-1])
    return _assembled(
        first=np.stack([first[:-1], first[-1] + first[:-1]]),
        reach=reach,
        row_first=2 * np.arange(len(spans) + 1),
        places=spans[:, :2].ravel(),
        heights=np.stack([spans[:, 2], -spans[:, 2]], axis=1).ravel(),
        area=np.stack([area, area]),
        is_plain=True,
    )


def _rows_of(
    aperture: ConvexAperture, radii: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Reach, first row (and the end of the last), and (left, right, height) of each row, behind the focal plane."""
    outline = aperture.outline(1440)
    height = np.abs(outline[:, 1]).max()
    reach = np.floor(radii * height + 0.5).astype(np.int32)
    first = np.concatenate([[0], np.cumsum(2 * reach + 1)]).astype(np.int32)
    spans = np.zeros((first[-1], 3), np.float32)
    _fill_spans(np.ascontiguousarray(outline), radii, first, reach, spans)
    return reach, first, spans


def _mirrored(spans: NDArray[np.float32], first: NDArray[np.int32], reach: NDArray[np.int32]) -> NDArray[np.float32]:
    """Each radius' shape upside down and mirrored."""
    row = np.arange(len(spans)) - np.repeat(first[:-1], 2 * reach + 1)
    turned = spans[np.repeat(first[:-1] + 2 * reach, 2 * reach + 1) - row]
    return np.stack([-turned[:, 1], -turned[:, 0], turned[:, 2]], axis=1)


# 2. A pile of scaled shapes: a profile

_MOST_DISCS = 24


def _of_pile(aperture: ConvexAperture, profile: BokehProfile, radii: NDArray[np.float64]) -> Footprint:
    """Scaled copies of the shape laid on one another: a disc of the pile for every pixel or so of radius."""
    reach = np.floor(radii * np.abs(aperture.outline(1440)[:, 1]).max() + 0.5).astype(np.int32)
    counts = np.clip(1 + 0.75 * radii, 1, _MOST_DISCS).astype(np.int32)
    first_disc = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    row_count = 2 * int((2 * reach + 1).sum())
    first = np.concatenate([[0], np.cumsum(2 * reach + 1)]).astype(np.int32)
    row_first = np.zeros(row_count + 1, np.int32)
    parts = []
    for in_front in (False, True):
        piles = {count: profile.steps(int(count), in_front=in_front) for count in np.unique(counts)}
        scales = np.concatenate([piles[count][0] for count in counts])
        brightness = np.concatenate([piles[count][1] for count in counts])
        disc_radii = np.maximum(np.repeat(radii, counts) * scales, IDENTITY_RADIUS_PX)
        disc_reach, disc_first, spans = _rows_of(aperture, disc_radii)
        if in_front:
            spans = _mirrored(spans, disc_first, disc_reach)
        rows = row_first[1 + first[-1] :] if in_front else row_first[1 : 1 + first[-1]]
        parts.append(_pile_up(reach, first_disc, disc_reach, disc_first, spans, brightness, rows))
    row_first = np.concatenate([[0], np.cumsum(row_first[1:])])
    return _assembled(
        first=np.stack([first[:-1], first[-1] + first[:-1]]),
        reach=reach,
        row_first=row_first,
        places=np.concatenate([places for places, _, _ in parts]),
        heights=np.concatenate([heights for _, heights, _ in parts]),
        area=np.stack([area for _, _, area in parts]),
        is_plain=False,
    )


@compiled()
def _pile_up(reach, first_disc, disc_reach, disc_first, spans, brightness, steps_of_row):
    """Steps of all rows of all radii: places, heights, and the area of each radius; ``steps_of_row`` is written."""
    places = np.empty(2 * spans.shape[0], np.float32)
    heights = np.empty(2 * spans.shape[0], np.float32)
    area = np.zeros(reach.shape[0])
    count, at_row = 0, 0
    for index in range(reach.shape[0]):
        for row in range(-reach[index], reach[index] + 1):
            before = count
            for disc in range(first_disc[index], first_disc[index + 1]):
                if abs(row) <= disc_reach[disc]:
                    left, right, filled = spans[disc_first[disc] + disc_reach[disc] + row]
                    places[count], heights[count] = left, filled * brightness[disc]
                    places[count + 1], heights[count + 1] = right, -filled * brightness[disc]
                    area[index] += (right - left) * filled * brightness[disc]
                    count += 2
            steps_of_row[at_row] = count - before
            at_row += 1
    return places[:count], heights[:count], area


# 3. A picture of an aperture

_LEAST_STEP = 1 / 40
"""Of full brightness: smaller changes along a row wait until they have added up to one."""
_RADII_PER_PICTURE = 4
"""Neighbouring radii that share a resampled picture: an eighth of a pixel below 16 px, 0.8 % above."""


def _of_picture(aperture: ImageAperture, profile: BokehProfile, radii: NDArray[np.float64]) -> Footprint:
    kept = np.minimum(np.arange(len(radii)) // _RADII_PER_PICTURE * _RADII_PER_PICTURE + 2, len(radii) - 1)
    kept[0] = 0
    firsts, areas, reach, row_first, places, heights = [], [], np.zeros(len(radii), np.int32), [0], [], []
    for in_front in (False, True):
        first, area = np.zeros(len(radii), np.int32), np.zeros(len(radii))
        for index in np.unique(kept):
            picture = aperture.footprint(float(radii[index]), profile, in_front=in_front) if index else np.ones((1, 1))
            first[kept == index], area[kept == index] = len(row_first) - 1, 0.0
            reach[kept == index] = len(picture) // 2
            for row in picture:
                columns, steps = _steps_along(row)
                places += list(columns - len(row) // 2 - 0.5)
                heights += list(steps)
                area[kept == index] -= float((columns * steps).sum())
                row_first.append(len(places))
        firsts.append(first)
        areas.append(area)
    return _assembled(
        first=np.stack(firsts),
        reach=reach,
        row_first=np.array(row_first),
        places=np.array(places),
        heights=np.array(heights),
        area=np.stack(areas),
        is_plain=False,
    )


def _steps_along(row: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Columns before which a row of brightness, at most 1, steps, and by how much; it ends at 0."""
    kept, level = [], 0.0
    for column, value in enumerate(np.append(row, 0.0)):
        if abs(value - level) > _LEAST_STEP or (column == len(row) and value != level):
            kept.append((column, value - level))
            level = value
    columns, steps = zip(*kept, strict=True) if kept else ((), ())
    return np.array(columns, np.int64), np.array(steps, np.float64)


def _assembled(
    *,
    first: NDArray[np.integer],
    reach: NDArray[np.integer],
    row_first: NDArray[np.integer],
    places: NDArray[np.floating],
    heights: NDArray[np.floating],
    area: NDArray[np.floating],
    is_plain: bool,
) -> Footprint:
    # The pixel in column x reaches from x to x + 1 and has its centre between.
    edges = places.astype(np.float32) + np.float32(0.5)
    cells = np.floor(edges)
    second = (edges - cells) * heights
    return Footprint(
        first=first.astype(np.int32),
        reach=reach.astype(np.int32),
        row_first=row_first.astype(np.int32),
        places=edges,
        heights=heights.astype(np.float32),
        cells=cells.astype(np.int32),
        shares=np.stack([heights - second, second], axis=1).astype(np.float32),
        inverse_area=(1 / area).astype(np.float32),
        is_plain=is_plain,
    )


# Odd and prime, so that no row falls on the border of two chords and a symmetric shape stays symmetric.
_CHORDS = 4099
_SUBROWS = 64


@compiled()
def _fill_spans(outline, radii, first, reach, spans):
    # Chords of the unit shape at fine steps of y in [-1, 1].
    left = np.full(_CHORDS, np.inf)
    right = np.full(_CHORDS, -np.inf)
    n = outline.shape[0]
    for chord in range(_CHORDS):
        y = -1 + (chord + 0.5) * 2 / _CHORDS
        for i in range(n):
            x0, y0 = outline[i, 0], outline[i, 1]
            x1, y1 = outline[(i + 1) % n, 0], outline[(i + 1) % n, 1]
            if (y0 <= y) != (y1 <= y):
                x = x0 + (x1 - x0) * (y - y0) / (y1 - y0)
                left[chord] = min(left[chord], x)
                right[chord] = max(right[chord], x)
    for index in range(radii.shape[0]):
        radius = radii[index]
        if radius < 0.5:  # its own pixel
            # One by one: an array that is assigned brings its error message, strings and all, to be compiled.
            spans[first[index], 0], spans[first[index], 1], spans[first[index], 2] = -0.5, 0.5, 1.0
            continue
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
