"""Video through pipes: YUV4MPEG2 in, YUV4MPEG2 out, and nothing else on standard output."""

import io
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import av
import numpy as np
import pytest

from any2bokeh.cli.main import run
from any2bokeh.errors import InputError
from any2bokeh.video import Encoding, open_source
from any2bokeh.video.part import Part
from any2bokeh.video.raw_frames import RawFormat, RawFrames
from any2bokeh.video.samples import whole_plane
from any2bokeh.video.y4m_sink import Y4mSink
from tests import clips

FORMATS = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")
FRAMES = 4
BLUR = ("--focus", "0.6", "--blur", "20")


def y4m(path: Path, pixel_format: str = "yuv420p") -> Path:
    """A few frames as FFmpeg's own muxer writes them."""
    with av.open(str(path), "w", format="yuv4mpegpipe", options={"strict": "-1"}) as container:
        stream = container.add_stream("wrapped_avframe", rate=Fraction(30000, 1001))
        stream.width, stream.height, stream.pix_fmt = clips.WIDTH, clips.HEIGHT, pixel_format  # type: ignore[attr-defined]
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(clips.picture(index), format="rgb24").reformat(format=pixel_format)
            frame.pts, frame.time_base = index, Fraction(1001, 30000)
            container.mux(stream.encode(frame))  # type: ignore[attr-defined]
    return path


def planes(video: bytes | Path) -> list[list[bytes]]:
    """The samples of each frame, as PyAV reads them, without the padding of their rows."""
    opened: Any = av.open(io.BytesIO(video) if isinstance(video, bytes) else str(video))
    with opened as container:
        return [
            [
                whole_plane(frame, index, frame.format.components[0].bits)[:, : plane.width].tobytes()
                for index, plane in enumerate(frame.planes)
            ]
            for frame in container.decode(video=0)
        ]


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    """Disparity of these frames."""
    folder = clips.write_disparity(tmp_path / "maps")
    for extra in sorted(folder.iterdir())[FRAMES:]:
        extra.unlink()
    return folder


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """A run with these bytes on standard input: its exit code, its standard output, and its standard error."""

    def called(*arguments: str | Path, given: bytes = b"") -> tuple[int, bytes, str]:
        out = io.BytesIO()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out))
        code = run([str(argument) for argument in arguments])
        sys.stdout.flush()
        return code, out.getvalue(), capsys.readouterr().err

    return called


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_untouched_frames_are_the_source_s_samples(pixel_format: str, tmp_path: Path) -> None:
    given, out = y4m(tmp_path / "in.y4m", pixel_format), io.BytesIO()
    with open_source(given) as source, Y4mSink(out, source.info, Encoding(), part=Part.of(source)) as sink:
        assert source.info.frame_count == FRAMES
        for frame in source.frames():
            sink.write(frame, frame.pixels)
    assert planes(out.getvalue()) == planes(given)
    head, before = (content.split(b"\n", 1)[0].split() for content in (out.getvalue(), given.read_bytes()))
    assert set(before) - {b"A0:0"} < set(head)  # FFmpeg's says nothing of the pixel aspect, nor of the range


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le"])
def test_the_stream_has_the_frames_of_a_file(pixel_format: str, tmp_path: Path, maps: Path, piped) -> None:
    given = y4m(tmp_path / "in.y4m", pixel_format)
    options = ("--disparity", maps, *BLUR)
    code, out, err = piped("refocus", "-", *options, "-o", "-", given=given.read_bytes())
    assert code == 0, err
    assert "standard input is kept in a temporary file" in err
    assert "4 frames, 64x48" in err
    assert run([*map(str, ("refocus", given, *options, "-o", tmp_path / "out.mkv", "--codec", "ffv1"))]) == 0
    assert planes(out) == planes(tmp_path / "out.mkv") != planes(given)


def raw(pixel_format: str) -> bytes:
    """The frames of ``y4m`` as FFmpeg's own raw video."""
    frames = [av.VideoFrame.from_ndarray(clips.picture(index), format="rgb24") for index in range(FRAMES)]
    content = b""
    for frame in frames:
        with av.open(buffer := io.BytesIO(), "w", format="rawvideo") as container:
            stream = container.add_stream("rawvideo", rate=24)
            stream.width, stream.height, stream.pix_fmt = clips.WIDTH, clips.HEIGHT, pixel_format
            container.mux(stream.encode(frame.reformat(format=pixel_format)))
            container.mux(stream.encode(None))
        content += buffer.getvalue()
    return content


