"""Procedural textures: dead leaves, noise, fabric, walls, text and gradients, in random palettes.

Dead leaves, discs of power-law radii that cover one another, have the statistics of natural images: edges at all
scales, scale invariance. Networks trained on them restore photographs nearly as well as others.

Sources: Lee, Mumford, Huang, Occlusion Models for Natural Images, IJCV 2001; Achddou, Gousseau, Ladjal, Synthetic
Images as a Regularity Prior for Image Restoration Neural Networks, SSVM 2021.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]  # (h, w)


def random_texture(rng: np.random.Generator, size: Size) -> NDArray[np.float32]:
    """A texture of a kind drawn by chance: ``(h, w, 3)`` code values in [0, 1]."""
    kinds = (dead_leaves, dead_leaves, dead_leaves, clouds, fabric, bricks, print_)
    texture = kinds[int(rng.integers(len(kinds)))](rng, size)
    if rng.uniform() < 0.5:  # light that falls off across it
        shade = 1 + 0.35 * (fractal_noise(rng, size, max(size) / 1.5, 1) - 0.5) * 2
        texture = texture * shade[..., None]
    grain = rng.uniform(0, 0.05) * (rng.random((*size, 1), np.float32) - 0.5)
    return np.clip(texture + grain, 0, 1).astype(np.float32)


def random_palette(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Colours that go together, ``(count, 3)`` in [0, 1]: a few hues, any lightness, some grey."""
    hue = rng.uniform(0, 180) + rng.choice([0, 25, 90], count) + rng.normal(0, 9, count)
    saturation = 255 * rng.beta(1.3, rng.uniform(1.3, 6), count)
    value = 255 * rng.beta(1.2, 1.2, count) ** 0.8
    hsv = np.stack([hue % 180, saturation, value], axis=-1)
    return cv2.cvtColor(hsv[None].astype(np.uint8), cv2.COLOR_HSV2RGB)[0].astype(np.float32) / 255


def fractal_noise(rng: np.random.Generator, size: Size, period_px: float, octaves: int = 6) -> NDArray[np.float32]:
    """Noise with an amplitude in proportion to the scale, ``(h, w)`` in [0, 1]."""
    total, weight = np.zeros(size, np.float32), 0.0
    for octave in range(octaves):
        cell = period_px / 2**octave
        if cell < 1.5:
            break
        grid = rng.random((int(size[0] / cell) + 4, int(size[1] / cell) + 4), np.float32)
        large = (max(size[0], round(grid.shape[0] * cell)), max(size[1], round(grid.shape[1] * cell)))
        fine = cv2.resize(grid, large[::-1], interpolation=cv2.INTER_CUBIC)[: size[0], : size[1]]
        total += fine * 0.6**octave
        weight += 0.6**octave
    return np.clip(total / max(weight, 1e-6), 0, 1)


def dead_leaves(rng: np.random.Generator, size: Size) -> NDArray[np.float32]:
    """Shapes of power-law size, each with a texture of its own, that cover one another."""
    leaves = cover_with_shapes(rng, size, largest=rng.uniform(0.15, 0.4), smallest_px=1.5)
    count = int(leaves.max()) + 1
    palette = random_palette(rng, 24)[rng.integers(24, size=count)]
    palette += rng.normal(0, 0.06, (count, 3)).astype(np.float32)
    noise = fractal_noise(rng, size, rng.uniform(4, 40), 5) - 0.5
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    turn = rng.uniform(0, np.pi, count).astype(np.float32)
    rate = (2 * np.pi / rng.uniform(3, 16, count)).astype(np.float32)
    striped = (rng.uniform(0.0, 0.25, count) * (rng.uniform(size=count) < 0.25)).astype(np.float32)
    noisy = rng.uniform(0, 0.6, count).astype(np.float32)
    phase = (np.cos(turn)[leaves] * x + np.sin(turn)[leaves] * y) * rate[leaves]
    detail = striped[leaves] * np.sin(phase) + noisy[leaves] * noise
    slope = rng.normal(0, 0.3 / max(size), (2, count)).astype(np.float32)
    detail += slope[0][leaves] * (x - size[1] / 2) + slope[1][leaves] * (y - size[0] / 2)
    texture = palette[leaves] + detail[..., None]
    return cv2.GaussianBlur(np.clip(texture, 0, 1).astype(np.float32), (0, 0), 0.6)


def cover_with_shapes(rng: np.random.Generator, size: Size, *, largest: float, smallest_px: float) -> NDArray[np.int32]:
    """Which shape is seen at each texel, ``(h, w)`` from 1 up.

    Args:
        largest: greatest radius over the longer side.
        smallest_px: least radius.
    """
    longest = largest * max(size)
    shapes = np.zeros(size, np.int32)
    shapes[:] = 1
    count = int(min(6000, 2.5 * size[0] * size[1] / (smallest_px * longest)))
    # Radii with a density of r^-3: each octave covers the same area. Large ones first, as leaves on top are small too.
    share = rng.uniform(size=count)
    radius = 1 / np.sqrt(1 / longest**2 + share * (1 / smallest_px**2 - 1 / longest**2))
    radius[: count // 40] = rng.uniform(0.3, 1, count // 40) * longest
    center = rng.uniform(0, 1, (count, 2)) * [size[1], size[0]]
    kind, angle, aspect = rng.integers(4, size=count), rng.uniform(0, 360, count), rng.uniform(0.15, 1, count)
    for i in range(count):
        at = (int(center[i, 0]), int(center[i, 1]))
        if kind[i] == 0 or radius[i] < 3:
            cv2.circle(shapes, at, max(1, int(radius[i])), i + 2, -1)
        elif kind[i] == 1:
            axes = (max(1, int(radius[i])), max(1, int(radius[i] * aspect[i])))
            cv2.ellipse(shapes, at, axes, float(angle[i]), 0, 360, i + 2, -1)
        elif kind[i] == 2:
            box = cv2.boxPoints((center[i], (2 * radius[i], 2 * radius[i] * aspect[i]), float(angle[i])))
            cv2.fillConvexPoly(shapes, box.astype(np.int32), i + 2)
        else:
            corners = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 7))))
            points = center[i] + radius[i] * np.stack([np.cos(corners), np.sin(corners)], axis=-1)
            cv2.fillConvexPoly(shapes, points.astype(np.int32), i + 2)
    return shapes


