"""Views made by hand: pictures at known places in the frame and in depth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.synthesis.texture_atlas import TextureAtlas
from any2bokeh.synthesis.view import View


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """A picture parallel to the sensor, one texel a pixel.

    Attributes:
        picture: ``(h, w, 4)`` premultiplied light.
        disparity: of all of it.
        left_px, top_px: where its first texel's corner is in the frame.
        endless: goes on, mirrored.
        surface: coefficients of the disparity in place of ``disparity``.
    """

    picture: NDArray[np.float32]
    disparity: float
    left_px: float = 0.0
    top_px: float = 0.0
    endless: bool = False
    surface: tuple[float, ...] | None = None


def view(height: int, width: int, cards: Sequence[Card]) -> View:
    """What the lens has before it."""
    to_texture = [[[1, 0, -card.left_px], [0, 1, -card.top_px], [0, 0, 1]] for card in cards]
    surface = [card.surface or (card.disparity, 0, 0, 0, 0, 0) for card in cards]
    # Of curved surfaces any disparity at all, which leaves nothing out.
    ranges = [(0, 1) if card.surface else (card.disparity, card.disparity) for card in cards]
    return View(
        height,
        width,
        TextureAtlas.of([card.picture for card in cards]),
        np.arange(len(cards), dtype=np.int32),
        np.array([card.endless for card in cards]),
        np.array(to_texture, np.float32),
        np.array(surface, np.float32),
        np.array(ranges, np.float32),
    )


def even(height: int, width: int, color: Sequence[float] = (1, 1, 1), alpha: float = 1.0) -> NDArray[np.float32]:
    """A picture of one colour and alpha, ``(h, w, 4)`` premultiplied."""
    picture = np.empty((height, width, 4), np.float32)
    picture[:] = [*(alpha * c for c in color), alpha]
    return picture


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    """Opaque blocks of random colours, 4 px wide, ``(h, w, 4)``."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 1, (height // 4 + 1, width // 4 + 1, 4)).astype(np.float32)
    coarse[..., 3] = 1
    return np.repeat(np.repeat(coarse, 4, axis=0), 4, axis=1)[:height, :width]


def strength(radius_px: float, difference: float, height: int, width: int) -> float:
    """K that gives a circle of confusion of ``radius_px`` at a distance of ``difference`` from the focal plane."""
    return radius_px / difference * 1024 / max(height, width)
