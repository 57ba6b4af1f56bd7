import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from any2bokeh.demo import CLIP_FOLDER
from any2bokeh.video import open_source
from tests import clips
from tests.cli.conftest import RunCli


@pytest.fixture
def arguments(clip: Path, disparity_folder: Path, results: Path) -> list[object]:
    return ["refocus", clip, "--disparity", disparity_folder, "-o", results / "out.mp4"]


FOCUS_AND_BLUR = ["--focus", "0.9", "--blur", "16"]


def test_video_keeps_frames_sound_and_rate(cli: RunCli, arguments: list[object], clip: Path, results: Path):
    outcome = cli(*arguments, *FOCUS_AND_BLUR)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[-1].startswith(f"{results / 'out.mp4'}: 12 frames, 64x48, 24 fps")
    with av.open(str(results / "out.mp4")) as written, av.open(str(clip)) as source:
        assert [frame.time for frame in written.decode(video=0)] == [frame.time for frame in source.decode(video=0)]
    assert clips.sound_packets(results / "out.mp4") == clips.sound_packets(clip)


def test_json_is_one_object_and_nothing_else(cli: RunCli, arguments: list[object], results: Path):
    outcome = cli(*arguments, *FOCUS_AND_BLUR, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    result = outcome.result
    assert result["output"] == str(results / "out.mp4")
    assert (result["frames"], result["width"], result["height"], result["fps"]) == (12, 64, 48, "24")
    assert result["focus_disparity"] == [0.9] * 12
    assert result["blur_strength"] == [16] * 12


def test_quiet_says_nothing(cli: RunCli, arguments: list[object]):
    outcome = cli(*arguments, *FOCUS_AND_BLUR, "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_terminal_shows_a_bar(arguments: list[object], results: Path):
    ours, theirs = pty.openpty()
    job = subprocess.Popen(
        [sys.executable, "-m", "any2bokeh", *map(str, arguments), *FOCUS_AND_BLUR],
        stderr=theirs,
        stdout=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # Linux says so when the other end of a terminal has closed
        pass
    out, _ = job.communicate(timeout=300)
    assert job.returncode == 0
    assert "━".encode() in shown
    assert len(out.splitlines()) == 1


@pytest.mark.parametrize(
    "focus",
    [
        ["--focus-point", "0.95,0.5"],
        ["--focus-box", "0.8,0.1,1,0.9"],
        ["--focus", "0.4"],
    ],
    ids=" ".join,
)
def test_focus_on_the_slope(cli: RunCli, arguments: list[object], focus: list[str]):
    found = cli(*arguments, *focus, "--blur", "8", "--json").result["focus_disparity"]
    assert found == [found[0]] * 12
    assert found[0] == pytest.approx(0.37, abs=0.04)


def test_focus_on_a_mask_follows_it(cli: RunCli, arguments: list[object], mask_folder: Path):
    found = cli(*arguments, "--focus-mask", mask_folder, "--blur", "8", "--json").result["focus_disparity"]
    assert found == pytest.approx([0.9] * 12, abs=1e-4)


def test_focus_script_gives_focus_and_blur(cli: RunCli, arguments: list[object], tmp_path: Path):
    script = tmp_path / "focus.json"
    keyframes = [
        {"frame": 0, "focus_disparity": 0.2, "blur_strength": 4},
        {"frame": 10, "focus_disparity": 0.9, "blur_strength": 14, "easing": "linear"},
    ]
    script.write_text(json.dumps({"version": 1, "keyframes": keyframes}))
    result = cli(*arguments, "--focus-script", script, "--json").result
    assert result["focus_disparity"] == pytest.approx([0.2 + 0.07 * min(frame, 10) for frame in range(12)], abs=1e-6)
    assert result["blur_strength"] == pytest.approx([4 + min(frame, 10) for frame in range(12)], abs=1e-6)


def test_blur_completes_a_focus_script_without_strength(cli: RunCli, arguments: list[object], tmp_path: Path):
    script = tmp_path / "focus.json"
    script.write_text(json.dumps({"version": 1, "keyframes": [{"frame": 0, "focus_disparity": 0.2}]}))
    assert cli(*arguments, "--focus-script", script, "--blur", "7", "--json").result["blur_strength"] == [7] * 12


def test_blur_need_not_be_given(cli: RunCli, arguments: list[object]):
    outcome = cli(*arguments, "--focus", "0.9", "--json")
    assert outcome.code == 0
    assert set(outcome.result["blur_strength"]) == {16.0}


def test_lens_gives_the_blur(cli: RunCli, arguments: list[object]):
    lens = ["--f-number", "2", "--focal-length-mm", "50", "--sensor-width-mm", "36", "--focus-distance-m", "2"]
    strength = cli(*arguments, "--focus", "0.5", *lens, "--json").result["blur_strength"]
    # Aperture radius 12.5 mm, image distance 50 * 2000 / 1950 mm, z_min = 0.5 * 2 m, 1024 px over 36 mm.
    assert strength == pytest.approx([12.5e-3 * 51.282e-3 / 1.0 / 36e-3 * 1024] * 12, rel=1e-4)


def test_lens_keeps_its_strength_while_the_focus_racks(cli: RunCli, arguments: list[object], tmp_path: Path):
    script = tmp_path / "focus.json"
    keyframes = [{"frame": 0, "focus_disparity": 0.2}, {"frame": 11, "focus_disparity": 0.9}]
    script.write_text(json.dumps({"version": 1, "keyframes": keyframes}))
    lens = ["--f-number", "2", "--focal-length-mm", "50"]
    strength = cli(*arguments, "--focus-script", script, *lens, "--json").result["blur_strength"]
    assert strength == [strength[0]] * 12
    assert strength[0] > 0


def test_range_and_rate_of_a_folder(cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path):
    outcome = cli(
        *["refocus", frame_folder, "--fps", "12", "--disparity", disparity_folder, *FOCUS_AND_BLUR],
        *["--start", "0.25", "--end", "0.75", "-o", results / "out.mp4", "--json"],
    )
    result = outcome.result
    assert (result["start_frame"], result["frames"], result["fps"]) == (3, 6, "12")


def test_folder_takes_24_frames_a_second_unless_told(
    cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path
):
    outcome = cli(
        "refocus", frame_folder, "--disparity", disparity_folder, *FOCUS_AND_BLUR, "-o", results / "o.mp4", "--json"
    )
    assert outcome.result["fps"] == "24"


def test_glob_to_folder(cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path):
    outcome = cli(
        *["refocus", f"{frame_folder}/*.png", "--disparity", disparity_folder, *FOCUS_AND_BLUR, "-o", results / "out"]
    )
    assert outcome.code == 0
    assert sorted(path.name for path in (results / "out").iterdir()) == [f"{index:05d}.png" for index in range(12)]


def test_codec_and_quality_reach_the_encoder(cli: RunCli, arguments: list[object], results: Path):
    sizes = []
    for quality in ("5", "45"):
        assert cli(*arguments, *FOCUS_AND_BLUR, "--codec", "hevc", "--quality", quality, "--overwrite").code == 0
        with av.open(str(results / "out.mp4")) as written:
            assert written.streams.video[0].codec_context.name == "hevc"
        sizes.append((results / "out.mp4").stat().st_size)
    assert sizes[0] > 1.5 * sizes[1]


@pytest.mark.parametrize(
    "shape",
    [
        ["--blades", "6"],
        ["--blades", "5", "--blade-curvature", "0.3", "--aperture-rotation-deg", "10"],
        ["--anamorphic-ratio", "2"],
    ],
    ids=" ".join,
)
def test_aperture_changes_the_picture(
    cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path, shape: list[str]
):
    common = ["refocus", frame_folder, "--disparity", disparity_folder, "--focus", "0.9", "--blur", "120"]
    assert cli(*common, "-o", results / "round").code == 0
    assert cli(*common, *shape, "-o", results / "shaped").code == 0
    assert (results / "round" / "00000.png").read_bytes() != (results / "shaped" / "00000.png").read_bytes()


def test_transfer_none_blurs_code_values(cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path):
    common = ["refocus", frame_folder, "--disparity", disparity_folder, "--focus", "0.9", "--blur", "120"]
    assert cli(*common, "-o", results / "light").code == 0
    assert cli(*common, "--transfer", "none", "-o", results / "codes").code == 0
    # Blurred in linear light, what is bright outweighs what is dark.
    brightness = [_mean_of_pngs(results / name) for name in ("light", "codes")]
    assert brightness[0] > brightness[1] + 0.3


def test_number_of_threads_does_not_change_the_picture(
    cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path
):
    common = ["refocus", frame_folder, "--disparity", disparity_folder, *FOCUS_AND_BLUR]
    for threads in ("1", "2"):
        assert cli(*common, "--threads", threads, "-o", results / threads).code == 0
    for index in range(12):
        name = f"{index:05d}.png"
        assert (results / "1" / name).read_bytes() == (results / "2" / name).read_bytes()


@pytest.mark.parametrize("polarity", ["near-white", "near-black"])
def test_polarity_turns_the_disparity_over(cli: RunCli, arguments: list[object], polarity: str):
    outcome = cli(*arguments, "--focus-point", "0.02,0.02", "--blur", "4", "--disparity-polarity", polarity, "--json")
    wanted = 0.1 if polarity == "near-white" else 0.9
    assert outcome.result["focus_disparity"][0] == pytest.approx(wanted, abs=0.02)


def test_diffusion_engine_renders(cli: RunCli, results: Path, tmp_path: Path):
    tiny = pytest.importorskip("any2bokeh.renderers.diffusion.checkpoints.tiny", reason="needs the diffusion extra")
    from any2bokeh.renderers.diffusion.checkpoints import checkpoint

    checkpoint.save(tiny.tiny_pipeline(), tmp_path / "model")
    film = clips.write_clip(tmp_path / "film.mp4", frames=3, width=128, height=128)
    maps = clips.write_disparity(tmp_path / "maps", stop=3, width=128, height=128)
    outcome = cli(
        *["refocus", film, "--disparity", maps, *FOCUS_AND_BLUR, "--engine", "diffusion"],
        *["--model", tmp_path / "model", "--device", "cpu", "-o", results / "out.mp4", "--json"],
        *["--processing-size", "64", "--window", "2", "--overlap", "1", "--dtype", "float32"],
    )
    assert (outcome.code, outcome.err) == (0, "")
    assert (outcome.result["frames"], outcome.result["engine"]) == (3, "diffusion")


@pytest.mark.slow
def test_what_a_mask_shows_stays_sharp_in_the_bundled_clip(cli: RunCli, results: Path):
    clip, disparity, mask = (CLIP_FOLDER / name for name in ("clip.mp4", "disparity.mkv", "mask.mkv"))
    outcome = cli(
        *["refocus", clip, "--disparity", disparity, "--focus-mask", mask, "--blur", "24"],
        *["--end", "0.3", "-o", results / "out.mp4", "--quality", "1", "--json"],
    )
    assert outcome.code == 0
    assert "the subject that is followed stays sharp" in outcome.err
    assert (outcome.result["frames"], outcome.result["width"], outcome.result["height"]) == (8, 960, 540)
    with open_source(results / "out.mp4") as made, open_source(clip) as source, open_source(mask) as masks:
        for one, before, subject in zip(made.frames(), source.frames(), masks.frames(), strict=False):
            change = np.abs(one.pixels - before.pixels).mean(axis=0)
            is_subject = cv2.erode(subject.pixels[0], np.ones((9, 9))) > 0.5
            surround = subject.pixels[0] < 0.5
            assert change[is_subject].mean() < change[surround].mean() / 4


def _mean_of_pngs(folder: Path) -> float:
    import cv2

    means = []
    for path in sorted(folder.iterdir()):
        picture = cv2.imread(str(path))
        assert picture is not None
        means.append(float(picture.mean()))
    return sum(means) / len(means)
