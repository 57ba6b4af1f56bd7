"""Shards: what goes in comes out, and what is no shard is told in one line."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.synthesis import shard
from any2bokeh.synthesis.clip import SyntheticClip


def clip(frame_count: int = 5, seed: int = 0) -> SyntheticClip:
    rng = np.random.default_rng(seed)

    def part(channels: int) -> np.ndarray:
        return rng.random((frame_count, channels, 18, 32), np.float32)

    return SyntheticClip(
        frames=part(3), disparity=part(1), masks=part(2), focus_disparity=rng.uniform(0, 1, frame_count),
        blur_strength=rng.uniform(0, 32, frame_count), bokeh=part(3), about={"seed": seed},
    )  # fmt: skip


def test_clip_comes_back_to_within_half_a_step(tmp_path):
    written = clip()
    shard.write(tmp_path / "a.safetensors", written)
    read = shard.read(tmp_path / "a.safetensors")
    half = np.float32(1e-6)
    assert np.abs(read.frames - written.frames).max() <= 0.5 / 255 + half
    assert np.abs(read.bokeh - written.bokeh).max() <= 0.5 / 255 + half
    assert np.abs(read.masks - written.masks).max() <= 0.5 / 255 + half
    assert np.abs(read.disparity - written.disparity).max() <= 0.5 / 65535 + half
    np.testing.assert_array_equal(read.focus_disparity, written.focus_disparity)
    np.testing.assert_array_equal(read.blur_strength, written.blur_strength)
    assert read.about == {"seed": 0}
    assert read.frames.dtype == read.disparity.dtype == np.float32
    assert list(tmp_path.iterdir()) == [tmp_path / "a.safetensors"]


def test_transposed_arrays_come_back_in_place(tmp_path):
    whole = clip()
    turned = np.ascontiguousarray(whole.frames.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)  # as (H, W, 3) files lie
    shard.write(tmp_path / "a.safetensors", dataclasses.replace(whole, frames=turned))
    assert np.abs(shard.read(tmp_path / "a.safetensors").frames - whole.frames).max() <= 0.5 / 255 + 1e-6


def test_second_writing_changes_nothing(tmp_path):
    """What was rounded once stays as it is."""
    shard.write(tmp_path / "a.safetensors", clip())
    shard.write(tmp_path / "b.safetensors", shard.read(tmp_path / "a.safetensors"))
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_window_equals_that_part_of_the_whole(tmp_path):
    shard.write(tmp_path / "a.safetensors", clip())
    whole, part = shard.read(tmp_path / "a.safetensors"), shard.read(tmp_path / "a.safetensors", 1, 4)
    np.testing.assert_array_equal(part.bokeh, whole.bokeh[1:4])
    np.testing.assert_array_equal(part.window(1, 2).disparity, whole.disparity[2:3])
    with pytest.raises(InputError, match=r"frames 3 to 9 are not in .*which has 5"):
        shard.read(tmp_path / "a.safetensors", 3, 9)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({shard.FORMAT: '{"version": 2}'}, "version 2; this release reads version 1.*again"),
        ({"format": "other"}, "no clip of any2bokeh"),
        ({}, "no clip of any2bokeh"),
    ],
)
def test_other_shards_are_refused(tmp_path, metadata, said):
    from safetensors.numpy import save_file

    save_file({"frames": np.zeros((1, 3, 4, 4), np.uint8)}, tmp_path / "a.safetensors", metadata=metadata or None)
    for use in (shard.read, shard.about, shard.frame_count):
        with pytest.raises(InputError, match=said):
            use(tmp_path / "a.safetensors")


def test_damaged_and_missing_shards_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    shard.write(path, clip())
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="damaged"):
        shard.read(path)
    with pytest.raises(InputError, match="no shard"):
        shard.read(tmp_path / "b.safetensors")


def test_failed_writing_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="cannot write"):
        shard.write(tmp_path / "none" / "a.safetensors", clip())
    with pytest.raises(InputError, match="must end in"):
        shard.write(tmp_path / "a.pt", clip())
    (tmp_path / "b.safetensors").mkdir()
    with pytest.raises(InputError, match="cannot write"):
        shard.write(tmp_path / "b.safetensors", clip())
    assert [path.name for path in tmp_path.iterdir()] == ["b.safetensors"]


def test_folder_of_unlike_or_no_clips_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        shard.ShardFolder(tmp_path / "none")
    with pytest.raises(InputError, match="holds no clips"):
        shard.ShardFolder(tmp_path)
    shard.write(tmp_path / shard.name(0), clip(5))
    shard.write(tmp_path / shard.name(1), clip(4))
    with pytest.raises(InputError, match=r"has 4 frames but 00000\.safetensors has 5"):
        shard.ShardFolder(tmp_path)


def test_clip_of_unlike_parts_is_refused():
    good = clip()
    with pytest.raises(InputError, match=r"disparity of the clip has shape \(4, 1, 18, 32\)"):
        SyntheticClip(good.frames, good.disparity[:4], good.masks, good.focus_disparity, good.blur_strength, good.bokeh)


def test_reading_shards_needs_no_torch(tmp_path):
    shard.write(tmp_path / "a.safetensors", clip())
    program = (
        "import json, sys; from any2bokeh.synthesis import shard; "
        f"print(json.dumps([shard.read({str(tmp_path / 'a.safetensors')!r}).frame_count, 'torch' in sys.modules]))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout) == [5, False]
