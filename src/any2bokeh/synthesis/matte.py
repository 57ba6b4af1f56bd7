"""Procedural mattes: what cuts a subject out of a texture, from plain shapes to hair and wire."""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.synthesis.texture import Size, fractal_noise

_SUBPIXEL_BITS = 4


def random_matte(rng: np.random.Generator, size: Size) -> NDArray[np.float32]:
    """A matte of a kind drawn by chance: ``(h, w)`` in [0, 1], clear along its border."""
    kinds = (person, person, furry, furry, blob, polygon, foliage, fence, wires, ring)
    matte = kinds[int(rng.integers(len(kinds)))](rng, size)
    matte[:2], matte[-2:], matte[:, :2], matte[:, -2:] = 0, 0, 0, 0
    return matte.astype(np.float32) / np.float32(255)


def blob(rng: np.random.Generator, size: Size) -> NDArray[np.uint8]:
    """A smooth outline of a few random harmonics."""
    matte = np.zeros(size, np.uint8)
    _fill(matte, _blob_outline(rng, size, 0.8))
    return matte


def polygon(rng: np.random.Generator, size: Size) -> NDArray[np.uint8]:
    """A card, a sign, a star."""
    matte = np.zeros(size, np.uint8)
    corners = int(rng.integers(3, 9))
    angle = rng.uniform(0, 2 * np.pi) + np.arange(corners) * 2 * np.pi / corners + rng.normal(0, 0.12, corners)
    radius = rng.uniform(0.55, 1, corners)
    center, half = np.array(size[::-1]) / 2, np.array(size[::-1]) * 0.46
    _fill(matte, center + half * np.stack([np.cos(angle), np.sin(angle)], axis=-1) * radius[:, None])
    return matte


def ring(rng: np.random.Generator, size: Size) -> NDArray[np.uint8]:
    """A frame that one looks through."""
    matte = blob(rng, size)
    for _ in range(int(rng.integers(1, 6))):
        hole = np.zeros(size, np.uint8)
        _fill(hole, _blob_outline(rng, size, rng.uniform(0.1, 0.5), rng.uniform(0.3, 0.7, 2)))
        matte = np.minimum(matte, 255 - hole)
    return matte


def person(rng: np.random.Generator, size: Size) -> NDArray[np.uint8]:
    """Head, hair, trunk and limbs: what the public matting sets are full of."""
    matte = np.zeros(size, np.uint8)
    height, width = size
    head = np.array([width * rng.uniform(0.42, 0.58), height * rng.uniform(0.2, 0.26)])
    radius = height * rng.uniform(0.09, 0.12)
    hip = np.array([width * rng.uniform(0.42, 0.58), height * rng.uniform(0.62, 0.8)])
    chest = head + np.array([0, radius * 2.2])
    sideways = np.array([radius * rng.uniform(1.3, 1.9), 0])
    _fill(matte, np.stack([chest - sideways, chest + sideways, hip + 0.8 * sideways, hip - 0.8 * sideways]))
    _stroke(matte, np.stack([chest - sideways, chest + sideways]), radius * 0.9)
    _stroke(matte, np.stack([head, chest]), radius * 0.9)
    for side in (-1, 1):
        joint = chest + side * sideways
        elbow = joint + radius * rng.uniform([0.2, 0.3], [2.2, 3]) * [side, 1]
        hand = elbow + radius * rng.uniform([-1.5, -2.5], [1.5, 2.5])
        _stroke(matte, np.array([joint, elbow, hand]), radius * 0.62)
        for _ in range(4):
            _stroke(matte, np.array([hand, hand + rng.normal(0, radius * 0.55, 2)]), radius * 0.16)
        knee = hip + radius * np.array([side * rng.uniform(0.4, 1.2), rng.uniform(1.5, 2.5)])
        _stroke(matte, np.array([hip, knee, [knee[0], float(height + 4)]]), radius * 0.85)
    outline = head + radius * _circle(40) * [0.85, 1.1]
    _fill(matte, outline)
    _hair(rng, matte, outline[20:], head, radius * rng.uniform(0.2, 1.2), int(rng.integers(80, 350)))
    return matte


def furry(rng: np.random.Generator, size: Size) -> NDArray[np.uint8]:
    """A blob with hair or fur all along its outline."""
    matte = np.zeros(size, np.uint8)
    outline = _blob_outline(rng, size, 0.62)
    _fill(matte, outline)
    length = min(size) * rng.uniform(0.04, 0.16)
    _hair(rng, matte, outline, outline.mean(axis=0), length, int(rng.integers(250, 900)))
    return matte


def foliage(rng: np.random.Generator, size: Size) -> NDArray[np.uint8]:
    """Twigs with leaves."""
    matte = np.zeros(size, np.uint8)
    for _ in range(int(rng.integers(2, 6))):
        start, end = rng.uniform(0.1, 0.9, (2, 2)) * size[::-1]
        sag = rng.normal(0, 0.12, 2) * size[::-1]
        along = np.linspace(0, 1, 24)[:, None]
        twig = start * (1 - along) + end * along + 4 * along * (1 - along) * sag
        _stroke(matte, twig, rng.uniform(1, 4))
        for place in rng.choice(24, int(rng.integers(8, 24)), replace=False):
            length = min(size) * rng.uniform(0.03, 0.09)
            turn = rng.uniform(0, 2 * np.pi)
            leaf = _circle(20) * [length, length * rng.uniform(0.25, 0.5)] + [length, 0]
            rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
            _fill(matte, twig[place] + leaf @ rotation)
    return matte


