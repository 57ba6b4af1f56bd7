"""``any2bokeh synth``."""

import cv2
import numpy as np
import pytest

from any2bokeh.synthesis import shard

SMALL = ("--clips", 2, "--frames", 3, "--size", "64x48", "--samples", 4)


def test_writes_clips_and_tells_of_them(cli, results):
    said = cli("synth", results / "clips", *SMALL, "--seed", 5, "--json")
    assert said.code == 0
    assert said.result["clips"] == 2
    assert said.result["kept"] == 0
    folder = shard.ShardFolder(results / "clips")
    assert len(folder) == 2
    clip = folder.clip(1)
    assert clip.frames.shape == (3, 3, 48, 64)
    assert clip.about["made_from"]["seed"] == 5
    assert clip.about["made_from"]["config"]["lens_samples"] == 4


def test_plain_run_has_progress_lines(cli, results):
    said = cli("synth", results / "clips", *SMALL)
    assert said.code == 0
    assert "6/6 frames" in said.out
    assert "2 clips of 3 frames, 64x48" in said.out
    assert cli("synth", results / "other", *SMALL, "--quiet").out == ""


def test_broken_off_run_goes_on_and_other_clips_are_kept_apart(cli, results):
    out = results / "clips"
    cli("synth", out, *SMALL)
    first = (out / shard.name(0)).read_bytes()
    second = (out / shard.name(1)).read_bytes()
    (out / shard.name(1)).unlink()
    (out / shard.name(0)).touch()
    again = cli("synth", out, *SMALL, "--json")
    assert again.result["kept"] == 1
    assert (out / shard.name(1)).read_bytes() == second
    other = cli("synth", out, *SMALL, "--seed", 9)
    assert other.code == 2
    assert "was made with other settings; choose another folder, or pass --overwrite" in other.err
    assert (out / shard.name(0)).read_bytes() == first
    assert cli("synth", out, *SMALL, "--seed", 9, "--overwrite").code == 0
    assert (out / shard.name(0)).read_bytes() != first


def test_takes_folders_of_pictures(cli, results, tmp_path):
    for name in ("subjects", "backgrounds"):
        (tmp_path / name).mkdir()
    picture = np.zeros((60, 40, 4), np.uint8)
    picture[10:50, 10:30] = (0, 0, 255, 255)
    cv2.imwrite(str(tmp_path / "subjects" / "red.png"), picture)
    cv2.imwrite(str(tmp_path / "backgrounds" / "blue.png"), np.full((40, 60, 3), (255, 0, 0), np.uint8))
    options = ("--source", tmp_path / "subjects", "--background", tmp_path / "backgrounds", "--transfer", "none")
    assert cli("synth", results / "clips", *SMALL, *options, "--scenes", "paper", "--schedule", "fixed").code == 0
    clip = shard.read(results / "clips" / shard.name(0))
    assert set(clip.about["pictures"]) == {"red.png", "blue.png"}
    assert clip.frames[:, 1].max() < 0.02, "nothing but red and blue"
    assert clip.about["schedule"] == "fixed"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--source", "EMPTY"), "holds no pictures; give RGBA pictures"),
        (("--background", "EMPTY"), "holds no pictures or videos"),
        (("--source", "none"), "there is no folder none"),
        (("--size", "wide"), "size is 'wide'; give width and height such as 512x288"),
        (("--size", "4x4"), "width is 4; give 16 or more"),
        (("--clips", 0), "number of clips is 0"),
        (("--processes", 0), "number of processes is 0; give 1 or more"),
        (("--seed", -1), "seed is -1"),
        (("--frames", 0), "frame count is 0"),
        (("--samples", 0), "lens samples is 0"),
        (("--blur", "much"), "blur is 'much'"),
        (("--blur", "9,3"), "blur strengths run from 9 to 3"),
        (("--round-aperture", 2), "share of round apertures is 2"),
        (("--schedule", "zoom"), "zoom"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(cli, results, tmp_path, options, said):
    empty = tmp_path / "empty"
    empty.mkdir()
    options = [empty if option == "EMPTY" else option for option in options]
    outcome = cli("synth", results / "clips", *SMALL, *options)
    assert outcome.code == 2
    assert said in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
    assert list(results.iterdir()) == []


def test_source_found_bad_while_running_leaves_nothing(cli, results, tmp_path):
    (tmp_path / "backgrounds").mkdir()
    (tmp_path / "backgrounds" / "a.png").write_bytes(b"no picture")
    outcome = cli("synth", results / "clips", *SMALL, "--background", tmp_path / "backgrounds")
    assert outcome.code == 2
    assert "a.png is damaged" in outcome.err
    assert list(results.iterdir()) == []


def test_shard_of_another_version_in_the_folder_is_told(cli, results):
    from safetensors.numpy import save_file

    nothing = {"frames": np.zeros((1, 3, 4, 4), np.uint8)}
    save_file(nothing, results / shard.name(0), metadata={shard.FORMAT: '{"version": 99}'})
    outcome = cli("synth", results, *SMALL)
    assert outcome.code == 2
    assert "version 99; this release reads version 1" in outcome.err
