"""Sound that a container cannot hold is converted and told, and nothing that it lacks is found out at the end."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.video import Encoding, open_source
from any2bokeh.video.sound_converter import target_of
from tests.video.sound_clips import heard, write_sound_clip
from tests.video.test_container_sink import copy

# Encoder, file, layout, rate: kinds without a channel layout (AVI, MKV, MXF), of few bits, of many channels, of rates
# that AAC has not.
KINDS = {
    "PCM in AVI": ("pcm_s16le", "in.avi", "stereo", 22050),
    "PCM in MXF": ("pcm_s16le", "in.mxf", "stereo", 48000),
    "24 bits in MKV": ("pcm_s24le", "in.mkv", "5.1", 96000),
    "24 bits in MOV": ("pcm_s24le", "in.mov", "stereo", 192000),
    "8 bits": ("pcm_u8", "in.avi", "mono", 8000),
    "floats": ("pcm_f32le", "in.mkv", "mono", 11025),
    "ADPCM": ("adpcm_ms", "in.avi", "stereo", 22050),
    "8 channels": ("pcm_s16le", "in.mkv", "7.1", 48000),
    "3 channels": ("pcm_s16le", "in.avi", "2.1", 44100),
    "WavPack": ("wavpack", "in.mkv", "stereo", 88200),
}


@pytest.mark.parametrize("extension", [".mp4", ".webm"])
@pytest.mark.parametrize("kind", KINDS)
def test_any_sound_reaches_mp4_and_webm(tmp_path: Path, kind: str, extension: str) -> None:
    encoder, name, layout, rate_hz = KINDS[kind]
    clip = write_sound_clip(tmp_path / name, [encoder], layout=layout, rate_hz=rate_hz)
    told: list[str] = []
    result = copy(clip, tmp_path / f"out{extension}", notice=told.append)
    codec, found_layout, found_hz, samples = heard(result)
    assert codec == ("aac" if extension == ".mp4" else "opus")
    assert found_layout == {"2.1": "5.1"}.get(layout, layout)
    assert found_hz == (48000 if extension == ".webm" else {88200: 44100}.get(rate_hz, min(rate_hz, 48000)))
    lines = [line for line in told if "sound" in line]
    assert len(lines) == 1
    assert f"{clip} is converted to {'AAC' if extension == '.mp4' else 'Opus'} {found_layout}" in lines[0]
    assert f"as {extension} cannot hold it" in lines[0]
    # One second of 440 Hz at 0.3: as long, as high and as loud as before. Length: worst seen -0.040 s (MXF, in which 24
    # frames of 25 a second are 0.96 s) and +0.024 s (8 kHz, where AAC fills up its last packet).
    assert abs(len(samples) / found_hz - 1) < 0.05
    middle = samples[found_hz // 4 : 3 * found_hz // 4]
    # Half a second tells frequencies 2 Hz apart; worst seen 0 Hz.
    assert np.abs(np.fft.rfft(middle)).argmax() * 2 == 440
    # Worst seen 0.33 % (three channels in AAC), then 0.31 % (ADPCM in Opus).
    assert np.std(middle) == pytest.approx(0.3 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize(("encoder", "name"), [("pcm_s24le", "in.mov"), ("pcm_u8", "in.avi"), ("flac", "in.mkv")])
def test_what_is_held_is_copied_in_silence(tmp_path: Path, encoder: str, name: str) -> None:
    clip = write_sound_clip(tmp_path / name, [encoder])
    told: list[str] = []
    result = copy(clip, tmp_path / ("out.mp4" if encoder == "flac" else "out.mov"), notice=told.append)
    assert heard(result)[0] == encoder
    assert told == []


def test_aac_on_request(tmp_path: Path) -> None:
    clip = write_sound_clip(tmp_path / "in.mkv", ["flac", "aac"])
    told: list[str] = []
    result = copy(clip, tmp_path / "out.mkv", Encoding(sound="aac"), notice=told.append)
    assert [track.codec for track in open_source(result).info.audio] == ["aac", "aac"]
    assert len(told) == 1
    assert "flac sound of track 1" in told[0]
    assert told[0].endswith("as asked")


def test_a_refusal_names_the_sound_and_comes_before_the_first_frame(tmp_path: Path) -> None:
    clip = write_sound_clip(tmp_path / "in.avi", ["pcm_s16le"])
    with pytest.raises(InputError, match=r"\.mp4 cannot hold the pcm_s16le sound of .*write \.mov or \.mkv") as caught:
        copy(clip, tmp_path / "out.mp4", Encoding(sound="copy"))
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.avi"]


def test_each_track_by_itself(tmp_path: Path) -> None:
    clip = write_sound_clip(tmp_path / "in.mkv", ["aac", "pcm_s16le", "pcm_s16le", "flac"])
    told: list[str] = []
    result = copy(clip, tmp_path / "out.mp4", notice=told.append)
    assert [track.codec for track in open_source(result).info.audio] == ["aac", "aac", "aac", "flac"]
    assert len(told) == 1
    assert "the pcm_s16le sound of track 2 and the pcm_s16le sound of track 3" in told[0]


def test_a_track_without_samples_is_left_out(tmp_path: Path) -> None:
    clip = write_sound_clip(tmp_path / "in.mkv", ["-", "aac"])
    told: list[str] = []
    result = copy(clip, tmp_path / "out.mp4", notice=told.append)
    assert [track.codec for track in open_source(result).info.audio] == ["aac"]
    assert told == [f"the aac sound of track 1 of {clip} has no samples; it is left out"]


@pytest.mark.parametrize("start", [0, 6])
def test_damaged_sound_is_silence_and_told_at_the_end(tmp_path: Path, start: int) -> None:
    clip = write_sound_clip(tmp_path / "in.mkv", ["flac"], duration_s=2.0)
    with av.open(str(clip)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    data = clip.read_bytes()
    for packet in packets[len(packets) // 2 : len(packets) // 2 + 3]:
        assert data.count(packet) == 1
        data = data.replace(packet, bytes(len(packet)))
    clip.write_bytes(data)
    told: list[str] = []
    result = copy(clip, tmp_path / "out.webm", start=start, notice=told.append)
    assert len(told) == 2
    assert told[1].startswith(f"3 sound packets of {clip} are damaged, the first at ")
    _, _, rate_hz, samples = heard(result)
    # As long as before, and what comes after the fault is where it was.
    # Worst seen -0.038 s, of a part: a packet that begins before it is left out, and one is 0.096 s.
    assert abs(len(samples) / rate_hz - (2 - start / 24)) < 0.1
    loud = np.abs(samples[: len(samples) // 480 * 480].reshape(-1, 480)).max(axis=1) > 0.1
    # Three packets of 0.096 s, in steps of 10 ms; seen 28.
    assert 26 <= np.count_nonzero(~loud[5:-5]) <= 30


def test_sixteen_channels_become_the_first_two(tmp_path: Path) -> None:
    clip = write_sound_clip(tmp_path / "in.mov", ["pcm_s16le"], layout="hexadecagonal")
    told: list[str] = []
    result = copy(clip, tmp_path / "out.mp4", notice=told.append)
    assert heard(result)[:2] == ("aac", "stereo")
    assert "of its first 2 channels of 16" in told[0]
    # Worst seen 0.14 %, with the ends of the sound, which AAC fills up.
    assert np.std(heard(result)[3]) == pytest.approx(0.3 / np.sqrt(2), rel=0.02)


def test_late_sound_stays_late_when_it_is_converted(tmp_path: Path) -> None:
    clip = write_sound_clip(tmp_path / "in.mkv", ["pcm_s16le"])
    late = tmp_path / "late.mkv"
    with av.open(str(clip)) as source, av.open(str(late), "w") as container:
        tracks = {stream.index: container.add_stream_from_template(stream, opaque=True) for stream in source.streams}
        for packet in source.demux():
            if packet.size:
                packet.stream, is_sound = tracks[packet.stream.index], packet.stream.type == "audio"
                if is_sound:
                    packet.pts = packet.dts = (packet.pts or 0) + 400
                container.mux(packet)
    *_, rate_hz, samples = heard(copy(late, tmp_path / "out.webm"))
    with av.open(str(tmp_path / "out.webm")) as container:
        first = next(container.decode(audio=0))
        begin_s = Fraction(first.pts or 0) * Fraction(first.time_base or 1)
    onset_s = float(begin_s) + int(np.argmax(np.abs(samples) > 0.05)) / rate_hz
    assert onset_s == pytest.approx(0.4, abs=0.003)  # seen 0.401; Matroska counts milliseconds


@pytest.mark.parametrize(
    ("layout", "rate_hz", "format_name", "expected"),
    [
        ("mono", 8000, "mp4", ("aac", "mono", 8000)),
        ("2 channels", 37800, "mp4", ("aac", "stereo", 44100)),
        ("6 channels", 192000, "mov", ("aac", "5.1", 48000)),
        ("quad", 176400, "matroska", ("aac", "5.1", 44100)),
        ("quad", 44100, "webm", ("opus", "quad", 48000)),
        ("6.1", 48000, "mp4", ("aac", "7.1", 48000)),
        ("16 channels", 48000, "webm", ("opus", "stereo", 48000)),
    ],
)
def test_targets(layout: str, rate_hz: int, format_name: str, expected: tuple[str, str, int]) -> None:
    source = av.CodecContext.create("pcm_s16le", "r")
    source.layout, source.sample_rate = layout, rate_hz  # type: ignore[attr-defined]
    target = target_of(source, format_name)
    assert (target.codec, target.layout, target.rate_hz) == expected
