"""What each perturbation does to disparity, one at a time."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.synthesis.perturb import ROBUSTNESS_LEVELS, Perturbation, perlin_noise, perturb

H, W, T = 144, 256, 3
NEAR, FAR = np.float32(0.8), np.float32(0.2)
STILL = Perturbation(1.0, elastic_px=0, morphology_px=0, band_noise=0, flicker=0)


Subject = tuple[NDArray[np.float32], NDArray[np.float32]]


@pytest.fixture
def subject() -> Subject:
    """``(disparity, masks)`` of a near disc of radius 40 before a far wall."""
    y, x = np.mgrid[:H, :W]
    mask = (np.hypot(y - H / 2, x - W / 2) < 40).astype(np.float32)
    masks = np.broadcast_to(mask, (T, 1, H, W)).copy()
    return np.where(masks > 0, NEAR, FAR).astype(np.float32), masks


def with_(**changes) -> Perturbation:
    fields = {name: getattr(STILL, name) for name in STILL.__dataclass_fields__}
    return Perturbation(**(fields | changes))


def test_probability_is_that_of_a_change(subject: Subject):
    never = perturb(*subject, with_(probability=0.0, elastic_px=20), 0)
    assert never is subject[0]
    changed = [perturb(*subject, with_(probability=0.5, elastic_px=20), seed) is not subject[0] for seed in range(60)]
    assert 18 < sum(changed) < 42


def test_frames_alone_are_perturbed_or_not_each_by_itself(subject: Subject):
    disparity, masks = subject
    some = with_(probability=0.5, elastic_px=20, morphology_px=10, frames_alone=True)
    results = [perturb(disparity, masks, some, seed) for seed in range(20)]
    changed = np.array([[np.any(one != given) for one, given in zip(each, disparity, strict=True)] for each in results])
    assert 14 <= changed.sum() <= 46  # four deviations of a fair coin thrown 60 times
    assert any(0 < frames.sum() < T for frames in changed)
    both = next(each for each, frames in zip(results, changed, strict=True) if frames[0] and frames[1])
    assert np.any(both[0] != both[1]), "an outline of its own in each frame"


def test_nothing_to_perturb_changes_nothing(subject: Subject):
    np.testing.assert_array_equal(perturb(*subject, STILL, 0), subject[0])


def test_seed_decides(subject: Subject):
    some = with_(elastic_px=20, morphology_px=20, band_noise=0.5, flicker=0.5)
    np.testing.assert_array_equal(perturb(*subject, some, 7), perturb(*subject, some, 7))
    assert np.any(perturb(*subject, some, 8) != perturb(*subject, some, 7))
    before = subject[0].copy()
    perturb(*subject, some, 7)
    np.testing.assert_array_equal(subject[0], before)


def test_elastic_deformation_moves_the_outline_alone(subject: Subject):
    disparity, masks = subject
    result = perturb(disparity, masks, with_(elastic_px=24), 1)
    assert set(np.unique(result)) == {NEAR, FAR}, "no new disparities"
    inside = masks[0, 0] > 0
    gained, lost = (result[0, 0] == NEAR) & ~inside, (result[0, 0] == FAR) & inside
    assert gained.sum() > 100
    assert lost.sum() > 100
    # 24 px of 1024 are 6 px here; four standard deviations of both axes.
    y, x = np.nonzero(gained | lost)
    assert np.abs(np.hypot(y - H / 2, x - W / 2) - 40).max() < 4 * 6 * np.sqrt(2)


def test_dilation_and_erosion_change_the_radius_evenly(subject: Subject):
    disparity, masks = subject
    grown = set()
    for seed in range(12):
        result = perturb(disparity, masks, with_(morphology_px=32), seed)
        radius = np.sqrt((result[0, 0] == NEAR).sum() / np.pi)
        assert 40 - 8.8 < radius < 40 + 8.8, "at most 32 px of 1024"
        y, x = np.nonzero(result[0, 0] == NEAR)
        assert abs(np.hypot(y - H / 2, x - W / 2).max() - radius) < 1.5, "still a disc"
        grown.add(radius > 40)
    assert grown == {True, False}


def test_uncovered_band_gets_noise_between_background_and_subject(subject: Subject):
    disparity, masks = subject
    noisy = with_(morphology_px=60, band_noise=0.8)
    results = [perturb(disparity, masks, noisy, seed) for seed in range(12)]
    eroded = max(results, key=lambda result: np.count_nonzero(result < disparity))
    band = (eroded[0, 0] != disparity[0, 0]) & (masks[0, 0] > 0)
    values = eroded[0, 0][band]
    assert values.min() >= FAR
    assert values.max() <= FAR + 0.8 * (NEAR - FAR) + 1e-6
    assert values.std() > 0.05
    np.testing.assert_array_equal(eroded[0, 0][masks[0, 0] == 0], FAR)
    assert np.any(eroded[1, 0] != eroded[0, 0]), "the noise is new in every frame"


def test_what_stands_in_front_stays(subject: Subject):
    disparity, masks = subject
    disparity = disparity.copy()
    disparity[:, :, :, : W // 2 - 30] = 0.95
    masks[:, :, :, : W // 2 - 30] = 0
    result = perturb(disparity, masks, with_(elastic_px=30, morphology_px=30), 3)
    np.testing.assert_array_equal(result[disparity == np.float32(0.95)], np.float32(0.95))


def test_flicker_is_what_changes_from_frame_to_frame(subject: Subject):
    def change(flicker: float) -> float:
        result = perturb(*subject, with_(elastic_px=24, flicker=flicker), 5)
        return float((np.diff(result, axis=0) != 0).mean())

    assert change(0.0) == 0
    assert 0 < change(0.2) < change(1.0)


def test_levels_grow(subject: Subject):
    errors = []
    for level in ("I", "II", "III", "IV"):
        results = [perturb(*subject, ROBUSTNESS_LEVELS[level], seed) for seed in range(8)]
        errors.append(np.mean([np.abs(result - subject[0]).mean() for result in results]))
    assert errors[0] > 0
    assert all(larger > 1.3 * smaller for smaller, larger in pairwise(errors))


def test_perlin_noise_is_smooth_and_vanishes_on_its_lattice():
    noise = perlin_noise((64, 96), 16, np.random.default_rng(0))
    np.testing.assert_allclose(noise[::16, ::16], 0.5, atol=1e-6)
    assert noise.std() > 0.1
    # The steepest gradient noise changes by its gradient's length over a cell, here 2 / sqrt(2) / 16 with the fade.
    assert np.abs(np.diff(noise, axis=0)).max() < 0.15
    assert 0 <= noise.min() <= noise.max() <= 1
