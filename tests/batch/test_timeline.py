"""Timelines in and out: what is rendered of their clips, and that the timeline of the results shows the same frames."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from any2bokeh.batch.finding import timeline_items
from any2bokeh.batch.timeline import Timeline
from any2bokeh.batch.timeline_media import Media, exact_rate, frames_of, local_path, url_of
from any2bokeh.batch.timeline_use import span_of
from any2bokeh.cli.batch import ONE_PROCESS, SOME_FAILED
from any2bokeh.cli.main import run
from any2bokeh.errors import InputError
from any2bokeh.video import VideoSource, open_source
from any2bokeh.video.timecode import Timecode
from tests import clips

otio = pytest.importorskip("opentimelineio", reason="needs the timeline extra")

NTSC = Fraction(30000, 1001)
SHARP = ("--focus", "0.9", "--blur", "0", "--disparity", "maps", "--quiet")
FRAMES = 20


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(ONE_PROCESS, "1")


@contextmanager
def opened(path: Path, fps: str | None) -> Iterator[VideoSource]:
    with open_source(path, fps=fps) as source:
        yield source


def at(value: float, rate: float | Fraction = 24) -> Any:
    return otio.opentime.RationalTime(value, float(rate))


def span(start: float, length: float, rate: float | Fraction = 24) -> Any:
    return otio.opentime.TimeRange(at(start, rate), at(length, rate))


def clip(name: str, url: str | Path, shown: Any = None, available: Any = None, **metadata: Any) -> Any:
    reference = otio.schema.ExternalReference(str(url), available)
    return otio.schema.Clip(name, reference, shown, metadata={"any2bokeh": metadata} if metadata else {})


def write_timeline(*items: Any, path: str = "cut.otio", sound: Any = None) -> Path:
    timeline = otio.schema.Timeline("cut")
    timeline.tracks.append(otio.schema.Track("V1", list(items), kind="Video"))
    if sound is not None:
        timeline.tracks.append(otio.schema.Track("A1", [sound], kind="Audio"))
    otio.adapters.write_to_file(timeline, path)
    return Path(path)


def write_media(path: str, fps: Fraction | int = 24, timecode: str | None = None) -> Path:
    """``FRAMES`` frames of ``clips.picture``, perhaps with a time code."""
    with av.open(path, "w") as container:
        video = container.add_stream("libx264", rate=Fraction(fps), options={"crf": "12"})
        video.width, video.height, video.pix_fmt = clips.WIDTH, clips.HEIGHT, "yuv420p"
        if timecode is not None:
            video.metadata["timecode"] = timecode
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(clips.picture(index), format="rgb24")
            frame.pts, frame.time_base = index, 1 / Fraction(fps)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return Path(path)


def picture_numbers(path: Path) -> list[int]:
    """Which of ``clips.picture`` each frame of a video is."""
    known = np.stack([clips.picture(index) for index in range(FRAMES)]).astype(np.float32)
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(np.float32) for frame in container.decode(video=0)]
    return [int(np.abs(known - frame).mean(axis=(1, 2, 3)).argmin()) for frame in frames]


def shown_numbers(clip: Any) -> list[int]:
    """The pictures that an editor shows for a clip: counted from the start of the media's available range."""
    media, shown = clip.media_reference, clip.trimmed_range()
    rate = media.available_range.start_time.rate
    first = round((shown.start_time - media.available_range.start_time).value_rescaled_to(rate))
    numbers = picture_numbers(Path(media.target_url))
    assert len(numbers) == media.available_range.duration.value
    return numbers[first : first + round(shown.duration.value_rescaled_to(rate))]


def items_of(path: Path, handles: int = 0) -> tuple[Timeline, list[Any]]:
    timeline = Timeline(path)
    return timeline, timeline_items(timeline, Path("out"), opened, handles=handles)


