"""Numbers of the source are those of the result."""

from pathlib import Path

import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.video import Encoding, Reading, open_sink, open_source
from any2bokeh.video.frame_numbers import NamePattern, frame_numbers
from any2bokeh.video.opening import frame_stems
from tests.video.exr_files import Part, flat, write_parts
from tests.video.native_clips import write_clip
from tests.video.test_container_sink import copy


def write_numbered(folder: Path, *stems: str) -> Path:
    """An EXR of each name, whose value is its place."""
    folder.mkdir()
    for index, stem in enumerate(stems):
        write_parts(folder / f"{stem}.exr", Part(flat([index / 8] * 3)))
    return folder


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("stems", "numbers", "prefix"),
    [
        (["1001", "1002", "1003"], (1001, 1002, 1003), ""),
        (["f9", "f10", "f11"], (9, 10, 11), "f"),
        (["take2_v03.0998", "take2_v03.0999"], (998, 999), "take2_v03."),
        (["0001_left2", "0002_left2"], (1, 2), ""),
        (["IMG_0042"], (42,), "IMG_"),
        (["still"], None, ""),
        (["a", "b"], None, ""),
        (["a1", "b2"], None, ""),
        (["1_1", "2_2"], None, ""),
        (["1", "01"], None, ""),
    ],
)
def test_which_number_counts(stems: list[str], numbers: tuple[int, ...] | None, prefix: str) -> None:
    found = frame_numbers([Path(f"{stem}.png") for stem in stems])
    if numbers is None:
        assert found is None
    else:
        assert found is not None
        assert (found.numbers, found.prefix) == (numbers, prefix)
        assert [found.stem(index) for index in range(len(stems))] == stems


@pytest.mark.parametrize(
    ("numbers", "remark"),
    [
        ([1, 2, 3], None),
        ([1, 3, 5], None),
        ([1001, 1002, 1005], "of the frames 1001 to 1005 some are missing: 1003 to 1004"),
        ([1, 2, 4, 5, 9], "of the frames 1 to 9 some are missing: 3, 6 to 8"),
        ([2, 4, 8], "of the frames 2 to 8 some are missing: 6"),
    ],
)
def test_gaps(numbers: list[int], remark: str | None) -> None:
    found = frame_numbers([Path(f"{number:04d}.png") for number in numbers])
    assert found is not None
    assert found.gap_remark() == remark


def test_gap_is_told_kept_and_refused_when_strict(tmp_path: Path) -> None:
    folder = write_numbered(tmp_path / "in", "1001", "1002", "1005")
    told: list[str] = []
    source = open_source(folder)
    source.tell(told.append)
    assert told == [
        f"{folder}: of the frames 1001 to 1005 some are missing: 1003 to 1004; the result leaves the same gap"
    ]
    assert names_in(copy(folder, tmp_path / "out")) == ["1001.exr", "1002.exr", "1005.exr"]
    with pytest.raises(InputError, match="some are missing: 1003 to 1004; render them, or leave --strict out"):
        open_source(folder, reading=Reading(strict=True))


def test_numbers_are_kept_in_whole_and_in_part(tmp_path: Path) -> None:
    folder = write_numbered(tmp_path / "in", "s.1001", "s.1002", "s.1003", "s.1004")
    assert names_in(copy(folder, tmp_path / "out")) == ["s.1001.exr", "s.1002.exr", "s.1003.exr", "s.1004.exr"]
    part = copy(folder, tmp_path / "part", Encoding("png"), start=1, stop=3)
    assert names_in(part) == ["s.1002.png", "s.1003.png"]
    assert frame_stems(tmp_path / "out.mp4", open_source(folder), start=2) == ["s.1003", "s.1004"]


def test_without_numbers_files_are_named_by_their_places_in_the_clip(tmp_path: Path) -> None:
    folder = write_numbered(tmp_path / "in", "front", "side")
    assert names_in(copy(folder, tmp_path / "out")) == ["00000.exr", "00001.exr"]
    clip = write_clip(tmp_path / "in.mp4", frames=3)
    assert names_in(copy(clip, tmp_path / "video")) == ["00000.png", "00001.png", "00002.png"]
    assert names_in(copy(clip, tmp_path / "part", start=1)) == ["00001.png", "00002.png"]


