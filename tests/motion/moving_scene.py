"""A small scene whose motion and disparity are known exactly, and what a model for single frames would make of it."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 108, 192
_MARGIN = 80
_NEAR = 0.8
# Pixels a frame, x and y. The camera pans, the near square moves against it.
_PAN = np.array([-1.5, 0.25])
_SQUARE = np.array([1.25, -0.5])


class MovingScene:
    """A textured slope under a pan, and a textured square before it.

    Args:
        frames: how many.
        seed: of its textures; two seeds are two scenes.
    """

    def __init__(self, frames: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        shape = HEIGHT + 2 * _MARGIN, WIDTH + 2 * _MARGIN
        self._far_texture = _texture(rng, shape)
        self._near_texture = _texture(rng, shape)
        rows = np.linspace(0.1, 0.5, shape[0], dtype=np.float32)[:, None]
        columns = np.linspace(0, 0.15, shape[1], dtype=np.float32)[None]
        self._far_disparity = rows + columns
        self.frame_count = frames
        self.maps: list[NDArray[np.float32]] = []
        self.frames: list[NDArray[np.float32]] = []
        self._is_near: list[NDArray[np.bool_]] = []
        for index in range(frames):
            far = _shifted(self._far_texture, _PAN * index)
            near = _shifted(self._near_texture, _SQUARE * index)
            disparity = _shifted(self._far_disparity, _PAN * index)
            top, left = np.array([30, 40]) + (_SQUARE * index)[::-1]
            coverage = _box(left, left + 60) * _box(top, top + 45, vertical=True)
            picture = far + coverage[..., None] * (near - far)
            self.frames.append(np.ascontiguousarray(picture.transpose(2, 0, 1), dtype=np.float32))
            self._is_near.append(coverage > 0.5)
            self.maps.append(np.where(self._is_near[-1], np.float32(_NEAR), disparity)[None].astype(np.float32))

    def flicker(self, maps: Sequence[NDArray[np.float32]]) -> float:
        """Mean change along the exact motion, of what is seen in both of two neighbouring frames."""
        changes = []
        for index in range(self.frame_count - 1):
            near = self._is_near[index]
            steps = np.where(near[..., None], _SQUARE, _PAN).astype(np.float32)
            columns = np.arange(WIDTH, dtype=np.float32)[None] + steps[..., 0]
            rows = np.arange(HEIGHT, dtype=np.float32)[:, None] + steps[..., 1]
            then = cv2.remap(maps[index + 1][0], columns, rows, cv2.INTER_LINEAR)
            still_near = cv2.remap(self._is_near[index + 1].astype(np.float32), columns, rows, cv2.INTER_LINEAR)
            inside = (columns >= 0) & (columns <= WIDTH - 1) & (rows >= 0) & (rows <= HEIGHT - 1)
            seen = inside & (still_near == near)
            changes.append(np.abs(then - maps[index][0])[seen].mean())
        return float(np.mean(changes))


def corrupted(maps: Sequence[NDArray[np.float32]], seed: int, *, noise: float = 0.01) -> list[NDArray[np.float32]]:
    """Each map with a scale of its own in 0.7 to 1.4 (even in its logarithm), a shift within 0.15, and noise."""
    rng = np.random.default_rng(seed)
    result = []
    for one in maps:
        scale, shift = np.exp(rng.uniform(np.log(0.7), np.log(1.4))), rng.uniform(-0.15, 0.15)
        result.append((scale * one + shift + noise * rng.standard_normal(one.shape)).astype(np.float32))
    return result


def distance(maps: Sequence[NDArray[np.float32]], truth: Sequence[NDArray[np.float32]]) -> tuple[float, float]:
    """RMS difference after the best single scale and shift for all maps, and that scale."""
    found = np.stack(maps).ravel().astype(np.float64)
    true = np.stack(truth).ravel().astype(np.float64)
    scale, shift = np.polyfit(found, true, 1)
    return float(np.sqrt(np.mean((scale * found + shift - true) ** 2))), float(scale)


def _texture(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    base = rng.uniform(0.3, 0.7, 3)
    picture = np.zeros((*shape, 3), np.float32)
    for size, height in ((4, 0.25), (12, 0.3), (40, 0.3)):
        noise = rng.random((shape[0] // size + 2, shape[1] // size + 2, 3)).astype(np.float32)
        picture += height * (cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC) - 0.5)
    return np.clip(base + picture, 0, 1).astype(np.float32)


def _shifted(values: NDArray[np.float32], offset: NDArray[np.float64]) -> NDArray[np.float32]:
    """The frame's part of a larger canvas that has moved by ``offset``."""
    columns = np.tile(np.arange(WIDTH, dtype=np.float32)[None] + _MARGIN - np.float32(offset[0]), (HEIGHT, 1))
    rows = np.tile(np.arange(HEIGHT, dtype=np.float32)[:, None] + _MARGIN - np.float32(offset[1]), (1, WIDTH))
    return np.asarray(cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32)


def _box(start: float, stop: float, *, vertical: bool = False) -> NDArray[np.float32]:
    """How much of each pixel of a row (or column) lies between two places."""
    cells = np.arange(HEIGHT if vertical else WIDTH, dtype=np.float32)
    share = np.clip(np.minimum(cells + 1, stop) - np.maximum(cells, start), 0, 1).astype(np.float32)
    return share[:, None] if vertical else share[None]
