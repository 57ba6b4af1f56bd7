"""Disparity as depth models get it wrong: edges that wander, swell and shrink.

Stage 2 of the training perturbs the disparity of a subject in three ways, each with a probability: its outline is
deformed elastically; the band that this uncovers gets Perlin noise between background and subject; the subject is
dilated or eroded. The same in growing strength measures robustness (levels I to IV).

Source: Yang et al., Any-to-Bokeh, ICLR 2026, sec. 4 (training, stage 2); elastic deformation after Simard et al.,
ICDAR 2003; noise after Perlin, SIGGRAPH 1985.
"""

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX

Level = Literal["I", "II", "III", "IV"]


@dataclass(frozen=True, slots=True)
class Perturbation:
    """How disparity is perturbed. Lengths are pixels of a frame of 1024 px on its longer side.

    Attributes:
        probability: that a clip, or a frame where each is perturbed alone, is perturbed at all.
        elastic_px: standard deviation of the displacement of the outline.
        elastic_scale_px: distance over which the displacement changes.
        morphology_px: greatest radius by which the subject is dilated or eroded; each clip draws its own.
        band_noise: amplitude in [0, 1] of the noise in uncovered bands: 0 leaves background, 1 reaches the subject.
        flicker: share in [0, 1] of the displacement's variance that is new in every frame.
        frames_alone: each frame is perturbed or not by itself, with all its numbers drawn anew, as in the paper's
            training; else a clip is, whose outlines wander and flicker.
    """

    probability: float = 0.5
    elastic_px: float = 6.0
    elastic_scale_px: float = 48.0
    morphology_px: float = 6.0
    band_noise: float = 0.7
    flicker: float = 0.3
    frames_alone: bool = False


ROBUSTNESS_LEVELS: dict[Level, Perturbation] = {
    "I": Perturbation(1.0, elastic_px=2, morphology_px=2, band_noise=0.3),
    "II": Perturbation(1.0, elastic_px=5, morphology_px=5, band_noise=0.5),
    "III": Perturbation(1.0, elastic_px=10, morphology_px=9, band_noise=0.7),
    "IV": Perturbation(1.0, elastic_px=18, morphology_px=14, band_noise=1.0),
}
"""Growing errors for robustness tests; every clip is perturbed."""


def perturb(
    disparity: NDArray[np.float32],
    masks: NDArray[np.float32],
    perturbation: Perturbation,
    seed: int | np.random.Generator,
) -> NDArray[np.float32]:
    """Perturb the disparity of every subject.

    Args:
        disparity: ``(T, 1, H, W)`` in [0, 1].
        masks: ``(T, S, H, W)`` in [0, 1], where each subject is seen.
        perturbation: how.
        seed: a number, or a generator to draw from.

    Returns:
        ``(T, 1, H, W)`` in [0, 1]: a new array, or ``disparity`` itself where nothing is perturbed.
    """
    rng = np.random.default_rng(seed)
    if perturbation.frames_alone:
        of_one = replace(perturbation, frames_alone=False)
        frames = zip(disparity[:, None], masks[:, None], strict=True)
        return np.concatenate([perturb(one, one_masks, of_one, rng) for one, one_masks in frames])
    if rng.uniform() >= perturbation.probability:
        return disparity
    scale = max(disparity.shape[-2:]) / REFERENCE_LONG_SIDE_PX
    result = disparity.copy()
    for subject in range(masks.shape[1]):
        growth_px = rng.uniform(-1, 1) * perturbation.morphology_px * scale
        fields = _displacements(disparity.shape[0], disparity.shape[-2:], perturbation, scale, rng)
        noise_seed = int(rng.integers(2**31))
        for t, field in enumerate(fields):
            inside = masks[t, subject] >= 0.5
            if inside.any() and not inside.all():
                noise = perlin_noise(disparity.shape[-2:], 16 * scale, np.random.default_rng((noise_seed, t)))
                _perturb_subject(result[t, 0], inside, field, growth_px, perturbation.band_noise * noise)
    return result


