"""Frames brought to what a depth model takes."""

import json
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.disparity.aspect import in_aspect_of
from any2bokeh.disparity.estimators.preprocessing import Preprocessing
from any2bokeh.errors import InputError

DEPTH_ANYTHING = Preprocessing(518, 518, multiple=14)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [((540, 960), (518, 924)), ((1080, 1920), (518, 924)), ((960, 540), (924, 518)), ((518, 518), (518, 518))],
)
def test_the_side_that_needs_less_scaling_fits(frame: tuple[int, int], expected: tuple[int, int]):
    assert DEPTH_ANYTHING.processed_size(*frame) == expected


@pytest.mark.parametrize("frame", [(48, 64), (360, 640), (1080, 1920), (2160, 4096), (721, 1283), (1000, 700)])
def test_sizes_are_those_of_the_library(frame: tuple[int, int]):
    from transformers.models.dpt.image_processing_pil_dpt import get_resize_output_image_size

    theirs = get_resize_output_image_size(
        np.zeros((3, *frame), np.uint8), (518, 518), keep_aspect_ratio=True, multiple=14
    )
    assert DEPTH_ANYTHING.processed_size(*frame) == (theirs["height"], theirs["width"])


def test_a_very_wide_frame_stays_bounded():
    height, width = DEPTH_ANYTHING.processed_size(60, 6000)
    assert width <= 4 * 518
    assert height % 14 == width % 14 == 0


def test_values_are_normalised():
    pixels = np.empty((3, 28, 28), np.float32)
    pixels[:] = np.array([0.2, 0.5, 1.4], np.float32)[:, None, None]  # above 1 counts as 1
    made = Preprocessing(28, 28, multiple=14, mean=(0.1, 0.2, 0.3), std=(0.5, 1, 2))(pixels)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made[:, 3, 5], [0.2, 0.3, 0.35], rtol=1e-6)


def test_the_folder_says_how(tmp_path: Path):
    said = {"size": {"height": 42, "width": 56}, "ensure_multiple_of": 7, "keep_aspect_ratio": False,
            "image_mean": [0, 0, 0], "image_std": [1, 1, 1]}  # fmt: skip
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    made = Preprocessing.of_folder(tmp_path, "depth_anything")
    assert made == Preprocessing(42, 56, keep_aspect=False, multiple=7, mean=(0, 0, 0), std=(1, 1, 1))
    assert made.processed_size(1080, 1920) == (42, 56)


def test_a_folder_that_says_nothing_takes_what_is_usual(tmp_path: Path):
    assert Preprocessing.of_folder(tmp_path, "depth_anything") == DEPTH_ANYTHING


@pytest.mark.parametrize("said", [{"size": {"height": 0, "width": 5}}, {"image_mean": [0.5]}, {"size": "large"}])
def test_a_folder_that_says_nonsense_is_refused(tmp_path: Path, said: dict):
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    with pytest.raises(InputError, match=r"preprocessor_config\.json has no usable size"):
        Preprocessing.of_folder(tmp_path, "dpt")


def test_a_squeezed_map_gets_the_aspect_of_its_frame_back():
    raw = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    made = in_aspect_of(raw, (540, 960))
    assert made.shape == (1, 48, 85)
    assert made[0, 20, 0] < made[0, 20, 42] < made[0, 20, -1]


def test_a_map_in_the_right_aspect_is_left_alone():
    raw = np.random.default_rng(0).random((518, 924)).astype(np.float32)
    np.testing.assert_array_equal(in_aspect_of(raw, (540, 960))[0], raw)
