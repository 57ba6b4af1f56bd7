"""Folders of pictures, in the layouts of the public matting sets."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.synthesis.source import FolderBackgrounds, FolderSubjects

RED, GREEN = (0, 0, 255), (0, 255, 0)  # as OpenCV writes them


def still(path: Path, color=RED, size=(60, 40)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), color, np.uint8))


def matte(path: Path, size=(60, 40), first_column: int = 10) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.zeros(size, np.uint8)
    picture[10:50, first_column:30] = 255
    cv2.imwrite(str(path), picture)


def rgba(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.zeros((60, 40, 4), np.uint16)
    picture[10:50, 10:30] = (0, 0, 65535, 65535)
    cv2.imwrite(str(path), picture)


def video(path: Path, levels: list[int], *, shape: bool = False) -> None:
    """Frames of one grey each, or with ``shape`` a square of it on black."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(24), options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in levels:
            frame = np.full((48, 64, 3), 0 if shape else level, np.uint8)
            frame[12:36, 16:48] = level
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode(None))


def one(folder: Path, seed: int = 0, frame_count: int = 4, long_side_px: int = 1000):
    return FolderSubjects(folder).picture(np.random.default_rng(seed), long_side_px, frame_count)


def test_stills_with_mattes_beside_them(tmp_path):
    for name in ("a", "b"):
        still(tmp_path / "original" / f"{name}.jpg")
        matte(tmp_path / "mask" / f"{name}.png")
    picture = one(tmp_path)
    assert picture.size == (40, 20), "cut to what is not clear"
    assert picture.frame_count == 1
    np.testing.assert_allclose(picture.alpha, 1)
    np.testing.assert_allclose(picture.code[0, 5, 5], [1, 0, 0], atol=0.02)


def test_foreground_colours_are_preferred_to_originals(tmp_path):
    still(tmp_path / "original" / "a.png")
    still(tmp_path / "fg" / "a.png", GREEN)
    matte(tmp_path / "mask" / "a.png")
    np.testing.assert_allclose(one(tmp_path).code[0, 5, 5], [0, 1, 0], atol=0.02)


def test_rgba_below_the_folder_keeps_16_bits(tmp_path):
    rgba(tmp_path / "cats" / "a.png")
    picture = one(tmp_path)
    assert picture.size == (40, 20)
    assert picture.code.max() == 1
    light = picture.light(0, "srgb")
    np.testing.assert_allclose(light[5, 5], [1, 0, 0, 1], atol=1e-6)


def test_videos_of_pictures_and_mattes_run_together(tmp_path):
    levels = [40, 80, 120, 160, 200, 240]
    video(tmp_path / "fgr" / "0001.mp4", levels)
    video(tmp_path / "pha" / "0001.mp4", [255] * 6, shape=True)
    picture = one(tmp_path, frame_count=3)
    assert picture.frame_count == 3
    shown = picture.code[:, 12, 16, 0] * 255
    np.testing.assert_allclose(np.diff(shown), 40, atol=6)
    np.testing.assert_allclose(picture.alpha[:, 12, 16], 1, atol=0.02)


def test_folders_of_frames_are_clips(tmp_path):
    for i, color in enumerate([(10, 10, 10), (90, 90, 90), (170, 170, 170)]):
        still(tmp_path / "fgr" / "clip" / f"{i}.png", color)
        matte(tmp_path / "pha" / "clip" / f"{i}.png", first_column=10 + i)
    picture = one(tmp_path, frame_count=25)
    assert picture.frame_count == 3
    np.testing.assert_allclose(picture.code[:, 20, 10, 0] * 255, [10, 90, 170], atol=1)


def test_large_pictures_are_shrunk_and_seeds_differ(tmp_path):
    for i in range(6):
        still(tmp_path / "original" / f"{i}.png", (0, 0, 40 * i))
        matte(tmp_path / "mask" / f"{i}.png")
    assert one(tmp_path, long_side_px=10).size == (10, 5)
    assert len({one(tmp_path, seed).name for seed in range(12)}) > 2
    assert one(tmp_path, 3).name == one(tmp_path, 3).name


def test_backgrounds_are_whole(tmp_path):
    still(tmp_path / "sub" / "a.jpg")
    video(tmp_path / "b.mp4", [100] * 3)
    source = FolderBackgrounds(tmp_path)
    pictures = [source.picture(np.random.default_rng(seed), 1000, 25) for seed in range(8)]
    assert {picture.size for picture in pictures} == {(60, 40), (48, 64)}
    assert all(picture.frame_count == 1 and picture.alpha.min() == 1 for picture in pictures)


@pytest.mark.parametrize("source", [FolderSubjects, FolderBackgrounds])
def test_missing_and_empty_folders_are_refused(tmp_path, source):
    with pytest.raises(InputError, match=r"there is no folder .*none"):
        source(tmp_path / "none")
    with pytest.raises(InputError, match="holds no pictures"):
        source(tmp_path)


def test_pictures_without_alpha_or_matte_are_refused(tmp_path):
    still(tmp_path / "plain" / "a.png")
    with pytest.raises(InputError, match=r"a\.png has no alpha channel; give RGBA"):
        FolderSubjects(tmp_path / "plain")
    still(tmp_path / "set" / "original" / "a.png")
    with pytest.raises(InputError, match="a folder of pictures but none of mattes; add one called pha, alpha"):
        FolderSubjects(tmp_path / "set")
    (tmp_path / "set" / "mask").mkdir()
    with pytest.raises(InputError, match=r"a\.png has no matte in .*mask"):
        FolderSubjects(tmp_path / "set")
    matte(tmp_path / "mattes" / "mask" / "a.png")
    with pytest.raises(InputError, match="a folder of mattes but none of pictures"):
        FolderSubjects(tmp_path / "mattes")


def test_mattes_that_are_none_are_refused(tmp_path):
    still(tmp_path / "original" / "a.png")
    for level, what in ((255, "clear"), (0, "opaque")):
        still(tmp_path / "mask" / "a.png", (level,) * 3)
        with pytest.raises(InputError, match=f"has nothing {what} in it"):
            one(tmp_path)
    matte(tmp_path / "mask" / "a.png", size=(55, 40))
    with pytest.raises(InputError, match="is 40x55 but its picture is 40x60"):
        one(tmp_path)


def test_damaged_pictures_are_refused(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    with pytest.raises(InputError, match=r"a\.jpg is damaged"):
        FolderBackgrounds(tmp_path).picture(np.random.default_rng(0), 100, 1)
    with pytest.raises(InputError, match=r"a\.jpg cannot be read"):
        FolderSubjects(tmp_path)
