"""The disparity of a clip: one scale, one polarity, one map for each frame."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.disparity import DisparityReading, open_disparity
from any2bokeh.errors import InputError

MAPS = np.random.default_rng(0).random((6, 4, 6)).astype(np.float32)


def write_folder(path: Path, numbers: range | list[int], *, shape: tuple[int, int] = (4, 6)) -> Path:
    path.mkdir()
    for number in numbers:
        assert cv2.imwrite(str(path / f"{number:05}.png"), np.full(shape, number, np.uint8))
    return path


def write_npy(path: Path, maps: np.ndarray = MAPS) -> Path:
    np.save(path, maps)
    return path


def test_maps_are_one_channel_float32_in_order(tmp_path: Path) -> None:
    source = open_disparity(write_folder(tmp_path / "d", range(12)), clip_frame_count=12)
    maps = list(source.frames())
    assert source.frame_count == 12
    assert {(m.shape, m.dtype.name) for m in maps} == {((1, 4, 6), "float32")}
    assert [round(float(m[0, 0, 0]) * 255) for m in maps] == list(range(12))
    assert [round(float(m[0, 0, 0]) * 255) for m in source.frames(3, 5)] == [3, 4]
    np.testing.assert_array_equal(source.at(7), maps[7])


def test_a_frame_that_is_not_there_is_a_defect_of_the_caller(tmp_path: Path) -> None:
    source = open_disparity(write_npy(tmp_path / "d.npy"), clip_frame_count=6)
    for index in (-1, 6):
        with pytest.raises(IndexError):
            source.at(index)


def test_near_black_turns_disparity_over(tmp_path: Path) -> None:
    path = write_npy(tmp_path / "d.npy")
    white = open_disparity(path, clip_frame_count=6, reading=DisparityReading(polarity="near-white"))
    black = open_disparity(path, clip_frame_count=6, reading=DisparityReading(polarity="near-black"))
    np.testing.assert_array_equal(black.at(2), 1 - white.at(2))
    np.testing.assert_array_equal(white.at(2)[0], MAPS[2])


def test_unknown_polarity_is_refused() -> None:
    with pytest.raises(InputError, match=r"polarity is 'white'; allowed is near-white or near-black"):
        DisparityReading(polarity="white")  # type: ignore[arg-type]


def test_floats_in_the_unit_range_are_used_as_they_are(tmp_path: Path) -> None:
    maps = MAPS * 0.3 + 0.2  # a range of its own would stretch it
    source = open_disparity(write_npy(tmp_path / "d.npy", maps), clip_frame_count=6)
    assert source.value_range == (0.0, 1.0)
    np.testing.assert_array_equal(np.concatenate(list(source.frames())), maps)


@pytest.mark.parametrize("packed", [False, True])
def test_other_floats_share_one_scale_over_the_clip(tmp_path: Path, packed: bool) -> None:
    maps = MAPS * np.linspace(2, 8, 6, dtype=np.float32)[:, None, None]
    if packed:
        np.savez_compressed(tmp_path / "d.npz", maps)
    path = tmp_path / "d.npz" if packed else write_npy(tmp_path / "d.npy", maps)
    source = open_disparity(path, clip_frame_count=6)
    assert source.value_range == (0.0, float(maps.max()))  # 0 stays infinitely far
    np.testing.assert_array_equal(np.concatenate(list(source.frames())), maps / maps.max())


def test_negative_floats_begin_at_the_least_of_the_clip(tmp_path: Path) -> None:
    maps = MAPS - 0.25
    source = open_disparity(write_npy(tmp_path / "d.npy", maps), clip_frame_count=6)
    got = np.concatenate(list(source.frames()))
    assert (got.min(), got.max()) == (0.0, 1.0)
    np.testing.assert_array_equal(got, (maps - maps.min()) / np.ptp(maps))


def test_one_wild_frame_does_not_change_the_others_against_each_other(tmp_path: Path) -> None:
    maps = MAPS.copy()
    maps[3] *= 50
    got = np.concatenate(list(open_disparity(write_npy(tmp_path / "d.npy", maps), clip_frame_count=6).frames()))
    # float32 arithmetic; worst seen 1.2e-7
    np.testing.assert_allclose(got[0] / got[5], maps[0] / maps[5], rtol=5e-7)


@pytest.mark.parametrize("value", [0.0, 0.4, 5.0])
def test_a_constant_map_is_constant(tmp_path: Path, value: float) -> None:
    path = write_npy(tmp_path / "d.npy", np.full((3, 4, 6), value, np.float32))
    got = np.concatenate(list(open_disparity(path, clip_frame_count=3).frames()))
    np.testing.assert_array_equal(got, np.full_like(got, min(value, 1.0)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_counted_and_their_frame_named(tmp_path: Path, bad: float) -> None:
    maps = MAPS.copy()
    maps[4, 1, 2:5] = bad
    with pytest.raises(InputError, match=r"disparity d\.npy frame 4 has 3 NaN or infinite values of 24"):
        open_disparity(write_npy(tmp_path / "d.npy", maps), clip_frame_count=6)


def test_a_gap_in_the_numbers_is_named(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "d", [n for n in range(84) if n != 41])
    with pytest.raises(
        InputError, match=r"^disparity folder has 83 frames but the clip has 84 \(first missing: 00041\); pass --end"
    ):
        open_disparity(path, clip_frame_count=84)


def test_too_few_without_a_gap_name_the_next(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "d", range(1, 6))
    with pytest.raises(InputError, match=r"has 5 frames but the clip has 8 \(first missing: 00006\)"):
        open_disparity(path, clip_frame_count=8)


def test_too_many_name_the_first(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "d", range(6))
    with pytest.raises(InputError, match=r"has 6 frames but the clip has 4 \(first too many: 00004\.png\)"):
        open_disparity(path, clip_frame_count=4)


def test_a_count_of_arrays_is_checked_too(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"disparity file has 6 frames but the clip has 9 \(first missing: frame 6\)"):
        open_disparity(write_npy(tmp_path / "d.npy"), clip_frame_count=9)


def test_what_lies_past_the_end_that_was_asked_for_may_be_missing(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "d", [n for n in range(12) if n != 8])
    assert open_disparity(path, clip_frame_count=12, stop=8).frame_count == 11
    with pytest.raises(InputError, match="first missing: 00008"):
        open_disparity(path, clip_frame_count=12, stop=9)


def test_another_aspect_than_the_clip_is_refused(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "d", range(2), shape=(48, 64))
    assert open_disparity(path, clip_frame_count=2, frame_size=(640, 480)).frame_count == 2
    with pytest.raises(InputError, match="disparity is 64x48 but the clip is 1024x576"):
        open_disparity(path, clip_frame_count=2, frame_size=(1024, 576))


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere does not exist"):
        open_disparity(tmp_path / "nowhere", clip_frame_count=1)


def test_importing_reads_no_heavy_library() -> None:
    heavy = ["cv2", "av", "numba", "OpenImageIO", "torch"]
    code = f"import sys, any2bokeh.disparity, any2bokeh.focus; print([m for m in {heavy} if m in sys.modules])"
    source = Path(__file__).resolve().parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(source)}
    )
    assert done.stdout.strip() == "[]"
