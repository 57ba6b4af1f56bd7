"""Which map belongs to which frame."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.disparity import open_disparity
from any2bokeh.disparity.frame_names import numbers_of
from any2bokeh.errors import InputError


def maps_of(path: Path, numbers: list[int]) -> Path:
    path.mkdir()
    for number in numbers:
        cv2.imwrite(str(path / f"d.{number:04}.png"), np.full((4, 6), number % 1000, np.uint8))
    return path


def read(path: Path, clip: list[int], *, stop: int | None = None) -> tuple[list[int], list[str]]:
    """Numbers of the maps of each frame, and what was told."""
    told: list[str] = []
    source = open_disparity(path, clip_frame_count=len(clip), frame_numbers=tuple(clip), stop=stop, notice=told.append)
    maps = [round(float(one[0, 0, 0]) * 255) for one in source.frames()]
    assert maps == [round(float(source.at(at)[0, 0, 0]) * 255) for at in range(source.frame_count)]
    return maps, told


def test_alike_numbers_belong_together(tmp_path: Path) -> None:
    numbers = list(range(1001, 1009))
    assert read(maps_of(tmp_path / "d", numbers), numbers) == ([1, 2, 3, 4, 5, 6, 7, 8], [])


def test_a_gap_of_the_maps_is_refused_by_its_number(tmp_path: Path) -> None:
    clip = list(range(1001, 1009))
    with pytest.raises(InputError, match=r"has no map numbered 1004.*\(1 of 8 frames lack one\)"):
        read(maps_of(tmp_path / "d", [n for n in clip if n != 1004]), clip)


def test_a_gap_hidden_by_a_map_too_many_is_refused(tmp_path: Path) -> None:
    clip = list(range(1001, 1009))
    with pytest.raises(InputError, match="has no map numbered 1004"):
        read(maps_of(tmp_path / "d", [n for n in (*clip, 1009) if n != 1004]), clip)


def test_a_gap_of_the_clip_leaves_its_map_out(tmp_path: Path) -> None:
    maps = maps_of(tmp_path / "d", list(range(1001, 1009)))
    clip = [n for n in range(1001, 1009) if n not in (1004, 1005)]
    numbers, told = read(maps, clip)
    assert numbers == [1, 2, 3, 6, 7, 8]
    assert ["left out: 1004 and 1 more" in remark for remark in told] == [True]


def test_the_same_gap_in_both_is_none(tmp_path: Path) -> None:
    numbers = [1001, 1002, 1005, 1006]
    assert read(maps_of(tmp_path / "d", numbers), numbers) == ([1, 2, 5, 6], [])


def test_numbers_that_begin_elsewhere_are_matched_in_order(tmp_path: Path) -> None:
    maps = maps_of(tmp_path / "d", [0, 1, 2, 3])
    assert read(maps, [1001, 1002, 1003, 1004]) == ([0, 1, 2, 3], [])
    numbers, told = read(maps, [1, 2, 3, 4])
    assert numbers == [0, 1, 2, 3]
    assert ["matched in order" in remark for remark in told] == [True]


def test_a_gap_that_no_number_of_the_clip_explains_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no map numbered 2,"):
        read(maps_of(tmp_path / "d", [0, 1, 3, 4]), [1001, 1002, 1003, 1004])


def test_a_gap_before_an_unnumbered_clip_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    maps = maps_of(tmp_path / "d", [0, 1, 3, 4])
    open_disparity(maps, clip_frame_count=4, notice=told.append)
    assert ["has no number 2" in remark for remark in told] == [True]


def test_maps_may_end_where_the_part_does(tmp_path: Path) -> None:
    clip = list(range(1001, 1009))
    maps = maps_of(tmp_path / "d", [1001, 1002, 1003, 1006])
    assert read(maps, clip, stop=3) == ([1, 2, 3], [])


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["a1.png", "a2.png", "a10.png"], (1, 2, 10)),
        (["s2.001.exr", "s2.002.exr"], (1, 2)),
        (["cat.png", "dog.png"], None),
        (["a1.png", "b2.png"], None),
        (["shot13.png"], None),  # of one name it is not known what the number means
    ],
)
def test_numbers_of_names(names: list[str], numbers: tuple[int, ...] | None) -> None:
    assert numbers_of(names) == numbers


@pytest.mark.parametrize("are_files", [True, False])
def test_maps_of_dropped_frames_are_left_out(tmp_path: Path, are_files: bool) -> None:
    path = maps_of(tmp_path / "d", list(range(6)))
    if not are_files:
        maps = np.arange(6, dtype=np.float32).reshape(6, 1, 1) / 255
        path = tmp_path / "d.npy"
        np.save(path, np.broadcast_to(maps, (6, 4, 6)))
    told: list[str] = []
    source = open_disparity(path, clip_frame_count=4, dropped_frames=(1, 4), notice=told.append)
    assert [round(float(one[0, 0, 0]) * 255) for one in source.frames()] == [0, 2, 3, 5]
    assert any("has 6 frames, as the clip had before 2 were dropped from it" in line for line in told)
    with pytest.raises(InputError, match="has 6 frames but the clip has 5"):
        open_disparity(path, clip_frame_count=5, dropped_frames=(1, 4))


def test_maps_of_the_frames_that_are_there_are_taken_in_order(tmp_path: Path) -> None:
    source = open_disparity(maps_of(tmp_path / "d", list(range(4))), clip_frame_count=4, dropped_frames=(1, 4))
    assert [round(float(one[0, 0, 0]) * 255) for one in source.frames()] == [0, 1, 2, 3]
