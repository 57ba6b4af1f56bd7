from pathlib import Path

import pytest

from tests import clips
from tests.cli.conftest import RunCli


def test_json_says_what_a_video_is(cli: RunCli, clip: Path):
    result = cli("info", clip, "--json").result
    assert (result["width"], result["height"], result["frame_count"], result["fps"]) == (64, 48, 12, "24")
    assert (result["codec"], result["pixel_format"], result["bit_depth"]) == ("h264", "yuv420p", 8)
    assert [track["codec"] for track in result["audio"]] == ["aac"]
    assert result["path"] == str(clip)


def test_json_says_what_would_be_used(cli: RunCli, clip: Path):
    used = cli("info", clip, "--json").result["would_use"]
    assert (used["engine"], used["transfer"]) == ("layered", "srgb")
    assert (used[".mp4"], used[".webm"], used["folder"]) == ("h264 yuv420p", "vp9 yuv420p", "png")


def test_lines_for_people(cli: RunCli, clip: Path):
    outcome = cli("info", clip)
    assert (outcome.code, outcome.err) == (0, "")
    lines = [line.split(maxsplit=1) for line in outcome.out.splitlines() if line]
    assert ["frame_count", "12"] in lines
    assert ["engine", "layered"] in lines


def test_folder_has_the_rate_it_is_given(cli: RunCli, frame_folder: Path):
    assert cli("info", frame_folder, "--fps", "29.97", "--json").result["fps"] == "30000/1001"


@pytest.mark.parametrize("rate", ["12", "0"])
def test_rate_of_a_video_is_its_own(cli: RunCli, clip: Path, rate: str):
    outcome = cli("info", clip, "--fps", rate)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)


def test_deep_video(cli: RunCli, tmp_path: Path):
    deep = clips.write_clip(tmp_path / "deep.mkv", codec="ffv1", pixel_format="yuv420p10le", sound=False)
    result = cli("info", deep, "--json").result
    assert result["bit_depth"] == 10
    assert result["would_use"][".mp4"] == "hevc yuv420p10le"
    assert "cannot hold the 10 bits" in result["would_use"][".webm"]