def fence(rng: np.random.Generator, size: Size) -> NDArray[np.uint8]:
    """Thin bars, a grid or a lattice."""
    matte = np.zeros(size, np.uint8)
    period = max(size) * rng.uniform(0.06, 0.2)
    thick = max(1.0, period * rng.uniform(0.04, 0.3))
    turn = float(rng.choice([0.0, 0.0, np.pi / 4, rng.uniform(0, np.pi)]))
    both = rng.uniform() < 0.6
    reach = float(np.hypot(*size))
    for direction in (turn, turn + np.pi / 2) if both else (turn,):
        along, across = (
            np.array([np.cos(direction), np.sin(direction)]),
            np.array([-np.sin(direction), np.cos(direction)]),
        )
        for step in np.arange(-reach / 2, reach / 2, period):
            center = np.array(size[::-1]) / 2 + across * step
            _stroke(matte, np.array([center - along * reach, center + along * reach]), thick)
    return matte


def wires(rng: np.random.Generator, size: Size) -> NDArray[np.uint8]:
    """Cables, grass and branches of one to a few pixels."""
    matte = np.zeros(size, np.uint8)
    for _ in range(int(rng.integers(6, 40))):
        ends = rng.uniform(-0.1, 1.1, (2, 2)) * size[::-1]
        sag = rng.normal(0, 0.15, 2) * size[::-1]
        along = np.linspace(0, 1, 40)[:, None]
        line = ends[0] * (1 - along) + ends[1] * along + 4 * along * (1 - along) * sag
        _stroke(matte, line, rng.uniform(1, 5))
    return matte


def shading(rng: np.random.Generator, alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Factor of light that makes a flat cut-out look round: ``(h, w)`` about 1."""
    size = (alpha.shape[0], alpha.shape[1])
    height = cv2.GaussianBlur(alpha, (0, 0), max(2.0, min(size) * rng.uniform(0.02, 0.08)))
    height += 0.15 * fractal_noise(rng, size, min(size) / 3, 3)
    slope_y, slope_x = np.gradient(height)
    turn = rng.uniform(0, 2 * np.pi)
    lit = np.cos(turn) * slope_x + np.sin(turn) * slope_y
    return np.clip(1 + rng.uniform(0.2, 0.6) * lit / max(float(np.abs(lit).max()), 1e-6), 0.3, 1.7).astype(np.float32)


def _circle(count: int) -> NDArray[np.float64]:
    angle = np.arange(count) * 2 * np.pi / count
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _blob_outline(
    rng: np.random.Generator, size: Size, extent: float, center: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    angle = np.arange(180) * 2 * np.pi / 180
    radius = np.ones(180)
    for harmonic in range(2, 8):
        radius += rng.normal(0, 0.35 / harmonic) * np.cos(harmonic * angle + rng.uniform(0, 2 * np.pi))
    radius = np.maximum(radius, 0.2) / np.abs(radius).max()
    middle = np.array([0.5, 0.5]) if center is None else center
    half = np.array(size[::-1]) * extent / 2
    return middle * size[::-1] + half * np.stack([np.cos(angle), np.sin(angle)], axis=-1) * radius[:, None]


def _hair(
    rng: np.random.Generator,
    matte: NDArray[np.uint8],
    outline: NDArray[np.float64],
    center: NDArray[np.float64],
    length_px: float,
    count: int,
) -> None:
    """Add strands that leave the outline, part of them thinner than a texel."""
    strands = np.zeros_like(matte)
    roots = outline[rng.integers(len(outline), size=count)]
    away = roots - center
    away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
    droop = rng.normal(0, 0.25, 2)
    curl = rng.normal(0, 0.5, (count, 2)) + droop
    length = length_px * rng.gamma(2.0, 0.5, count)
    along = np.linspace(-0.2, 1, 9)
    for i in range(count):
        way = roots[i] + length[i] * (along[:, None] * away[i] + (along**2)[:, None] * curl[i])
        _line(strands, way, 1, int(rng.integers(60, 256)))
    np.maximum(matte, strands, out=matte)


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.round(points * (1 << _SUBPIXEL_BITS)).astype(np.int32)


def _fill(matte: NDArray[np.uint8], outline: NDArray[np.float64]) -> None:
    cv2.fillPoly(matte, [_fixed(outline)], (255,), cv2.LINE_AA, _SUBPIXEL_BITS)


def _line(matte: NDArray[np.uint8], way: NDArray[np.float64], thickness: int, value: int) -> None:
    cv2.polylines(matte, [_fixed(way)], False, (value,), thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def _stroke(matte: NDArray[np.uint8], way: NDArray[np.float64], width_px: float) -> None:
    _line(matte, way, max(1, round(width_px)), 255)