@pytest.mark.parametrize("pixel_format", get_args(RawFormat))
def test_raw_frames_go_in_and_come_out(pixel_format: str, maps: Path, piped) -> None:
    given = raw(pixel_format)
    size = f"{clips.WIDTH}x{clips.HEIGHT}"
    assert len(given) == FRAMES * RawFrames.parsed(f"{size}:{pixel_format}").frame_bytes
    frames = ("refocus", "-", "--raw", f"{size}:{pixel_format}", "--fps", "30000/1001", "--disparity", maps)
    output = ("-o", "-", "--codec", "rawvideo", "--pixel-format", pixel_format)
    code, out, err = piped(*frames, "--focus", "0.6", "--blur", "0", *output, given=given)
    assert code == 0, err
    assert "4 frames, 64x48, 29.97 fps" in err
    assert out == given, "what is not blurred keeps its samples"


def test_raw_frames_are_the_pictures_of_a_stream(tmp_path: Path, maps: Path, piped) -> None:
    given = y4m(tmp_path / "in.y4m")
    options = ("--disparity", maps, *BLUR, "-o", "-")
    blurred = planes(piped("refocus", given, *options)[1])
    code, out, err = piped("refocus", given, *options, "--codec", "rawvideo", "--pixel-format", "yuv420p")
    assert code == 0, err
    assert out == b"".join(plane for frame in blurred for plane in frame)
    # Without a format they are rgb24, and what that loses of the source is told.
    deep = y4m(tmp_path / "deep.y4m", "yuv420p10le")
    code, out, err = piped("refocus", deep, *options, "--codec", "rawvideo")
    assert code == 0, err
    assert "10 bits become 8, as rawvideo has it" in err
    found = np.frombuffer(out, np.uint8).reshape(FRAMES, clips.HEIGHT, clips.WIDTH, 3).astype(int)
    with open_source(deep) as source:
        expected = [frame.pixels for frame in source.frames()]
    # Blurred, but the picture: its mean is that of the source. Worst seen: 0.9 of 255.
    assert abs(found.mean() - 255 * np.mean(expected)) < 3


def test_a_process_writes_frames_and_nothing_else(tmp_path: Path, maps: Path) -> None:
    given = y4m(tmp_path / "in.y4m")
    command = [sys.executable, "-m", "any2bokeh", "refocus", "-", "--disparity", str(maps), "--focus", "0.6"]
    done = subprocess.run([*command, "--blur", "0", "-o", "-"], input=given.read_bytes(), capture_output=True)
    assert done.returncode == 0, done.stderr
    frame_bytes = len(b"FRAME\n") + clips.WIDTH * clips.HEIGHT * 3 // 2
    head, frames = done.stdout.split(b"\n", 1)
    assert head.startswith(b"YUV4MPEG2 W64 H48 F30000:1001 Ip A1:1 C420")
    assert len(frames) == FRAMES * frame_bytes
    assert frames == given.read_bytes().split(b"\n", 1)[1]
    assert b"4 frames, 64x48" in done.stderr


