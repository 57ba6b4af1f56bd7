"""Sound travels with the pictures: the same packets at the same times, or a documented substitute."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.video import Encoding, open_sink, open_source
from tests.video.native_clips import sound_of, write_clip
from tests.video.test_container_sink import copy


@pytest.mark.parametrize(
    ("sound", "source", "name"),
    [
        ("aac", "in.mp4", "out.mp4"),
        ("aac", "in.mp4", "out.mov"),
        ("aac", "in.mov", "out.mkv"),
        ("libopus", "in.mkv", "out.webm"),
        ("libopus", "in.webm", "out.mkv"),
        ("pcm_s16le", "in.mov", "out.mov"),
        ("pcm_s16le", "in.mkv", "out.mkv"),
        ("flac", "in.mkv", "out.mp4"),
    ],
)
def test_packets_are_copied_bit_for_bit(tmp_path: Path, sound: str, source: str, name: str) -> None:
    encoder = "libvpx-vp9" if source.endswith("webm") else "libx264"
    clip = write_clip(tmp_path / source, encoder=encoder, sound=sound, frames=30)
    before, after = sound_of(clip), sound_of(copy(clip, tmp_path / name))
    assert len(before) > 10
    assert [data for data, _ in after] == [data for data, _ in before]
    # Between containers, priming may move everything by a constant; against the pictures nothing moves.
    shift = _first_picture(tmp_path / name) - _first_picture(clip)
    # Matroska counts milliseconds.
    assert max(abs(b - a - shift) for (_, a), (_, b) in zip(before, after, strict=True)) <= Fraction(1, 1000)


def test_trimmed_sound_begins_with_the_pictures(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", sound="aac", frames=48)
    result = copy(clip, tmp_path / "out.mp4", start=12, stop=36)
    inside = [(data, time - Fraction(1, 2)) for data, time in sound_of(clip) if Fraction(1, 2) <= time < Fraction(3, 2)]
    after = sound_of(result)
    assert [data for data, _ in after] == [data for data, _ in inside]
    assert len(after) > 40
    # A late start is counted in the clock of the pictures, here 1/12288 s.
    assert max(abs(a[1] - b[1]) for a, b in zip(after, inside, strict=True)) <= Fraction(1, 12288)


def test_sound_that_starts_late_stays_late(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", sound="aac", pts=[12, 13, 14, 15], frames=4)
    before, after = open_source(clip).info, open_source(copy(clip, tmp_path / "out.mp4")).info
    assert after.start_time_s == before.start_time_s == Fraction(1, 2)
    assert [time for _, time in sound_of(tmp_path / "out.mp4")] == [time for _, time in sound_of(clip)]


def test_every_track_and_its_language_is_kept(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mkv", sound="aac")
    two = tmp_path / "two.mkv"
    with av.open(str(clip)) as source, av.open(str(two), "w") as container:
        video = container.add_stream_from_template(source.streams.video[0], opaque=True)
        tracks = [container.add_stream_from_template(source.streams.audio[0]) for _ in range(2)]
        for track, language in zip(tracks, ("eng", "fre"), strict=True):
            track.metadata["language"] = language
        for packet in source.demux(video=0, audio=0):
            if packet.size:
                data = bytes(packet)
                for target in [video] if packet.stream.type == "video" else tracks:
                    twin = av.Packet(data)
                    twin.pts, twin.dts, twin.time_base = packet.pts, packet.dts, packet.time_base
                    twin.is_keyframe, twin.stream = packet.is_keyframe, target
                    container.mux(twin)
    tracks_found = open_source(copy(two, tmp_path / "out.mp4")).info.audio
    assert [(track.codec, track.language) for track in tracks_found] == [("aac", "eng"), ("aac", "fre")]


@pytest.mark.parametrize(
    ("sound", "name", "expected"),
    [("aac", "out.webm", "opus"), ("wavpack", "out.mp4", "aac"), ("aac", "out.mkv", "aac")],
)
def test_what_the_container_cannot_hold_is_encoded_anew(tmp_path: Path, sound: str, name: str, expected: str) -> None:
    clip = write_clip(tmp_path / "in.mkv", sound=sound, frames=48)
    result = copy(clip, tmp_path / name)
    assert [track.codec for track in open_source(result).info.audio] == [expected]
    with av.open(str(result)) as container:
        tone = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    tone = tone.astype(np.float64) / (32768 if tone.dtype == np.int16 else 1)
    # Two seconds of 440 Hz at 0.3: as long, as loud and as high as before.
    assert abs(len(tone) / 48000 - 2) < 0.1
    spectrum = np.abs(np.fft.rfft(tone[24000:72000]))
    assert spectrum.argmax() == 440
    assert np.std(tone[24000:72000]) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


def test_recoded_sound_can_be_refused_or_left_out(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", sound="aac")
    with open_source(clip) as source, pytest.raises(InputError, match=r"webm cannot hold the aac sound of .*in\.mp4"):
        open_sink(tmp_path / "out.webm", source, encoding=Encoding(sound="copy"))
    assert not list(tmp_path.glob(".out*"))
    assert open_source(copy(clip, tmp_path / "out.webm", Encoding(sound="none"))).info.audio == ()


def _first_picture(path: Path) -> Fraction:
    return open_source(path).info.start_time_s
