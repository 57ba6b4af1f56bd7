"""What layers cover: subjects, hair, grass, branches, nets, letters, and neighbours along another's outline."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.synthesis.matte import random_matte
from any2bokeh.synthesis.strands import Strands, random_strands
from any2bokeh.synthesis.texture import Size, fractal_noise

_FINE = 4  # samples along a pixel's side where shapes are filled
_SUBPIXEL_BITS = 4

Drawn = tuple[NDArray[np.float32], NDArray[np.float32] | None]
"""Coverage ``(h, w)`` in [0, 1], and the factor of light ``(h, w)`` of what covers, or None for 1."""


def random_coverage(rng: np.random.Generator, size: Size, before: NDArray[np.float32] | None = None) -> Drawn:
    """The coverage of one layer over a frame.

    Args:
        rng: what it is drawn from.
        size: (h, w) of the frame.
        before: ``(h, w)``, coverage of another layer, along whose outline this one may run.
    """
    kinds = [kind for kind in _KINDS if before is not None or kind.draw is not None]
    weights = np.array([kind.weight for kind in kinds])
    kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
    if kind.draw is None:
        assert before is not None
        coverage, tone = beside(rng, before), None
    else:
        coverage, tone = kind.draw(rng, size)
    change = rng.uniform()
    if change < 0.05:
        coverage = coverage * (1 - holes(rng, size))
    elif change < 0.12:  # out of focus, or in motion, by itself
        coverage = np.asarray(cv2.filter2D(coverage, -1, random_spread(rng, rng.uniform(0.6, 2.5))), np.float32)
    return np.clip(coverage, 0, 1), tone


def random_spread(rng: np.random.Generator, sigma_px: float) -> NDArray[np.float32]:
    """How a point is spread, ``(k, k)`` of sum 1: a Gaussian, a disc, or a short way, of a standard deviation."""
    reach = int(np.ceil(2.5 * sigma_px)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    kind = rng.uniform()
    if kind < 0.6:
        spread = np.exp(-(x * x + y * y) / (2 * sigma_px**2))
    elif kind < 0.8:
        spread = np.clip(2 * sigma_px + 0.5 - np.hypot(x, y), 0, 1)
    else:
        turn = rng.uniform(0, np.pi)
        along, across = x * np.cos(turn) + y * np.sin(turn), x * np.sin(turn) - y * np.cos(turn)
        spread = np.clip(1.73 * sigma_px + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return (spread / spread.sum()).astype(np.float32)


def subject(rng: np.random.Generator, size: Size) -> Drawn:
    """A matte of those that traced clips have, in any size and place."""
    share = np.exp(rng.uniform(np.log(0.15), np.log(1.3)))
    height = max(16, int(share * size[0] * rng.uniform(0.7, 1.4)))
    width = max(16, int(height * rng.uniform(0.5, 1.7)))
    fine = 2 if height * width > 0.7 * size[0] * size[1] else 3
    matte = random_matte(rng, (height * fine, width * fine))
    small = cv2.resize(matte, (width, height), interpolation=cv2.INTER_AREA)
    return _placed(rng, np.asarray(small, np.float32), size), None


def hairy(rng: np.random.Generator, size: Size) -> Drawn:
    """A head, a tail or a tuft: a body from whose outline strands flow, thin and partly transparent."""
    centre, radius = _somewhere(rng, size), min(size) * rng.uniform(0.08, 0.35)
    outline = _blob(rng, centre, radius, rng.uniform(0.05, 0.25))
    count = int(rng.integers(60, 500))
    start, part = rng.uniform(0, 1), rng.choice([0.25, 0.6, 1.0])
    at = ((start + part * rng.uniform(size=count)) % 1 * len(outline)).astype(int) % len(outline)
    outward = np.arctan2(*(outline[at] - centre).T[::-1])
    lean = rng.normal(0, 0.8)  # combed to a side, or hanging down
    roots = outline[at] - 0.12 * radius * np.stack([np.cos(outward), np.sin(outward)], axis=-1)
    strands = random_strands(
        rng, roots, outward + lean, length_px=radius * rng.uniform(0.1, 0.9),
        width_px=(0.3, rng.uniform(0.5, 2.0)), curl=rng.uniform(0.1, 1.6), clumps=int(rng.integers(3, 40)),
    )  # fmt: skip
    hair, tone = strands.drawn(size)
    return 1 - (1 - hair) * (1 - _filled(size, [outline])), tone


def body(rng: np.random.Generator, size: Size) -> Drawn:
    """People, animals, cars, furniture: large smooth parts and limbs, without hair."""
    extent = min(size) * np.exp(rng.uniform(np.log(0.1), np.log(0.7)))
    centre = _somewhere(rng, size)
    parts = [
        _blob(rng, centre + rng.normal(0, 0.5, 2) * extent, extent * rng.uniform(0.2, 0.8), rng.uniform(0.02, 0.15))
        for _ in range(int(rng.integers(1, 5)))
    ]
    filled = _filled(size, parts)
    count = int(rng.integers(0, 6))
    if count == 0:
        return filled, None
    limbs = random_strands(
        rng, centre + rng.normal(0, 0.4, (count, 2)) * extent, rng.uniform(0, 2 * np.pi, count),
        length_px=extent * rng.uniform(0.5, 1.8), width_px=(0.08 * extent + 1, 0.35 * extent + 2), curl=0.5,
    )  # fmt: skip
    opaque = Strands(limbs.points, limbs.width_px, np.ones(count, np.float32), np.ones(count, np.float32))
    return np.maximum(filled, opaque.drawn(size)[0]), None


def grass(rng: np.random.Generator, size: Size) -> Drawn:
    """Blades or fur that rise from a side of the frame, or whiskers from a place."""
    count = int(rng.integers(30, 400))
    base = size[0] * rng.uniform(0.7, 1.1)
    roots = np.stack([rng.uniform(-20, size[1] + 20, count), base + rng.normal(0, 6, count)], axis=-1)
    upward = np.full(count, -np.pi / 2) + rng.normal(0, 0.25, count)
    strands = random_strands(
        rng, roots, upward, length_px=size[0] * rng.uniform(0.08, 0.5), width_px=(0.4, rng.uniform(0.8, 5.0)),
        curl=rng.uniform(0.1, 1.0), clumps=int(rng.integers(5, 60)),
    )  # fmt: skip
    blades, tone = strands.drawn(size)
    ground = np.clip(np.arange(size[0], dtype=np.float32)[:, None] - np.float32(base - 3), 0, 1)
    return np.asarray(1 - (1 - blades) * (1 - ground), np.float32), tone


def branches(rng: np.random.Generator, size: Size) -> Drawn:
    """A tree without leaves, or with some: limbs that fork and taper down to fractions of a pixel."""
    points, widths = [], []
    roots = [
        (_somewhere(rng, size, 1.1), rng.uniform(0, 2 * np.pi), rng.uniform(2, 12), size[0] * rng.uniform(0.2, 0.6))
    ]
    roots *= int(rng.integers(1, 3))
    while roots and len(points) < 160:
        root, heading, width, length = roots.pop(0)
        headings = heading + np.cumsum(rng.normal(0, 0.16, 10))
        way = root + np.cumsum(np.stack([np.cos(headings), np.sin(headings)], axis=-1) * length / 10, axis=0)
        way = np.vstack([root, way])
        points.append(way)
        widths.append(width * np.linspace(1, 0.55, 11))
        if width > 0.5:
            for _ in range(int(rng.integers(2, 5))):
                at = int(rng.integers(3, 11))
                aside = heading + rng.choice([-1, 1]) * rng.uniform(0.3, 1.1)
                roots.append((way[at], aside, width * rng.uniform(0.35, 0.65), length * rng.uniform(0.4, 0.8)))
    count = len(points)
    strands = Strands(
        np.array(points, np.float32), np.maximum(np.array(widths, np.float32), 0.25), np.ones(count, np.float32),
        np.exp(rng.normal(0, 0.1, count)).astype(np.float32),
    )  # fmt: skip
    wood, tone = strands.drawn(size)
    if rng.uniform() < 0.5:
        tips = np.array([way[-1] for way in points])[rng.integers(count, size=min(count * 2, 150))]
        wood = 1 - (1 - wood) * (1 - _leaves(rng, size, tips + rng.normal(0, 4, tips.shape), rng.uniform(3, 14)))
    return wood, tone


def lines(rng: np.random.Generator, size: Size) -> Drawn:
    """Wires, fences, nets and window bars, of 0.3 to 8 px."""
    period, width = np.exp(rng.uniform(np.log(8), np.log(120))), np.exp(rng.uniform(np.log(0.3), np.log(8)))
    width = min(width, 0.5 * period)
    directions = [rng.choice([0, np.pi / 2, np.pi / 4, rng.uniform(0, np.pi)])]
    if rng.uniform() < 0.5:
        directions.append(directions[0] + rng.choice([np.pi / 2, np.pi / 3]))
    middle, reach = np.array(size[::-1]) / 2, float(np.hypot(*size)) / 2
    strands = []
    for direction in directions:
        along = np.array([np.cos(direction), np.sin(direction)])
        across = np.array([-along[1], along[0]])
        steps = np.arange(-reach, reach, period)[: 2 * 60]
        steps = steps + rng.normal(0, rng.choice([0, 0.15]) * period, len(steps))
        at = np.linspace(-reach, reach, 24)
        sag = rng.normal(0, rng.choice([0, 0.04]) * reach, len(steps))[:, None] * (1 - (at / reach) ** 2)
        strands.append(middle + at[None, :, None] * along + (steps[:, None] + sag)[..., None] * across)
    points = np.concatenate(strands).astype(np.float32)
    count = len(points)
    widths = np.full((count, 24), width, np.float32) * np.exp(rng.normal(0, rng.choice([0, 0.3]), (count, 1)))
    coverage, tone = Strands(
        points, widths.astype(np.float32), np.ones(count, np.float32), np.ones(count, np.float32)
    ).drawn(size)
    if rng.uniform() < 0.4:  # a piece of it
        coverage *= _filled(size, [_blob(rng, _somewhere(rng, size), min(size) * rng.uniform(0.3, 0.8), 0.15)])
    return coverage, tone


def fingers(rng: np.random.Generator, size: Size) -> Drawn:
    """A hand, a rake, a stack of cables: some thick strands from nearly one place."""
    count = int(rng.integers(2, 9))
    root = _somewhere(rng, size)
    width = rng.uniform(3, 28)
    heading = rng.uniform(0, 2 * np.pi) + np.linspace(-0.5, 0.5, count) * rng.uniform(0.2, 2)
    roots = root + rng.normal(0, width, (count, 2))
    strands = random_strands(
        rng, roots, heading, length_px=size[0] * rng.uniform(0.1, 0.5), width_px=(0.7 * width, width), curl=0.4
    )
    coverage, tone = Strands(strands.points, strands.width_px, np.ones(count, np.float32), strands.tone).drawn(size)
    return coverage, tone


def leaves(rng: np.random.Generator, size: Size) -> Drawn:
    """Foliage: many leaves about some places, with gaps between them."""
    count = int(rng.integers(10, 160))
    places = rng.uniform(-0.1, 1.1, (int(rng.integers(1, 6)), 2)) * size[::-1]
    around = places[rng.integers(len(places), size=count)] + rng.normal(
        0, min(size) * rng.uniform(0.05, 0.3), (count, 2)
    )
    return _leaves(rng, size, around, rng.uniform(3, 40)), None


def letters(rng: np.random.Generator, size: Size) -> Drawn:
    """Words that stand before what is behind them."""
    fine = np.zeros((size[0] * _FINE, size[1] * _FINE), np.uint8)
    for _ in range(int(rng.integers(1, 6))):
        text = "".join(chr(int(c)) for c in rng.choice([*range(48, 58), *range(65, 91), *range(97, 123)], 12))
        scale = rng.uniform(0.5, 3.5)
        at = (_somewhere(rng, size, 0.9) - [size[1] * 0.3, 0]) * _FINE
        thick = max(1, int(scale * _FINE * rng.uniform(0.5, 3)))
        font = int(rng.integers(0, 8))
        cv2.putText(fine, text, (int(at[0]), int(at[1])), font, scale * _FINE, (255,), thick)
    return _coarse(fine, size), None


def occluder(rng: np.random.Generator, size: Size) -> Drawn:
    """A wall, a door, a hill: one side of a line through the frame, straight or rough."""
    turn, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.4, 0.4) * min(size)
    reach = float(np.hypot(*size))
    at = np.linspace(-reach, reach, 300)
    rough = np.cumsum(rng.normal(0, 1, 300)) * rng.choice([0, 0, 0.4, 2])
    rough = rough - rough.mean() + rng.choice([0, 1]) * rng.uniform(0, 30) * np.sin(at / rng.uniform(10, 100))
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    middle = np.array(size[::-1]) / 2 + across * offset
    edge = middle + at[:, None] * along + rough[:, None] * across
    return _filled(size, [np.vstack([edge, edge[-1] + 3 * reach * across, edge[0] + 3 * reach * across])]), None


def crumbs(rng: np.random.Generator, size: Size) -> Drawn:
    """Many small things: petals, snow, stones, a crowd."""
    count, radius = int(rng.integers(5, 120)), np.exp(rng.uniform(0, 2.5))
    places = rng.uniform(0, 1, (count, 2)) * size[::-1]
    sizes = radius * np.exp(rng.normal(0, 0.4, count))
    return _filled(size, [_blob(rng, at, r, 0.15, 24) for at, r in zip(places, sizes, strict=True)]), None


def soft(rng: np.random.Generator, size: Size) -> Drawn:
    """A matte without a sharp edge: smoke, fur from afar, a veil that thins out."""
    outline = _blob(rng, _somewhere(rng, size), min(size) * rng.uniform(0.15, 0.5), 0.25)
    coverage = cv2.GaussianBlur(_filled(size, [outline]), (0, 0), rng.uniform(1.5, 6))
    if rng.uniform() < 0.5:
        noise = fractal_noise(rng, size, rng.uniform(6, 40), 4)
        coverage = np.clip(coverage * 2 - 0.5 + (noise - 0.5) * rng.uniform(0.5, 2) * (coverage > 0.01), 0, 1)
    return np.asarray(coverage, np.float32), None


def beside(rng: np.random.Generator, before: NDArray[np.float32]) -> NDArray[np.float32]:
    """A neighbour some pixels off another's outline, so that three surfaces meet: shifted, grown or shrunk."""
    kind = rng.uniform()
    if kind < 0.6:
        x, y = rng.normal(0, 5, 2)
        turn = np.deg2rad(rng.normal(0, 2))
        matrix = np.array([[np.cos(turn), -np.sin(turn), x], [np.sin(turn), np.cos(turn), y]])
        moved = cv2.warpAffine(before, matrix, before.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    else:
        side = 2 * int(rng.integers(1, 6)) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        moved = cv2.dilate(before, disc) if kind < 0.85 else cv2.erode(before, disc)
    return np.asarray(moved, np.float32)


def holes(rng: np.random.Generator, size: Size) -> NDArray[np.float32]:
    """What is cut out of a layer: blobs, or a sieve."""
    if rng.uniform() < 0.5:
        return crumbs(rng, size)[0]
    period, radius = rng.uniform(6, 40), rng.uniform(0.2, 0.45)
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    distance = np.hypot(x % period - period / 2, y % period - period / 2)
    return np.clip(radius * period - distance + 0.5, 0, 1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What can be drawn, and how often; None is :func:`beside`."""

    draw: Callable[[np.random.Generator, Size], Drawn] | None
    weight: float


_KINDS = (
    _Kind(subject, 3.5),
    _Kind(body, 3.5),
    _Kind(hairy, 3.0),
    _Kind(None, 2.5),
    _Kind(occluder, 1.5),
    _Kind(branches, 1.3),
    _Kind(lines, 1.2),
    _Kind(grass, 1.0),
    _Kind(leaves, 1.0),
    _Kind(fingers, 1.0),
    _Kind(letters, 0.6),
    _Kind(crumbs, 0.5),
    _Kind(soft, 0.5),
)


def _somewhere(rng: np.random.Generator, size: Size, reach: float = 0.8) -> NDArray[np.float64]:
    """A place (x, y) about the middle of a frame; ``reach`` 1 is the whole of it."""
    return (0.5 + reach * rng.uniform(-0.5, 0.5, 2)) * size[::-1]


def _blob(
    rng: np.random.Generator, centre: NDArray[np.float64], radius: float, roughness: float, count: int = 120
) -> NDArray[np.float64]:
    angle = np.arange(count) * 2 * np.pi / count
    harmonic = np.arange(2, 8)[:, None]
    waves = (
        rng.normal(0, roughness, (6, 1)) / harmonic * 2 * np.cos(harmonic * angle + rng.uniform(0, 2 * np.pi, (6, 1)))
    )
    reach = radius * np.maximum(1 + waves.sum(axis=0), 0.15)
    stretch = np.exp(rng.normal(0, 0.2))
    return centre + np.stack([np.cos(angle) * stretch, np.sin(angle) / stretch], axis=-1) * reach[:, None]


def _leaves(rng: np.random.Generator, size: Size, places: NDArray[np.float64], length_px: float) -> NDArray[np.float32]:
    angle = np.arange(16) * 2 * np.pi / 16
    shape = np.stack([np.cos(angle), np.sin(angle) * (1 - 0.35 * np.cos(angle))], axis=-1)
    outlines = []
    for place in places:
        turn, length = rng.uniform(0, 2 * np.pi), length_px * np.exp(rng.normal(0, 0.3)) / 2
        leaf = shape * [length, length * rng.uniform(0.2, 0.6)]
        outlines.append(place + leaf @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]))
    return _filled(size, outlines)


def _filled(size: Size, outlines: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    """Coverage of shapes together."""
    fine = np.zeros((size[0] * _FINE, size[1] * _FINE), np.uint8)
    for outline in outlines:
        corners = np.clip((outline + 0.5) * _FINE - 0.5, -20000, 20000) * (1 << _SUBPIXEL_BITS)
        cv2.fillPoly(fine, [np.round(corners).astype(np.int32)], (255,), cv2.LINE_8, _SUBPIXEL_BITS)
    return _coarse(fine, size)


def _coarse(fine: NDArray[np.uint8], size: Size) -> NDArray[np.float32]:
    small = cv2.resize(fine, size[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def _placed(rng: np.random.Generator, part: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    """A matte put somewhere in a frame, cut at its borders."""
    height, width = part.shape
    centre = _somewhere(rng, size, 0.9)
    top, left = int(centre[1] - height / 2), int(centre[0] - width / 2)
    frame = np.zeros(size, np.float32)
    rows = slice(max(top, 0), min(top + height, size[0]))
    columns = slice(max(left, 0), min(left + width, size[1]))
    frame[rows, columns] = part[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return frame
