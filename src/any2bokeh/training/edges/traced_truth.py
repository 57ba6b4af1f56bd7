"""Frames of the scenes that clips are made of, each surface traced by itself: what mixes in a pixel is then known."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.aperture import Disc
from any2bokeh.optics.transfer import srgb_encode
from any2bokeh.synthesis.layer_compositing import LEAST_STEP
from any2bokeh.synthesis.layer_truth import LayerTruth
from any2bokeh.synthesis.maker import ClipConfig, ClipMaker
from any2bokeh.synthesis.ray_trace import seen_disparity, trace_in_focus
from any2bokeh.synthesis.scene import SceneConfig
from any2bokeh.synthesis.view import View

_SAMPLES = 32  # of a pixel
_LEAST_SHARE = 1 / 128  # less of a pixel than this does not make it mixed
_FRAMES = 8  # of a scene's motion


def traced_truths(seed: int, scene: int, size: tuple[int, int], count: int) -> Iterator[LayerTruth]:
    """Frames of one scene with exact maps, evenly over its motion; what is hidden is not told.

    Args:
        seed, scene: of the scene; the same give the same frames.
        size: (H, W) in pixels.
        count: how many, at most 8.
    """
    height, width = size
    config = ClipConfig(
        height=height, width=width, frame_count=_FRAMES, transfer="srgb", scene=replace(SceneConfig(), subjects=(1, 4))
    )
    planned, atlas, _, _ = ClipMaker(config, seed=seed, count=scene + 1, threads=1).plan(scene)
    for t in np.linspace(0, _FRAMES - 1, count).astype(int):
        yield _truth(planned.view(int(t), atlas), seed * 1_000_003 + scene * 1009 + int(t))


def _truth(view: View, seed: int) -> LayerTruth:
    light, shares = trace_in_focus(view, aperture=Disc(), sample_count=_SAMPLES, seed=seed, threads=1)
    disparity = seen_disparity(view)
    surfaces = _surfaces(view)
    seen = np.where(shares > _LEAST_SHARE, surfaces, -1)
    nearest = seen.argmax(axis=0)
    alpha, near = _of(shares, nearest), _of(surfaces, nearest)
    others = shares.copy()
    np.put_along_axis(others, nearest[None], 0, 0)
    second = others.argmax(axis=0)
    far, rest = _of(surfaces, second), _of(others, second)
    is_mixed = (alpha < 1 - _LEAST_SHARE) & (rest > _LEAST_SHARE) & (near - far > LEAST_STEP)
    part = np.zeros_like(light)
    for layer in range(view.layer_count):
        is_here = is_mixed & (nearest == layer)
        if is_here.any():
            own, _ = trace_in_focus(_alone(view, layer), aperture=Disc(), sample_count=_SAMPLES, seed=seed, threads=1)
            part[:, is_here] = own[:, is_here]
    own = np.clip(light, 0, 1)
    share = np.clip(alpha, _LEAST_SHARE, 1 - _LEAST_SHARE)
    # Lamps are brighter than white: what is told are colours that add up to the clipped pixel.
    behind = np.clip((light - part) / (1 - share), 0, 1)
    behind = np.clip(behind, (own - share) / (1 - share), own / (1 - share))
    before = np.clip((own - (1 - share) * behind) / share, 0, 1)
    foreground, background = (
        srgb_encode(np.where(is_mixed, each, own)).astype(np.float32) for each in (before, behind)
    )
    pixels = srgb_encode(own).astype(np.float32)
    near, far = (np.where(is_mixed, each, disparity[0]).astype(np.float32) for each in (near, far))
    alpha = np.where(is_mixed, alpha, 1).astype(np.float32)
    nowhere = np.zeros(alpha.shape, np.bool_)
    return LayerTruth(
        pixels, disparity, disparity, False, near, far, far, alpha, foreground, background,
        pixels, disparity[0], nowhere,
    )  # fmt: skip


def _of(planes: NDArray[np.float32], which: NDArray[np.intp]) -> NDArray[np.float32]:
    return np.take_along_axis(planes, which[None], 0)[0]


def _surfaces(view: View) -> NDArray[np.float32]:
    """``(L, H, W)``: disparity of every layer at the centre of each pixel."""
    y, x = np.mgrid[: view.height, : view.width] + 0.5
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])
    return np.clip(np.tensordot(view.surface.astype(np.float64), terms, 1), 0, 1).astype(np.float32)


def _alone(view: View, layer: int) -> View:
    """A view in which all layers but one are black."""
    atlas = view.atlas
    ends = np.append(atlas.first[1:, 0], len(atlas.texels))
    shown = view.picture[layer]
    texels = np.zeros_like(atlas.texels)
    texels[:, 3] = atlas.texels[:, 3]
    own = slice(atlas.first[shown, 0], ends[shown])
    texels[own] = atlas.texels[own]
    return replace(view, atlas=replace(atlas, texels=texels))
