"""Tiles for the network for mixed pixels: frames with exact maps, or maps whose steps are cut a little elsewhere."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.bands import EdgeBands
from any2bokeh.disparity.edges.classical import FirstLook, matted
from any2bokeh.disparity.edges.learned.cells import PIXELS
from any2bokeh.disparity.edges.learned.clues import interleaved
from any2bokeh.disparity.edges.learned.mixed_clues import BASES, MIXED_CLUES, MixedClues
from any2bokeh.disparity.edges.learned.mixing import correct
from any2bokeh.disparity.edges.learned.network import corrections
from any2bokeh.disparity.edges.learned.weights import MixedModel
from any2bokeh.optics.transfer import srgb_decode, srgb_encode
from any2bokeh.training.edges.mixed_cards import card_frame
from any2bokeh.training.edges.tiles import CALIBRATION, in_cells, require_counts
from any2bokeh.training.edges.traced_truth import traced_truths

MIXED_TARGETS = BASES + 8
"""Numbers of a pixel that the loss takes: what is corrected, then these."""

TRUE_SHARE, TRUE_BACKGROUND, WEIGHT, AROUND = BASES, slice(BASES + 1, BASES + 4), BASES + 4, slice(BASES + 5, BASES + 8)

_CLEAN_SHARE = 0.5  # of frames that show neither grain nor compression
_EXACT_SHARE = 0.6  # of frames with an exact map
_MOST_OFF = 0.2  # of a pixel's cover, where steps are cut elsewhere than at the half
_OFF_PX = 6  # length over which that changes
_LEAST_LOOKED, _FULLY_LOOKED = 0.04, 0.2  # of a tile: fewer cells are not worth a tile, more are not rare
_FULL_STEP = 0.25  # of disparity: from here on all steps weigh alike
_MATCH = 0.5  # of a step: how far off the disparity of the nearer surface may be, to be that of the truth
_AROUND_PX = 9  # side of the square over which the farther surface is averaged


FrameKind = Literal["traced", "cards", "layers"]
"""Scenes of clips, cards with plain outlines, or mattes that are rough or fine."""


@dataclass(frozen=True, slots=True)
class MixedTileSource:
    """Makes the tiles of one frame from its number.

    Attributes:
        seed: of all frames.
        height_px, width_px: of the frames.
        cells: side of a tile.
        tiles: of a frame, at most.
        traced_every: every so-many-th frame is of a scene of clips, whose edges no camera has blurred; 0 = none.
        cards_every: every so-many-th of the others is of cards with plain outlines; 0 = none.
    """

    seed: int = 77
    height_px: int = 288
    width_px: int = 512
    cells: int = 32
    tiles: int = 12
    traced_every: int = 3
    cards_every: int = 2

    def __post_init__(self) -> None:
        require_counts(self, {"seed": 0, "cells": 1, "tiles": 1, "traced_every": 0, "cards_every": 0})

    def kind(self, number: int) -> FrameKind:
        """What frame ``number`` is of."""
        if self.traced_every and number % self.traced_every == 0:
            return "traced"
        return "cards" if self.cards_every and number % self.cards_every == 0 else "layers"

    def frame(self, number: int) -> Any:
        """A ``LayerTruth``; the same for the same number."""
        kind, size = self.kind(number), (self.height_px, self.width_px)
        if kind == "traced":
            return next(traced_truths(self.seed, number, size, 1))
        if kind == "cards":
            return card_frame((self.seed << 20) + number, size)
        from any2bokeh.synthesis.layer_frames import layer_frames

        [truth] = layer_frames((self.seed << 20) + number, size, 1)
        return truth

    def tiles_of(self, number: int) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """Clues ``(N, cells, cells, 4 * MIXED_CLUES)`` and targets ``(N, cells, cells, 4 * MIXED_TARGETS)``."""
        generator = np.random.default_rng([self.seed, number])
        return mixed_tiles_of(seen(self.frame(number), generator), generator, self.cells, self.tiles)


def seen(truth: Any, generator: np.random.Generator) -> Any:
    """A frame as the network is to see it: with an exact map or one cut elsewhere, some without what a camera adds."""
    if generator.uniform() < _CLEAN_SHARE:
        share = truth.alpha[None]
        light = share * srgb_decode(truth.foreground) + (1 - share) * srgb_decode(truth.background)
        truth = replace(truth, pixels=srgb_encode(light).astype(np.float32))
    disparity = truth.disparity
    if generator.uniform() >= _EXACT_SHARE:
        height, width = disparity.shape[1:]
        coarse = generator.uniform(-1, 1, (height // _OFF_PX + 2, width // _OFF_PX + 2)).astype(np.float32)
        off = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
        is_mixed = (truth.alpha > 0) & (truth.alpha < 1) & (truth.near > truth.far)
        cut = np.where(truth.alpha > 0.5 + _MOST_OFF * generator.uniform() * off, truth.near, truth.far)
        disparity = np.where(is_mixed, cut, disparity).astype(np.float32)
    return replace(truth, given=disparity, enlarged=False)


def mixed_tiles_of(
    truth: Any, generator: np.random.Generator, cells: int, most: int
) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Tiles of a frame with the map ``truth.given``, at random places, each with pixels in it that may be mixed."""
    values, targets = (np.zeros((0, cells, cells, PIXELS * size), np.float16) for size in (MIXED_CLUES, MIXED_TARGETS))
    look = FirstLook.of(truth.given, truth.pixels, enlarged=False)
    if look is None:
        return values, targets
    classical = matted(EdgeBands.none(truth.given), look.pixels, look.step)
    picture = interleaved(look.pixels)
    clues = MixedClues.of(picture, look.step, classical)
    grid, at = clues.cells.grid, clues.cells.at
    told = np.zeros((*grid.shape, PIXELS * MIXED_CLUES), np.float16)
    told[at[:, 0], at[:, 1]] = clues.values
    wanted = in_cells(mixed_targets(truth, look, clues, clues.bases(picture, classical)), grid.shape)
    looked = (grid >= 0).astype(np.float64)
    places = []
    for _ in range(4 * most):
        top, left = (int(generator.integers(side - cells + 1)) for side in grid.shape)
        share = looked[top : top + cells, left : left + cells].mean()
        if share > _LEAST_LOOKED and generator.uniform() < share / _FULLY_LOOKED:
            places.append((slice(top, top + cells), slice(left, left + cells)))
        if len(places) == most:
            break
    if not places:
        return values, targets
    return np.stack([told[place] for place in places]), np.stack([wanted[place] for place in places])


