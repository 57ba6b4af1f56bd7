"""Clips: the same from the same seed, and what they say is what they are."""

import json

import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.synthesis.maker import ClipConfig, ClipMaker
from any2bokeh.synthesis.scene import SceneConfig

SMALL = ClipConfig(width=80, height=48, frame_count=4, lens_samples=16, in_focus_samples=16)


def test_part_of_a_clip_is_that_part_of_the_whole():
    maker = ClipMaker(SMALL, seed=2, count=3)
    whole, part = maker.clip(1), ClipMaker(SMALL, seed=2, count=30).clip(1, 1, 3)
    np.testing.assert_array_equal(part.bokeh, whole.bokeh[1:3])
    np.testing.assert_array_equal(part.frames, whole.frames[1:3])
    np.testing.assert_array_equal(part.disparity, whole.disparity[1:3])
    np.testing.assert_array_equal(part.masks, whole.masks[1:3])
    np.testing.assert_array_equal(part.blur_strength, whole.blur_strength[1:3])
    assert np.any(maker.clip(2).frames != whole.frames)
    assert np.any(ClipMaker(SMALL, seed=3, count=3).clip(1).frames != whole.frames)


def test_values_lie_in_their_ranges():
    for transfer in ("srgb", "none"):
        config = ClipConfig(80, 48, 3, lens_samples=8, in_focus_samples=8, transfer=transfer, round_aperture=0.5)
        clip = ClipMaker(config, seed=1).clip(0)
        for name in ("frames", "bokeh", "disparity", "masks"):
            values = getattr(clip, name)
            assert values.dtype == np.float32
            assert 0 <= values.min() <= values.max() <= 1
        assert np.all(clip.masks.sum(axis=1) <= 1 + 1e-5), "subjects hide one another"
        assert json.loads(json.dumps(clip.about)) == clip.about
        assert clip.about["transfer"] == transfer


def test_without_blur_bokeh_is_the_frame_itself():
    config = ClipConfig(80, 48, 2, lens_samples=64, in_focus_samples=64, blur_strength=(0, 0), schedules=("fixed",))
    clip = ClipMaker(config, seed=5).clip(0)
    np.testing.assert_array_equal(clip.bokeh, clip.frames)


def test_stronger_lens_blurs_more():
    def change(strength: float) -> float:
        config = ClipConfig(80, 48, 1, 32, 32, blur_strength=(strength, strength), schedules=("fixed",))
        clip = ClipMaker(config, seed=5).clip(0)
        return float(np.abs(clip.bokeh - clip.frames).mean())

    assert 0.003 < change(16) < change(64) < change(256)


def test_masks_are_where_subjects_are():
    """Pixels that a subject fills are nearer than the background; pixels of none are background."""
    config = ClipConfig(80, 48, 2, lens_samples=1, in_focus_samples=64, scene=SceneConfig.paper())
    clip = ClipMaker(config, seed=4).clip(0)
    share = clip.masks.sum(axis=1, keepdims=True)
    assert (share > 0.99).any()
    assert clip.disparity[share > 0.99].min() > 0.1
    assert clip.disparity[share < 0.01].max() < 0.06


def test_progress_is_told_frame_by_frame():
    said = []
    ClipMaker(SMALL, seed=0).clip(0, 1, progress=lambda done, total: said.append((done, total)))
    assert said == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"width": 8}, "width is 8; give 16 or more"),
        ({"frame_count": 0}, "frame count is 0; give 1 or more"),
        ({"transfer": "pq"}, "transfer is 'pq'"),
        ({"blur_strength": (9, 3)}, "blur strengths run from 9 to 3"),
    ],
)
def test_impossible_clips_are_refused(changes, said):
    with pytest.raises(InputError, match=said):
        ClipConfig(**changes)
