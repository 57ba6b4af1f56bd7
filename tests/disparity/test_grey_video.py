"""Grey videos, at their full bit depth."""

from pathlib import Path

import av
import numpy as np
import pytest

from any2bokeh.disparity.grey_video import GreyVideo
from any2bokeh.errors import InputError

# (T, H, W): a ramp whose white end falls over time, so that no two frames are alike
RAMPS = np.linspace(0, 1, 64)[None, None] * np.linspace(1, 0.5, 12)[:, None, None] * np.ones((1, 32, 1))


def write_video(
    path: Path, codec: str, pixel_format: str, frames: np.ndarray = RAMPS, *, options: dict[str, str] | None = None
) -> Path:
    """Frames ``(T, H, W)`` in [0, 1], or ``(T, H, W, 3)`` RGB, as a video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24, options=options or {})
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], pixel_format  # type: ignore[attr-defined]
        for values in frames:
            codes = np.rint(values * 65535).astype(np.uint16)
            frame = av.VideoFrame.from_ndarray(codes, format="gray16le" if codes.ndim == 2 else "rgb48le")
            container.mux(stream.encode(frame))  # type: ignore[attr-defined]
        container.mux(stream.encode(None))  # type: ignore[attr-defined]
    return path


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "step"),
    [
        ("d.mkv", "ffv1", "gray", 1 / 255),
        ("d.mkv", "ffv1", "gray10le", 1 / 1023),
        ("d.mkv", "ffv1", "gray16le", 1 / 65535),
        ("d.mkv", "ffv1", "gbrp10le", 2 / 1023),
        ("d.mov", "png", "gray16be", 1 / 65535),
        ("d.mov", "png", "rgb24", 1 / 255),
    ],
)
def test_every_depth_is_read_in_full(tmp_path: Path, name: str, codec: str, pixel_format: str, step: float) -> None:
    video = GreyVideo(write_video(tmp_path / name, codec, pixel_format), noun="disparity")
    assert video.frame_count == 12
    grey = np.stack(list(video.frames(0, 12)))
    assert grey.dtype == np.float32
    assert grey.shape == RAMPS.shape
    # FFmpeg's own conversion on writing rounds down as well as up: worst seen one code value (gray10le)
    assert np.abs(grey - RAMPS).max() <= step + 1e-6


@pytest.mark.parametrize(("bits", "layout"), [(8, "yuv420p"), (10, "yuv420p10le")])
@pytest.mark.parametrize("color_range", [0, 1, 2])
def test_range_of_luma(tmp_path: Path, bits: int, layout: str, color_range: int) -> None:
    black, white = (0, 2**bits - 1) if color_range == 2 else (16 << (bits - 8), 235 << (bits - 8))
    codes = np.full((48, 64), 128 << (bits - 8), np.uint8 if bits == 8 else np.uint16)
    codes[:32] = np.linspace(black, white, 64).round().astype(codes.dtype)
    with av.open(str(tmp_path / "d.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 32, layout  # type: ignore[attr-defined]
        stream.codec_context.color_range = color_range  # type: ignore[attr-defined]
        frame = av.VideoFrame.from_ndarray(codes, format=layout)  # pyright: ignore[reportArgumentType]
        frame.color_range = color_range
        container.mux(stream.encode(frame))  # type: ignore[attr-defined]
        container.mux(stream.encode(None))  # type: ignore[attr-defined]
    expected = (codes[:32].astype(np.float64) - black) / (white - black)
    # float32 arithmetic; worst seen 6e-8
    np.testing.assert_allclose(GreyVideo(tmp_path / "d.mkv", noun="disparity").at(0), expected, rtol=0, atol=3e-7)


def test_single_frames_of_a_coded_video_come_in_any_order(tmp_path: Path) -> None:
    path = write_video(tmp_path / "d.mp4", "libx264", "yuv420p", options={"g": "5", "bf": "2", "crf": "10"})
    video = GreyVideo(path, noun="disparity")
    frames = list(video.frames(0, 12))
    assert len(frames) == 12
    for index in (7, 8, 3, 11, 0, 4):
        np.testing.assert_array_equal(video.at(index), frames[index])
    np.testing.assert_array_equal(np.stack(list(video.frames(6, 9))), np.stack(frames[6:9]))


def test_a_video_without_times_is_counted(tmp_path: Path) -> None:
    video = GreyVideo(write_video(tmp_path / "d.h264", "libx264", "yuv420p", options={"g": "5"}), noun="disparity")
    frames = list(video.frames(0, 12))
    np.testing.assert_array_equal(video.at(9), frames[9])
    np.testing.assert_array_equal(video.at(2), frames[2])


@pytest.mark.parametrize(("codec", "pixel_format"), [("ffv1", "yuv444p"), ("ffv1", "gbrp10le"), ("libx264", "yuv420p")])
def test_a_colour_map_is_refused(tmp_path: Path, codec: str, pixel_format: str) -> None:
    colours = np.stack([RAMPS, 1 - RAMPS, 0.3 + 0 * RAMPS], axis=3)
    video = GreyVideo(write_video(tmp_path / "d.mkv", codec, pixel_format, colours), noun="disparity")
    with pytest.raises(InputError, match=r"disparity d\.mkv frame 0 is in colour.*export grey"):
        video.at(0)


def test_a_coloured_label_mask_takes_its_brightest_channel(tmp_path: Path) -> None:
    colours = np.zeros((2, 32, 64, 3))
    colours[:, :, 32:, 0] = 1
    video = GreyVideo(write_video(tmp_path / "m.mkv", "ffv1", "yuv444p", colours), noun="mask", colour="brightest")
    mask = video.at(1)
    assert mask[:, :30].max() < 0.1
    assert mask[:, 34:].min() > 0.9


def test_a_rotation_tag_is_applied(tmp_path: Path) -> None:
    upright = write_video(tmp_path / "upright.mp4", "libx264", "yuv420p", options={"crf": "1"})
    with av.open(str(upright)) as source, av.open(str(tmp_path / "turned.mov"), "w") as turned:
        stream = turned.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(90)  # counter-clockwise
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                turned.mux(packet)
    plain = GreyVideo(upright, noun="disparity").at(0)
    assert plain[0, 0] < plain[0, -1]
    np.testing.assert_array_equal(GreyVideo(tmp_path / "turned.mov", noun="disparity").at(0), np.rot90(plain))


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100])
def test_what_is_not_a_video_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "d.mp4").write_bytes(content)
    with pytest.raises(InputError, match=r"cannot read .*d\.mp4"):
        GreyVideo(tmp_path / "d.mp4", noun="disparity")


def test_a_truncated_video_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "d.mp4", "libx264", "yuv420p", options={"movflags": "faststart"})
    encoded = path.read_bytes()
    path.write_bytes(encoded[: len(encoded) // 2])
    with pytest.raises(InputError, match=r"cannot read .*d\.mp4|ends after"):
        list(GreyVideo(path, noun="disparity").frames(0, 12))


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "d.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        stream.layout = "mono"  # type: ignore[attr-defined]
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        samples.sample_rate = 8000
        container.mux(stream.encode(samples))  # type: ignore[attr-defined]
        container.mux(stream.encode(None))  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="no pictures"):
        GreyVideo(tmp_path / "d.wav", noun="disparity")
