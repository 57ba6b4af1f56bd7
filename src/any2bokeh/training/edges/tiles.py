"""Tiles of made frames: what the network is told, and what it ought to say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.learned.cells import CELL_PX, PIXELS
from any2bokeh.disparity.edges.learned.clues import CLUES, Clues
from any2bokeh.errors import InputError, shown
from any2bokeh.optics.transfer import srgb_decode

TARGETS = 16
"""Numbers of a pixel that the loss takes: see ``targets_of``."""

SHARE_BASE, LIGHT, BACKGROUND_BASE, BACKGROUND = 0, slice(1, 4), slice(4, 7), slice(7, 10)
SHARE, SHARE_WEIGHT, MIXED_WEIGHT, THIRD, WRONG, WRONG_WEIGHT = 10, 11, 12, 13, 14, 15

HELD_OUT = 1 << 40
"""Numbers of frames from here on are never trained on: gates and curves are made with them."""

CALIBRATION = HELD_OUT + (1 << 20)
"""Numbers of frames from here on serve the calibration alone."""

SIDES_PX = (32, 4096)
"""Least and most of the sides of a frame."""

_MATCH = 0.35  # of a step: how far off the disparity of a surface may be, to be that of the truth
_WRONG = 0.25  # of a step: a map that is farther off is wrong
_SAME = 0.5  # of a step: what is farther from a surface does not show it
_SAME_TONE = 0.004  # of disparity: a map that is off by less, away from its steps, is on the scale of the truth
_TONE_SPACING, _LEAST_SAMPLES = 23, 200
_LEAST_LEVELS = 4  # of disparity, to hundredths, for a curve in place of a line
_FULL_STEP = 0.25  # of disparity: from here on all steps weigh alike
_LEAST_CONTRAST, _MOST_CONTRAST = 0.15, 0.6


@dataclass(frozen=True, slots=True)
class TileSource:
    """Makes the tiles of one frame from its number.

    Attributes:
        seed: of all frames.
        height_px, width_px: of the frames.
        cells: side of a tile.
        tiles: of a frame, at most.
    """

    seed: int = 0
    height_px: int = 288
    width_px: int = 512
    cells: int = 32
    tiles: int = 16

    def __post_init__(self) -> None:
        require_counts(self, {"seed": 0, "cells": 1, "tiles": 1})

    def frame(self, number: int) -> Any:
        """A ``LayerTruth``; the same for the same number."""
        from any2bokeh.synthesis.layer_frames import layer_frames

        [truth] = layer_frames((self.seed << 20) + number, (self.height_px, self.width_px), 1)
        return truth

    def tiles_of(self, number: int) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """Clues ``(N, cells, cells, 4 * CLUES)`` and targets ``(N, cells, cells, 4 * TARGETS)`` of frame ``number``."""
        return tiles_of(self.frame(number), np.random.default_rng([self.seed, number]), self.cells, self.tiles)


def require_counts(source: Any, least: Mapping[str, int]) -> None:
    """Refuse a source whose numbers make no frames; they may come from a file.

    Args:
        source: with ``height_px``, ``width_px`` and what is named.
        least: of its other numbers, by name.

    Raises:
        InputError: names the first that is wrong.
    """
    limits = {"height_px": SIDES_PX, "width_px": SIDES_PX} | {name: (each, None) for name, each in least.items()}
    for name, (low, high) in limits.items():
        value = getattr(source, name)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or value < low or (high is not None and value > high):
            allowed = f"at least {low}" if high is None else f"{low} to {high}"
            raise InputError(f"{name} is {shown(value)}; allowed is a whole number, {allowed}")


def tiles_of(
    truth: Any, generator: np.random.Generator, cells: int, most: int
) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Tiles of a frame, at random places, each with some of the band in it."""
    clues = Clues.of(truth.given, truth.pixels, enlarged=truth.enlarged)
    empty = _no_tiles(cells)
    if clues is None:
        return empty
    grid = clues.cells.grid
    if min(grid.shape) < cells:
        raise ValueError(f"frames of {grid.shape} cells hold no tile of {cells}")
    targets = in_cells(targets_of(truth, clues), grid.shape)
    values = np.zeros((*grid.shape, PIXELS * CLUES), np.float16)
    at = clues.cells.at
    values[at[:, 0], at[:, 1]] = clues.values
    looked = (grid >= 0).astype(np.float64)
    found = []
    for _ in range(3 * most):
        top, left = (int(generator.integers(side - cells + 1)) for side in grid.shape)
        share = looked[top : top + cells, left : left + cells].mean()
        if share > 0.15 and (share > 0.5 or generator.uniform() < 2 * share):
            found.append((slice(top, top + cells), slice(left, left + cells)))
        if len(found) == most:
            break
    if not found:
        return empty
    return np.stack([values[place] for place in found]), np.stack([targets[place] for place in found])


def _no_tiles(cells: int) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    values, targets = (np.zeros((0, cells, cells, PIXELS * size), np.float16) for size in (CLUES, TARGETS))
    return values, targets


