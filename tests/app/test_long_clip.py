"""A minute of 1080p opens and scrubs, and memory does not grow with it."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from any2bokeh.app.settings import Settings
from any2bokeh.app.studio import Studio
from any2bokeh.focus import TrackerChoice

WIDTH, HEIGHT, FPS, SECONDS = 1920, 1080, 25, 60
COUNT = FPS * SECONDS


def brightness(index: int) -> int:
    """Grey of a corner of a frame, by which it is known again."""
    return 30 + index * 7 % 180


@pytest.fixture
def minute(tmp_path: Path) -> Path:
    """A minute of 1080p, a key frame every two seconds; each frame tells its number in grey."""
    path = tmp_path / "minute.mp4"
    picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)  # yuv420p
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "g": "50", "crf": "20"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"  # type: ignore[attr-defined]
        for index in range(COUNT):
            picture[:HEIGHT] = 90 + (np.arange(WIDTH) // 64 + index // 5) % 2 * 60
            picture[:256, :256] = brightness(index)
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(video.encode(frame))  # type: ignore[attr-defined]
        container.mux(video.encode(None))  # type: ignore[attr-defined]
    return path


@pytest.mark.slow
def test_minute_of_1080p_opens_and_scrubs_without_being_loaded(minute: Path):
    psutil = pytest.importorskip("psutil", reason="needs psutil, to measure memory")
    process = psutil.Process()
    studio = Studio(Settings(depth_model="rough", tracker=TrackerChoice("classical")))
    try:
        session = studio.arrive()
        upload = session.new_file()
        upload.write_bytes(minute.read_bytes())
        before = process.memory_info().rss
        session.open_video(upload, "minute.mp4")
        assert session.project is not None
        assert session.project.snapshot()["frames"] == COUNT

        most = 0
        for index in [*range(0, COUNT, 37), *range(COUNT - 1, 0, -61)]:
            session.picture(index, "source")
            picture = session.project._pictures.frames.at(index)
            assert picture.shape == (3, 540, 960)
            # Limited range to full: the number of the frame, within H.264.
            grey = (brightness(index) - 16) / 219
            assert picture[:, 40:90, 40:90].mean() == pytest.approx(grey, abs=0.02), index
            most = max(most, process.memory_info().rss)
        grown_mb = (most - before) / 2**20
        # 24 pictures of 3 MB, decoders and allocators: worst seen 203 MB. The clip decoded is 9300 MB.
        assert grown_mb < 400
    finally:
        studio.close()