@pytest.mark.parametrize("pattern", ["s.####.exr", "s.%04d.exr", "s.%d.exr", "s.#.exr"])
def test_pattern_is_read(tmp_path: Path, pattern: str) -> None:
    folder = write_numbered(tmp_path / "in", "s.1001", "s.1002", "t.1003", "s.x", "s.01004", "s.12345")
    source = open_source(folder / pattern)
    assert source.numbers is not None
    assert source.numbers.numbers == (1001, 1002, 12345)
    assert [round(float(frame.pixels[0, 0, 0]) * 8) for frame in source.frames()] == [0, 1, 5]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("shot.######.png", ["shot.001001.png", "shot.001002.png"]),
        ("%04d.exr", ["1001.exr", "1002.exr"]),
        ("shot_%d_v2.png", ["shot_1001_v2.png", "shot_1002_v2.png"]),
    ],
)
def test_pattern_is_written(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    folder = write_numbered(tmp_path / "in", "1001", "1002")
    copy(folder, tmp_path / "out" / pattern)
    assert names_in(tmp_path / "out") == expected
    clip = write_clip(tmp_path / "in.mkv", frames=1)
    copy(clip, tmp_path / "video" / "####.png")
    assert names_in(tmp_path / "video") == ["0000.png"]


def test_pattern_stands_beside_other_files(tmp_path: Path) -> None:
    folder = write_numbered(tmp_path / "in", "1001", "1002")
    out = write_numbered(tmp_path / "out", "other.0001")
    pattern = out / "shot.####.exr"
    copy(folder, pattern)
    assert names_in(out) == ["other.0001.exr", "shot.1001.exr", "shot.1002.exr"]
    with pytest.raises(InputError, match="exists already"):
        open_sink(pattern, open_source(folder))
    with open_sink(pattern, open_source(folder), overwrite=True):
        pass
    write_parts(out / "shot.1003.exr", Part(flat([1, 1, 1])))
    with pytest.raises(InputError, match=r"1 images that are not replaced by the 2 .*first: shot\.1003\.exr"):
        open_sink(pattern, open_source(folder), overwrite=True)


def test_patterns_that_cannot_be(tmp_path: Path) -> None:
    folder = write_numbered(tmp_path / "in", "1001")
    with pytest.raises(InputError, match=r"numbered images are written as \.png or \.exr"):
        open_sink(tmp_path / "out" / "####.jpg", open_source(folder))
    with pytest.raises(InputError, match=r"output .*####\.png and codec exr contradict each other"):
        open_sink(tmp_path / "out" / "####.png", open_source(folder), encoding=Encoding("exr"))
    with pytest.raises(InputError, match="has 2 places for a frame number"):
        open_source(tmp_path / "in" / "##.%04d.exr")
    with pytest.raises(InputError, match=r"no image matches .*the first would be called 0001\.png"):
        open_source(tmp_path / "in" / "####.png")
    # A video file may have such a character in its name.
    clip = write_clip(tmp_path / "take#1.mp4", frames=2)
    assert open_source(clip).info.frame_count == 2
    copy(clip, tmp_path / "take#2.mp4")
    assert (tmp_path / "take#2.mp4").is_file()


def test_pattern_names_a_folder_for_aovs() -> None:
    pattern = NamePattern.of(Path("renders/shot.####.exr"))
    assert pattern is not None
    assert pattern.folder_beside("-aov") == Path("renders-aov")
    here = NamePattern.of(Path("shot.%04d.exr"))
    assert here is not None
    assert here.folder_beside("-aov") == Path("shot-aov")


def test_rate_and_pixel_aspect_of_exr(tmp_path: Path) -> None:
    path = tmp_path / "in.0001.exr"
    write_parts(
        path,
        Part(flat([0.5, 0.5, 0.5])),
        header={"FramesPerSecond": ("rational", (30000, 1001)), "PixelAspectRatio": 2.0},
    )
    info = open_source(path).info
    assert (str(info.fps), info.sample_aspect) == ("30000/1001", 2)
    assert str(open_source(path, fps=12).info.fps) == "12"
    result = copy(path, tmp_path / "out")
    info = open_source(result).info
    assert (str(info.fps), info.sample_aspect) == ("30000/1001", 2)
    assert np.isclose(next(open_source(result).frames()).pixels[0, 0, 0], 0.5)
