"""Animated pictures are clips: every frame, for as long as the file shows it, with its alpha."""

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.video import open_source
from any2bokeh.video.container_source import ContainerSource
from any2bokeh.video.webp_animation import WebpAnimation
from tests.video.test_container_sink import copy
from tests.video.test_image_kinds import stored


def picture(index: int, channels: int = 4) -> NDArray[np.uint8]:
    """``(H, W, C)`` RGBA; covered where it is not black."""
    shown = np.zeros((16, 24, 4), np.uint8)
    shown[:, 6 * index : 6 * index + 8] = [200 - 40 * index, 60, 30, 255]
    return shown[:, :, :channels]


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) & 1)


def write_webp(path: Path, durations_ms: list[int], *, channels: int = 4) -> Path:
    """An animation of lossless frames that replace one another. Source: RFC 9649, 2.7."""
    height, width = picture(0).shape[:2]

    def u24(value: int) -> bytes:
        return value.to_bytes(3, "little")

    frames = []
    for index, duration in enumerate(durations_ms):
        order = [2, 1, 0, 3][:channels]
        still = cv2.imencode(".webp", picture(index, channels)[:, :, order], [cv2.IMWRITE_WEBP_QUALITY, 101])[
            1
        ].tobytes()
        frames.append(_frame(still, u24(0) + u24(0) + u24(width - 1) + u24(height - 1) + u24(duration) + b"\2"))
    flags = 0x02 | (0x10 if channels == 4 else 0)
    head = chunk(b"VP8X", bytes([flags, 0, 0, 0]) + u24(width - 1) + u24(height - 1)) + chunk(b"ANIM", bytes(6))
    body = b"WEBP" + head + b"".join(frames)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def _frame(still: bytes, head: bytes) -> bytes:
    """The coded picture of a still file, as a frame."""
    coded, at = b"", 12
    while at + 8 <= len(still):
        kind, size = struct.unpack_from("<4sI", still, at)
        if kind in (b"ALPH", b"VP8 ", b"VP8L"):
            coded += chunk(kind, still[at + 8 : at + 8 + size])
        at += 8 + size + (size & 1)
    return chunk(b"ANMF", head + coded)


def write_encoded(path: Path, encoder: str, pixel_format: str, container_format: str, times: list[int]) -> Path:
    """An animation by FFmpeg, whose frames begin at times in 1/10 s."""
    with av.open(str(path), "w", format=container_format) as container:
        stream: Any = container.add_stream(encoder, rate=10)
        stream.width, stream.height, stream.pix_fmt = 24, 16, pixel_format
        stream.codec_context.time_base = Fraction(1, 10)
        for index, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgba").reformat(format=pixel_format)
            frame.pts, frame.time_base = time, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_webp(tmp_path: Path) -> None:
    path = write_webp(tmp_path / "a.webp", [100, 40, 200])
    with open_source(path) as source:
        assert isinstance(source, WebpAnimation)
        info, frames = source.info, list(source.frames())
        assert [frame.index for frame in source.frames(1, 2)] == [1]
        assert np.array_equal(next(source.frames(2)).pixels, frames[2].pixels)
        assert [source.index_at(time_s) for time_s in (0, 0.1, 0.12, 0.14, 9)] == [0, 1, 2, 2, 3]
    assert (info.frame_count, info.duration_s, info.fps) == (3, Fraction(34, 100), Fraction(300, 34))
    assert [frame.time_s for frame in frames] == [0, Fraction(1, 10), Fraction(14, 100)]
    assert [frame.duration_s for frame in frames] == [Fraction(1, 10), Fraction(4, 100), Fraction(2, 10)]
    for index, frame in enumerate(frames):
        assert frame.alpha is not None
        assert np.array_equal(frame.alpha[0] * 255, picture(index)[:, :, 3])
        # Encoders choose the colours of what is not covered.
        covered = frame.alpha[0] > 0
        expected = np.moveaxis(picture(index, 3), 2, 0)
        assert np.array_equal(np.rint(frame.pixels * 255)[:, covered], expected[:, covered])


def test_webp_is_composed(tmp_path: Path) -> None:
    path = write_webp(tmp_path / "a.webp", [40, 40, 40])
    data = path.read_bytes()
    places = [at + 8 + 15 for at in range(len(data)) if data[at : at + 4] == b"ANMF"]
    flags = bytearray(data)
    # The first is wiped before the second, which the third is painted over.
    flags[places[0]], flags[places[1]], flags[places[2]] = 3, 2, 0
    path.write_bytes(bytes(flags))
    covered = [frame.alpha for frame in open_source(path).frames()]
    expected = [picture(0), picture(1), np.maximum(picture(1), picture(2))]
    for found, shown in zip(covered, expected, strict=True):
        assert found is not None
        assert np.array_equal(found[0] * 255, shown[:, :, 3])


