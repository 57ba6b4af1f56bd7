"""Frames with layer truth: what they say of their surfaces agrees with the pictures, and comes from the seed alone."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.optics.transfer import srgb_decode, srgb_encode
from any2bokeh.synthesis.layer_compositing import LEAST_STEP, Layers
from any2bokeh.synthesis.layer_frames import layer_frames
from any2bokeh.synthesis.layer_scene import random_layer_scene
from any2bokeh.synthesis.layer_truth import LayerTruth
from any2bokeh.synthesis.texture_bank import TextureBank

SIZE = (96, 160)


@pytest.fixture(scope="module")
def scenes() -> list[Layers]:
    rng = np.random.default_rng(3)
    bank = TextureBank(rng, SIZE)
    return [random_layer_scene(rng, bank, SIZE, 1).frame(0) for _ in range(12)]


def test_both_colours_mixed_in_linear_light_are_the_picture(scenes: list[Layers]):
    for layers in scenes:
        truth = layers.resolved()
        mixed = truth.alpha * srgb_decode(truth.foreground) + (1 - truth.alpha) * srgb_decode(truth.background)
        # Worst seen: 4e-7, and 4e-7 for the picture that is composited in another way.
        assert np.abs(mixed - srgb_decode(truth.clean)).max() < 2e-6
        assert np.abs(mixed - layers.seen().transpose(2, 0, 1)).max() < 2e-6


def test_what_is_hidden_is_seen_when_the_nearest_surface_is_taken_away(scenes: list[Layers]):
    checked = 0
    for layers in scenes:
        truth = layers.resolved()
        first = (truth.shares > 1 / 128).argmax(axis=0)
        for taken in range(len(layers.coverage) - 1):
            rest = layers.without(taken + 1)
            where = truth.is_hidden_known & (first == taken)
            seen = srgb_encode(rest.seen()).transpose(2, 0, 1)
            # Worst seen: 1e-7, of code values.
            assert np.abs(truth.hidden - seen)[:, where].max(initial=0) < 2e-6
            checked += int(where.sum())
    assert checked > 5000


def test_shares_sum_to_one_and_the_largest_gives_the_disparity(scenes: list[Layers]):
    for layers in scenes:
        truth = layers.resolved()
        # Worst seen: 5e-7.
        assert np.abs(truth.shares.sum(axis=0) - 1).max() < 2e-6
        owner = truth.shares.argmax(axis=0)
        np.testing.assert_array_equal(truth.disparity, np.take_along_axis(layers.disparity, owner[None], 0)[0])


def test_the_seed_gives_the_frames_and_the_first_of_more():
    few, more = list(layer_frames(5, SIZE, 3)), list(layer_frames(5, SIZE, 4))
    assert all(_same(one, other) for one, other in zip(few, more[:3], strict=True))
    assert not _same(few[0], next(layer_frames(6, SIZE, 1)))


@pytest.mark.parametrize("frames_per_scene", [1, 3])
def test_frames_keep_what_the_contract_says(frames_per_scene: int):
    for frame in layer_frames(2, SIZE, 12, frames_per_scene):
        for field in dataclasses.fields(LayerTruth):
            value = getattr(frame, field.name)
            if field.name == "enlarged":
                assert isinstance(value, bool)
                continue
            assert value.shape[-2:] == SIZE, field.name
            assert value.dtype == (np.bool_ if field.name == "is_hidden_known" else np.float32), field.name
            assert value.min() >= 0, field.name  # NaN fails as well
            assert value.max() <= 1, field.name
        assert frame.pixels.shape == frame.foreground.shape == frame.hidden.shape == (3, *SIZE)
        assert frame.disparity.shape == frame.given.shape == (1, *SIZE)
        single = frame.near == frame.far
        np.testing.assert_array_equal(frame.near[single], frame.disparity[0][single])
        np.testing.assert_array_equal(frame.third[single], frame.far[single])
        # A curve makes the least step smaller; worst seen: 0.64 of it.
        assert (frame.near - frame.far)[~single].min(initial=1) >= 0.45 * LEAST_STEP
        pure_near = ~single & (frame.alpha == 1)
        np.testing.assert_array_equal(frame.disparity[0][pure_near], frame.near[pure_near])
        is_pure = (frame.alpha == 0) | (frame.alpha == 1)
        np.testing.assert_array_equal(frame.foreground[:, is_pure], frame.background[:, is_pure])
        assert (frame.hidden_disparity <= frame.near + LEAST_STEP)[frame.is_hidden_known].all()


def test_frames_of_a_scene_follow_one_another():
    first, second, other = layer_frames(11, SIZE, 3, frames_per_scene=2)
    within = np.abs(first.disparity - second.disparity).mean()
    assert 0 < within < np.abs(first.disparity - other.disparity).mean()
    assert first.enlarged == second.enlarged
    assert not np.array_equal(first.pixels, second.pixels)


def test_too_small_a_frame_is_refused():
    with pytest.raises(InputError, match="size 16x96"):
        next(layer_frames(0, (96, 16), 1))


def test_needs_neither_video_nor_torch():
    blocked = ("av", "OpenImageIO", "torch", "torchvision", "scipy", "safetensors")
    code = (
        f"import sys\nfor name in {blocked}: sys.modules[name] = None\n"
        "from any2bokeh.synthesis.layer_frames import layer_frames\n"
        "print(next(layer_frames(0, (32, 48), 1)).pixels.shape)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert said.stdout.strip() == "(3, 32, 48)", said.stderr


def _same(one: LayerTruth, other: LayerTruth) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(LayerTruth)
    )


def test_three_surfaces_that_meet_are_told_apart():
    height, width = 24, 40
    ramp = np.broadcast_to(np.arange(width, dtype=np.float32), (height, width))
    coverage = np.stack([np.clip(end - ramp, 0, 1) for end in (15.25, 19.5)] + [np.ones_like(ramp)])
    levels = np.array([0.9, 0.5, 0.1], np.float32)
    disparity = np.broadcast_to(levels[:, None, None], coverage.shape).copy()
    light = np.broadcast_to(np.array([0.8, 0.3, 0.05], np.float32)[:, None, None, None], (3, height, width, 3)).copy()
    truth = Layers(coverage, light, disparity).resolved()
    row = 12
    # Pixel 15 is a quarter of the nearest, pixel 19 a half of the next; the last pixel of a band is 6 px off.
    assert truth.alpha[row, 15] == pytest.approx(0.25)
    assert truth.alpha[row, 19] == pytest.approx(0.5)
    np.testing.assert_array_equal(truth.near[row, [8, 9, 15, 19, 25, 26]], levels[[0, 0, 0, 1, 1, 2]])
    np.testing.assert_array_equal(truth.far[row, [8, 9, 15, 19, 25, 26]], levels[[0, 1, 1, 2, 2, 2]])
    np.testing.assert_array_equal(truth.third[row, [12, 15, 19, 22, 25]], levels[[1, 2, 0, 2, 2]])
    np.testing.assert_allclose(srgb_decode(truth.foreground[:, row, 15]), 0.8, atol=1e-5)
    np.testing.assert_allclose(srgb_decode(truth.background[:, row, 15]), 0.3, atol=1e-5)
    # Behind the nearest is the next, and behind that the wall; what shows the wall hides nothing.
    np.testing.assert_allclose(srgb_decode(truth.hidden[:, row, [10, 17]]), [[0.3, 0.05]] * 3, atol=1e-5)
    np.testing.assert_array_equal(truth.hidden_disparity[row, [10, 17]], levels[[1, 2]])
    assert truth.is_hidden_known[row, 10]
    assert not truth.is_hidden_known[row, 30]