@pytest.mark.parametrize(
    ("fps", "label", "rate"),
    [
        (24, "01:00:00:00", 24),
        (25, "10:59:59:20", 25),
        (NTSC, "00:59:59;22", 29.97),
        (NTSC, "01:00:00:00", 29.97),
        (24, None, 24),
    ],
    ids=["24", "25", "29.97 drop", "29.97", "no time code"],
)
def test_the_timeline_of_the_results_shows_the_same_frames(fps: Fraction, label: str | None, rate: float):
    write_media("a.mov", fps, label)
    clips.write_disparity(Path("maps"), stop=FRAMES)
    begin = 0 if label is None else getattr(Timecode.parsed(label, Fraction(fps)), "frames", -1)
    first = clip("first", "a.mov", span(begin + 5, 6, rate), span(begin, FRAMES, rate))
    first.markers.append(otio.schema.Marker("here", span(begin + 7, 0, rate)))
    # As some programs write it: no available range, and one that counts from 0 although the file has a time code.
    cut = write_timeline(
        first, clip("second", "a.mov", span(begin + 12, 4, rate)), clip("third", "a.mov", span(1, 3, rate))
    )
    assert run(["batch", str(cut), "-o", "out", "--handles", "2", *SHARP]) == 0
    made = otio.adapters.read_from_file("out/cut.otio")
    assert '"OTIO_SCHEMA": "Clip.1"' in Path("out/cut.otio").read_text()
    found = list(made.find_clips())
    assert [each.name for each in found] == ["first", "second", "third"]
    assert [shown_numbers(each) for each in found] == [[5, 6, 7, 8, 9, 10], [12, 13, 14, 15], [1, 2, 3]]
    assert made.duration() == otio.adapters.read_from_file(str(cut)).duration()
    # Handles, as far as the media has them; ranges as the file's own time code counts.
    with av.open("out/a_000003-000012.mov") as container:
        written = container.streams.video[0].metadata.get("timecode")
    parsed = None if written is None else Timecode.parsed(written, Fraction(fps))
    assert (parsed is None) == (label is None)
    start = 0 if parsed is None else parsed.frames
    assert start == (0 if label is None else begin + 3)
    available = found[0].media_reference.available_range
    assert (available.start_time.value, available.duration.value) == (start, 10)
    assert available.start_time.rate == found[0].source_range.start_time.rate == rate
    assert found[0].markers[0].marked_range.start_time.value == start + 4
    assert found[2].media_reference.metadata["any2bokeh"]["frames"] == "0:6"


def test_started_again_it_does_what_is_new(capsys: pytest.CaptureFixture[str]):
    write_media("a.mov")
    clips.write_disparity(Path("maps"), stop=FRAMES)
    write_timeline(
        clip("one", "a.mov", span(2, 4)), clip("again", "a.mov", span(2, 4)), clip("other", "a.mov", span(9, 4))
    )
    assert run(["batch", "cut.otio", "-o", "out", "--handles", "0", *SHARP]) == 0
    states = [each["state"] for each in json.loads(Path("out/report.json").read_text())["clips"]]
    assert states == ["rendered", "rendered"], "one part that is used twice is one result"
    # Trimmed in the editor: the part that is as it was stays.
    cut = write_timeline(clip("one", "a.mov", span(2, 4)), clip("other", "a.mov", span(9, 6)))
    assert run(["batch", str(cut), "-o", "out", "--handles", "0", *SHARP]) == 0
    states = [each["state"] for each in json.loads(Path("out/report.json").read_text())["clips"]]
    assert states == ["kept", "rendered"]
    shown = [shown_numbers(each) for each in otio.adapters.read_from_file("out/cut.otio").find_clips()]
    assert shown == [[2, 3, 4, 5], [9, 10, 11, 12, 13, 14]]
    # A timeline that someone went on with is not replaced.
    Path("out/cut.otio").write_text(Path("out/cut.otio").read_text().replace("other", "my own"))
    assert run(["batch", str(cut), "-o", "out", "--handles", "0", *SHARP]) == 2
    assert "out/cut.otio exists already, and no batch has made it as it is" in capsys.readouterr().err
    assert run(["batch", str(cut), "-o", "out", "--handles", "0", *SHARP, "--overwrite"]) == 0
    assert run(["batch", "out/cut.otio", "-o", "again", *SHARP]) == 2, "results are not refocused twice"
    assert "is a result of any2bokeh already" in capsys.readouterr().err