def test_webp_in_video_and_folder(tmp_path: Path) -> None:
    path = write_webp(tmp_path / "a.webp", [100, 40, 200], channels=3)
    with open_source(copy(path, tmp_path / "out.mp4")) as video:
        assert [frame.time_s for frame in video.frames()] == [0, Fraction(1, 10), Fraction(14, 100)]
        # Visually lossless: worst seen 7 codes, at the edges.
        assert np.abs(np.rint(next(video.frames()).pixels[0, :, 2:6] * 255) - 200).max() < 16
    folder = copy(path, tmp_path / "out")
    assert sorted(each.name for each in folder.iterdir()) == ["00000.png", "00001.png", "00002.png"]
    assert np.array_equal(stored(folder / "00001.png"), picture(1, 3))


def test_webp_that_names_no_durations_is_shown_as_browsers_do(tmp_path: Path) -> None:
    assert open_source(write_webp(tmp_path / "a.webp", [0, 10])).info.fps == 10


def test_webp_has_a_clock_of_its_own(tmp_path: Path) -> None:
    path = write_webp(tmp_path / "a.webp", [40, 40])
    with pytest.raises(InputError, match=r"states how long each frame is shown; fps \(12\)"):
        open_source(path, fps=12)


def test_damaged_webp(tmp_path: Path) -> None:
    path = write_webp(tmp_path / "a.webp", [40, 40, 40])
    whole = path.read_bytes()
    for end in (40, 60, len(whole) - 30, len(whole) - 2):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError, match=r"a\.webp"):
            list(open_source(path).frames())


def test_animations_in_a_folder_of_stills_are_told(tmp_path: Path) -> None:
    for name in ("1.webp", "2.webp"):
        write_webp(tmp_path / name, [40, 40])
    told: list[str] = []
    source = open_source(tmp_path)
    source.tell(told.append)
    assert source.info.frame_count == 2
    assert "1.webp holds 2 pictures; the first one is read" in told


@pytest.mark.parametrize(
    ("name", "encoder", "pixel_format", "container_format"),
    [("a.png", "apng", "rgba", "apng"), ("a.gif", "gif", "rgb8", "gif")],
)
def test_apng_and_gif(tmp_path: Path, name: str, encoder: str, pixel_format: str, container_format: str) -> None:
    path = write_encoded(tmp_path / name, encoder, pixel_format, container_format, [0, 1, 4])
    with open_source(path) as source:
        assert isinstance(source, ContainerSource)
        frames = list(source.frames())
    assert [frame.time_s - frames[0].time_s for frame in frames] == [0, Fraction(1, 10), Fraction(4, 10)]
    # This GIF has 3, 3 and 2 bits for red, green and blue: steps of 85 codes in blue.
    tolerance = 0 if name == "a.png" else 85
    for index, frame in enumerate(frames):
        shown = np.moveaxis(picture(index, 3), 2, 0)
        assert np.abs(np.rint(frame.pixels * 255) - shown)[:, picture(index)[:, :, 3] > 0].max() <= tolerance


def test_one_frame_is_a_still(tmp_path: Path) -> None:
    path = write_encoded(tmp_path / "a.png", "apng", "rgba", "apng", [0])
    assert open_source(path).info.is_sequence
    assert write_webp(tmp_path / "a.webp", [40]).is_file()
    assert open_source(tmp_path / "a.webp").info.frame_count == 1


def test_avif_sequence(tmp_path: Path) -> None:
    if not hasattr(cv2, "imwriteanimation"):
        pytest.skip("this OpenCV writes no animations")
    animation = cv2.Animation()
    animation.frames = [np.full((16, 24, 3), value, np.uint8) for value in (40, 120, 200)]
    animation.durations = np.array([100, 100, 100])  # type: ignore[assignment]
    try:
        written = cv2.imwriteanimation(str(tmp_path / "a.avif"), animation)
    except cv2.error:
        written = False
    if not written:
        pytest.skip("this OpenCV writes no AVIF")
    with open_source(tmp_path / "a.avif") as source:
        values = [round(float(frame.pixels.mean()) * 255) for frame in source.frames()]
    # Lossy: worst seen 1 code.
    assert np.abs(np.array(values) - [40, 120, 200]).max() <= 3
