"""Frames of cards before one another: straight and round outlines of all softnesses, on all kinds of ground."""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.transfer import srgb_decode
from any2bokeh.synthesis.layer_compositing import Layers, Resolved
from any2bokeh.synthesis.layer_coverage import body, random_spread
from any2bokeh.synthesis.layer_truth import LayerTruth
from any2bokeh.synthesis.sensor import recorded
from any2bokeh.synthesis.texture import Size, random_palette, random_texture
from any2bokeh.synthesis.texture_bank import TextureBank

_STREAM = 0x4344  # keeps these random numbers apart from those of other frames with the same seed
_MOST_CARDS = 6
_BODY_SHARE = 0.2  # of shapes with limbs, as smooth as cards
_PLAIN_SHARE = 0.2  # of surfaces of one colour, which fades a little
_SHARP_SHARE = 0.45  # of those with print, bricks and specks as sharp as the outline, which must not be taken for hair
_SPREAD_SHARE = 0.5  # of frames that a lens or sensor has softened as a whole
_EDGE_PX = (0.8, 1.25, 2.5)  # over which coverage falls from 1 to 0: least, mostly, most


def card_frame(seed: int, size: Size) -> LayerTruth:
    """A frame with an exact map.

    The frames of ``layer_frames`` are mostly of mattes that are rough or fine. A network that has seen few plain
    outlines gives up some of what the classical split, which supposes them, has there.

    Args:
        seed: of what is drawn.
        size: (H, W) in pixels.
    """
    rng = np.random.default_rng((seed, _STREAM))
    bank = TextureBank(rng, size)
    count = int(rng.integers(1, _MOST_CARDS + 1))
    levels = np.sort(rng.uniform(0, 1, count + 1)) + 0.02 * np.arange(count + 1)
    levels /= max(float(levels[-1]), 1.0)
    width_px = float(rng.triangular(*_EDGE_PX))
    coverage, light, disparity = [np.ones(size, np.float32)], [_light(rng, bank, size)], []
    disparity.append(_plane(rng, size, levels[0]))
    for level in levels[1:]:
        coverage.append(body(rng, size)[0] if rng.uniform() < _BODY_SHARE else _card(rng, size, width_px))
        light.append(_light(rng, bank, size))
        disparity.append(np.maximum(_plane(rng, size, level), disparity[-1]))
    spread = random_spread(rng, rng.uniform(0.3, 0.9)) if rng.uniform() < _SPREAD_SHARE else None
    coverage, light, disparity = (np.stack(each[::-1]) for each in (coverage, light, disparity))
    one = Layers(coverage, light, disparity, spread).resolved()
    return _truth(one, recorded(rng, rng, one.clean))


def _card(rng: np.random.Generator, size: Size, width_px: float) -> NDArray[np.float32]:
    """Coverage of a rectangle, a disc, something between, one side of a line, or a frame with an opening."""
    height, width = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    turn = rng.choice([0, rng.normal(0, 0.1), rng.uniform(0, np.pi)])
    x, y = x - rng.uniform(0, width), y - rng.uniform(0, height)
    along, across = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
    kind, extent = rng.uniform(), min(size) * np.exp(rng.uniform(np.log(0.05), np.log(0.6), 2))
    if kind < 0.2:  # bent by less than a pixel in ten
        bend = rng.choice([0, rng.normal(0, 1e-3)])
        distance = across + bend * along * along
    elif kind < 0.4:
        distance = np.hypot(along, across) - extent[0]
    else:  # with corners as round as it gets
        radius = rng.choice([0, rng.uniform(0, 0.9)]) * extent.min()
        out_x, out_y = np.abs(along) - extent[0] + radius, np.abs(across) - extent[1] + radius
        distance = np.hypot(np.maximum(out_x, 0), np.maximum(out_y, 0)) + np.minimum(np.maximum(out_x, out_y), 0)
        distance = distance - radius
        if kind > 0.85:
            distance = np.abs(distance) - rng.uniform(2, 0.5 * extent.min() + 3)
    return np.clip(0.5 - distance / np.float32(width_px), 0, 1).astype(np.float32)


def _light(rng: np.random.Generator, bank: TextureBank, size: Size) -> NDArray[np.float32]:
    """Linear light ``(H, W, 3)`` of a surface."""
    kind = rng.uniform()
    if kind < _SHARP_SHARE:
        return srgb_decode(random_texture(rng, size)).astype(np.float32)
    if kind < 1 - _PLAIN_SHARE:
        return bank.piece()
    colour = random_palette(rng, 2)[0] ** 2.2
    fade = cv2.resize(np.exp(rng.normal(0, rng.uniform(0, 0.2), (2, 2))).astype(np.float32), size[::-1])
    return np.clip(colour * fade[..., None], 0, 1).astype(np.float32)


def _plane(rng: np.random.Generator, size: Size, level: float) -> NDArray[np.float32]:
    """Disparity of a card that faces the camera, or leans."""
    lean = rng.choice([0, 0.05]) * rng.standard_normal(2)
    y, x = np.linspace(-1, 1, size[0])[:, None], np.linspace(-1, 1, size[1])[None, :]
    return np.clip(level + lean[0] * x + lean[1] * y, 0, 1).astype(np.float32)


def _truth(one: Resolved, pixels: NDArray[np.float32]) -> LayerTruth:
    disparity = one.disparity[None]
    return LayerTruth(
        pixels, disparity, disparity, False, one.near, one.far, one.third, one.alpha, one.foreground, one.background,
        one.hidden, one.hidden_disparity, one.is_hidden_known,
    )  # fmt: skip
