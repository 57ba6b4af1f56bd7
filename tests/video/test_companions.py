"""What goes along with pictures and sound: kept where the container holds it, cut to the part, or told."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.subtitles.subtitle import SubtitleSet

from any2bokeh.video import Encoding
from any2bokeh.video.chroma_location import chroma_location_of
from any2bokeh.video.hdr import HdrMetadata
from any2bokeh.video.timecode import Timecode
from tests.video.native_clips import native_frame
from tests.video.test_container_sink import copy

RATE = Fraction(24)
MASTERING = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
HDR = {"x265-params": f"log-level=none:asm=0:master-display={MASTERING}:max-cll=1000,400:chromaloc=2"}
CAMERA = {
    "title": "a clip",
    "make": "A maker",
    "com.apple.quicktime.model": "A phone",
    "com.apple.quicktime.location.ISO6709": "+48.1000+011.5000/",
    "creation_time": "2020-01-02T03:04:05.000000Z",
}
CHAPTERS = [(0, 400, "Intro"), (400, 1000, "Scene")]
LINES = [(100, 300, "Hello"), (350, 900, "Grüße"), (950, 990, "End")]


def make(
    path: Path,
    *,
    encoder: str = "libx264",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
    subtitles: str | None = None,
    chapters: bool = False,
    attachment: bool = False,
) -> Path:
    """A second of pictures at 24 frames a second, with what goes along."""
    free = {"movflags": "use_metadata_tags"} if path.suffix in (".mp4", ".mov") else {}
    with av.open(str(path), "w", container_options=free) as container:
        container.metadata.update(tags or {})
        video: Any = container.add_stream(encoder, rate=RATE, options=options or {})
        video.width, video.height, video.pix_fmt = 64, 64, pixel_format
        video.codec_context.thread_count = 1
        video.metadata.update(labels or {})
        text: Any = None
        if subtitles:
            text = container.add_stream(subtitles)
            text.codec_context.subtitle_header = ass_header()
            text.codec_context.time_base = Fraction(1, 1000)
            text.metadata["language"] = "ger"
        if chapters:
            container.set_chapters(
                [
                    {"id": n, "start": a, "end": b, "time_base": Fraction(1, 1000), "metadata": {"title": title}}
                    for n, (a, b, title) in enumerate(CHAPTERS, 1)
                ]
            )
        if attachment:
            container.add_attachment("font.ttf", "font/ttf", b"no font")
        container.start_encoding()
        for begin_ms, end_ms, line in LINES if subtitles else ():
            event = SubtitleSet.create(f"0,0,Default,,0,0,0,,{line}".encode(), 0, end_ms - begin_ms)
            packet = text.codec_context.encode_subtitle(event)
            packet.pts = packet.dts = begin_ms
            packet.duration, packet.time_base, packet.stream = end_ms - begin_ms, Fraction(1, 1000), text
            container.mux(packet)
        for index in range(24):
            frame = native_frame(index, 64, 64, pixel_format)
            frame.pts, frame.time_base = index, 1 / RATE
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def ass_header() -> bytes:
    """The styles that FFmpeg gives to plain text."""
    context: Any = av.CodecContext.create("subrip", "r")
    context.open()
    return context.subtitle_header


def lines_of(path: Path) -> tuple[str, list[tuple[int, int, str]]]:
    """Codec, and begin, end in ms and text of every line of the first subtitle track."""
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        found = []
        for packet in container.demux(stream):
            decoded = stream.codec_context.decode2(packet) if packet.size else None
            if decoded is not None and len(decoded) and packet.pts is not None:
                text = decoded[0].ass.decode().split(",", 8)[8]  # type: ignore[attr-defined]
                begin_s, lasts_s = packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base
                if text:
                    found.append((round(1000 * begin_s), round(1000 * (begin_s + lasts_s)), text))
        return stream.codec_context.name, found


def chapters_in(path: Path) -> list[tuple[int, int, str]]:
    with av.open(str(path)) as container:
        return [
            (
                round(1000 * chapter["start"] * (chapter["time_base"] or 1)),
                round(1000 * chapter["end"] * (chapter["time_base"] or 1)),
                chapter["metadata"]["title"],
            )
            for chapter in container.chapters()
        ]


@pytest.mark.parametrize("extension", [".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize("source", ["in.mkv", "in.mp4"])
def test_chapters_are_kept_and_cut(tmp_path: Path, source: str, extension: str) -> None:
    clip = make(tmp_path / source, chapters=True)
    told: list[str] = []
    assert chapters_in(copy(clip, tmp_path / f"whole{extension}", notice=told.append)) == CHAPTERS
    # Frames 6 to 12 are 250 to 542 ms.
    part = copy(clip, tmp_path / f"part{extension}", start=6, stop=13, notice=told.append)
    assert [title for *_, title in chapters_in(part)] == ["Intro", "Scene"]
    times = [time for begin, end, _ in chapters_in(part) for time in (begin, end)]
    assert all(abs(a - b) <= 1 for a, b in zip(times, [0, 150, 150, 292], strict=True))
    assert told == []


@pytest.mark.parametrize(
    ("source", "kind", "name", "expected"),
    [
        ("in.mkv", "srt", "out.mkv", "srt"),
        ("in.mkv", "srt", "out.mp4", "mov_text"),
        ("in.mkv", "ass", "out.mov", "mov_text"),
        ("in.mkv", "ass", "out.mkv", "ssa"),
        ("in.mkv", "srt", "out.webm", "webvtt"),
        ("in.mp4", "mov_text", "out.mp4", "mov_text"),
        ("in.mp4", "mov_text", "out.mkv", "srt"),
    ],
)
def test_subtitles_are_kept_and_cut(tmp_path: Path, source: str, kind: str, name: str, expected: str) -> None:
    clip = make(tmp_path / source, subtitles=kind)
    told: list[str] = []
    whole = copy(clip, tmp_path / name, notice=told.append)
    assert lines_of(whole) == (expected, LINES)
    with av.open(str(whole)) as container:
        assert container.streams.subtitles[0].metadata["language"] == "ger"
    is_converted = kind != expected and (kind, expected) != ("ass", "ssa")
    assert [bool(re.search(r"subtitle track 1 \(\w+\) of .* is converted to", line)) for line in told] == (
        [True] * is_converted
    )
    # Frames 5 to 10 are 208 to 458 ms: the first line has begun before, the second ends after.
    _, lines = lines_of(copy(clip, tmp_path / f"part{Path(name).suffix}", start=5, stop=11))
    assert [text for *_, text in lines] == ["Hello", "Grüße"]
    times = [time for begin, end, _ in lines for time in (begin, end)]
    assert all(abs(a - b) <= 2 for a, b in zip(times, [0, 92, 142, 250], strict=True))


@pytest.mark.parametrize("extension", [".mp4", ".mov", ".mkv"])
def test_camera_place_and_time_are_kept(tmp_path: Path, extension: str) -> None:
    clip = make(tmp_path / "in.mov", tags=CAMERA)
    with av.open(str(copy(clip, tmp_path / f"out{extension}"))) as container:
        found = {name.lower(): value for name, value in container.metadata.items()}
    assert {name.lower(): value for name, value in CAMERA.items()}.items() <= found.items()


def test_a_plain_title_stays_one_that_players_show(tmp_path: Path) -> None:
    clip = make(tmp_path / "in.mkv", tags={"title": "a clip", "ARTIST": "someone"})
    data = copy(clip, tmp_path / "out.mp4").read_bytes()
    assert b"\xa9nam" in data
    assert b"\xa9ART" in data


@pytest.mark.parametrize(("start", "expected"), [(0, "09:59:59:12"), (14, "10:00:00:02")])
@pytest.mark.parametrize("extension", [".mp4", ".mov", ".mkv"])
def test_time_code_is_kept_and_advanced(tmp_path: Path, extension: str, start: int, expected: str) -> None:
    clip = make(tmp_path / "in.mov", labels={"timecode": "09:59:59:12"})
    with av.open(str(copy(clip, tmp_path / f"out{extension}", start=start))) as container:
        places = [container.metadata, *(stream.metadata for stream in container.streams)]
        codes = [place[name] for place in places for name in place if name.lower() == "timecode"]
    assert set(codes) == {expected}


@pytest.mark.parametrize(
    ("label", "fps", "frames", "expected"),
    [
        ("00:00:59;29", Fraction(30000, 1001), 1, "00:01:00;02"),
        ("00:09:59;29", Fraction(30000, 1001), 1, "00:10:00;00"),
        ("00:00:59;59", Fraction(60000, 1001), 1, "00:01:00;04"),
        ("23:59:59:24", Fraction(25), 1, "00:00:00:00"),
        ("01:00:00:00", Fraction(24000, 1001), 25, "01:00:01:01"),
    ],
)
def test_time_code_arithmetic(label: str, fps: Fraction, frames: int, expected: str) -> None:
    timecode = Timecode.parsed(label, fps)
    assert timecode is not None
    assert str(timecode) == label
    assert str(timecode.advanced(frames)) == expected


@pytest.mark.parametrize("label", ["01:00:00:24", "01:00:00;00", "01:60:00:00", "now"])
def test_time_code_that_does_not_fit(label: str) -> None:
    assert Timecode.parsed(label, Fraction(24)) is None


@pytest.mark.parametrize(("name", "codec"), [("out.mp4", "auto"), ("out.mkv", "auto"), ("out.mov", "h264")])
def test_hdr10_metadata_is_kept(tmp_path: Path, name: str, codec: Any) -> None:
    clip = make(tmp_path / "in.mp4", encoder="libx265", pixel_format="yuv420p10le", options=HDR)
    told: list[str] = []
    with av.open(str(copy(clip, tmp_path / name, Encoding(codec), notice=told.append))) as container:
        stream = container.streams.video[0]
        hdr = HdrMetadata.of(next(container.decode(stream)))
        assert chroma_location_of(stream) == 2
    assert hdr.light_level == (1000, 400)
    assert hdr.mastering is not None
    assert hdr.mastering[:2] == (Fraction(34000, 50000), Fraction(16000, 50000))
    assert hdr.mastering[-2:] == (Fraction(50, 10000), 1000)
    assert told == []


@pytest.mark.parametrize(("name", "codec"), [("out.mov", "prores"), ("out.mkv", "ffv1")])
def test_hdr10_metadata_that_cannot_be_written_is_told(tmp_path: Path, name: str, codec: Any) -> None:
    clip = make(tmp_path / "in.mp4", encoder="libx265", pixel_format="yuv420p10le", options=HDR)
    told: list[str] = []
    copy(clip, tmp_path / name, Encoding(codec), notice=told.append)
    assert len(told) == 1
    assert re.search(
        rf"mastering display, MaxCLL and MaxFALL.* left out, because they cannot be written with {codec}", told[0]
    )


@pytest.mark.parametrize("extension", [".mkv", ".mp4"])
def test_attachments_go_along_or_are_told(tmp_path: Path, extension: str) -> None:
    clip = make(tmp_path / "in.mkv", attachment=True)
    told: list[str] = []
    with av.open(str(copy(clip, tmp_path / f"out{extension}", notice=told.append))) as container:
        held = [stream.data for stream in container.streams if stream.type == "attachment"]  # type: ignore[attr-defined]
    if extension == ".mkv":
        assert (held, told) == ([b"no font"], [])
    else:
        assert told == [f"of {clip}, 1 attachment is left out; only .mkv holds attachments"]


@pytest.mark.parametrize("extension", [".mkv", ".mp4"])
def test_what_else_a_file_holds_is_told(tmp_path: Path, extension: str) -> None:
    clip = make(tmp_path / "one.mkv")
    several = tmp_path / "in.mkv"
    with av.open(str(clip)) as source, av.open(str(several), "w") as container:
        tracks = [container.add_stream_from_template(source.streams.video[0], opaque=True) for _ in range(3)]
        for packet in source.demux(video=0):
            for track in tracks if packet.size else ():
                twin = av.Packet(bytes(packet))
                twin.pts, twin.dts, twin.time_base = packet.pts, packet.dts, packet.time_base
                twin.is_keyframe, twin.stream = packet.is_keyframe, track
                container.mux(twin)
    told: list[str] = []
    with av.open(str(copy(several, tmp_path / f"out{extension}", notice=told.append))) as container:
        assert len(container.streams) == 1
    assert told == [f"of {several}, 2 further video tracks are left out"]
