"""Tiny clips with a background that something near hides, and what is behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges import EdgeBands
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.plate.stream import AHEAD, PlateStream

HEIGHT, WIDTH = 96, 160
FAR, NEAR = 0.2, 0.8
PX_PER_DISPARITY = 20.0
_MARGIN = 80


@dataclass
class HidingClip:
    """Frames, their disparity, and the background alone, ``(3, H, W)``, ``(1, H, W)`` and ``(3, H, W)`` each."""

    frames: list[NDArray[np.float32]]
    maps: list[NDArray[np.float32]]
    behind: list[NDArray[np.float32]]

    def __add__(self, other: "HidingClip") -> "HidingClip":
        return HidingClip(self.frames + other.frames, self.maps + other.maps, self.behind + other.behind)

    def hidden(self, first: int = 0, focus_disparity: float = FAR) -> dict[int, HiddenBackground | None]:
        """What a stream that begins at a frame tells of each frame from there on."""
        stream, told = PlateStream(), dict[int, HiddenBackground | None]()
        count = len(self.frames)
        for index in range(first, count + AHEAD):
            if index < count:
                stream.add(index, self.frames[index], EdgeBands.none(self.maps[index]))
            if first <= index - AHEAD:
                shown = index - AHEAD
                told[shown] = stream.hidden(shown, self.maps[shown], focus_disparity, PX_PER_DISPARITY)
        return told


def within(hidden: HiddenBackground | None) -> HiddenBackground:
    """The same without its margin; nothing known where there is none."""
    if hidden is None:
        nothing = np.zeros((4, HEIGHT, WIDTH), np.float32)
        return HiddenBackground(nothing[:3], nothing[3:], nothing[3])
    inner = np.s_[..., hidden.margin_px : hidden.margin_px + HEIGHT, hidden.margin_px : hidden.margin_px + WIDTH]
    return HiddenBackground(hidden.pixels[inner], hidden.disparity[inner], hidden.known[inner])


def pan(t: int) -> tuple[float, float, float]:
    """A background that goes to the right, and down a little."""
    return 3.0 * t, 0.4 * t, 0.0


def nothing_near(t: int) -> NDArray[np.float32]:
    return np.zeros((HEIGHT, WIDTH), np.float32)


def fence() -> NDArray[np.float32]:
    """``(H, W)`` coverage of upright bars."""
    columns = np.arange(WIDTH, dtype=np.float32)
    return np.tile((columns % 32 < 9).astype(np.float32), (HEIGHT, 1))


def square(left: float) -> NDArray[np.float32]:
    """Coverage of a square whose left border is there."""
    columns, rows = np.arange(WIDTH), np.arange(HEIGHT)[:, None]
    across = np.clip(columns + 1 - left, 0, 1) * np.clip(left + 40 - columns, 0, 1)
    return (across * ((rows >= 28) & (rows < 68))).astype(np.float32)


def clip(
    count: int,
    *,
    margin: int = 0,
    way: Callable[[int], Sequence[float]] = lambda t: (0.0, 0.0, 0.0),
    cover: Callable[[int], NDArray[np.float32]] = lambda t: fence(),
    light: Callable[[int], float] = lambda t: 1.0,
    seed: int = 0,
) -> HidingClip:
    """A textured background that moves, and something near before it.

    Args:
        count: of frames.
        margin: px by which ``behind`` is larger than the frames on each side.
        way: of the background in frame t: px to the right, px down, and growth.
        cover: of what is near in frame t.
        light: by which the frame's code values are multiplied.
        seed: of the background.
    """
    rng = np.random.default_rng(seed)
    shape = HEIGHT + 2 * _MARGIN, WIDTH + 2 * _MARGIN, 3
    noise = [cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), sigma) for sigma in (1.6, 5)]
    texture = np.clip(0.45 + 0.1 * sum(each / each.std() for each in noise), 0.05, 0.95)
    made = HidingClip([], [], [])
    for t in range(count):
        right, down, growth = way(t)
        scale = 1 + growth
        # The middle of the frame stays the middle of the growth.
        x = _MARGIN + WIDTH / 2 * (1 - 1 / scale) - (right + margin) / scale
        y = _MARGIN + HEIGHT / 2 * (1 - 1 / scale) - (down + margin) / scale
        back = np.array([[1 / scale, 0, x], [0, 1 / scale, y]])
        size = WIDTH + 2 * margin, HEIGHT + 2 * margin
        around = cv2.warpAffine(texture, back, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
        around = (around * light(t)).transpose(2, 0, 1)
        behind = around[:, margin : margin + HEIGHT, margin : margin + WIDTH]
        share = cover(t)
        near = np.array([0.35, 0.25, 0.15], np.float32)[:, None, None] * light(t)
        made.frames.append((behind + share * (near - behind)).astype(np.float32))
        made.maps.append(np.where(share >= 0.5, np.float32(NEAR), np.float32(FAR))[None])
        made.behind.append(around.astype(np.float32))
    return made
