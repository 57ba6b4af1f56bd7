"""Small pictures of a clip."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.video import open_source
from any2bokeh.video.reduced import ReducedPictures, reduced_size
from tests import clips


def test_pictures_are_reduced_by_area(frame_folder: Path):
    with open_source(frame_folder) as source:
        [picture] = ReducedPictures(source, long_side_px=32).frames(3, 4)
    assert (picture.shape, picture.dtype) == ((24, 32, 3), np.uint8)
    mean = clips.picture(3).reshape(24, 2, 32, 2, 3).mean(axis=(1, 3))
    assert np.abs(picture - mean).max() <= 1


def test_a_small_clip_keeps_its_size_and_its_pixels(frame_folder: Path):
    with open_source(frame_folder) as source:
        pictures = list(ReducedPictures(source, long_side_px=480).frames())
    assert len(pictures) == clips.FRAMES
    np.testing.assert_array_equal(pictures[7], clips.picture(7))


def test_frames_are_counted_from_the_first(frame_folder: Path):
    with open_source(frame_folder) as source:
        pictures = list(ReducedPictures(source, long_side_px=480, first=4).frames(1, 3))
    assert len(pictures) == 2
    np.testing.assert_array_equal(pictures[0], clips.picture(5))


@pytest.mark.parametrize(
    ("width", "height", "size"), [(960, 540, (480, 270)), (1080, 1920, (270, 480)), (5000, 2, (480, 1))]
)
def test_the_longer_side_is_bounded(tmp_path: Path, width: int, height: int, size: tuple[int, int]):
    with open_source(clips.write_frames(tmp_path / "frames", frames=1)) as source:
        assert reduced_size(replace(source.info, width=width, height=height), 480) == size
