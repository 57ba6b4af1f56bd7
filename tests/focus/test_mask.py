"""The focus that follows a mask."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from any2bokeh.errors import InputError
from any2bokeh.focus.mask import EASE_ON_S, follow, follow_shots, follow_slab, margins, subject_of

FPS = 24.0
HEIGHT, WIDTH = 54, 96


def subject_scene(*, subject: float = 0.8, behind: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Mask ``(H, W)`` of a disc, and disparity ``(1, H, W)`` that is wrong along its outline."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    radius = np.hypot(rows - 27, columns - 40)
    disparity = np.where(radius < 10, subject, behind)
    disparity = np.where((radius >= 9.2) & (radius < 11), (subject + behind) / 2, disparity)
    return (radius < 10).astype(np.float32), disparity.astype(np.float32)[None]


def test_the_subject_answers_and_its_surround_is_known() -> None:
    subject = subject_of(*subject_scene())
    assert subject.disparity == pytest.approx(0.8)
    assert subject.surround == pytest.approx(0.3)


def test_a_hand_over_the_subject_does_not_answer() -> None:
    mask, disparity = subject_scene()
    disparity[0, 20:34, 33:37] = 0.99  # a fifth of the disc
    assert subject_of(mask, disparity).disparity == pytest.approx(0.8)


@pytest.mark.parametrize(("behind", "expected"), [(0.3, 0.1), (0.65, 0.06)])
def test_a_slab_holds_a_raised_leg_and_nothing_beside_the_subject(behind: float, expected: float) -> None:
    mask, disparity = subject_scene(behind=behind)
    rows, columns = np.nonzero(mask)
    leg = np.zeros(mask.shape, bool)
    leg[rows.min() : (rows.min() + rows.max()) // 2, columns.min() : (columns.min() + columns.max()) // 2] = True
    disparity[0, leg] += 0.1
    assert subject_of(mask, disparity).slab == pytest.approx(expected, abs=1e-6)
    # The ground below it, on which it stands, is no background.
    disparity[0, rows.max() + 1 :] = 0.8
    assert subject_of(mask, disparity).slab == pytest.approx(expected, abs=1e-6)


def test_a_slab_is_wide_before_the_leg_is_raised_and_changes_slowly() -> None:
    values = [0.02] * 24 + [0.12] * 6 + [0.02] * 24
    slab = follow_slab(values.__getitem__, shots=[0, len(values)], wanted=(0, len(values)), fps=FPS)
    assert slab[24:30] == pytest.approx(0.12, abs=1e-3)
    assert slab[[0, -1]] == pytest.approx(0.02, abs=1e-3)
    assert np.abs(np.diff(slab)).max() < 0.03  # the leg itself moves by 0.1 in a frame
    part = follow_slab(values.__getitem__, shots=[0, len(values)], wanted=(20, 23), fps=FPS)
    np.testing.assert_allclose(part, slab[20:23], rtol=1e-12)


def test_an_empty_mask_has_no_subject() -> None:
    assert subject_of(np.zeros((HEIGHT, WIDTH), np.float32), subject_scene()[1]).disparity is None


def test_a_full_mask_has_no_surround() -> None:
    subject = subject_of(np.ones((HEIGHT, WIDTH), np.float32), np.full((1, HEIGHT, WIDTH), 0.4, np.float32))
    assert subject.disparity == pytest.approx(0.4)
    assert subject.surround is None


def test_a_label_map_of_zero_and_one_is_a_mask() -> None:
    mask, disparity = subject_scene()
    assert subject_of((mask / 255).astype(np.float32), disparity).disparity == pytest.approx(0.8)


def test_a_grey_fringe_is_not_the_subject() -> None:
    mask, disparity = subject_scene()
    assert subject_of(np.maximum(mask, 0.3), disparity).disparity == pytest.approx(0.8)


@pytest.mark.parametrize("width", [1, 2])
def test_a_thin_subject_is_not_eroded_away(width: int) -> None:
    mask = np.zeros((540, 960), np.float32)
    mask[100:400, 501 : 501 + width] = 1
    disparity = np.where(mask > 0, 0.9, 0.2).astype(np.float32)[None]
    assert subject_of(mask, disparity).disparity == pytest.approx(0.9)


@pytest.mark.parametrize("factor", [2, 3])
def test_a_mask_may_be_larger_than_the_disparity(factor: int) -> None:
    mask, disparity = subject_scene()
    assert subject_of(np.kron(mask, np.ones((factor, factor), np.float32)), disparity).disparity == pytest.approx(0.8)


def test_a_mask_of_few_pixels_survives_a_small_disparity() -> None:
    mask = np.zeros((HEIGHT * 4, WIDTH * 4), np.float32)
    mask[101, 203] = 1
    disparity = np.zeros((1, HEIGHT, WIDTH), np.float32)
    disparity[0, 25, 50] = 0.7
    assert subject_of(mask, disparity).disparity == pytest.approx(0.7)


def test_steps_of_eight_bits_are_evened_out() -> None:
    mask = np.ones((40, 40), np.float32)
    exact = np.linspace(0.501, 0.515, 1600).reshape(1, 40, 40)
    found = subject_of(mask, (np.rint(exact * 255) / 255).astype(np.float32)).disparity
    # the middle of a smooth surface: seen 6e-5 off, where a plain median is 0.0018 off, half a step
    assert found == pytest.approx(0.508, abs=0.0002)


def followed(values: list[float | None], *, span: tuple[int, int] | None = None) -> np.ndarray:
    span = span or (0, len(values))
    focus = follow(lambda frame: values[frame], span=span, wanted=span, fps=FPS)
    assert focus is not None
    return focus


def test_a_still_subject_is_followed_exactly() -> None:
    np.testing.assert_allclose(followed([0.4] * 30), 0.4, rtol=1e-12)


def test_a_steady_walk_is_followed_without_lag() -> None:
    walk = np.linspace(0.2, 0.8, 60)
    inner = slice(margins(FPS)[1], -margins(FPS)[1])
    # a symmetric kernel keeps a ramp; worst seen 1.1e-16
    np.testing.assert_allclose(followed(walk.tolist())[inner], walk[inner], rtol=0, atol=1e-12)


def test_jitter_is_smoothed() -> None:
    noise = 0.5 + 0.02 * np.random.default_rng(0).standard_normal(200)
    # a Gaussian of 1.9 frames leaves 0.38 of white noise; seen 0.43
    assert followed(noise.tolist()).std() < 0.5 * noise.std()


def test_an_empty_mask_holds_the_focus_and_then_eases_back_on() -> None:
    values = [0.3] * 20 + [None] * 15 + [0.7] * 30
    focus = followed(values)
    assert len(focus) == len(values)
    np.testing.assert_allclose(focus[:35], 0.3, rtol=1e-12)
    ease = math.ceil(EASE_ON_S * FPS)
    steps = np.diff(focus[34 : 35 + ease])
    assert (steps > 0).all()
    # the steepest of the Hermite step is 1.5 times the mean
    assert steps.max() <= 1.5 * 0.4 / (EASE_ON_S * FPS) + 1e-9
    np.testing.assert_allclose(focus[35 + ease :], 0.7, rtol=1e-12)


def test_leading_empty_frames_take_the_first_sight() -> None:
    np.testing.assert_allclose(followed([None] * 7 + [0.6] * 5), 0.6, rtol=1e-12)


def test_trailing_empty_frames_hold() -> None:
    focus = followed([0.6] * 12 + [None] * 50)
    assert len(focus) == 62
    np.testing.assert_allclose(focus, 0.6, rtol=1e-12)


def test_a_single_sight_holds_on_both_sides() -> None:
    assert followed([None, 0.25, None]).tolist() == [0.25, 0.25, 0.25]


def test_a_subject_that_is_never_seen_has_no_focus() -> None:
    assert follow(lambda frame: None, span=(0, 9), wanted=(2, 4), fps=FPS) is None


seen = st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=120)


@given(seen, st.integers(0, 119), st.integers(1, 40))
def test_a_frame_does_not_depend_on_which_are_asked_for(values: list, start: int, length: int) -> None:
    # runs of the length that real subjects have: each drawn value stands for four frames
    values = [value for value in values for _ in range(4)]
    span = (0, len(values))
    whole = follow(lambda frame: values[frame], span=span, wanted=span, fps=FPS)
    start = min(start, len(values) - 1)
    wanted = (start, min(start + length, len(values)))
    part = follow(lambda frame: values[frame], span=span, wanted=wanted, fps=FPS)
    if whole is None:
        assert part is None
    else:
        assert part is not None
        np.testing.assert_array_equal(part, whole[slice(*wanted)])


@given(seen)
def test_the_focus_stays_within_what_was_seen(values: list) -> None:
    present = [value for value in values if value is not None]
    if present:
        focus = followed(values)
        assert len(focus) == len(values)
        assert np.isfinite(focus).all()
        assert focus.min() >= min(present) - 1e-12
        assert focus.max() <= max(present) + 1e-12


def shots_followed(values: list, shots: list[int], wanted: tuple[int, int] | None = None) -> list[float]:
    wanted = wanted or (shots[0], shots[-1])
    return follow_shots(lambda frame: values[frame], shots=shots, wanted=wanted, fps=FPS).tolist()


def test_nothing_is_smoothed_across_a_cut() -> None:
    assert shots_followed([0.2] * 5 + [0.9] * 5, [0, 5, 10]) == pytest.approx([0.2] * 5 + [0.9] * 5)


def test_nothing_is_held_into_a_shot_that_shows_the_subject_later() -> None:
    assert shots_followed([0.2] * 5 + [None] * 2 + [0.9] * 3, [0, 5, 10]) == pytest.approx([0.2] * 5 + [0.9] * 5)


def test_a_shot_without_the_subject_holds_the_shot_before() -> None:
    values = [0.2] * 5 + [None] * 5 + [0.9] * 5
    assert shots_followed(values, [0, 5, 10, 15]) == pytest.approx([0.2] * 10 + [0.9] * 5)
    assert shots_followed(values, [0, 5, 10, 15], (6, 12)) == pytest.approx([0.2] * 4 + [0.9] * 2)


def test_shots_before_the_first_sight_take_it() -> None:
    assert shots_followed([None] * 5 + [0.9] * 5, [0, 5, 10]) == pytest.approx([0.9] * 10)


def test_a_mask_that_is_empty_throughout_is_refused() -> None:
    with pytest.raises(InputError, match="mask is empty in all frames from 0 to 9"):
        shots_followed([None] * 10, [0, 4, 10])