def test_a_reader_that_goes_away_ends_the_run_with_one_line(tmp_path: Path, maps: Path) -> None:
    given = y4m(tmp_path / "in.y4m")
    command = [sys.executable, "-m", "any2bokeh", "refocus", str(given), "--disparity", str(maps), *BLUR, "-o", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read().decode()
    assert process.returncode == 2
    assert told.splitlines()[-1].startswith("error: cannot write to standard output: ")
    assert "Traceback" not in told


def test_pictures_become_a_stream(frame_folder: Path, disparity_folder: Path, piped) -> None:
    code, out, err = piped("refocus", frame_folder, "--disparity", disparity_folder, *BLUR, "-o", "-", "--quiet")
    assert (code, err) == (0, "")
    assert out.startswith(b"YUV4MPEG2 W64 H48 F24:1 Ip A1:1 C420mpeg2 ")
    assert len(planes(out)) == clips.FRAMES


def test_what_the_stream_cannot_hold_is_told(clip: Path, disparity_folder: Path, piped) -> None:
    options = ("--disparity", disparity_folder, *BLUR, "--frames", "0:2", "-o", "-")
    code, out, err = piped("refocus", clip, *options)
    assert code == 0, err
    assert "sound of " in err
    assert len(planes(out)) == 2
    assert "sound of " not in piped("refocus", clip, *options, "--sound", "none")[2]


def test_an_uneven_rate_is_told(tmp_path: Path) -> None:
    remarks: list[str] = []
    with open_source(y4m(tmp_path / "in.y4m")) as source:
        sink = Y4mSink(io.BytesIO(), source.info, Encoding(), part=Part.of(source), notice=remarks.append)
        with sink:
            for frame in source.frames():
                sink.write(replace(frame, time_s=frame.time_s * 3), frame.pixels)
    assert [remark for remark in remarks if "do not come at an even rate" in remark] == remarks


def test_odd_sides_of_10_bits_are_given_full_chroma(tmp_path: Path) -> None:
    with open_source(y4m(tmp_path / "in.y4m", "yuv420p10le")) as source:
        odd = replace(source.info, width=63)
        out = io.BytesIO()
        with Y4mSink(out, odd, Encoding(), part=Part.of(source)) as sink:
            for frame in source.frames():
                cut = np.ascontiguousarray(frame.pixels[:, :, :63])
                sink.write(replace(frame, pixels=cut, native=None), cut)
    assert b" C444p10 " in out.getvalue()
    assert len(planes(out.getvalue())) == FRAMES


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--json",), "--json does not go with -o -"),
        (("--resume",), "--resume does not go with -o -"),
        (("--aov", "coc"), "--aov does not go with -o -, which is standard output for frames alone; give --aov-output"),
        (("--codec", "rawvideo", "--quality", "9"), "quality is 9, but raw frames"),
        (("--codec", "rawvideo", "--pixel-format", "nv12"), "pixel format of raw frames is 'nv12'; allowed is rgb24"),
        (("--codec", "rawvideo", "--sound", "aac"), "sound is aac, but raw video holds pictures alone"),
        (("--codec", "h264"), "codec is h264, but raw frames for a pipe are not compressed"),
        (("--quality", "9"), "quality is 9, but raw frames"),
        (("--sound", "aac"), "sound is aac, but YUV4MPEG2 holds pictures alone"),
        (("--pixel-format", "gbrp"), "cannot hold pixel format gbrp; it holds yuv420p, yuv422p"),
    ],
)
def test_what_does_not_go_with_a_pipe_is_refused(
    options: tuple[str, ...], complaint: str, clip: Path, disparity_folder: Path, piped
) -> None:
    code, out, err = piped("refocus", clip, "--disparity", disparity_folder, *BLUR, "-o", "-", *options)
    assert code == 2
    assert complaint in err
    assert b"FRAME" not in out


@pytest.mark.parametrize(
    ("given", "complaint"), [(b"", "standard input is empty"), (b"\x00\x00\x00\x18ftypmp42", "is not YUV4MPEG2")]
)
@pytest.mark.parametrize("command", ["refocus", "depth"])
def test_an_input_that_is_no_stream_is_refused(
    command: str, given: bytes, complaint: str, tmp_path: Path, piped
) -> None:
    code, _, err = piped(command, "-", "-o", tmp_path / "out", given=given)
    assert code == 2
    assert complaint in err
    assert "yuv4mpegpipe" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "given", "complaint"),
    [
        (("--raw", "8x4"), 192, "--raw says no frame rate; give one with --fps"),
        (("--raw", "8x4", "--fps", "24"), 0, "standard input is empty"),
        (("--raw", "8x4", "--fps", "24"), 100, "ends within frame 1, after 4 of 96 bytes of 8x4 rgb24"),
        (("--raw", "8", "--fps", "24"), 96, "--raw is '8'; give width, height and pixel format"),
        (("--raw", "0x4", "--fps", "24"), 96, "--raw is '0x4'"),
        (("--raw", "8x4:nv12", "--fps", "24"), 96, "pixel format of --raw is 'nv12'; allowed is rgb24"),
    ],
)
def test_raw_frames_that_cannot_be_read_are_refused(
    options: tuple[str, ...], given: int, complaint: str, tmp_path: Path, piped
) -> None:
    code, _, err = piped("refocus", "-", *options, *BLUR, "-o", tmp_path / "out.mp4", given=bytes(given))
    assert code == 2
    assert complaint in err
    assert not (tmp_path / "out.mp4").exists()


def test_raw_frames_are_for_pipes(clip: Path, tmp_path: Path, piped) -> None:
    code, _, err = piped("refocus", clip, "--raw", "8x4", *BLUR, "-o", tmp_path / "out.mp4")
    assert (code, "--raw 8x4 is for standard input (-)" in err) == (2, True)
    for name in ("out.mp4", "out"):
        code, _, err = piped("refocus", clip, "--codec", "rawvideo", *BLUR, "-o", tmp_path / name)
        assert code == 2
        assert "codec rawvideo" in err


def test_a_pipe_has_no_segments(tmp_path: Path) -> None:
    with open_source(y4m(tmp_path / "in.y4m")) as source:
        sink = Y4mSink(io.BytesIO(), source.info, Encoding(), part=Part.of(source))
        with pytest.raises(InputError, match="cannot be written in segments"):
            sink.segment(tmp_path, before=0, first_s=Fraction(0))
