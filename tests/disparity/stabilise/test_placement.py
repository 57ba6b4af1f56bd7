"""Scale and shift of all frames, from links that are made up here."""

import numpy as np
import pytest

from any2bokeh.disparity.stabilise.links import FrameStats, Link
from any2bokeh.disparity.stabilise.placement import RunningScaleShift, ScaleShift, solve_shot
from any2bokeh.disparity.stabilise.relation import Relation


def sightings_of(scales: np.ndarray, shifts: np.ndarray, *, noise: float, spread: float = 0.4) -> list[FrameStats]:
    """Frames whose values are ``scale * true + shift``, linked to the one before and to every twelfth."""
    rng = np.random.default_rng(0)
    result = []
    for index, (scale, shift) in enumerate(zip(scales, shifts, strict=True)):
        others = {index - 1, *(index // 12 * 12 - 12 * back for back in range(3))} - {index}
        links = []
        for other in sorted(one for one in others if 0 <= one < index):
            ratio = scales[other] / scale * np.exp(noise * rng.standard_normal())
            links.append(Link(other, Relation(ratio, scale * 0.5 + shift, scales[other] * 0.5 + shifts[other], 1e6)))
        result.append(FrameStats(index, index == 0, tuple(links), scale * 0.5 + shift, scale * spread))
    return result


def leftover(placements: list[ScaleShift], scales: np.ndarray) -> np.ndarray:
    """Logarithm of the scale that every frame ends up with, but for the mean."""
    logs = np.log([one.scale for one in placements]) + np.log(scales)
    return logs - logs.mean()


def test_all_frames_are_placed_together() -> None:
    rng = np.random.default_rng(1)
    scales, shifts = np.exp(rng.uniform(-0.3, 0.3, 200)), rng.uniform(-0.2, 0.2, 200)
    placements = solve_shot(sightings_of(scales, shifts, noise=0))
    true = np.array([0.2, 0.8])
    ends = np.array(
        [
            one.scale * (scale * true + shift) + one.shift
            for one, scale, shift in zip(placements, scales, shifts, strict=True)
        ]
    )
    assert np.ptp(ends, axis=0).max() < 1e-9
    assert np.mean(np.log([one.scale for one in placements])) == pytest.approx(0, abs=1e-12)


def test_errors_do_not_add_up_over_a_long_shot() -> None:
    count, noise = 2000, 0.01
    scales = np.ones(count)
    sightings = sightings_of(scales, np.zeros(count), noise=noise)
    wander = np.ptp(leftover(solve_shot(sightings), scales))
    running = RunningScaleShift()
    running_wander = np.ptp(leftover([running.add(one) for one in sightings], scales))
    chained = np.cumsum([np.log(one.links[-1].relation.scale) if one.links else 0 for one in sightings])
    assert wander < 0.05  # seen 0.035
    assert running_wander < 0.15  # seen 0.11
    assert np.ptp(chained) > 0.3


def test_a_wrong_link_is_overruled() -> None:
    scales = np.ones(60)
    sightings = sightings_of(scales, np.zeros(60), noise=0.001)
    links = sightings[30].links
    wrong = [Link(one.to, Relation(1.5, 0.5, 0.5, 1e6)) if one.to == 29 else one for one in links]
    sightings[30] = FrameStats(30, False, tuple(wrong), 0.5, 0.4)
    assert np.abs(leftover(solve_shot(sightings), scales)).max() < 0.01  # worst seen 0.004


def test_frames_without_links_fall_back_on_their_range() -> None:
    scales = np.array([1.0, 2.0, 0.5, 1.0])
    alone = [FrameStats(index, index == 0, (), 0.5 * scale, 0.4 * scale) for index, scale in enumerate(scales)]
    for placements in (solve_shot(alone), [RunningScaleShift().add(alone[0])]):
        assert np.abs(leftover(placements, scales[: len(placements)])).max() < 1e-9
    running = RunningScaleShift()
    assert np.abs(leftover([running.add(one) for one in alone], scales)).max() < 1e-9


def test_given_placements_draw_the_rest_along() -> None:
    rng = np.random.default_rng(2)
    scales = np.exp(rng.uniform(-0.3, 0.3, 60))
    given = {index: ScaleShift(3 / scales[index], 1.0) for index in (0, 24, 48)}
    placements = solve_shot(sightings_of(scales, np.zeros(60), noise=0.001), given)
    assert np.array([one.scale for one in placements]) * scales == pytest.approx(3, rel=0.01)
    assert np.array([one.shift for one in placements]) == pytest.approx(1, abs=0.02)
