"""Shares of subject and background that are blurred and sharp by mistake, of cases known by construction."""

import numpy as np
import pytest

from any2bokeh.evaluation.metrics.misplaced_blur import apart, misplaced_blur

WIDTH, HEIGHT = 1024, 64


def _subject() -> np.ndarray:
    subject = np.zeros((HEIGHT, WIDTH), np.bool_)
    subject[:, 200:400] = True
    return subject


def test_a_sharp_subject_before_a_blurred_background_is_without_mistake():
    subject = _subject()
    radius = np.where(subject, 0.5, 8).astype(np.float32)
    found = misplaced_blur(radius, subject)
    assert (found.subject_blurred, found.background_sharp) == (0, 0)


def test_shares_are_of_the_pixels_away_from_the_outline():
    subject = _subject()
    radius = np.where(subject, 0.5, 8).astype(np.float32)
    radius[:, 200:212] = 8  # 6 px of it lie within the outline, 6 within the 188 that are judged
    radius[:, 500:600] = 0  # sharp, of 194 + 618 columns
    found = misplaced_blur(radius, subject)
    assert found.subject_blurred == pytest.approx(6 / 188)
    assert found.background_sharp == pytest.approx(100 / (194 + 618))


def test_what_is_sharp_does_not_depend_on_the_size_of_the_frame():
    subject = _subject()
    radius = np.where(subject, 0.9, 1.1).astype(np.float32)
    small = misplaced_blur(radius[::2, ::2] * np.float32(0.5), subject[::2, ::2])
    assert (small.subject_blurred, small.background_sharp) == (0, 0)
    turned = misplaced_blur(np.ascontiguousarray(radius.T), np.ascontiguousarray(subject.T))
    assert (turned.subject_blurred, turned.background_sharp) == (0, 0)


def test_a_frame_without_subject_has_background_alone():
    found = misplaced_blur(np.zeros((HEIGHT, WIDTH), np.float32), np.zeros((HEIGHT, WIDTH), np.bool_))
    assert (found.subject_blurred, found.background_sharp) == (None, 1)
    found = misplaced_blur(np.full((HEIGHT, WIDTH), 9, np.float32), np.ones((HEIGHT, WIDTH), np.bool_))
    assert (found.subject_blurred, found.background_sharp) == (1, None)


def test_the_outline_belongs_to_neither_side():
    inner, outer = apart(_subject(), 3)
    assert np.flatnonzero(inner[0])[[0, -1]].tolist() == [203, 396]
    assert np.flatnonzero(~outer[0])[[0, -1]].tolist() == [197, 402]
