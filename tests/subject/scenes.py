"""Synthetic clips with a known subject: a striped ball rolls over a floor before a textured wall."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.subject.tracker import View

WIDTH, HEIGHT = 192, 108
RADIUS = 18
WALL, BALL, PILLAR = 0.2, 0.6, 0.9


@dataclass(frozen=True)
class Scene:
    """Frame ``i`` shows the ball at ``path(i)``, and a pillar that is nearer at its place, if it has one.

    Attributes:
        path: centre of the ball, ``(x, y)`` in pixels; it may lie outside the picture.
        frame_count: length.
        pillar: columns ``(from, to)`` that the pillar covers.
        hue: shift of the ball's colours, for a second subject.
        cut_at: from this frame on, the wall is another one.
    """

    path: Callable[[int], tuple[float, float]]
    frame_count: int
    pillar: tuple[int, int] | None = None
    second: Callable[[int], tuple[float, float]] | None = None
    cut_at: int | None = None

    def pixels(self, index: int) -> NDArray[np.uint8]:
        wall = _wall(3 if self.cut_at is not None and index >= self.cut_at else 0).copy()
        if self.second is not None:
            _paint_ball(wall, self.second(index), (40, 90, 210), (20, 40, 120))
        _paint_ball(wall, self.path(index), (210, 50, 40), (240, 200, 60))
        if self.pillar:
            wall[:, self.pillar[0] : self.pillar[1]] = (60, 110, 70)
        noise = np.random.default_rng(index).integers(-4, 5, wall.shape)
        return np.clip(wall.astype(int) + noise, 0, 255).astype(np.uint8)

    def disparity(self, index: int) -> NDArray[np.float32]:
        rows = np.arange(HEIGHT, dtype=np.float32)[:, None]
        floor = WALL + np.maximum(rows - 0.75 * HEIGHT, 0) / HEIGHT * 2
        disparity = np.broadcast_to(floor, (HEIGHT, WIDTH)).astype(np.float32)
        if self.second is not None:
            disparity[_ball(self.second(index))] = BALL - 0.15
        disparity[_ball(self.path(index))] = BALL
        if self.pillar:
            disparity[:, self.pillar[0] : self.pillar[1]] = PILLAR
        return disparity

    def mask(self, index: int) -> NDArray[np.bool_]:
        """Where the ball is seen."""
        mask = _ball(self.path(index))
        if self.pillar:
            mask[:, self.pillar[0] : self.pillar[1]] = False
        return mask

    def views(self, *, with_disparity: bool = True, start: int = 0) -> Iterator[View]:
        for index in range(start, self.frame_count):
            yield View(self.pixels(index), self.disparity(index) if with_disparity else None)


class ScenePictures:
    """A scene as `Pictures`; counts what is read."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.read = 0

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.uint8]]:
        for index in range(start, self.scene.frame_count if stop is None else stop):
            self.read += 1
            yield self.scene.pixels(index)


class SceneDisparity:
    """A scene as a disparity source."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.frame_count = scene.frame_count

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        return (self.at(index) for index in range(start, self.frame_count if stop is None else stop))

    def at(self, index: int) -> NDArray[np.float32]:
        return self.scene.disparity(index)[None]


def across(index: int) -> tuple[float, float]:
    """From left to right, a little up and down."""
    return 30 + 2.5 * index, 62 + 6 * np.sin(index / 5)


def away_and_back(index: int) -> tuple[float, float]:
    """Out of the picture on the right from frame 20 on, and back from frame 40 on."""
    return 110 + 5 * min(index, 60 - index), 60


def overlap(matte: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    is_on = matte > 0.5
    return float((is_on & mask).sum()) / max(int((is_on | mask).sum()), 1)


def _ball(centre: tuple[float, float]) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.hypot(columns + 0.5 - centre[0], rows + 0.5 - centre[1]) <= RADIUS


def _paint_ball(
    picture: NDArray[np.uint8], centre: tuple[float, float], light: tuple[int, int, int], dark: tuple[int, int, int]
) -> None:
    ball = _ball(centre)
    columns = np.arange(WIDTH)[None]
    stripes = np.broadcast_to((columns - centre[0]) // 6 % 2 == 0, ball.shape)
    picture[ball & stripes], picture[ball & ~stripes] = light, dark


def _wall(seed: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).uniform(0, 1, (HEIGHT, WIDTH)).astype(np.float32)
    texture = cv2.GaussianBlur(noise, (0, 0), 2.5)
    texture = (texture - texture.min()) / (texture.max() - texture.min())
    colours = {0: ((90, 100, 110), (170, 165, 150)), 3: ((20, 60, 30), (90, 200, 120))}[seed]
    low, high = (np.array(colour, np.float32) for colour in colours)
    return (low + texture[..., None] * (high - low)).astype(np.uint8)