def test_what_is_not_refocused_is_kept_and_told():
    write_media("a.mov")
    schema = otio.schema
    off = clip("off", "a.mov", span(0, 4))
    off.enabled = False
    nested = schema.Stack("inner", [schema.Track("V", [clip("deep", "a.mov", span(3, 4))])])
    title = schema.Clip("title", schema.GeneratorReference(generator_kind="Text"), span(0, 4))
    several = clip("several", "a.mov", span(6, 2))
    several.set_media_references(
        {"DEFAULT_MEDIA": several.media_reference, "proxy": schema.ExternalReference("p.mov")}, "DEFAULT_MEDIA"
    )
    several.effects.append(schema.Effect("look", effect_name="LUT"))
    path = write_timeline(
        clip("one", "a.mov", span(5, 4)),
        schema.Transition("dissolve", in_offset=at(1), out_offset=at(2)),
        clip("two", "a.mov", span(12, 4)),
        schema.Gap(duration=at(8)),
        off,
        nested,
        title,
        schema.Clip("lost", schema.MissingReference(), span(0, 4)),
        clip("left out", "a.mov", span(0, 4), skip=True),
        several,
        sound=clip("sound", "a.wav", span(0, 4)),
    )
    timeline, items = items_of(path)
    # Under the dissolve, one shows two frames more and two one frame earlier.
    assert [each.frames for each in items] == ["5:11", "11:16", "3:7", "6:8"]
    told = "\n".join(timeline.remarks)
    for name, why in {
        "off": "is disabled", "title": "is made by the editor (Text)", "lost": "has no media",
        "left out": "is to be skipped", "sound": "is sound",
    }.items():  # fmt: skip
        assert f"clip {name} of cut.otio {why}; it is kept as it is" in told
    for kind in ("1 transition", "1 nested sequence", "effects (LUT)", "1 clip with several media"):
        assert f"cut.otio has {kind}" in told
    timeline.write(Path("made.otio"), [], opened)
    before, after = (otio.adapters.read_from_file(name) for name in ("cut.otio", "made.otio"))
    assert [each.name for each in after.find_children()] == [each.name for each in before.find_children()]
    assert [type(each) for each in after.tracks[0]] == [type(each) for each in before.tracks[0]]
    assert after.duration() == before.duration()


@pytest.mark.parametrize(
    ("effect", "frames"),
    [
        (lambda: otio.schema.LinearTimeWarp("fast", time_scalar=2.0), "4:12"),
        (lambda: otio.schema.LinearTimeWarp("slow", time_scalar=0.5), "4:8"),
        (lambda: otio.schema.LinearTimeWarp("back", time_scalar=-1.0), "0:8"),
        (lambda: otio.schema.FreezeFrame("still"), "4:8"),
        (lambda: otio.schema.Effect("curve", effect_name="Time Remap"), f"0:{FRAMES}"),
    ],
    ids=["fast", "slow", "back", "still", "unknown"],
)
def test_speed_effects_have_the_frames_that_they_reach(effect: Any, frames: str):
    write_media("a.mov")
    moved = clip("moved", "a.mov", span(4, 4))
    moved.effects.append(effect())
    timeline, items = items_of(write_timeline(moved))
    assert [each.frames for each in items] == [frames]
    assert any("of its speed" in each or "may show any of it" in each for each in timeline.remarks)


def test_media_that_is_gone_fails_alone_or_is_found(capsys: pytest.CaptureFixture[str]):
    write_media("a.mov")
    clips.write_disparity(Path("maps"), stop=FRAMES)
    cut = write_timeline(
        clip("here", "a.mov", span(2, 4)),
        clip("gone", "/volumes/card/b.mov", span(2, 4)),
        clip("beyond", "a.mov", span(86400, 4)),
        schema_clip := otio.schema.Clip("b", otio.schema.MissingReference(), span(3, 4)),
    )
    assert schema_clip.media_reference.is_missing_reference
    assert (
        run(["batch", str(cut), "-o", "out", "--handles", "0", "--focus", "0.9", "--blur", "0", "--disparity", "maps"])
        == SOME_FAILED
    )
    said = capsys.readouterr().err
    assert "b.mov does not exist" in said
    assert "clip beyond: it shows the frames 86400 to 86403 of a.mov, which has the frames 0 to 19" in said
    assert "clip gone keeps its own media, as it was not refocused" in said
    found = list(otio.adapters.read_from_file("out/cut.otio").find_clips())
    assert found[1].media_reference.target_url == "/volumes/card/b.mov"
    # The timeline lies in another folder now: a path that counted from the first one's is whole.
    url = str(Path("a.mov").absolute())
    assert (found[2].source_range.start_time.value, found[2].media_reference.target_url) == (86400, url)
    Path("card/day 1").mkdir(parents=True)
    write_media("card/day 1/b.mov")
    assert run(["batch", str(cut), "-o", "out", "--handles", "0", "--media", "card", *SHARP]) == SOME_FAILED
    found = list(otio.adapters.read_from_file("out/cut.otio").find_clips())
    assert [shown_numbers(found[place])[0] for place in (0, 1, 3)] == [2, 2, 3]


