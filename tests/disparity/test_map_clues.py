"""Depth that is read as disparity is told, with the option that mends it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.disparity import DisparityReading, Polarity, open_disparity
from any2bokeh.errors import InputError

RELIEF = np.linspace(0, 1, 48, dtype=np.float32).reshape(6, 8)


def told_of(path: Path, polarity: Polarity | None, frames: int = 3) -> list[str]:
    told: list[str] = []
    reading = DisparityReading(polarity=polarity)
    open_disparity(path, clip_frame_count=frames, reading=reading, notice=told.append)
    return told


def floats(path: Path, values: np.ndarray) -> Path:
    np.save(path / "d.npy", np.stack([values] * 3))
    return path / "d.npy"


def pictures(path: Path, codes: np.ndarray) -> Path:
    for number in range(3):
        cv2.imwrite(str(path / f"{number}.png"), codes)
    return path


@pytest.mark.parametrize("polarity", [None, "near-white", "near-black"])
def test_a_sky_of_blender_is_told(tmp_path: Path, polarity: Polarity | None) -> None:
    [remark] = told_of(floats(tmp_path, np.where(RELIEF > 0.9, 1e10, 2 + 6 * RELIEF)), polarity)
    assert remark.endswith("pass --disparity-kind depth")


@pytest.mark.parametrize(("highest", "kind"), [(8, "depth"), (60, "depth"), (4000, "depth-mm")])
def test_metres_and_millimetres_under_near_black_are_told(tmp_path: Path, highest: float, kind: str) -> None:
    [remark] = told_of(floats(tmp_path, highest * (0.2 + 0.8 * RELIEF)), "near-black")
    assert remark.endswith(f"pass --disparity-kind {kind}")


@pytest.mark.parametrize("polarity", [None, "near-black"])
def test_pictures_of_a_depth_camera_are_told(tmp_path: Path, polarity: Polarity | None) -> None:
    codes = (600 + 5000 * RELIEF).astype(np.uint16)
    codes[2:4, 2] = 0
    [remark] = told_of(pictures(tmp_path, codes), polarity)
    assert "from 600 to 5600 and holes" in remark
    assert remark.endswith("pass --disparity-kind depth-mm")


def test_infinity_as_disparity_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pass --disparity-kind depth$"):
        told_of(floats(tmp_path, np.where(RELIEF > 0.9, np.inf, 2.0)), "near-black")


@pytest.mark.parametrize("polarity", [None, "near-black"])
@pytest.mark.parametrize("scale", [255, 65535])
def test_disparity_in_pictures_is_not_told(tmp_path: Path, polarity: Polarity | None, scale: int) -> None:
    codes = np.rint(RELIEF * scale).astype(np.uint8 if scale == 255 else np.uint16)
    assert told_of(pictures(tmp_path, codes), polarity) == []


def test_disparity_in_floats_is_not_told(tmp_path: Path) -> None:
    assert told_of(floats(tmp_path, RELIEF), "near-black") == []
    assert told_of(floats(tmp_path, 90 * RELIEF), "near-white") == []  # pixels of a stereo pair


def test_who_says_disparity_is_not_asked_again(tmp_path: Path) -> None:
    told: list[str] = []
    path = floats(tmp_path, 8 * RELIEF)
    reading = DisparityReading(kind="disparity", polarity="near-black")
    open_disparity(path, clip_frame_count=3, reading=reading, notice=told.append)
    assert told == []
