"""Training items are functions of the seed and the index, and of nothing else."""

from typing import cast

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from any2bokeh.errors import InputError
from any2bokeh.synthesis import shard
from any2bokeh.synthesis.dataset import ClipDataset, ClipItem
from any2bokeh.synthesis.maker import ClipConfig, ClipMaker
from any2bokeh.synthesis.perturb import Perturbation

SMALL = ClipConfig(width=64, height=48, frame_count=5, lens_samples=4, in_focus_samples=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three clips on disk."""
    place = tmp_path_factory.mktemp("clips")
    maker = ClipMaker(SMALL, seed=1, count=3)
    for index in range(3):
        shard.write(place / shard.name(index), maker.clip(index))
    return place


def same(one: ClipItem, other: ClipItem) -> bool:
    return all(torch.equal(one[name], other[name]) for name in ClipItem.__annotations__)


def test_items_do_not_depend_on_workers_or_order(folder):
    dataset = ClipDataset(
        shard.ShardFolder(folder), frame_count=2, length=8, seed=3, perturbation=Perturbation(probability=0.5)
    )
    alone = [dataset[i] for i in reversed(range(8))][::-1]
    loaded = list(DataLoader(dataset, batch_size=None, num_workers=2))
    assert all(same(one, cast(ClipItem, other)) for one, other in zip(alone, loaded, strict=True))
    again = ClipDataset(
        shard.ShardFolder(folder), frame_count=2, length=100, seed=3, perturbation=Perturbation(probability=0.5)
    )
    assert same(again[7], alone[7]), "a longer run has the same items"
    other_seed = ClipDataset(shard.ShardFolder(folder), frame_count=2, length=8, seed=4)
    assert not all(torch.equal(other_seed[i]["frames"], alone[i]["frames"]) for i in range(8))


def test_each_pass_takes_every_clip_once(folder):
    dataset = ClipDataset(shard.ShardFolder(folder), length=12, seed=0)
    passes = [[dataset.clip_index(i) for i in range(first, first + 3)] for first in range(0, 12, 3)]
    assert all(sorted(one) == [0, 1, 2] for one in passes)
    assert len({tuple(one) for one in passes}) > 1


def test_items_hold_what_the_clip_does(folder):
    clips = shard.ShardFolder(folder)
    item = ClipDataset(clips, frame_count=3, shuffle=False)[1]
    clip = clips.clip(1, 0, 3)
    np.testing.assert_array_equal(item["frames"], clip.frames)
    np.testing.assert_array_equal(item["bokeh"], clip.bokeh)
    np.testing.assert_array_equal(item["disparity"], clip.disparity)
    np.testing.assert_allclose(item["mask"], np.minimum(clip.masks.sum(axis=1, keepdims=True), 1))
    np.testing.assert_allclose(item["blur_strength"], clip.blur_strength, rtol=1e-6)
    assert {tensor.dtype for tensor in cast(dict, item).values()} == {torch.float32}


def test_perturbation_changes_disparity_alone(folder):
    clips = shard.ShardFolder(folder)
    exact = ClipDataset(clips, seed=2, length=3)
    wrong = ClipDataset(clips, seed=2, length=3, perturbation=Perturbation(1.0, elastic_px=60, morphology_px=60))
    for i in range(3):
        assert not torch.equal(exact[i]["disparity"], wrong[i]["disparity"])
        for name in ("frames", "bokeh", "mask", "focus_disparity", "blur_strength"):
            assert torch.equal(exact[i][name], wrong[i][name])


def test_clips_made_in_workers_are_those_on_disk(folder):
    made = ClipDataset(ClipMaker(SMALL, seed=1, count=3), frame_count=2, length=4, seed=5)
    read = ClipDataset(shard.ShardFolder(folder), frame_count=2, length=4, seed=5)
    for i, one in enumerate(DataLoader(made, batch_size=None, num_workers=1)):
        other = read[i]
        assert (one["bokeh"] - other["bokeh"]).abs().max() <= 0.51 / 255
        assert (one["disparity"] - other["disparity"]).abs().max() <= 0.51 / 65535


def test_window_longer_than_the_clips_is_refused(folder):
    with pytest.raises(InputError, match="windows have 9 frames but the clips have 5"):
        ClipDataset(shard.ShardFolder(folder), frame_count=9)
    with pytest.raises(IndexError):
        ClipDataset(shard.ShardFolder(folder))[3]
