"""A stock of textures that changes slowly, so that many layers can be dressed for the price of few."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.transfer import srgb_decode
from any2bokeh.synthesis.texture import Size, fractal_noise, random_palette, random_texture

_STOCK = 24
_NEW_UP_TO = 3  # textures in stock: up to there most pieces are of a new one, with a full stock one in nine


@dataclass(frozen=True, slots=True, eq=False)
class Tint:
    """Mean and deviation of code values, ``(3,)`` each: what a texture shall resemble."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, code: NDArray[np.float32], where: NDArray[np.bool_]) -> "Tint":
        """Those of a picture ``(H, W, 3)`` in a region that is not empty."""
        inside = code[where]
        return cls(inside.mean(axis=0), inside.std(axis=0))


class TextureBank:
    """Textures to cut pieces from.

    Args:
        rng: what all of them are drawn from.
        size: (h, w) of the pieces that will be asked for.
        photographs: ``(h, w, 3)`` uint8 RGB pictures to cut pieces from as well, for half of the textures.
    """

    def __init__(self, rng: np.random.Generator, size: Size, photographs: Sequence[NDArray[np.uint8]] = ()) -> None:
        self._rng = rng
        self._size = size
        self._photographs = photographs
        self._stock: list[NDArray[np.uint8]] = []

    def take(self, code: NDArray[np.uint8]) -> None:
        """Take in a picture ``(h, w, 3)`` for the oldest; rendered ones show edges on one surface, as posters do."""
        self._stock.append(code)
        del self._stock[:-_STOCK]

    def piece(self, tint: Tint | None = None) -> NDArray[np.float32]:
        """A piece of a texture, mirrored, enlarged and coloured anew: ``(h, w, 3)`` linear light."""
        rng = self._rng
        if rng.uniform() < 1 / (1 + len(self._stock) / _NEW_UP_TO):
            self.take(_new_texture(rng, self._size, self._photographs))
        source = self._stock[int(rng.integers(len(self._stock)))]
        code = _cut(rng, source, self._size)
        if tint is None and rng.uniform() < 0.3:
            code = code[..., rng.permutation(3)]
        if rng.uniform() < 0.6:  # the world is paler than palettes are
            paleness = rng.uniform(0.1, 1)
            code = np.asarray(cv2.transform(code, np.eye(3) * (1 - paleness) + paleness / 3), np.uint8)
        return _graded(rng, np.ascontiguousarray(code), tint)