def test_a_clip_says_its_own_focus(capsys: pytest.CaptureFixture[str]):
    write_media("a.mov")
    clips.write_disparity(Path("maps"), stop=FRAMES)
    script = {"script": {"version": 1, "keyframes": [{"frame": 4, "point": [0.4, 0.5]}]}}
    cut = write_timeline(
        clip("plain", "a.mov", span(2, 3)),
        clip("strong", "a.mov", span(2, 3), focus=script, blur=40),
        clip("wrong", "a.mov", span(2, 3), blurr=40),
    )
    _, items = items_of(cut)
    assert [(each.output.name, dict(each.fields)) for each in items] == [
        ("a_000002-000004.mov", {}),
        ("a_000002-000004_2.mov", {"focus": script, "blur": 40}),
        ("a_000002-000004_3.mov", {"blurr": 40}),
    ]
    assert run(["batch", str(cut), "-o", "out", "--handles", "0", *SHARP]) == SOME_FAILED
    said = capsys.readouterr().err
    assert "cut.otio, clip wrong" in said
    assert "blurr" in said
    plain, strong = (clips.decoded(Path("out", each.output.name)) for each in items[:2])
    assert np.abs(np.stack(plain).astype(float) - np.stack(strong)).max() > 20


def test_images_are_counted_by_their_numbers():
    folder = Path("shot")
    folder.mkdir()
    for index in range(12):
        clips._write(folder / f"take.{1001 + index:04d}.png", clips.picture(index)[..., ::-1].copy())
    clips.write_disparity(Path("maps"))
    # The reference begins at 1003; two images were rendered before it since.
    reference = otio.schema.ImageSequenceReference(
        "shot/", "take.", ".png", start_frame=1003, rate=25, frame_zero_padding=4, available_range=span(1003, 10, 25)
    )
    cut = write_timeline(otio.schema.Clip("take", reference, span(1005, 3, 25)))
    assert run(["batch", str(cut), "-o", "out", "--handles", "1", *SHARP]) == 0
    [made] = otio.adapters.read_from_file("out/cut.otio").find_clips()
    media = made.media_reference
    assert media.target_url_for_image_number(0).endswith("out/take_000003-000007/take.1004.png")
    assert Path(media.target_url_for_image_number(0)).exists()
    assert (media.rate, media.start_frame, media.frame_zero_padding) == (25, 1004, 4)
    assert made.source_range == span(1005, 3, 25)
    assert media.available_range == span(1004, 5, 25)