def clouds(rng: np.random.Generator, size: Size) -> NDArray[np.float32]:
    """Fractal noise through a palette: sky, stone, bark, rust."""
    colors = random_palette(rng, int(rng.integers(3, 7)))
    noise = fractal_noise(rng, size, rng.uniform(0.1, 0.6) * max(size), 8)
    if rng.uniform() < 0.4:  # veins
        noise = np.abs(np.sin(noise * rng.uniform(6, 30)))
    noise = (noise - noise.min()) / max(float(np.ptp(noise)), 1e-6)
    at = noise * (len(colors) - 1)
    low = np.minimum(at.astype(np.int64), len(colors) - 2)
    part = (at - low)[..., None]
    return (colors[low] * (1 - part) + colors[low + 1] * part).astype(np.float32)


def fabric(rng: np.random.Generator, size: Size) -> NDArray[np.float32]:
    """Stripes, checks or dots, woven and slightly warped."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    turn, period = rng.uniform(0, np.pi), rng.uniform(6, 60)
    bend = 0.6 * period * (fractal_noise(rng, size, max(size) / 2, 2) - 0.5)
    u = (np.cos(turn) * x + np.sin(turn) * y + bend) / period
    v = (-np.sin(turn) * x + np.cos(turn) * y + bend) / period
    colors = random_palette(rng, 4)
    soft = 0.7 / period

    def step(phase: NDArray[np.float32], share: float) -> NDArray[np.float32]:
        return np.clip((share / 2 - np.abs(phase % 1 - 0.5)) / np.float32(soft) + 0.5, 0, 1).astype(np.float32)

    share = rng.uniform(0.2, 0.8)
    kind = rng.integers(3)
    if kind == 0:
        cover = step(u, share)
    elif kind == 1:
        cover = 0.5 * step(u, share) + 0.5 * step(v, share)
    else:
        cover = np.clip((share / 2 - np.hypot(u % 1 - 0.5, v % 1 - 0.5)) / soft + 0.5, 0, 1)
    weave = 0.06 * np.sin(2 * np.pi * x / 3.1) * np.sin(2 * np.pi * y / 2.7)
    texture = colors[0] * (1 - cover[..., None]) + colors[1] * cover[..., None] + weave[..., None]
    return np.clip(texture, 0, 1).astype(np.float32)


def bricks(rng: np.random.Generator, size: Size) -> NDArray[np.float32]:
    """A wall of bricks, tiles or windows, each with its own colour, with joints between them."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    high = rng.uniform(8, 60)
    wide = high * rng.uniform(0.8, 2.6)
    row = np.floor(y / high)
    shifted = x / wide + 0.5 * (row % 2) * (rng.uniform() < 0.6)
    column = np.floor(shifted)
    number = (row * 31 + column * 17).astype(np.int64) % 97
    colors = random_palette(rng, 3)
    shade = rng.uniform(-0.2, 0.2, 97).astype(np.float32)[number]
    inside = np.minimum((y / high % 1) * high, (shifted % 1) * wide)
    cover = np.clip(inside - rng.uniform(0.5, 3), 0, 1)
    rough = rng.uniform(0.1, 0.5) * (fractal_noise(rng, size, 24, 5) - 0.5)
    face = colors[0] + (shade + rough)[..., None]
    return np.clip(colors[1] * (1 - cover[..., None]) + face * cover[..., None], 0, 1).astype(np.float32)


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789&?!#"


def print_(rng: np.random.Generator, size: Size) -> NDArray[np.float32]:
    """A printed page or a poster: lines of letters in several sizes on paper, with blocks of colour."""
    colors = random_palette(rng, 5)
    paper = 1 - 0.4 * rng.uniform(0, 1, 3) ** 2
    page = np.empty((*size, 3), np.uint8)
    page[:] = 255 * (paper if rng.uniform() < 0.7 else colors[0])
    for _ in range(int(rng.integers(0, 4))):
        corner = rng.uniform(0, 1, 2) * [size[1], size[0]]
        extent = rng.uniform(0.1, 0.5, 2) * [size[1], size[0]]
        color = tuple(int(c) for c in 255 * colors[int(rng.integers(5))])
        cv2.rectangle(page, corner.astype(int).tolist(), (corner + extent).astype(int).tolist(), color, -1)
    y = 4.0
    while y < size[0]:
        scale = float(rng.choice([0.35, 0.4, 0.5, 0.8, 1.5]))
        y += 26 * scale
        line = "".join(
            " " if rng.uniform() < 0.17 else _LETTERS[int(rng.integers(len(_LETTERS)))]
            for _ in range(int(size[1] / (14 * scale)))
        )
        ink = tuple(int(c) for c in 255 * colors[int(rng.integers(1, 5))] * rng.uniform(0, 0.8))
        font = int(rng.integers(0, 8))
        cv2.putText(page, line, (4, int(y)), font, scale, ink, 1 + int(scale > 0.7), cv2.LINE_AA)
        y += 8 * scale
    return page.astype(np.float32) / np.float32(255)
