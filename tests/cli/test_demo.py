from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from any2bokeh import demo
from tests import clips
from tests.cli.conftest import RunCli

NAMES = ["before-after.png", "contact-sheet.png", "refocused.mp4"]


@pytest.fixture
def tiny_demo_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny clip in the place of the bundled one, of the same four files."""
    folder = tmp_path / "demo_clip"
    folder.mkdir()
    clips.write_clip(folder / "clip.mp4", width=128, height=72)
    with av.open(str(folder / "disparity.mkv"), "w") as container:
        video = container.add_stream("ffv1", rate=clips.FPS)
        video.width, video.height, video.pix_fmt = 128, 72, "gray16le"  # type: ignore[attr-defined]
        for index in range(clips.FRAMES):
            grey = clips.depth_map(index, width=128, height=72)
            container.mux(video.encode(av.VideoFrame.from_ndarray(grey, format="gray16le")))  # type: ignore[attr-defined]
        container.mux(video.encode(None))  # type: ignore[attr-defined]
    (folder / "focus.json").write_text(
        '{"version": 1, "keyframes": [{"frame": 0, "focus_disparity": 0.9, "blur_strength": 60}]}'
    )
    monkeypatch.setattr(demo, "CLIP_FOLDER", folder)


@pytest.mark.usefixtures("tiny_demo_clip")
def test_demo_writes_a_video_a_strip_and_a_sheet(cli: RunCli, results: Path):
    outcome = cli("demo", "-o", results / "demo", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert sorted(path.name for path in (results / "demo").iterdir()) == NAMES
    assert outcome.result["frames"] == clips.FRAMES
    strip = cv2.imread(outcome.result["strip"])
    assert strip is not None
    assert strip.shape == (72, 2 * 128 + 8, 3)
    before, after = strip[:40, :128].astype(int), strip[:40, 136:].astype(int)  # above the labels
    source = clips.picture(1, width=128, height=72)[:40, :, ::-1]
    assert np.abs(before - source).mean() < 15  # H.264 in 4:2:0 of a busy pattern: 9.6
    assert np.abs(np.diff(after, axis=1)).mean() < 0.7 * np.abs(np.diff(before, axis=1)).mean()
    sheet = cv2.imread(outcome.result["contact_sheet"])
    assert sheet is not None
    assert sheet.shape == (4 * 360 + 3 * 8, 3 * 640 + 2 * 8, 3)


@pytest.mark.usefixtures("tiny_demo_clip")
def test_demo_says_where_its_results_are(cli: RunCli, results: Path):
    outcome = cli("demo", "-o", results)
    assert outcome.code == 0
    assert all(str(results / name) in outcome.out for name in NAMES)


@pytest.mark.usefixtures("tiny_demo_clip")
@pytest.mark.parametrize("name", NAMES)
def test_demo_keeps_what_is_there_unless_told(cli: RunCli, results: Path, name: str):
    (results / name).write_bytes(b"mine")
    outcome = cli("demo", "-o", results)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert str(results / name) in outcome.err
    assert "--overwrite" in outcome.err
    assert [path.name for path in results.iterdir()] == [name]
    assert cli("demo", "-o", results, "--overwrite").code == 0
    assert (results / name).read_bytes() != b"mine"


@pytest.mark.usefixtures("tiny_demo_clip")
def test_demo_into_a_file_is_refused(cli: RunCli, results: Path):
    (results / "taken").write_text("a file")
    outcome = cli("demo", "-o", results / "taken")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)


def test_bundled_clip_is_whole():
    from any2bokeh import FocusScript, open_disparity, open_source

    with open_source(demo.CLIP_FOLDER / "clip.mp4") as source:
        info = source.info
    assert (info.width, info.height, len(info.audio)) == (960, 540, 1)
    assert 2.5 <= info.duration_s <= 4
    disparity = open_disparity(demo.CLIP_FOLDER / "disparity.mkv", clip_frame_count=info.frame_count)
    assert disparity.at(0).shape == (1, 540, 960)
    assert FocusScript.load(demo.CLIP_FOLDER / "focus.json").keyframes
    assert sum(path.stat().st_size for path in demo.CLIP_FOLDER.iterdir()) < 4_000_000
