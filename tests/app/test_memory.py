"""Memory does not grow with keyframes and renders."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from any2bokeh.app.memory import give_back_memory
from any2bokeh.app.settings import Limits, Settings
from any2bokeh.app.studio import Studio
from any2bokeh.focus import TrackerChoice
from tests.app.conftest import ready

WIDTH, HEIGHT, FPS, COUNT, KEYFRAMES, RENDERS = 1920, 1080, 24, 60, 60, 5
RENDERED = 12
"""Frames of a render: what a render takes does not depend on their number (tests/test_memory.py)."""
BLUR = 6.0


@pytest.fixture
def large(tmp_path: Path) -> tuple[Path, Path]:
    """A clip of 1080p with squares that move, and its disparity at a quarter of the size."""
    clip, disparity = tmp_path / "clip.mp4", tmp_path / "disparity.npy"
    maps = np.full((COUNT, HEIGHT // 4, WIDTH // 4), 0.2, np.float32)
    noise = np.random.default_rng(1).integers(60, 190, (HEIGHT // 8, WIDTH // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(clip), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "g": "30", "crf": "20"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"  # type: ignore[attr-defined]
        for index in range(COUNT):
            picture = noise.copy()
            for number in range(8):
                x, y = 40 + 230 * number + 2 * index, 200 + 300 * (number % 2)
                picture[y : y + 200, x : x + 160] = 30 * number
                maps[index, y // 4 : (y + 200) // 4, x // 4 : (x + 160) // 4] = 0.3 + 0.08 * number
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(video.encode(frame))  # type: ignore[attr-defined]
        container.mux(video.encode(None))  # type: ignore[attr-defined]
    np.save(disparity, maps)
    return clip, disparity


@pytest.mark.slow
def test_sixty_keyframes_and_five_renders_end_where_they_began(large: tuple[Path, Path]):
    psutil = pytest.importorskip("psutil", reason="needs psutil, to measure memory")
    process = psutil.Process()
    clip, disparity = large
    settings = Settings(limits=Limits(grace_s=1e6), tracker=TrackerChoice("classical"), clip=clip, disparity=disparity)
    studio = Studio(settings)
    try:
        session = studio.arrive()
        project = session.opened()
        # A studio at work: one subject is followed, one picture made, one clip rendered.
        project.focus(0, 0.07, 0.3, is_locked=True)
        project.blur(BLUR)
        project.play_only(0, RENDERED - 1)
        ready(session)
        session.picture(0, "result")
        session.render()
        assert session.job is not None
        session.job.wait()
        give_back_memory()
        before = process.memory_info().rss

        for frame in range(KEYFRAMES):
            project.focus(frame, 0.07 + 0.12 * (frame % 8), 0.3 + 0.28 * (frame % 2), is_locked=True)
            if frame % 10 == 9:
                ready(session)
                session.picture(frame, "result")
        ready(session)
        assert project.follower.progress.stage == "ready"
        for _ in range(RENDERS):
            session.render()
            session.job.wait()
            assert session.job.state == "done", session.job.message
        give_back_memory()
        grown_mb = (process.memory_info().rss - before) / 2**20
        print(f"\n{before / 2**20:.0f} MB before, {grown_mb:+.0f} MB after {KEYFRAMES} keyframes and {RENDERS} renders")
        assert grown_mb < 300
    finally:
        studio.close()