def _new_texture(rng: np.random.Generator, size: Size, photographs: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    large = (int(size[0] * 1.15), int(size[1] * 1.15))
    if photographs and rng.uniform() < 0.5:
        photograph = photographs[int(rng.integers(len(photographs)))]
        zoom = max(large[0] / photograph.shape[0], large[1] / photograph.shape[1]) * np.exp(rng.uniform(0, 0.9))
        extent = (round(photograph.shape[1] * zoom), round(photograph.shape[0] * zoom))
        resized = cv2.resize(photograph, extent, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)
        return _cut(rng, np.asarray(resized, np.uint8), large)
    kinds = (random_texture, spectrum, gradient, patchwork)
    code = kinds[int(rng.choice(4, p=[0.35, 0.25, 0.15, 0.25]))](rng, large)
    return (code * 255 + rng.random(code.shape, np.float32)).clip(0, 255).astype(np.uint8)


def spectrum(rng: np.random.Generator, size: Size) -> NDArray[np.float32]:
    """Noise whose amplitude falls with a power of the frequency, drawn out in a direction: fur, bark, water, sand.

    Natural images fall with about the first power (Field, JOSA A 1987).
    """
    side = 256
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    frequency[0, 0] = 1 / side
    fall = frequency ** -rng.uniform(0.2, 1.8)
    planes = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((3, side, side))) * fall, axes=(1, 2))
    planes /= planes.std(axis=(1, 2), keepdims=True)
    together = rng.uniform(0.6, 1)
    planes = together * planes[:1] + (1 - together) * planes
    palette = random_palette(rng, 2).astype(np.float64)
    code = palette[0] + (planes.transpose(1, 2, 0) * rng.uniform(0.03, 0.25)) * (0.3 + palette[1])
    drawn_out = np.exp(rng.uniform(-1.8, 1.8)) if rng.uniform() < 0.5 else 1.0
    turn, scale = rng.uniform(0, 2 * np.pi), np.exp(rng.uniform(-0.3, 1.2))
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) / scale
    matrix[0] *= drawn_out
    warp = np.hstack([matrix, rng.uniform(0, side, (2, 1))])
    tiled = cv2.warpAffine(
        code.astype(np.float32), warp, size[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_WRAP,
    )  # fmt: skip
    return np.clip(np.asarray(tiled, np.float32), 0, 1)


def patchwork(rng: np.random.Generator, size: Size) -> NDArray[np.float32]:
    """Regions of different materials with winding borders: ground and grass, rock and lichen, clothes."""
    height = fractal_noise(rng, size, rng.uniform(0.2, 0.9) * max(size), int(rng.integers(3, 8)))
    code = gradient(rng, size)
    for level in np.quantile(height, np.sort(rng.uniform(0.15, 0.9, int(rng.integers(1, 4))))):
        # A border as sharp as the texture elsewhere: as wide as the noise takes to climb by this much.
        cover = np.clip((height - level) * rng.uniform(20, 120) + 0.5, 0, 1)[..., None]
        code = code + cover * ((spectrum if rng.uniform() < 0.7 else gradient)(rng, size) - code)
    return np.asarray(code, np.float32)


def gradient(rng: np.random.Generator, size: Size) -> NDArray[np.float32]:
    """Smooth light and colour: sky, skin, painted walls, out-of-focus ground."""
    grid = random_palette(rng, 2)[0] + rng.normal(0, rng.uniform(0.01, 0.2), (int(rng.integers(2, 6)), 5, 3))
    code = cv2.resize(grid.astype(np.float32), size[::-1], interpolation=cv2.INTER_CUBIC)
    if rng.uniform() < 0.5:
        code = code + np.float32(rng.uniform(0, 0.15)) * (
            fractal_noise(rng, size, rng.uniform(8, 200), 3)[..., None] - 0.5
        )
    return np.clip(code, 0, 1).astype(np.float32)


def _cut(rng: np.random.Generator, source: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """A part of a picture in ``size``, at a scale of its own, mirrored by chance."""
    zoom = float(np.exp(rng.uniform(-0.5, 0.9))) if rng.uniform() < 0.6 else 1.0
    wanted = (min(int(size[0] / zoom) + 1, 4 * size[0]), min(int(size[1] / zoom) + 1, 4 * size[1]))
    lacking = max(0, wanted[0] - source.shape[0]), max(0, wanted[1] - source.shape[1])
    if any(lacking):
        source = np.asarray(cv2.copyMakeBorder(source, 0, lacking[0], 0, lacking[1], cv2.BORDER_REFLECT), np.uint8)
    top = int(rng.integers(source.shape[0] - wanted[0] + 1))
    left = int(rng.integers(source.shape[1] - wanted[1] + 1))
    part = source[top : top + wanted[0], left : left + wanted[1]]
    if wanted != size:
        method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
        part = cv2.resize(part, size[::-1], interpolation=method)
    part = part[:, :: int(rng.choice([1, -1]))]
    return np.asarray(part[:: -1 if rng.uniform() < 0.2 else 1], np.uint8)


def _graded(rng: np.random.Generator, code: NDArray[np.uint8], tint: Tint | None) -> NDArray[np.float32]:
    """Linear light of code values after a change of contrast, brightness and colour, through a table per channel."""
    mean, deviation = (np.ravel(values) / 255 for values in cv2.meanStdDev(code))
    if tint is None:
        level = np.clip(mean * np.exp(rng.normal(0, 0.3)) + rng.normal(0, 0.04, 3), 0.02, 0.98)
        contrast = np.full(3, np.exp(rng.normal(-0.1, 0.35)))
    else:
        level = np.clip(tint.mean + rng.normal(0, 0.02, 3) + rng.normal(0, 0.04), 0.02, 0.98)
        wanted = (tint.deviation + 0.01) * np.exp(rng.normal(0, 0.3))
        contrast = np.clip(wanted / np.maximum(deviation, 0.01), 0.1, 3)
    ramp = np.arange(256)[:, None] / 255
    table = srgb_decode(np.clip(level + (ramp - mean) * contrast, 0, 1))
    return np.asarray(cv2.LUT(code, np.ascontiguousarray(table[None])), np.float32)
