"""A mask that is a cut-out is read from its alpha."""

from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
import pytest

from any2bokeh.disparity.grey_frames import GreyFrames, open_grey_frames
from tests.video.exr_files import Part, write_parts

SIZE = (48, 64)
INSIDE = np.zeros(SIZE, bool)
INSIDE[16:40, 20:44] = True


def mask(path: Path) -> GreyFrames:
    return open_grey_frames(path, noun="mask", colour="brightest", content="mask")


def coloured(index: int, alpha: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(index)
    return np.dstack([rng.integers(0, 256, (*SIZE, 3)), alpha]).astype(np.uint8)


def video(path: Path, codec: str, pixel_format: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = cast("av.VideoStream", container.add_stream(codec, 24))
        stream.width, stream.height, stream.pix_fmt = SIZE[1], SIZE[0], pixel_format
        if "vpx" in codec:
            stream.options, stream.metadata["alpha_mode"] = {"auto-alt-ref": "0"}, "1"
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(coloured(index, INSIDE * 255), format="rgba")
            container.mux(stream.encode(frame.reformat(format=pixel_format)))
        container.mux(stream.encode(None))
    return path


def test_alpha_of_pictures(tmp_path: Path) -> None:
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), coloured(index, INSIDE * 255))
    frames = mask(tmp_path)
    assert frames.is_cut_out
    for grey in frames.frames(0, 3):
        np.testing.assert_array_equal(grey, INSIDE)


def test_alpha_of_exr(tmp_path: Path) -> None:
    samples = np.dstack([np.full((*SIZE, 3), 0.7), INSIDE]).astype(np.float32)
    frames = mask(write_parts(tmp_path / "0.exr", Part(samples, ("R", "G", "B", "A"))))
    assert frames.is_cut_out
    np.testing.assert_array_equal(frames.at(0), INSIDE)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("m.mov", "prores_ks", "yuva444p10le"),
        ("m.mov", "qtrle", "argb"),
        ("m.mkv", "ffv1", "yuva420p"),
        ("m.webm", "libvpx-vp9", "yuva420p"),
        ("m.webm", "libvpx", "yuva420p"),
    ],
)
def test_alpha_of_video(tmp_path: Path, name: str, codec: str, pixel_format: str) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {codec}")
    frames = mask(video(tmp_path / name, codec, pixel_format))
    assert frames.is_cut_out
    for grey in (*frames.frames(0, 3), frames.at(1)):
        np.testing.assert_array_equal(grey > 0.5, INSIDE)


def test_a_subject_that_enters_late_is_a_cut_out_from_the_beginning(tmp_path: Path) -> None:
    for index in range(5):
        cv2.imwrite(str(tmp_path / f"{index}.png"), coloured(index, INSIDE * 255 if index > 2 else 0 * INSIDE))
    frames = mask(tmp_path)
    assert [float(grey.sum()) for grey in frames.frames(0, 5)] == [0, 0, 0, INSIDE.sum(), INSIDE.sum()]


@pytest.mark.parametrize("opacity", [0, 255])
def test_alpha_that_says_nothing_is_left_out(tmp_path: Path, opacity: int) -> None:
    labels = np.dstack([INSIDE * 200, INSIDE * 10, INSIDE * 0, np.full(SIZE, opacity)]).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "0.png"), labels)
    frames = mask(tmp_path)
    assert not frames.is_cut_out
    np.testing.assert_array_equal(frames.at(0) > 0.5, INSIDE)


def test_alpha_of_disparity_is_not_looked_at(tmp_path: Path) -> None:
    grey = np.dstack([np.full((*SIZE, 3), 77), INSIDE * 255]).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "0.png"), grey)
    frames = open_grey_frames(tmp_path, noun="disparity")
    assert not frames.is_cut_out
    assert float(frames.at(0).mean()) == pytest.approx(77 / 255)
