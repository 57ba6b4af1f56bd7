"""What is measured around a subject without ground truth: cases whose value is known."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from any2bokeh.evaluation.metrics.flicker import FlickerMeter, inside, outline, outside
from any2bokeh.evaluation.metrics.glow import GlowMeter, glow
from any2bokeh.evaluation.metrics.misplaced_blur import MisplacedBlurMeter
from any2bokeh.evaluation.metrics.sharpness import SharpnessMeter
from any2bokeh.evaluation.metrics.source_frame import SourceFrame
from any2bokeh.evaluation.metrics.vepi import VepiMeter, vepi
from any2bokeh.renderers.base import RenderInput
from tests.evaluation.pictures import picture, truth_frame

WIDTH, HEIGHT = 128, 96
LEFT, RIGHT, TOP, BOTTOM = 40, 88, 24, 72


def subject() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[TOP:BOTTOM, LEFT:RIGHT] = True
    return mask


def frame(source, *, before=None, mask=None, blur_strength=32.0) -> SourceFrame:
    mask = subject() if mask is None else mask
    return SourceFrame(
        source=source,
        disparity=np.where(mask, 0.8, 0.2).astype(np.float32),
        focus_disparity=0.8,
        blur_strength=blur_strength,
        source_before=before,
        subject=mask,
        transfer="none",
    )


def texture(seed: int = 0) -> np.ndarray:
    return picture(seed, width=WIDTH, height=HEIGHT)


def scores(meter, *pairs):
    for prediction, one in pairs:
        meter.add(prediction, one)
    return meter.scores()


def test_vepi_of_the_source_is_1_and_forgives_contrast():
    assert vepi(texture(), texture(), subject()) == pytest.approx(1)
    assert vepi(texture() * np.float32(0.5), texture(), subject()) == pytest.approx(1)


def test_vepi_is_the_correlation_of_sobel_magnitudes_inside_the_dilated_mask():
    source, result = texture(0), texture(1)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    # The mask is a rectangle, so the distance from it is known; 10 px of 1024 are 1.25 of 128.
    away = np.hypot(
        np.maximum(np.maximum(LEFT - columns, columns - RIGHT + 1), 0),
        np.maximum(np.maximum(TOP - rows, rows - BOTTOM + 1), 0),
    )
    within = away <= 1.25
    assert within.sum() > subject().sum()
    a, b = (magnitude(one)[within] for one in (result, source))
    assert vepi(result, source, subject()) == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-5)


def magnitude(one):
    luma = np.pad(one.astype(np.float64) @ [0.299, 0.587, 0.114], 1, mode="reflect")
    smooth_down = luma[:-2] + 2 * luma[1:-1] + luma[2:]
    smooth_across = luma[:, :-2] + 2 * luma[:, 1:-1] + luma[:, 2:]
    return np.hypot(smooth_down[:, 2:] - smooth_down[:, :-2], smooth_across[2:] - smooth_across[:-2])


def test_vepi_does_not_look_at_the_background():
    result = texture()
    away = cv2.dilate(subject().astype(np.uint8), np.ones((9, 9))) == 0
    result[away] = 0.5
    assert vepi(result, texture(), subject()) == pytest.approx(1)
    blurred = vepi(np.asarray(cv2.GaussianBlur(texture(), (0, 0), 3), np.float32), texture(), subject())
    assert blurred is not None
    assert blurred < 0.8


def test_vepi_of_a_clip_is_the_mean_of_the_frames_with_a_subject():
    nobody = np.zeros_like(subject())
    found = scores(
        VepiMeter(),
        (texture(0), frame(texture(0))),
        (texture(1), frame(texture(2))),
        (texture(3), frame(texture(4), mask=nobody)),
    )
    assert found["vepi"] == pytest.approx((1 + (vepi(texture(1), texture(2), subject()) or 0)) / 2)
    assert scores(VepiMeter(), (texture(), frame(texture(), mask=nobody))) == {}
    assert scores(VepiMeter(), (np.full_like(texture(), 0.5), frame(texture()))) == {}


def test_sharpness_is_the_share_of_contrast_that_a_blur_leaves():
    wave = 0.5 + 0.4 * np.sin(2 * np.pi * np.arange(WIDTH) / 12)
    source = np.broadcast_to(wave[None, :, None], (HEIGHT, WIDTH, 3)).astype(np.float32)
    assert scores(SharpnessMeter(), (source, frame(source)))["sharpness_kept"] == pytest.approx(1)
    sigma = 2.0
    blurred = np.asarray(cv2.GaussianBlur(source, (0, 0), sigma), np.float32)
    left = np.exp(-2 * (np.pi * sigma / 12) ** 2)
    # Worst seen: 0.002, of the sampled Gaussian.
    assert scores(SharpnessMeter(), (blurred, frame(source)))["sharpness_kept"] == pytest.approx(left, abs=0.01)
    assert scores(SharpnessMeter(), (np.full_like(source, 0.5), frame(source)))["sharpness_kept"] == 0
    assert scores(SharpnessMeter(), (source, replace_subject(frame(source), None))) == {}


def replace_subject(one: SourceFrame, mask) -> SourceFrame:
    return replace(one, subject=mask)


def red_on_blue(share_of_red_around: float) -> np.ndarray:
    """A red subject; around it blue with some red in it."""
    around = np.array([share_of_red_around, 0, 1 - share_of_red_around], np.float32)
    return np.where(subject()[..., None], np.array([1, 0, 0], np.float32), around).astype(np.float32)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25])
def test_glow_is_the_share_of_the_subjects_light_around_it(share):
    known = frame(red_on_blue(0))
    assert scores(GlowMeter(), (red_on_blue(share), known))["glow"] == pytest.approx(share, abs=1e-4)
    truth = truth_frame(red_on_blue(0), subject=subject())
    truth.transfer = "none"
    assert scores(GlowMeter(), (red_on_blue(share), truth))["glow"] == pytest.approx(share, abs=1e-4)


def test_glow_is_measured_in_light():
    code = np.float32(0.735)  # srgb of about half the light
    light = ((code + 0.055) / 1.055) ** 2.4
    one = np.where(subject()[..., None], np.float32(1), np.float32(0)) * np.ones(3, np.float32)
    hazy = np.where(subject()[..., None], np.float32(1), code) * np.ones(3, np.float32)
    truth = truth_frame(np.ascontiguousarray(one, np.float32), subject=subject())
    assert scores(GlowMeter(), (np.ascontiguousarray(hazy, np.float32), truth))["glow"] == pytest.approx(
        light, abs=1e-3
    )


def test_glow_of_a_subject_out_of_focus_is_known_with_a_truth_alone():
    near = frame(red_on_blue(0))
    near.focus_disparity = 0.2
    assert scores(GlowMeter(), (red_on_blue(0.2), near)) == {}


def test_what_is_farther_from_the_subject_than_expected_is_negative():
    expected, towards = np.full((2, 2, 3), 0.5, np.float32), np.full((2, 2, 3), 1, np.float32)
    band = np.ones((2, 2), np.bool_)
    a, b = glow(np.full((2, 2, 3), 0.4, np.float32), expected, towards, band)
    assert a / b == pytest.approx(-0.2, abs=1e-6)


def test_flicker_is_over_that_of_the_source():
    still = texture()
    shimmering = still.copy()
    shimmering[subject()] += np.float32(0.1)
    shimmering[~subject()] += np.float32(0.2)
    meter = FlickerMeter({"inside": inside, "outside": outside})
    calm = still.copy()
    calm[subject()] += np.float32(0.05)
    calm[~subject()] += np.float32(0.05)
    first, second = frame(still), frame(shimmering, before=still)
    second.source_flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)  # motion that is known, not searched for
    found = scores(meter, (still, first), (calm, second))
    assert found["flicker_inside"] == pytest.approx(0.5, abs=1e-4)
    assert found["flicker_outside"] == pytest.approx(0.25, abs=1e-4)
    assert found["flicker_added_inside"] == found["flicker_added_outside"] == 0


def test_flicker_that_the_source_does_not_have_is_added():
    still, there = texture(), np.zeros((HEIGHT, WIDTH), np.bool_)
    there[:4] = True
    shimmering, flickering = still.copy(), still.copy()
    shimmering[there] += np.float32(0.2)  # what the result holds still makes up for nothing
    flickering[~there] += np.float32(0.1)
    second = frame(shimmering, before=still)
    second.source_flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    found = scores(FlickerMeter({"all": lambda _: np.ones_like(there)}), (still, frame(still)), (flickering, second))
    source, added = 0.2 * there.sum(), 0.1 * (~there).sum()
    assert found["flicker_added_all"] == pytest.approx(added / source, rel=1e-4)


def test_the_source_flickers_as_itself_and_what_is_carried_along_does_not():
    wide = picture(3, width=WIDTH + 8, height=HEIGHT)
    before, after = (np.ascontiguousarray(wide[:, start : start + WIDTH]) for start in (4, 2))
    noisy = np.clip(after + 0.05 * np.random.default_rng(0).standard_normal(after.shape), 0, 1).astype(np.float32)
    for prediction, expected in ((noisy, 1.0), (after, 0.0)):
        one = frame(noisy, before=before)
        one.source_flow = np.full((HEIGHT, WIDTH, 2), (2, 0), np.float32)
        found = scores(FlickerMeter({"inside": inside}), (before, frame(before)), (prediction, one))
        assert found["flicker_inside"] == pytest.approx(expected, abs=1e-4)


def test_regions_need_a_subject():
    one = replace_subject(frame(texture()), None)
    assert (inside(one), outside(one), outline(one)) == (None, None, None)
    band = outline(frame(texture()))
    assert band is not None
    assert np.flatnonzero(band[48]).tolist() == [*range(LEFT - 12, LEFT + 12), *range(RIGHT - 12, RIGHT + 12)]


def test_blur_by_mistake_is_of_what_the_renderer_is_told():
    meter = MisplacedBlurMeter()
    mask = subject()
    told = np.where(mask, 0.8, 0.2).astype(np.float32)
    told[:, : WIDTH // 2] = 0.8  # a map that takes the left of the picture for the subject, and the right for far away
    told[:, WIDTH // 2 :] = 0.2
    meter.add(RenderInput(texture().transpose(2, 0, 1), told[None], 0.8, 32.0), mask)
    meter.add(RenderInput(texture().transpose(2, 0, 1), told[None], 0.8, 0.0), mask)  # no blur, nothing to say
    found = meter.scores()
    assert found["subject_blurred"] == pytest.approx(0.5, abs=0.03)
    assert found["background_sharp"] == pytest.approx(0.5, abs=0.03)
    assert MisplacedBlurMeter().scores() == {}


def test_large_frames_are_measured_reduced():
    large = picture(0, width=1024, height=64)
    one = SourceFrame(source=large, disparity=np.zeros((64, 1024), np.float32), focus_disparity=0.5, blur_strength=8.0)
    assert one.reduced(large).shape == (32, 512, 3)
    assert one.reduced_disparity.shape == (32, 512)
    small = frame(texture())
    assert small.reduced(texture()).shape == texture().shape