def mixed_targets(truth: Any, look: FirstLook, clues: MixedClues, bases: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the loss takes of each pixel, ``(H, W, MIXED_TARGETS)``.

    What is corrected, true share of the nearer surface, true light of the farther one, weight, and light of the farther
    surface around.
    """
    in_band = look.step.side != 0  # elsewhere surfaces say nothing
    near, far = (np.where(in_band, plane, np.float32(0)) for plane in (look.step.near, look.step.far))
    step = np.maximum(near - far, np.float32(1e-3))
    is_mixed = (truth.near > truth.far) & (truth.alpha > 0) & (truth.alpha < 1)
    is_known = ~is_mixed | (np.abs(truth.near - near) < _MATCH * step)
    light = srgb_decode(look.pixels).transpose(1, 2, 0)
    background = np.where(is_mixed[..., None], srgb_decode(truth.background).transpose(1, 2, 0), light)
    is_far = (look.step.side < 0).astype(np.float32)
    side = (_AROUND_PX, _AROUND_PX)
    weight = cv2.blur(is_far, side)[..., None]
    around = cv2.blur(background * is_far[..., None], side) / np.maximum(weight, np.float32(0.01))
    targets = np.zeros((*step.shape, MIXED_TARGETS), np.float32)
    targets[..., :BASES] = bases
    targets[..., TRUE_SHARE] = np.where(is_mixed, truth.alpha, 0)
    targets[..., TRUE_BACKGROUND] = background
    targets[..., WEIGHT] = np.where(clues.is_open & is_known, np.minimum(step / _FULL_STEP, 1), 0)
    targets[..., AROUND] = around
    return targets


def light_errors(source: MixedTileSource, model: MixedModel, number: int) -> tuple[float, float] | None:
    """Mean error of the farther surface's light in pixels that may be mixed: of the classical split, of the network's.

    None where the frame has no steps that the network looks at.

    Args:
        source: of the frame.
        model: the network.
        number: of the frame, from ``CALIBRATION`` on.
    """
    truth = source.frame(CALIBRATION + number)
    look = FirstLook.of(truth.disparity, truth.pixels, enlarged=False)
    if look is None:
        return None
    classical, picture = matted(EdgeBands.none(truth.disparity), look.pixels, look.step), interleaved(look.pixels)
    clues = MixedClues.of(picture, look.step, classical)
    if clues.cells.at.size == 0:
        return None
    found = corrections(model.shape, model.weights, clues.cells, clues.values)
    targets = mixed_targets(truth, look, clues, clues.bases(picture, classical))
    light, true = targets[..., 1:4], targets[..., TRUE_BACKGROUND]
    errors = []
    for _ in range(2):
        is_split = classical.alpha[..., None] > 0
        background = np.where(is_split, srgb_decode(classical.background).transpose(1, 2, 0), light)
        error = cv2.blur((background - true) * targets[..., WEIGHT, None], (3, 3))  # as a narrow lens averages it
        errors.append(float(np.abs(error).sum() / max(targets[..., WEIGHT].sum(), 1)))
        correct(classical, look.step, picture, clues, found, model.least_change)
    return errors[0], errors[1]