def perlin_noise(size: tuple[int, int], period_px: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Gradient noise of one octave, ``(H, W)`` in [0, 1] with mean near 0.5; lattice cells of ``period_px``."""
    height, width = size
    period_px = max(period_px, 2.0)
    y, x = np.arange(height, dtype=np.float32) / period_px, np.arange(width, dtype=np.float32) / period_px
    angle = rng.uniform(0, 2 * np.pi, (int(y[-1]) + 2, int(x[-1]) + 2)).astype(np.float32)
    row, column = y.astype(np.int64)[:, None], x.astype(np.int64)[None, :]
    v, u = y[:, None] - row, x[None, :] - column
    fade_v, fade_u = v**3 * (v * (6 * v - 15) + 10), u**3 * (u * (6 * u - 15) + 10)

    def corner(j: int, i: int) -> NDArray[np.floating]:
        at = angle[row + j, column + i]
        return np.cos(at) * (u - i) + np.sin(at) * (v - j)

    top = corner(0, 0) + fade_u * (corner(0, 1) - corner(0, 0))
    bottom = corner(1, 0) + fade_u * (corner(1, 1) - corner(1, 0))
    # One octave stays within half the square root of two.
    noise = 0.5 + (top + fade_v * (bottom - top)) / np.sqrt(2)
    return np.clip(noise, 0, 1).astype(np.float32)


def _displacements(
    count: int, size: tuple[int, int], perturbation: Perturbation, scale: float, rng: np.random.Generator
) -> list[NDArray[np.float32]]:
    """One displacement ``(H, W, 2)`` in pixels for each frame: a lasting part and one that is new each time."""
    cell_px = max(perturbation.elastic_scale_px * scale, 2.0)

    def smooth() -> NDArray[np.float32]:
        grid = rng.standard_normal((int(size[0] / cell_px) + 4, int(size[1] / cell_px) + 4, 2)).astype(np.float32)
        return np.asarray(cv2.resize(grid, (size[1], size[0]), interpolation=cv2.INTER_CUBIC), np.float32)

    lasting = smooth() * np.float32(np.sqrt(1 - perturbation.flicker))
    passing = np.float32(np.sqrt(perturbation.flicker))
    amplitude = np.float32(perturbation.elastic_px * scale)
    return [np.asarray(amplitude * (lasting + passing * smooth()), np.float32) for _ in range(count)]


def _perturb_subject(
    disparity: NDArray[np.float32],
    inside: NDArray[np.bool_],
    field: NDArray[np.float32],
    growth_px: float,
    band: NDArray[np.float32],
) -> None:
    """Perturb one subject of one frame in place."""
    height, width = inside.shape
    # Signed distance to the outline, positive inside: moved, it is elastic deformation; offset, it is morphology.
    signed = _distance_px(inside) - _distance_px(~inside)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    moved = cv2.remap(signed, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    now_inside = np.asarray(moved, np.float32) + np.float32(growth_px) > 0
    subject, background = _spread(disparity, inside), _spread(disparity, ~inside)
    uncovered = inside & ~now_inside
    gained = now_inside & ~inside
    # What stands before the subject stays as it is.
    gained &= disparity <= subject
    disparity[gained] = subject[gained]
    filled = background + band * (subject - background)
    disparity[uncovered] = filled[uncovered]


def _distance_px(region: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance of each pixel of a region to what is outside of it; 0 outside."""
    return np.asarray(cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _spread(values: NDArray[np.float32], region: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Values of a region continued beyond it by its nearest pixel."""
    _, label = cv2.distanceTransformWithLabels(
        (~region).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    label = np.asarray(label, np.int32)
    of_label = np.zeros(int(label.max()) + 1, np.float32)
    of_label[label[region]] = values[region]
    return np.where(region, values, of_label[label])
