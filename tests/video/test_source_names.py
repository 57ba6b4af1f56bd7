"""Whatever stands in a file's name, it is a name and nothing else."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.disparity.grey_video import GreyVideo
from any2bokeh.video import open_sink, open_source
from tests.video.native_clips import FRAMES, planes_of, sound_of, write_clip

NAMES = ["take12:30", "-x", "50%d", "a#1", "why?", "set [1]", "|pipe", "file:http:", os.fsdecode(b"caf\xe9:1")]


@pytest.mark.parametrize("name", NAMES)
def test_videos_are_read_and_written_by_any_name(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = write_clip(tmp_path / "plain.mp4", sound="aac")
    monkeypatch.chdir(tmp_path)
    try:
        shutil.copy(plain, f"{name}.mp4")
    except OSError as error:
        pytest.skip(f"this file system takes no such name: {error.strerror}")
    with open_source(f"{name}.mp4") as source:
        assert source.info.frame_count == FRAMES
        for extension in (".mp4", ".mkv"):
            with open_sink(f"{name}-out{extension}", source) as sink:
                for frame in source.frames():
                    sink.write(frame, frame.pixels)
            shutil.copy(f"{name}-out{extension}", tmp_path / f"plain{extension}")
            assert len(planes_of(tmp_path / f"plain{extension}")) == FRAMES
            assert sound_of(tmp_path / f"plain{extension}")


@pytest.mark.parametrize("name", NAMES)
def test_disparity_videos_are_read_by_any_name(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plain = write_clip(tmp_path / "plain.mkv", encoder="ffv1", pixel_format="gray", frames=2)
    try:
        shutil.copy(plain, f"{name}.mkv")
    except OSError as error:
        pytest.skip(f"this file system takes no such name: {error.strerror}")
    maps = GreyVideo(Path(f"{name}.mkv"), noun="disparity")
    assert np.array_equal(maps.at(1), GreyVideo(plain, noun="disparity").at(1))