@pytest.mark.parametrize("fps", [24, NTSC], ids=str)
def test_premiere_gets_final_cut_xml(fps: Fraction):
    pytest.importorskip("otio_fcp_adapter", reason="needs otio-fcp-adapter, of the timeline extra")
    label = "01:00:00:00" if fps == 24 else "01:00:00;00"
    write_media("a b.mov", fps, label)
    clips.write_disparity(Path("maps"), stop=FRAMES)
    begin = getattr(Timecode.parsed(label, Fraction(fps)), "frames", -1)
    url = Path("a b.mov").absolute().as_uri()
    one = clip("one", url, span(begin + 5, 6, fps), span(begin, FRAMES, fps))
    one.metadata["fcp_xml"] = {"masterclipid": "masterclip-1", "enabled": "TRUE"}
    write_timeline(one, path="cut.xml")
    assert run(["batch", "cut.xml", "-o", "out", "--handles", "2", *SHARP]) == 0
    text = Path("out/cut.xml").read_text()
    assert (
        f"<pathurl>{Path('out').absolute().as_uri().replace('file:///', 'file://localhost/')}/a%20b_000003-000012.mov"
        in text
    )
    assert "masterclip" not in text
    for tag, value in {"in": 2, "out": 8, "start": 0, "end": 6, "frame": begin + 3}.items():
        assert f"<{tag}>{value}</{tag}>" in text
    assert f"<displayformat>{'NDF' if fps == 24 else 'DF'}</displayformat>" in text
    [made] = otio.adapters.read_from_file("out/cut.xml").find_clips()
    assert made.source_range.start_time.value == begin + 5
    made.media_reference.target_url = str(local_path(made.media_reference.target_url, Path()))
    assert shown_numbers(made) == [5, 6, 7, 8, 9, 10]
    # From one format into another.
    assert run(["batch", "cut.xml", "-o", "out", "--handles", "2", "--timeline", "new/cut.otio", *SHARP]) == 0
    assert len(otio.adapters.read_from_file("new/cut.otio").find_clips()) == 1


def test_a_timeline_becomes_one_of_another_kind(capsys: pytest.CaptureFixture[str]):
    """OpenTimelineIO's own file need not say which frames media has; Final Cut XML must, and results do."""
    pytest.importorskip("otio_fcp_adapter", reason="needs otio-fcp-adapter, of the timeline extra")
    write_media("a.mov", 25, "01:00:00:00")
    clips.write_disparity(Path("maps"), stop=FRAMES)
    begin = 25 * 3600
    cut = write_timeline(clip("one", "a.mov", span(begin + 5, 6, 25)))
    assert run(["batch", str(cut), "-o", "out", "--handles", "1", "--timeline", "new/cut.xml", *SHARP]) == 0
    [made] = otio.adapters.read_from_file("new/cut.xml").find_clips()
    made.media_reference.target_url = str(local_path(made.media_reference.target_url, Path()))
    assert shown_numbers(made) == [5, 6, 7, 8, 9, 10]
    cut = write_timeline(clip("one", "a.mov", span(begin + 5, 6, 25)), sound=clip("tone", "a.wav", span(0, 6, 25)))
    assert run(["batch", str(cut), "-o", "new", "--timeline", "new/other.xml", *SHARP]) == 2
    said = capsys.readouterr().err
    assert "cut.otio does not say it of clip tone, which keeps its own; give --timeline a name with .otio" in said
    assert not Path("new/a_000000-000019.mov").exists(), "it is refused before anything is rendered"


def test_edit_decision_lists_find_their_media():
    pytest.importorskip("otio_cmx3600_adapter", reason="needs otio-cmx3600-adapter")
    Path("card").mkdir()
    for fps, label, begin, end in (
        (24, "01:00:00:00", "01:00:00:05", "01:00:00:11"),
        (25, "00:59:59:20", "00:59:59:24", "01:00:00:04"),
        (NTSC, "00:59:59;25", "00:59:59;29", "01:00:00;04"),
    ):
        write_media("card/A001.mov", fps, label)
        counting = "DROP FRAME" if ";" in label else "NON-DROP FRAME"
        placed = "00:00:00:00 00:00:00:06" if fps == 24 else "00:00:00:00 00:00:00:05"
        event = f"001  A001     V     C        {begin} {end} {placed}"
        Path("cut.edl").write_text(f"TITLE: cut\nFCM: {counting}\n\n{event}\n* FROM CLIP NAME: A001.mov\n")
        timeline = Timeline(Path("cut.edl"), None if fps == 24 else Fraction(fps))
        [item] = timeline_items(timeline, Path("out"), opened, media=Path("card"))
        assert (item.clip, item.frames) == (Path("card/A001.mov"), "5:11" if fps == 24 else "4:9")
        assert timeline.result_path(Path("out")) == Path("out/cut.otio")
    clips.write_disparity(Path("maps"), stop=FRAMES)
    assert run(["batch", "cut.edl", "-o", "out", "--media", "card", "--fps", "29.97", *SHARP]) == 0
    [made] = otio.adapters.read_from_file("out/cut.otio").find_clips()
    assert shown_numbers(made) == [4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cut.otio", "-o", "out", "--handles", "-1"], "--handles is -1; give 0 or more"),
        (["cut.otio"], "no folder for the results of cut.otio"),
        (["cut.otio", "-o", "."], "is the timeline that is read and would be replaced"),
        (["cut.otio", "-o", "out", "--timeline", "a.edl"], "--timeline a.edl is .edl"),
        (["cut.otio", "-o", "out", "--media", "nowhere"], "--media nowhere is no folder"),
        (["bad.otio", "-o", "out"], "timeline bad.otio cannot be read"),
        (["marker.otio", "-o", "out"], "holds a Marker and no timeline"),
        (["empty.otio", "-o", "out"], "empty.otio has no clip that can be refocused"),
        (["a.aaf", "-o", "out"], "pip install otio-aaf-adapter"),
        ([".", "-o", "out", "--handles", "3"], "--handles is for timelines, and . is none"),
    ],
    ids=["handles", "output", "itself", "kind", "media", "broken", "marker", "empty", "adapter", "folder"],
)
def test_bad_input_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    write_media("a.mov")
    write_timeline(clip("one", "a.mov", span(2, 4)))
    write_timeline(path="empty.otio")
    Path("bad.otio").write_text("{")
    Path("a.aaf").write_text("")
    otio.adapters.write_to_file(otio.schema.Marker("m"), "marker.otio")
    assert run(["batch", *arguments, "--focus", "0.9", "--blur", "0"]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.strip().splitlines()) == 1


