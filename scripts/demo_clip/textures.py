"""Painted textures of the scene, all drawn here with numpy: linear RGB float arrays, row 0 at the bottom."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.floating]

CREAM = (0.80, 0.66, 0.44)
BRASS = (0.62, 0.38, 0.12)


def value_noise(height: int, width: int, cells: int, seed: int, octaves: int = 4) -> Image:
    """Smooth noise in [0, 1] that wraps at the left and right border."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        n = cells << octave
        grid = rng.random((n + 1, n), dtype=np.float32)
        y, x = np.linspace(0, n, height, endpoint=False), np.linspace(0, n, width, endpoint=False)
        iy, ix = y.astype(int), x.astype(int)
        fy, fx = (y - iy)[:, None], (x - ix)[None]
        fy, fx = fy * fy * (3 - 2 * fy), fx * fx * (3 - 2 * fx)
        right = (ix + 1) % n
        top = grid[iy + 1][:, ix] * (1 - fx) + grid[iy + 1][:, right] * fx
        bottom = grid[iy][:, ix] * (1 - fx) + grid[iy][:, right] * fx
        total += 0.5 ** (octave + 1) * (bottom * (1 - fy) + top * fy).astype(np.float32)
    return (total - total.min()) / np.ptp(total)


def _cover(image: Image, alpha: Image, colour: tuple[float, float, float]) -> None:
    image += alpha[..., None] * (np.array(colour, np.float32) - image)


def _edge(distance: Image, softness: float) -> Image:
    """1 where the signed distance is negative, 0 where positive, soft over one texel or so."""
    return np.clip(0.5 - distance / softness, 0, 1).astype(np.float32)


def _repeated(u: Image, v: Image, columns: int, row: float, aspect: float) -> tuple[Image, Image]:
    """Coordinates around the nearest of ``columns`` marks on the line v = row."""
    return ((u * columns) % 1.0 - 0.5) / columns * aspect, v - row


def lacquer(base: tuple[float, float, float], accent: tuple[float, float, float], motif: str, seed: int) -> Image:
    """Body of a tin robot: lacquer, a cream band with a printed pattern, motifs, rivets and some wear.

    u runs once around the body, v from the bottom to the top. ``motif`` is ``"stars"`` or ``"flowers"``.
    """
    height, width = 1024, 2048
    v, u = np.meshgrid(
        (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width, indexing="ij"
    )  # (H, W) each
    v, u = v.astype(np.float32), u.astype(np.float32)
    around = 2.2  # girth over profile length: keeps the printed motifs round
    soft = 1.5 / height
    image = np.empty((height, width, 3), np.float32)
    image[:] = base
    image *= (0.82 + 0.36 * value_noise(height, width, 6, seed))[..., None]

    # printed band: a zigzag between two brass lines
    band = _edge(np.abs(v - 0.36) - 0.085, soft)
    _cover(image, band, CREAM)
    zigzag = np.abs(((u * 14) % 1.0) - 0.5) * 0.16 - 0.04
    _cover(image, band * _edge(np.abs(v - 0.36 - zigzag) - 0.021, soft), accent)
    for dot_row in (0.315, 0.405):
        du, dv = _repeated(u + (0.5 / 14 if dot_row < 0.36 else 0), v, 14, dot_row, around)
        _cover(image, band * _edge(np.hypot(du, dv) - 0.014, soft), base)
    for line in (0.268, 0.452):
        _cover(image, _edge(np.abs(v - line) - 0.008, soft), BRASS)

    # motifs in staggered rows above, thin pinstripes below
    for index, row in enumerate((0.54, 0.66, 0.78)):
        du, dv = _repeated(u + index * 0.5 / 12, v, 12, row, around)
        angle, radius = np.arctan2(dv, du), np.hypot(du, dv)
        if motif == "stars":
            shape = radius - 0.034 * (0.58 + 0.42 * np.cos(5 * (angle - np.pi / 2)))
            _cover(image, _edge(shape.astype(np.float32), soft), CREAM)
        else:
            shape = radius - 0.036 * (0.72 + 0.28 * np.cos(6 * angle))
            _cover(image, _edge(shape.astype(np.float32), soft), CREAM)
            _cover(image, _edge(radius - 0.012, soft), accent)
    stripes = _edge(np.abs(((u * 56) % 1.0) - 0.5) / 56 * around - 0.004, soft) * _edge(v - 0.25, soft)
    _cover(image, 0.8 * stripes, CREAM)

    # rivets with a dark rim
    for row in (0.235, 0.485):
        du, dv = _repeated(u, v, 40, row, around)
        radius = np.hypot(du, dv)
        _cover(image, 0.6 * _edge(radius - 0.011, soft), (0.02, 0.015, 0.01))
        _cover(image, _edge(radius - 0.008, soft), (0.85, 0.62, 0.30))

    wear = value_noise(height, width, 24, seed + 1, 5)
    image *= (0.75 + 0.25 * np.clip((wear - 0.25) * 6, 0, 1))[..., None]
    return image


def dial() -> Image:
    """Gauge on the chest: ticks, a red sector and a needle."""
    size = 512
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / (size / 2) - 1
    radius, angle = np.hypot(x, y), np.arctan2(x, y)  # angle 0 is up
    soft = 3.0 / size
    image = np.empty((size, size, 3), np.float32)
    image[:] = (0.86, 0.77, 0.58)
    sweep = np.abs(angle) < 2.2
    _cover(image, sweep * (angle > 1.1) * _edge(np.abs(radius - 0.74) - 0.12, soft), (0.65, 0.04, 0.02))
    ticks = np.abs(((angle / 0.275) % 1.0) - 0.5) * 0.275 * radius
    _cover(
        image,
        sweep * _edge(np.abs(radius - 0.74) - 0.12, soft) * _edge(0.1375 * radius - ticks - 0.022, soft),
        (0.02, 0.02, 0.02),
    )
    along, across = x * np.sin(0.6) + y * np.cos(0.6), x * np.cos(0.6) - y * np.sin(0.6)
    needle = np.abs(across) - 0.05 * (1 - along / 0.8)
    _cover(image, _edge(needle, soft) * (along > -0.2) * (along < 0.7), (0.45, 0.02, 0.01))
    _cover(image, _edge(radius - 0.12, soft), BRASS)
    return image


def paper(ink: tuple[float, float, float]) -> Image:
    """Shade of a lantern: warm paper, two inked rings and a row of dots; values above 1 are for the glow."""
    height, width = 256, 512
    v, u = np.meshgrid((np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width, indexing="ij")
    v, u = v.astype(np.float32), u.astype(np.float32)
    soft = 1.5 / height
    image = np.empty((height, width, 3), np.float32)
    image[:] = (1.0, 0.38, 0.09)
    image *= (0.85 + 0.3 * value_noise(height, width, 8, 5))[..., None]
    red, green, blue = (0.45 * channel + 0.02 for channel in ink)
    dim = (red, green, blue)
    for row in (0.27, 0.73):
        _cover(image, 0.85 * _edge(np.abs(v - row) - 0.02, soft), dim)
    du, dv = _repeated(u, v, 8, 0.5, 2.2)
    _cover(image, 0.85 * _edge(np.hypot(du, dv) - 0.05, soft), dim)
    return image