def targets_of(truth: Any, clues: Clues) -> NDArray[np.float32]:
    """What the loss takes of each pixel, ``(H, W, TARGETS)``.

    Logit of the classical share, light of the pixel, classical light of the farther surface, its true light, true share
    of the nearer of the two surfaces of the band, weights of the share and of mixed light, whether a third surface is
    seen, whether the map is wrong, and the weight of that.
    """
    near, far, third = clues.near, clues.far, clues.third
    disparity, true_near, true_far = _in_tone(truth)
    step = np.maximum(near - far, np.float32(1e-3))
    is_true = (np.abs(true_near - near) < _MATCH * step) & (np.abs(true_far - far) < _MATCH * step)
    is_mixed = is_true & (truth.near > truth.far) & (truth.alpha > 0) & (truth.alpha < 1)
    off_near, off_far = np.abs(disparity - near), np.abs(disparity - far)
    off_third = np.where(third != far, np.abs(disparity - third), np.inf)
    off = np.minimum(off_near, off_far)
    is_third = clues.band & (2 * off_third < off)
    background = srgb_decode(truth.background).transpose(1, 2, 0)
    light = srgb_decode(np.clip(truth.pixels, 0, 1)).transpose(1, 2, 0)
    contrast = np.clip(_contrast(clues, truth, is_mixed), _LEAST_CONTRAST, _MOST_CONTRAST)
    weight = np.where(clues.band, np.minimum(step / _FULL_STEP, 1) * contrast / _MOST_CONTRAST, 0)
    known = np.where(np.minimum(off, off_third) < _SAME * step, weight, 0.1 * weight)
    certain = np.where(is_mixed, np.abs(2 * truth.alpha - 1), 1)
    targets = np.empty((*disparity.shape, TARGETS), np.float32)
    targets[..., SHARE_BASE] = clues.share
    targets[..., LIGHT] = light
    targets[..., BACKGROUND_BASE] = clues.background
    targets[..., BACKGROUND] = np.where(is_mixed[..., None], background, 0)
    targets[..., SHARE] = np.where(is_mixed, truth.alpha, off_near < off_far)
    targets[..., SHARE_WEIGHT] = np.where(is_third, 0, known)
    targets[..., MIXED_WEIGHT] = np.where(is_mixed, np.minimum(step / _FULL_STEP, 1) * clues.band, 0)
    targets[..., THIRD] = is_third
    targets[..., WRONG] = is_wrong(truth.given[0], truth, clues)
    targets[..., WRONG_WEIGHT] = known * certain
    return targets


def is_wrong(disparity: NDArray[np.float32], truth: Any, clues: Clues) -> NDArray[np.bool_]:
    """Whether a map ``(H, W)`` on the scale of the given one shows another surface than the pixel does."""
    step = np.maximum(clues.near - clues.far, np.float32(1e-3))
    return np.abs(disparity - _in_tone(truth)[0]) > _WRONG * step


def _in_tone(truth: Any) -> list[NDArray[np.float32]]:
    """True disparity, near and far, on the scale of the given map where that is another."""
    planes = [truth.disparity[0], truth.near, truth.far]
    pure = np.flatnonzero(truth.near == truth.far)[::_TONE_SPACING]
    given, exact = truth.given.ravel()[pure], truth.disparity.ravel()[pure]
    if len(pure) < _LEAST_SAMPLES or np.median(np.abs(given - exact)) < _SAME_TONE:
        return planes
    kept = np.ones(len(pure), bool)
    levels = len(np.unique(np.round(exact, 2)))
    if levels == 1:
        return [plane + np.float32(np.median(given - exact)) for plane in planes]
    curve = np.array([1.0, 0.0])
    for _ in range(3):
        curve = np.polyfit(exact[kept], given[kept], 1 if levels < _LEAST_LEVELS else 2)
        off = np.abs(np.polyval(curve, exact) - given)
        kept = off <= max(2 * float(np.median(off)), _SAME_TONE)
    return [np.polyval(curve, plane).astype(np.float32) for plane in planes]


def _contrast(clues: Clues, truth: Any, is_mixed: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far the colours of both surfaces differ, in code values: by the truth where it is known, else around."""
    around = np.zeros(clues.band.shape, np.float32)
    values = clues.values.reshape(len(clues.values), PIXELS, CLUES)[..., 14]
    at = clues.cells.at
    height, width = clues.band.shape
    for pixel in range(PIXELS):
        y = np.minimum(CELL_PX * at[:, 0] + pixel // 2, height - 1)
        x = np.minimum(CELL_PX * at[:, 1] + pixel % 2, width - 1)
        around[y, x] = values[:, pixel]
    known = np.sqrt(((truth.foreground - truth.background) ** 2).sum(axis=0))
    return np.where(is_mixed, known, around).astype(np.float32)


def in_cells(planes: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float16]:
    """``(H, W, C)`` as ``(rows, columns, 4 * C)``."""
    rows, columns = shape
    height, width, count = planes.shape
    padded = np.zeros((rows * CELL_PX, columns * CELL_PX, count), np.float32)
    padded[:height, :width] = planes
    cells = padded.reshape(rows, CELL_PX, columns, CELL_PX, count).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(cells.reshape(rows, columns, PIXELS * count), np.float16)
