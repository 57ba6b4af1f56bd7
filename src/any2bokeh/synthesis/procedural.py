"""The built-in source: pictures from nothing but a seed, free of anyone's licence."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.synthesis.matte import random_matte, shading
from any2bokeh.synthesis.picture import Picture
from any2bokeh.synthesis.texture import clouds, random_palette, random_texture


@dataclass(frozen=True, slots=True)
class ProceduralSubjects:
    """Textures cut out by mattes.

    Attributes:
        highlights: probability that a picture has spots brighter than white.
    """

    highlights: float = 0.2

    @property
    def description(self) -> str:
        """Name and settings."""
        return f"procedural, highlights {self.highlights:g}"

    def picture(self, rng: np.random.Generator, long_side_px: int, frame_count: int) -> Picture:
        """A still picture with a matte."""
        aspect = rng.uniform(0.5, 1.6)
        size = (long_side_px, int(long_side_px * aspect)) if aspect < 1 else (int(long_side_px / aspect), long_side_px)
        alpha = random_matte(rng, size)
        code = random_texture(rng, size) * shading(rng, alpha)[..., None]
        gain = _highlights(rng, size, int(rng.integers(2, 12))) if rng.uniform() < self.highlights else None
        return _still(code, alpha, gain)


@dataclass(frozen=True, slots=True)
class ProceduralBackgrounds:
    """Textures that fill the frame, one in four of them with a sky above, some with lights in the dark.

    Attributes:
        highlights: probability of spots brighter than white.
    """

    highlights: float = 0.35

    @property
    def description(self) -> str:
        """Name and settings."""
        return f"procedural, highlights {self.highlights:g}"

    def picture(self, rng: np.random.Generator, long_side_px: int, frame_count: int) -> Picture:
        """A still picture of 3 by 2."""
        size = (long_side_px * 2 // 3, long_side_px)
        code = random_texture(rng, size)
        if rng.uniform() < 0.25:
            code = _with_sky(rng, code)
        gain = None
        if rng.uniform() < self.highlights:
            if rng.uniform() < 0.5:
                code = code * np.float32(rng.uniform(0.1, 0.5))  # night
            count = int(rng.integers(10, 90))
            gain = _highlights(rng, size, count)
            lit = np.clip((gain - 1) / 2, 0, 1)[..., None]
            code = code * (1 - lit) + lit * _light_colors(rng, size)
        return _still(code, np.ones(size, np.float32), gain)


def _still(code: NDArray[np.floating], alpha: NDArray[np.float32], gain: NDArray[np.float32] | None) -> Picture:
    code = np.clip(code, 0, 1).astype(np.float32)
    return Picture(code[None], alpha[None].astype(np.float32), None if gain is None else gain[None])


def _highlights(rng: np.random.Generator, size: tuple[int, int], count: int) -> NDArray[np.float32]:
    """Gain of some small spots, up to 20 times white."""
    gain = np.ones(size, np.float32)
    for _ in range(count):
        spot = np.zeros(size, np.uint8)
        at = rng.uniform(0, 1, 2) * size[::-1] * 16
        radius = rng.uniform(0.7, 3) if rng.uniform() < 0.9 else rng.uniform(3, 8)
        cv2.circle(spot, (int(at[0]), int(at[1])), int(radius * 16), (255,), -1, cv2.LINE_AA, 4)
        gain = np.maximum(gain, 1 + np.float32(np.exp(rng.uniform(0.5, 3))) * spot.astype(np.float32) / 255)
    return gain


def _light_colors(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float32]:
    """Colours of lamps: pale, and different from place to place."""
    grid = 0.35 + 0.65 * random_palette(rng, 48).reshape(6, 8, 3)
    return cv2.resize(grid / grid.max(axis=-1, keepdims=True), size[::-1], interpolation=cv2.INTER_NEAREST)


def _with_sky(rng: np.random.Generator, code: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = code.shape[:2]
    sky = 0.5 + 0.5 * clouds(rng, (height, width))
    steps = np.cumsum(rng.normal(0, 0.012, width))
    horizon = height * (rng.uniform(0.3, 0.6) + steps - steps.mean())
    cover = np.clip(horizon[None, :] - np.arange(height)[:, None] + 0.5, 0, 1)[..., None]
    return (sky * cover + code * (1 - cover)).astype(np.float32)
