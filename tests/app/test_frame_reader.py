from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from any2bokeh.app.frame_reader import FrameReader
from any2bokeh.errors import InputError
from any2bokeh.video import open_source
from tests import clips
from tests.app.conftest import FRAMES, WIDTH


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(order=st.lists(st.integers(0, FRAMES - 1), min_size=1, max_size=12))
def test_frames_come_in_any_order(demo_clip: Path, order: list[int]):
    with open_source(demo_clip / "clip.mp4") as source:
        every = [frame.pixels for frame in source.frames()]
        reader = FrameReader(source, kept=3)
        for index in order:
            # 11 bits: worst seen 0.00024
            np.testing.assert_allclose(reader.at(index), every[index], atol=0.0005)


def test_pictures_are_small_enough_for_a_screen(demo_clip: Path):
    with open_source(demo_clip / "clip.mp4") as source:
        picture = FrameReader(source, long_side_px=96).at(5)
        assert picture.shape == (3, 54, 96)
        whole = FrameReader(source).at(5)
        assert whole.shape == (3, 108, WIDTH)
        np.testing.assert_allclose(picture.mean(), whole.mean(), atol=0.001)


def test_only_a_few_are_kept(demo_clip: Path):
    with open_source(demo_clip / "clip.mp4") as source:
        reader = FrameReader(source, kept=4)
        for index in (0, 9, 3, 17, 1, 22, 8):
            reader.at(index)
        assert len(reader._pictures) == 4


def test_stepping_does_not_decode_anew(demo_clip: Path, monkeypatch: pytest.MonkeyPatch):
    with open_source(demo_clip / "clip.mp4") as source:
        begun = []
        frames = source.frames
        monkeypatch.setattr(source, "frames", lambda *span: begun.append(span) or frames(*span))
        reader = FrameReader(source, kept=FRAMES)
        for index in (*range(FRAMES), *reversed(range(FRAMES)), 3, 4, 3):
            reader.at(index)
        assert begun == [(0,)]


def test_frames_outside_and_damaged_clips_are_told(demo_clip: Path, tmp_path: Path):
    with open_source(demo_clip / "clip.mp4") as source:
        reader = FrameReader(source)
        with pytest.raises(InputError, match="99"):
            reader.at(99)
        assert reader.at(0).shape[0] == 3
    folder = clips.write_frames(tmp_path / "frames", frames=3)
    with open_source(folder) as source:
        reader = FrameReader(source)
        (folder / "00001.png").write_bytes(b"no picture")
        with pytest.raises(InputError, match="00001"):
            reader.at(1)
        assert reader.at(2).shape == (3, 48, 64)
