from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from any2bokeh.app.frame_reader import FrameReader
from any2bokeh.app.proxy import Proxy
from any2bokeh.video import open_source
from tests import clips
from tests.app.conftest import FPS, wait_for

WIDTH, HEIGHT, COUNT = 1200, 20, 40
TONE_HZ, RATE = 440, 48_000


@pytest.fixture
def with_tone(tmp_path: Path) -> Path:
    """A wide clip of one key frame, whose brightness tells the frame, and a tone from its second half on."""
    path = tmp_path / "tone.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "10", "g": "1000", "sc_threshold": "0"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"  # type: ignore[attr-defined]
        sound = container.add_stream("aac", rate=RATE)
        for index in range(COUNT):
            frame = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), 20 + 5 * index, np.uint8), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(video.encode(frame))  # type: ignore[attr-defined]
        for start in range(0, COUNT * RATE // FPS, 1024):
            times = np.arange(start, start + 1024) / RATE
            tone = 0.5 * np.sin(2 * np.pi * TONE_HZ * times) * (times > 0.5 * COUNT / FPS)
            samples = av.AudioFrame.from_ndarray(tone[None].astype(np.float32), format="fltp", layout="mono")
            samples.sample_rate, samples.pts, samples.time_base = RATE, start, Fraction(1, RATE)
            container.mux(sound.encode(samples))  # type: ignore[attr-defined]
        container.mux(video.encode(None))  # type: ignore[attr-defined]
        container.mux(sound.encode(None))  # type: ignore[attr-defined]
    return path


def made(proxy: Proxy) -> Proxy:
    wait_for(lambda: proxy.progress.stage != "making", lambda: proxy.progress)
    return proxy


def test_the_copy_has_every_frame_at_its_place_and_many_key_frames(with_tone: Path, tmp_path: Path):
    with open_source(with_tone) as source:
        proxy = made(Proxy(source, tmp_path / "proxy.mp4"))
        assert proxy.progress.stage == "ready"
        copy = proxy.source()
        assert copy is not None
        assert (copy.info.width, copy.info.height, copy.info.frame_count) == (960, 16, COUNT)
        with av.open(str(proxy.path)) as container:
            keys = [packet.pts for packet in container.demux(video=0) if packet.is_keyframe]
        assert len(keys) >= COUNT / 12
        reader = FrameReader(source)
        reader.read_copy(copy)
        for index in (0, 39, 7, 8, 30, 2):
            # of 8 bits, limited, twice; worst seen 0.006
            np.testing.assert_allclose(reader.at(index), (20 + 5 * index) / 255, atol=0.01)
        proxy.close()
        assert not proxy.path.exists()


def test_the_copy_sounds_when_the_clip_does(with_tone: Path, tmp_path: Path):
    with open_source(with_tone) as source:
        proxy = made(Proxy(source, tmp_path / "proxy.mp4"))
        assert proxy.progress.has_sound
        with av.open(str(proxy.path)) as container:
            [audio] = container.streams.audio
            assert audio.codec_context.name == "aac"
            heard = [
                (float(frame.time or 0), float(np.abs(frame.to_ndarray()).max())) for frame in container.decode(audio)
            ]
        begins_s = next(time_s for time_s, loudness in heard if loudness > 0.2)
        assert begins_s == pytest.approx(0.5 * COUNT / FPS, abs=2048 / RATE)  # two packets
        proxy.close()


def test_a_clip_without_sound_is_copied_without(demo_clip: Path, tmp_path: Path):
    with open_source(demo_clip / "clip.mp4") as source:
        proxy = made(Proxy(source, tmp_path / "proxy.mp4"))
        assert (proxy.progress.stage, proxy.progress.has_sound) == ("ready", False)
        proxy.close()


def test_pictures_and_clips_that_end_early_have_none(tmp_path: Path):
    with open_source(clips.write_frames(tmp_path / "frames", frames=3)) as source:
        proxy = Proxy(source, tmp_path / "proxy.mp4")
        assert (proxy.progress.stage, proxy.source()) == ("none", None)
        proxy.close()


def test_closing_ends_the_work_and_leaves_nothing(with_tone: Path, tmp_path: Path):
    folder = tmp_path / "session"
    folder.mkdir()
    with open_source(with_tone) as source:
        Proxy(source, folder / "proxy.mp4").close()
    assert list(folder.iterdir()) == []
