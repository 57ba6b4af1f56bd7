"""Bad input: exit code 2, one line on standard error that names what is wrong, and nothing left behind."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import clips
from tests.cli.conftest import Outcome, RunCli


def assert_refused(outcome: Outcome, results: Path, *named: object) -> None:
    assert outcome.code == 2, outcome
    assert outcome.err.endswith("\n")
    assert len(outcome.err.splitlines()) == 1, outcome.err
    assert outcome.err.startswith("error: ")
    for name in named:
        assert str(name) in outcome.err
    if outcome.out:  # --json: the stream ends with the same line
        assert f"error: {outcome.result['message']}" == outcome.err.strip()
        assert (outcome.result["event"], outcome.result["exit_code"]) == ("run_failed", 2)
    assert sorted(path.name for path in results.iterdir()) == []


@pytest.fixture
def good(clip: Path, disparity_folder: Path, results: Path) -> list[object]:
    """Arguments that work, to which a test adds one fault."""
    return ["refocus", clip, "--disparity", disparity_folder, "-o", results / "out.mp4"]


FOCUS_AND_BLUR = ["--focus", "0.9", "--blur", "16"]


def test_good_arguments_work(cli: RunCli, good: list[object], results: Path):
    outcome = cli(*good, *FOCUS_AND_BLUR)
    assert (outcome.code, outcome.err) == (0, "")
    assert [path.name for path in results.iterdir()] == ["out.mp4"]


# The input


def test_missing_file(cli: RunCli, disparity_folder: Path, results: Path, tmp_path: Path):
    missing = tmp_path / "nowhere.mp4"
    outcome = cli("refocus", missing, "--disparity", disparity_folder, *FOCUS_AND_BLUR, "-o", results / "out.mp4")
    assert_refused(outcome, results, missing)


@pytest.mark.parametrize("content", [b"", b"I am a letter, not a film.\n" * 50, bytes(range(256)) * 64], ids=len)
@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "letter.txt"])
def test_not_a_video(cli: RunCli, disparity_folder: Path, results: Path, tmp_path: Path, content: bytes, name: str):
    (tmp_path / name).write_bytes(content)
    outcome = cli(
        "refocus", tmp_path / name, "--disparity", disparity_folder, *FOCUS_AND_BLUR, "-o", results / "out.mp4"
    )
    # FFmpeg plays text as a terminal would, so a letter may fail later, for its number of frames.
    assert_refused(outcome, results, *([name] if name.startswith("film") else []))


def test_folder_without_frames(cli: RunCli, disparity_folder: Path, results: Path, tmp_path: Path):
    empty = tmp_path / "empty"
    empty.mkdir()
    outcome = cli("refocus", empty, "--disparity", disparity_folder, *FOCUS_AND_BLUR, "-o", results / "out.mp4")
    assert_refused(outcome, results, empty)


def test_sound_without_pictures(cli: RunCli, disparity_folder: Path, results: Path, tmp_path: Path):
    import av

    tone = tmp_path / "tone.m4a"
    with av.open(str(tone), "w", format="mp4") as container:
        audio = container.add_stream("aac", rate=48000)
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        samples.sample_rate = 48000
        container.mux(audio.encode(samples))
        container.mux(audio.encode(None))
    outcome = cli("refocus", tone, "--disparity", disparity_folder, *FOCUS_AND_BLUR, "-o", results / "out.mp4")
    assert_refused(outcome, results, tone)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated_file_says_how_many_frames_were_read(cli: RunCli, results: Path, tmp_path: Path, share: float):
    whole = clips.write_clip(tmp_path / "whole.mkv", frames=48, sound=False)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    maps = clips.write_disparity(tmp_path / "disparity", stop=48)
    outcome = cli("refocus", cut, "--disparity", maps, *FOCUS_AND_BLUR, "-o", results / "out.mp4")
    assert_refused(outcome, results, cut, "frames")


def test_truncated_mp4(cli: RunCli, clip: Path, disparity_folder: Path, results: Path, tmp_path: Path):
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[:-400])  # the index of an MP4 stands at its end
    outcome = cli("refocus", cut, "--disparity", disparity_folder, *FOCUS_AND_BLUR, "-o", results / "out.mp4")
    assert_refused(outcome, results, cut)


@pytest.mark.parametrize("fps", ["0", "-24", "nan", "inf", "fast", "1/0"])
def test_rate_of_a_folder(cli: RunCli, frame_folder: Path, disparity_folder: Path, results: Path, fps: str):
    outcome = cli(
        "refocus", frame_folder, "--fps", fps, "--disparity", disparity_folder, *FOCUS_AND_BLUR, "-o", results / "o.mp4"
    )
    assert_refused(outcome, results, fps)


@pytest.mark.parametrize("times", [["--start", "0.4", "--end", "0.1"], ["--start", "99"], ["--start", "-1"]])
def test_range_without_frames(cli: RunCli, good: list[object], results: Path, times: list[str]):
    outcome = cli(*good, *FOCUS_AND_BLUR, *times)
    assert_refused(outcome, results, times[1])


# Disparity


def test_depth_model_that_is_not_to_be_had(cli: RunCli, clip: Path, results: Path):
    outcome = cli("refocus", clip, "--depth-model", "someone/tiny", *FOCUS_AND_BLUR, "-o", results / "out.mp4")
    remedies = ("any2bokeh models get someone/tiny", "--disparity", "--depth-model rough")
    assert_refused(outcome, results, "depth model someone/tiny", *remedies)


def test_depth_model_that_is_no_model(cli: RunCli, clip: Path, results: Path, tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    outcome = cli("refocus", clip, "--depth-model", tmp_path, *FOCUS_AND_BLUR, "-o", results / "out.mp4")
    assert_refused(outcome, results, tmp_path, "BertModel", "DepthAnythingForDepthEstimation")


def test_depth_model_that_may_not_be_used_freely(cli: RunCli, clip: Path, results: Path):
    outcome = cli("refocus", clip, "--depth-model", "large", *FOCUS_AND_BLUR, "-o", results / "out.mp4")
    assert_refused(outcome, results, "Depth-Anything-V2-Large-hf", "cc-by-nc-4.0", "--allow-noncommercial")


@pytest.mark.parametrize("also", [["--depth-model", "rough"], ["--allow-noncommercial"]])
def test_disparity_and_depth_model(cli: RunCli, good: list[object], results: Path, also: list[str]):
    assert_refused(cli(*good, *FOCUS_AND_BLUR, *also), results, "--disparity", also[0], "contradict")


@pytest.mark.parametrize("scale_alignment", ["still", "Blend"])
def test_unknown_scale_alignment(cli: RunCli, clip: Path, results: Path, scale_alignment: str):
    outcome = cli("refocus", clip, "--scale-alignment", scale_alignment, *FOCUS_AND_BLUR, "-o", results / "out.mp4")
    assert_refused(outcome, results, scale_alignment, "whole-clip")


def test_a_point_outside_the_frame_is_told_before_anything_is_estimated(cli: RunCli, clip: Path, results: Path):
    outcome = cli("refocus", clip, "--focus-point", "1.2,0.5", "--blur", "16", "-o", results / "out.mp4")
    assert_refused(outcome, results, "1.2", "0 to 1")


def test_an_output_that_exists_is_told_before_anything_is_estimated(cli: RunCli, clip: Path, tmp_path: Path):
    taken = tmp_path / "out.mp4"
    taken.write_bytes(b"mine")
    outcome = cli("refocus", clip, *FOCUS_AND_BLUR, "-o", taken)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert "exists" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["-o", "OUT/maps.mp4"], ".npz"),
        (["-o", "OUT/maps", "--format", "tiff"], "tiff"),
        (["-o", "OUT/maps", "--subject-point", "0.5"], "--subject-point"),
        (["-o", "OUT/maps", "--subject-point", "0.5,2"], "2"),
        (["-o", "OUT/maps", "--subject-box", "0.9,0,0.1,1"], "x0"),
        (["-o", "OUT/maps", "--subject-point", "0.5,0.5", "--subject-box", "0,0,1,1"], "contradict"),
        (["-o", "OUT/maps", "--start", "9"], "9"),
        (["-o", "OUT/none/maps"], "none"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_depth(cli: RunCli, clip: Path, results: Path, arguments: list[str], named: str):
    assert_refused(cli("depth", clip, *(a.replace("OUT", str(results)) for a in arguments)), results, named)


def test_missing_disparity(cli: RunCli, clip: Path, results: Path, tmp_path: Path):
    outcome = cli("refocus", clip, "--disparity", tmp_path / "no", *FOCUS_AND_BLUR, "-o", results / "out.mp4")
    assert_refused(outcome, results, tmp_path / "no")


@pytest.mark.parametrize("missing", [0, 4, clips.FRAMES - 1])
def test_disparity_count_names_the_first_missing_frame(
    cli: RunCli, good: list[object], disparity_folder: Path, results: Path, missing: int
):
    (disparity_folder / f"{missing:05d}.png").unlink()
    outcome = cli(*good, *FOCUS_AND_BLUR)
    assert_refused(outcome, results, "11", "12", f"{missing:05d}" if missing else "")


def test_too_many_disparity_maps(cli: RunCli, clip: Path, results: Path, tmp_path: Path):
    maps = clips.write_disparity(tmp_path / "maps", stop=clips.FRAMES + 2)
    outcome = cli("refocus", clip, "--disparity", maps, *FOCUS_AND_BLUR, "-o", results / "out.mp4")
    assert_refused(outcome, results, "14", "12")


def test_polarity_word(cli: RunCli, good: list[object], results: Path):
    outcome = cli(*good, *FOCUS_AND_BLUR, "--disparity-polarity", "near-grey")
    assert_refused(outcome, results, "near-grey", "near-white", "near-black")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_disparity_that_is_not_finite(cli: RunCli, clip: Path, results: Path, tmp_path: Path, value: float):
    maps = np.full((clips.FRAMES, clips.HEIGHT, clips.WIDTH), 0.5, np.float32)
    maps[7, 3, 5] = value
    np.save(tmp_path / "maps.npy", maps)
    outcome = cli("refocus", clip, "--disparity", tmp_path / "maps.npy", *FOCUS_AND_BLUR, "-o", results / "out.mp4")
    assert_refused(outcome, results, "maps.npy", "NaN")


def test_disparity_of_another_shape(cli: RunCli, clip: Path, results: Path, tmp_path: Path):
    maps = clips.write_disparity(tmp_path / "maps", width=clips.HEIGHT, height=clips.WIDTH)
    outcome = cli("refocus", clip, "--disparity", maps, *FOCUS_AND_BLUR, "-o", results / "out.mp4")
    assert_refused(outcome, results, "48x64", "64x48")


def test_damaged_disparity_map(cli: RunCli, good: list[object], disparity_folder: Path, results: Path):
    damaged = disparity_folder / "00009.png"
    damaged.write_bytes(damaged.read_bytes()[:200])
    outcome = cli(*good, *FOCUS_AND_BLUR, "--json")
    assert_refused(outcome, results, "00009.png")


# Focus and blur


@pytest.mark.parametrize("focus", ["1.2", "-0.1", "nan", "inf", "near", "", "0.5,0.5"])
def test_focus_outside_its_range(cli: RunCli, good: list[object], results: Path, focus: str):
    outcome = cli(*good, "--focus", focus, "--blur", "16")
    assert_refused(outcome, results, focus)


@pytest.mark.parametrize("point", ["1.2,0.5", "0.5,-0.1", "0.5", "0.1,0.2,0.3", "a,b", "nan,0.5"])
def test_point_outside_the_frame(cli: RunCli, good: list[object], results: Path, point: str):
    outcome = cli(*good, "--focus-point", point, "--blur", "16")
    assert_refused(outcome, results, "point")


@pytest.mark.parametrize("box", ["0.6,0.2,0.3,0.9", "0,0,1", "0,0,1,1.5", "0.5,0.5,0.5,0.5"])
def test_box_outside_the_frame_or_inside_out(cli: RunCli, good: list[object], results: Path, box: str):
    outcome = cli(*good, "--focus-box", box, "--blur", "16")
    assert_refused(outcome, results, "box")


def test_no_focus(cli: RunCli, good: list[object], results: Path):
    assert_refused(cli(*good, "--blur", "16"), results, "--focus")


def test_two_focuses(cli: RunCli, good: list[object], results: Path):
    outcome = cli(*good, "--focus", "0.5", "--focus-point", "0.5,0.5", "--blur", "16")
    assert_refused(outcome, results, "--focus 0.5", "--focus-point 0.5,0.5")


@pytest.mark.parametrize("blur", ["-1", "inf", "nan", "-inf", "strong"])
def test_blur_outside_its_range(cli: RunCli, good: list[object], results: Path, blur: str):
    assert_refused(cli(*good, "--focus", "0.5", "--blur", blur), results, blur, "--blur")


def test_blur_and_lens(cli: RunCli, good: list[object], results: Path):
    outcome = cli(*good, "--focus", "0.5", "--blur", "16", "--f-number", "1.8")
    assert_refused(outcome, results, "--blur 16", "--f-number 1.8")


@pytest.mark.parametrize(
    ("lens", "named"),
    [
        (["--f-number", "1.8"], ["--f-number 1.8", "--focal-length-mm"]),
        (["--focus-distance-m", "3"], ["--focus-distance-m 3", "--f-number"]),
        (["--f-number", "0", "--focal-length-mm", "50"], ["f number is 0"]),
        (["--f-number", "2", "--focal-length-mm", "inf"], ["inf"]),
        (["--f-number", "2", "--focal-length-mm", "50", "--focus-distance-m", "0.01"], ["0.01"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_lens_that_is_none(cli: RunCli, good: list[object], results: Path, lens: list[str], named: list[str]):
    assert_refused(cli(*good, "--focus", "0.5", *lens), results, *named)


def test_lens_focused_on_infinity(cli: RunCli, good: list[object], results: Path):
    outcome = cli(*good, "--focus", "0", "--f-number", "1.8", "--focal-length-mm", "50")
    assert_refused(outcome, results, "focus disparity is 0", "--blur")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", ""),
        ("{", ""),
        ("[]", ""),
        ('{"version": 2, "keyframes": []}', "2"),
        ('{"version": 1}', "keyframes"),
        ('{"version": 1, "keyframes": []}', "keyframes"),
        ('{"version": 1, "keyframes": [{"frame": 0, "focus_disparity": 0.5}], "speed": 3}', "speed"),
        ('{"version": 1, "keyframes": [{"frame": 0, "focus_disparity": 0.5, "zoom": 3}]}', "zoom"),
        ('{"version": 1, "keyframes": [{"frame": 0, "focus_disparity": 1.5, "blur_strength": 8}]}', "1.5"),
        ('{"version": 1, "keyframes": [{"frame": 0, "focus_disparity": 0.5, "blur_strength": -8}]}', "-8"),
        ('{"version": 1, "keyframes": [{"frame": 0, "focus_disparity": 0.5, "blur_strength": NaN}]}', "NaN"),
        ('{"version": 1, "keyframes": [{"frame": 99, "focus_disparity": 0.5, "blur_strength": 8}]}', "99"),
        ('{"version": 1, "focus_disparity": [0.5], "blur_strength": [8]}', "12"),
        ('{"version": 1, "focus_disparity": [0.5, 0.5], "blur_strength": [8]}', "blur_strength"),
    ],
)
def test_focus_script_with_a_fault(
    cli: RunCli, good: list[object], results: Path, tmp_path: Path, text: str, named: str
):
    script = tmp_path / "focus.json"
    script.write_text(text)
    assert_refused(cli(*good, "--focus-script", script), results, named)


def test_missing_focus_script(cli: RunCli, good: list[object], results: Path, tmp_path: Path):
    assert_refused(cli(*good, "--focus-script", tmp_path / "no.json"), results, tmp_path / "no.json")


def test_focus_script_and_blur_contradict(cli: RunCli, good: list[object], results: Path, tmp_path: Path):
    script = tmp_path / "focus.json"
    script.write_text(
        json.dumps({"version": 1, "keyframes": [{"frame": 0, "focus_disparity": 0.5, "blur_strength": 8}]})
    )
    assert_refused(cli(*good, "--focus-script", script, "--blur", "9"), results, script, "--blur")


def test_mask_of_another_size(cli: RunCli, good: list[object], results: Path, tmp_path: Path):
    masks = clips.write_masks(tmp_path / "masks", width=40, height=40)
    assert_refused(cli(*good, "--focus-mask", masks, "--blur", "16"), results, "40x40", "64x48")


def test_mask_of_another_count(cli: RunCli, good: list[object], results: Path, tmp_path: Path):
    masks = clips.write_masks(tmp_path / "masks", frames=clips.FRAMES - 1)
    assert_refused(cli(*good, "--focus-mask", masks, "--blur", "16"), results, "11", "12")


def test_missing_mask(cli: RunCli, good: list[object], results: Path, tmp_path: Path):
    assert_refused(cli(*good, "--focus-mask", tmp_path / "no", "--blur", "16"), results, tmp_path / "no")


# Engine


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--threads", "0"], "0"),
        (["--threads", "many"], "many"),
        (["--engine", "magic"], "magic"),
        (["--engine", "diffusion", "--model", "no-such-model"], "no-such-model"),
        (["--engine", "diffusion", "--model", "m", "--transfer", "none"], "--transfer none"),
        (["--engine", "diffusion", "--model", "m", "--blades", "6"], "--blades 6"),
        (["--engine", "diffusion", "--model", "m", "--threads", "2"], "--threads 2"),
        (["--engine", "diffusion", "--model", "m", "--window", "4", "--overlap", "4"], "overlap is 4"),
        (["--processing-size", "512"], "--processing-size 512"),
        (["--model", "weights"], "--model weights"),
        (["--device", "cuda"], "--device cuda"),
        (["--transfer", "gamma"], "gamma"),
        (["--blades", "2"], "2"),
        (["--blades", "7", "--blade-curvature", "1.5"], "1.5"),
        (["--blade-curvature", "0.5"], "--blades"),
        (["--anamorphic-ratio", "0"], "anamorphic ratio is 0"),
        (["--aperture-rotation-deg", "inf"], "inf"),
    ],
    ids=" ".join,
)
def test_engine_options(cli: RunCli, good: list[object], results: Path, options: list[str], named: str):
    assert_refused(cli(*good, *FOCUS_AND_BLUR, *options), results, named)


# Output


def test_existing_output(cli: RunCli, good: list[object], results: Path):
    (results / "out.mp4").write_bytes(b"mine")
    outcome = cli(*good, *FOCUS_AND_BLUR)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert "out.mp4" in outcome.err
    assert "--overwrite" in outcome.err
    assert (results / "out.mp4").read_bytes() == b"mine"
    assert cli(*good, *FOCUS_AND_BLUR, "--overwrite").code == 0
    assert (results / "out.mp4").read_bytes() != b"mine"


def test_output_is_the_input(cli: RunCli, clip: Path, disparity_folder: Path, results: Path):
    before = clip.read_bytes()
    outcome = cli("refocus", clip, "--disparity", disparity_folder, *FOCUS_AND_BLUR, "-o", clip, "--overwrite")
    assert_refused(outcome, results, clip)
    assert clip.read_bytes() == before


def test_output_in_a_missing_folder(cli: RunCli, clip: Path, disparity_folder: Path, results: Path):
    target = results / "none" / "out.mp4"
    outcome = cli("refocus", clip, "--disparity", disparity_folder, *FOCUS_AND_BLUR, "-o", target)
    assert_refused(outcome, results, target)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; see the next test")
def test_output_in_a_folder_without_permission(cli: RunCli, good: list[object], results: Path):
    results.chmod(0o555)
    try:
        assert_refused(cli(*good, *FOCUS_AND_BLUR), results, "out.mp4", "writable")
    finally:
        results.chmod(0o755)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc, where even root may create no file")
def test_output_in_a_folder_where_nobody_may_write(cli: RunCli, clip: Path, disparity_folder: Path, results: Path):
    outcome = cli("refocus", clip, "--disparity", disparity_folder, *FOCUS_AND_BLUR, "-o", "/proc/self/out.mp4")
    assert_refused(outcome, results, "/proc/self/out.mp4")


def test_output_of_an_unknown_kind(cli: RunCli, clip: Path, disparity_folder: Path, results: Path):
    outcome = cli("refocus", clip, "--disparity", disparity_folder, *FOCUS_AND_BLUR, "-o", results / "out.avi")
    assert_refused(outcome, results, ".avi", ".mp4")


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("vp9", "out.mov"),
        ("prores", "out.webm"),
        ("h264", "out.webm"),
        ("png", "out.mp4"),
        ("h264", "out"),
        ("exr", "o.mkv"),
    ],
)
def test_codec_that_the_container_cannot_hold(
    cli: RunCli, clip: Path, disparity_folder: Path, results: Path, codec: str, name: str
):
    outcome = cli(
        "refocus", clip, "--disparity", disparity_folder, *FOCUS_AND_BLUR, "--codec", codec, "-o", results / name
    )
    assert_refused(outcome, results, codec)


def test_codec_that_cannot_hold_the_bit_depth(cli: RunCli, disparity_folder: Path, results: Path, tmp_path: Path):
    deep = clips.write_clip(tmp_path / "deep.mkv", codec="ffv1", pixel_format="yuv420p10le", sound=False)
    outcome = cli(
        "refocus", deep, "--disparity", disparity_folder, *FOCUS_AND_BLUR, "--codec", "vp9", "-o", results / "o.webm"
    )
    assert_refused(outcome, results, "vp9", "10")


@pytest.mark.parametrize("quality", ["-5", "9999", "good"])
def test_quality_outside_its_range(cli: RunCli, good: list[object], results: Path, quality: str):
    assert_refused(cli(*good, *FOCUS_AND_BLUR, "--quality", quality), results, quality)


# A disk of 256 KB in a mount namespace of the test's own: the kernel itself says "no space left on device", and no
# privilege is needed. Namespaces may be forbidden, so the size limit of a process, which the kernel enforces anywhere,
# is tested too.
_FULL_DISK = 'mount -t tmpfs -o size=256k tmpfs "$0" && { "$@"; code=$?; ls -A "$0"; exit $code; }'
_SIZE_LIMIT = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from any2bokeh.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def _namespaces_allowed() -> bool:
    probe = ["unshare", "--user", "--map-root-user", "--mount", "true"]
    return shutil.which("unshare") is not None and subprocess.run(probe, capture_output=True).returncode == 0


@pytest.fixture
def large(tmp_path: Path) -> list[object]:
    """Arguments whose result is some megabytes."""
    film = clips.write_clip(tmp_path / "film.mp4", width=320, height=240, options={"crf": "1"})
    maps = clips.write_disparity(tmp_path / "maps", width=320, height=240)
    return ["refocus", film, "--disparity", maps, *FOCUS_AND_BLUR, "--json"]


def of_best_quality(name: str) -> list[str]:
    """What makes a video large; pictures are."""
    return ["--quality", "1"] if "." in name else []


@pytest.mark.skipif(not _namespaces_allowed(), reason="needs unshare and unprivileged user namespaces for a small disk")
@pytest.mark.parametrize(
    "name", ["out.mp4", *(pytest.param(name, marks=pytest.mark.slow) for name in ("out.mkv", "out.mov")), "out"]
)
def test_full_disk(results: Path, large: list[object], name: str):
    command = [sys.executable, "-m", "any2bokeh", *map(str, large), *of_best_quality(name), "-o", str(results / name)]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _FULL_DISK, str(results), *command],
        capture_output=True,
        text=True,
        timeout=300,
    )
    # What `ls` printed of the small disk, before it went away, is on standard output.
    assert_refused(Outcome(done.returncode, done.stdout, done.stderr), results, "disk full", name)


@pytest.mark.parametrize(
    "name", ["out.mp4", *(pytest.param(name, marks=pytest.mark.slow) for name in ("out.mkv", "out"))]
)
def test_file_size_limit(results: Path, large: list[object], name: str):
    done = subprocess.run(
        [sys.executable, "-c", _SIZE_LIMIT, *map(str, large), *of_best_quality(name), "-o", str(results / name)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert_refused(Outcome(done.returncode, done.stdout, done.stderr), results, name)


# Usage


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["refocus"], "INPUT"),
        (["refocus", "a.mp4"], "--output"),
        (["refocus", "a.mp4", "-o", "b.mp4", "--bluur", "3"], "--bluur"),
        (["refocus", "a.mp4", "b.mp4", "-o", "c.mp4"], "b.mp4"),
        (["refocus", "a.mp4", "-o"], "-o"),
        (["refokus"], "refokus"),
        (["--nonsense"], "--nonsense"),
        (["info"], "INPUT"),
        (["preview", "a.mp4"], "--output"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_usage(cli: RunCli, results: Path, arguments: list[str], named: str):
    assert_refused(cli(*arguments), results, named)


@pytest.mark.parametrize(
    "arguments",
    [
        ["refocus", "{long}.mp4", "-o", "b.mp4"],
        ["refocus", "{clip}", "--disparity", "{long}", "--focus", "0.5", "-o", "b.mp4"],
        ["refocus", "{clip}", "--focus", "0.5", "-o", "{long}.mp4"],
        ["track", "{clip}", "--focus-point", "0.5,0.5", "-o", "{long}.json"],
        ["batch", "{clip.parent}", "--focus", "0.5", "-o", "{long}"],
    ],
    ids=" ".join,
)
def test_names_that_no_file_system_takes(cli: RunCli, clip: Path, results: Path, arguments: list[str]):
    outcome = cli(*(each.format(clip=clip, long=results / ("a" * 300)) for each in arguments))
    assert_refused(outcome, results, "file systems take 255", "choose a shorter one")
