"""``any2bokeh evaluate``: what it writes and prints, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.cli.conftest import RunCli
from tests.cli.test_bad_input import assert_refused
from tests.clips import write_clip, write_disparity, write_masks
from tests.evaluation.conftest import shard_folder, thin_lens_folder  # noqa: F401 (fixtures)
from tests.evaluation.pictures import FRAMES, picture, write_result


@pytest.fixture
def clips(thin_lens_folder: Path) -> Path:  # noqa: F811
    return thin_lens_folder


def test_scores_are_written_and_printed(cli: RunCli, clips: Path, results: Path):
    out = results / "scores"
    outcome = cli("evaluate", clips, "--engine", "source", "--engine", "gather", "-o", out, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    result = outcome.result
    assert result["output"] == str(out)
    assert set(result["methods"]) == {"source", "gather"}
    assert result["methods"]["source"]["clips"]["scene/same"]["psnr_db"] == 100
    written = json.loads((out / "evaluation.json").read_text())
    assert written == {key: value for key, value in result.items() if key != "output"}
    assert {"table.md", "psnr_frames.svg", "strip_scene_same.png", "strip_scene_darker.png"} <= {
        path.name for path in out.iterdir()
    }


def test_all_engines_are_scored_unless_asked_otherwise(cli: RunCli, thin_lens_folder: Path, results: Path):  # noqa: F811
    _enlarge(thin_lens_folder / "scene")  # the diffusion engine needs 64 px
    outcome = cli("evaluate", thin_lens_folder, "-o", results / "scores", "--limit", 1, "--frames", 1, "--threads", 1)
    assert outcome.code == 0, outcome.err
    assert "5/5 frames" in outcome.out
    rows = [line.split("|")[1].strip() for line in outcome.out.splitlines() if line.startswith("| ")]
    assert rows[2:7] == ["source", "gather", "scatter", "layered", "compact"]
    assert "Absent: fd needs weights of RAFT" in outcome.out


def _enlarge(scene: Path) -> None:
    """Double the sides of every picture of a scene."""
    for path in scene.rglob("*.png"):
        one = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert one is not None
        cv2.imwrite(str(path), cv2.resize(one, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST))
    about = json.loads((scene / "meta.json").read_text())
    (scene / "meta.json").write_text(json.dumps(about | {side: 2 * about[side] for side in ("width", "height")}))


def test_results_in_a_folder_are_scored_under_a_name(cli: RunCli, clips: Path, results: Path, tmp_path: Path):
    for clip in ("same", "darker"):
        write_result(tmp_path / "theirs" / "scene" / clip, [picture(t) for t in range(FRAMES)])
    outcome = cli("evaluate", clips, "--results", f"other={tmp_path / 'theirs'}", "-o", results / "scores", "--json")
    assert outcome.code == 0, outcome.err
    assert list(outcome.result["methods"]) == ["other"]
    assert outcome.result["methods"]["other"]["clips"]["scene/same"]["psnr_db"] == 100


def test_shards_are_scored(cli: RunCli, shard_folder: Path, results: Path):  # noqa: F811
    outcome = cli("evaluate", shard_folder, "--engine", "source", "-o", results / "scores", "--json")
    assert outcome.code == 0, outcome.err
    assert [clip["name"] for clip in outcome.result["clips"]] == ["000", "001"]
    assert outcome.result["clips"][0]["transfer"] == "none"


@pytest.fixture
def real_clips(tmp_path: Path) -> Path:
    """One real clip of 4 frames."""
    clip = tmp_path / "real" / "square"
    clip.mkdir(parents=True)
    write_clip(clip / "frames.mp4", frames=4, sound=False)
    write_disparity(clip / "disparity", stop=4)
    write_masks(clip / "mask", frames=4)
    return tmp_path / "real"


def test_real_clips_are_scored_without_truth(cli: RunCli, real_clips: Path, results: Path):
    outcome = cli(
        "evaluate", real_clips, "--real", "--edges", "off", "--edges", "auto", "--blur", 8, "--engine", "source",
        "--engine", "layered", "--threads", 1, "--frames", 2, "-o", results / "scores", "--json",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert [clip["name"] for clip in outcome.result["clips"]] == ["square/off", "square/auto"]
    assert {clip["frames"] for clip in outcome.result["clips"]} == {2}
    assert {clip["blur_strength"] for clip in outcome.result["clips"]} == {8}
    assert all("subject_blurred" in clip["given"] for clip in outcome.result["clips"])
    assert outcome.result["methods"]["source"]["mean"]["vepi"] == pytest.approx(1)
    assert (results / "scores" / "strip_square_auto.png").is_file()


def test_clips_with_truth_are_scored_for_each_treatment(cli: RunCli, clips: Path, results: Path):
    given = ("--edges", "off", "--edges", "classical", "--plate", "off", "--plate", "auto", "--engine", "source")
    outcome = cli("evaluate", clips, *given, "--limit", 5, "-o", results / "scores", "--json")
    assert outcome.code == 0, outcome.err
    assert [clip["name"] for clip in outcome.result["clips"]] == [
        "scene/same/off/plate-off", "scene/same/off/plate-auto", "scene/same/classical/plate-off",
        "scene/same/classical/plate-auto", "scene/darker/off/plate-off",
    ]  # fmt: skip
    assert outcome.result["clips"][1]["conditions"] == {"edges": "off", "plate": "auto", "source blur": "off"}
    assert (results / "scores" / "strip_scene_same_off_plate-auto.png").is_file()


def test_the_rough_estimate_is_scored_where_there_is_no_disparity(cli: RunCli, real_clips: Path, results: Path):
    given = ("--engine", "source", "--depth-model", "rough", "-o", results / "scores", "--json")
    outcome = cli("evaluate", real_clips, "--real", *given)
    assert outcome.code == 0, outcome.err
    shares = outcome.result["clips"][0]["given"]
    assert set(shares) == {"subject_blurred", "background_sharp"}
    (own,) = cli("evaluate", real_clips, "--real", "--engine", "source", "-o", results / "own", "--json").result[
        "clips"
    ]
    assert own["given"] != shares


def test_faults_are_told_in_one_line_and_leave_nothing(cli: RunCli, clips: Path, results: Path, tmp_path: Path):
    out = results / "scores"
    empty = tmp_path / "empty"
    empty.mkdir()
    write_result(tmp_path / "short" / "scene" / "same", [picture(t) for t in range(FRAMES - 1)])
    write_result(tmp_path / "large" / "scene" / "same", [picture(t, width=64) for t in range(FRAMES)])

    def refused(*arguments: object, named: tuple[object, ...]) -> None:
        assert_refused(cli("evaluate", *arguments, "-o", out), results, *named)

    refused(named=("neither CLIPS nor --suite",))
    refused(clips, "--suite", "layered", named=("both CLIPS and --suite",))
    refused(tmp_path / "nothing", named=(tmp_path / "nothing",))
    refused(empty, named=(empty, "holds no clips"))
    refused(clips, "--limit", 0, named=("--limit is 0",))
    refused(clips, "--frames", -1, named=("--frames is -1",))
    refused(clips, "--engine", "magic", named=("magic", "layered"))
    refused(clips, "--engine", "diffusion", "--model", tmp_path / "none", named=(tmp_path / "none",))
    refused(clips, "--engine", "layered", "--model", "x", named=("--model x",))
    refused(clips, "--threads", 0, named=("--threads is 0",))
    refused(clips, "--results", empty, named=(empty, "is empty"))
    refused(clips, "--results", tmp_path / "nothing", named=("no folder of results",))
    refused(clips, "--results", tmp_path / "short", named=(f"has {FRAMES - 1} frames", f"has {FRAMES}"))
    refused(clips, "--limit", 1, "--results", tmp_path / "large", named=("64x40", "48x40"))
    refused(clips, "--real", named=("holds no real clips", "frames/"))
    refused("--real", named=("--real has no CLIPS",))
    refused(clips, "--real", "--suite", "degraded", named=("--real", "--suite degraded"))
    refused(clips, "--blur", 8, named=("--blur 8", "--real"))
    refused(clips, "--depth-model", "rough", named=("--depth-model rough", "--real"))
    write_result(tmp_path / "whole" / "scene" / "same", [picture(t) for t in range(FRAMES)])
    for name in ("--edges", "--plate"):
        only_results = (clips, "--limit", 1, "--results", tmp_path / "whole", name, "off")
        refused(*only_results, named=(f"{name} off", "engines"))
    refused("--suite", "degraded", "--edges", "soft", named=("--edges is 'soft'", "classical"))
    refused(clips, "--plate", "classical", named=("--plate is 'classical'", "auto or off"))
    refused(clips, "--i3d", tmp_path / "none.safetensors", named=("none.safetensors", "--i3d"))
    refused(clips, "--lpips", tmp_path / "none.safetensors", named=("none.safetensors", "--lpips"))
    refused(clips, "--video-features", empty, named=(empty, "config.json"))


def test_an_existing_folder_is_kept_unless_told(cli: RunCli, clips: Path, results: Path):
    (results / "note.txt").write_text("mine")
    outcome = cli("evaluate", clips, "--engine", "source", "-o", results)
    assert outcome.code == 2
    assert "--overwrite" in outcome.err
    outcome = cli("evaluate", clips, "--engine", "source", "-o", results, "--overwrite", "--quiet")
    assert outcome.code == 0, outcome.err
    assert outcome.out == ""
    assert (results / "note.txt").read_text() == "mine"
    assert (results / "table.md").is_file()


def test_several_processes_score_the_same(cli: RunCli, shard_folder: Path, results: Path):  # noqa: F811
    """All but the times that it took, to the bit."""
    given = ["evaluate", shard_folder, "--engine", "gather", "--engine", "layered", "--frames", 2, "--json"]
    one, two = (cli(*given, "-o", results / name, "--processes", name) for name in ("1", "2"))
    assert (one.code, two.code) == (0, 0), two.err
    assert (untimed(two.result), two.err) == (untimed(one.result), "")
    assert len(list((results / "1").glob("strip_*"))) == 2
    for strip in (results / "1").glob("strip_*"):
        assert strip.read_bytes() == (results / "2" / strip.name).read_bytes()


def untimed(result: Any) -> Any:
    """A report without what differs from run to run."""
    if isinstance(result, dict):
        return {key: untimed(each) for key, each in result.items() if key not in ("elapsed_s", "render_s", "output")}
    return [untimed(each) for each in result] if isinstance(result, list) else result


@pytest.mark.parametrize("count", [0, 65])
def test_a_number_of_processes_that_makes_no_sense(cli: RunCli, shard_folder: Path, results: Path, count: int):  # noqa: F811
    outcome = cli("evaluate", shard_folder, "-o", results / "scores", "--processes", count)
    assert (outcome.code, outcome.err) == (2, f"error: --processes is {count}; give 1 to 64\n")