def test_without_opentimelineio_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    Path("cut.otio").write_text("{}")
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    with pytest.raises(InputError, match=r"timeline cut.otio needs opentimelineio.*any2bokeh\[timeline\]"):
        Timeline(Path("cut.otio"))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("b.mov", "/cuts/b.mov"),
        ("../rushes/b%20c.mov", "/rushes/b%20c.mov"),
        ("/a/b c#1.mov", "/a/b c#1.mov"),
        ("file:///a/b%20c%231.mov", "/a/b c#1.mov"),
        ("file://localhost/a/b.mov", "/a/b.mov"),
        ("file:///a/b#1?.mov", "/a/b#1?.mov"),
        ("s3://bucket/b.mov", None),
        ("file://server/share/b.mov", None),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX")
def test_urls_and_paths_of_timelines(url: str, path: str | None):
    found = local_path(url, Path("/cuts"))
    assert found == (None if path is None else Path(path))
    if found is not None and url.startswith("file:"):
        assert local_path(url_of(found, url), Path("/cuts")) == found


def test_rates_of_one_nominal_rate_count_the_same_frames():
    assert exact_rate(29.97) == exact_rate(30000 / 1001) == NTSC
    assert exact_rate(23.98) == Fraction(24000, 1001)
    assert (exact_rate(24), exact_rate(12.5), exact_rate(30)) == (24, Fraction(25, 2), 30)
    assert frames_of(at(108000, 30), NTSC) == frames_of(at(108000, 29.97), NTSC) == 108000
    assert frames_of(at(50, 25), Fraction(24)) == 48
    # A clip of a timeline at 25 that shows media at 24: the frames that it touches.
    media = Media(Path("a.mov"), Fraction(24), 100, None, None)
    shown = otio.schema.Clip("a", otio.schema.ExternalReference("a.mov", span(0, 100)), span(10, 5, 25))
    found = span_of(shown, media, None, 0, pytest.fail)
    assert (float(found.first), found.start, found.stop) == (9.6, 9, 15)


@pytest.mark.parametrize("broken", [span(0, 2, 0), span(0, 2, -24), span(0, 2, float("nan")), span(float("nan"), 2)])
def test_a_clip_whose_times_are_no_numbers_is_named(broken: Any, capsys: pytest.CaptureFixture[str]):
    write_media("a.mov")
    cut = write_timeline(clip("bad", "a.mov", broken))
    assert run(["batch", str(cut), "-o", "out", "--dry-run", *SHARP]) != 0
    said = capsys.readouterr().err
    assert "cut.otio, clip bad: a " in said
    assert "export the timeline" in said
    assert "Traceback" not in said
    assert not Path("out").exists()
