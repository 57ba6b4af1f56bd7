"""Whole runs of ``any2bokeh train``: killed, on two processes, against the golden, and one clip learnt by heart."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.synthesis import shard
from any2bokeh.training.run_log import LOG_FILE, read_log
from any2bokeh.training.state import states_in
from any2bokeh.training.trainer import RunOptions, train
from tests.training.clips import SoftClips, soft_clips
from tests.training.conftest import tiny_config
from tests.training.test_trainer import assert_alike, moments

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parent / "debug_losses.json"
"""Renewed by: any2bokeh train debug --device cpu --out RUN, then the losses of RUN/log.jsonl by stage."""

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for index in range(4):
        shard.write(folder / f"clip-{index}.safetensors", SoftClips(frames=8).clip(index))
    return folder


def command(config: object, shards: Path, out: Path, *more: object) -> list[str]:
    arguments = ["train", config, "--data", shards, "--out", out, "--device", "cpu", "--json", *more]
    return [sys.executable, "-m", "any2bokeh", *(str(argument) for argument in arguments)]


def losses(out: Path) -> dict[str, list[float]]:
    by_stage: dict[str, list[float]] = {}
    for line in read_log(out / LOG_FILE):
        if line["kind"] == "step":
            by_stage.setdefault(line["stage"], []).append(line["loss"])
    return by_stage


@pytest.fixture(scope="module")
def unbroken(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[float]]]:
    """A config of 12 steps, and the losses of its run."""
    folder = tmp_path_factory.mktemp("unbroken")
    config = folder / "short.toml"
    lengths = {"0": 2, "1": 5, "2": 2, "3": 3}
    tables = "".join(f"[stages.{name}]\nsteps = {steps}\n" for name, steps in lengths.items())
    config.write_text(f'base = "debug"\n{tables}')
    subprocess.run(command(config, shards, folder / "run"), check=True, env=ENVIRONMENT, capture_output=True)
    return config, losses(folder / "run")


@pytest.mark.parametrize("kill_after", [1, 4, 8], ids="after step {}".format)
def test_killed_it_resumes(
    tmp_path: Path, shards: Path, unbroken: tuple[Path, dict[str, list[float]]], kill_after: int
) -> None:
    """Before there is a state, within a stage, and in a later stage."""
    config, expected = unbroken
    broken = killed_run(tmp_path, config, shards, kill_after)
    more = ("--resume",) if states_in(broken / "states") else ()
    subprocess.run(command(config, shards, broken, *more), check=True, env=ENVIRONMENT, capture_output=True)
    assert losses(broken) == expected


def killed_run(folder: Path, config: Path, shards: Path, kill_after: int) -> Path:
    """The folder of a run that was killed when its log had so many steps, or some more.

    A run may be done before it is seen to be that far, where other processes want the cores: then another is begun.
    """
    for attempt in range(5):
        out = folder / f"broken-{attempt}"
        process = subprocess.Popen(
            command(config, shards, out, "--state-every", 2), env=ENVIRONMENT, stdout=subprocess.DEVNULL
        )
        while process.poll() is None and _steps(out) < kill_after:
            time.sleep(0.005)
        process.kill()
        if process.wait() == -signal.SIGKILL:
            return out
        assert process.returncode == 0, "it failed before it was killed"
    pytest.fail("each of five runs was done before it could be killed")


def _steps(out: Path) -> int:
    try:
        return sum(line["kind"] == "step" for line in read_log(out / LOG_FILE))
    except json.JSONDecodeError:  # read in the middle of a write
        return 0


def test_two_processes_have_the_gradients_of_one_with_twice_the_batch(tmp_path: Path, shards: Path) -> None:
    start = train(tiny_config({"0": 1}), soft_clips(), tmp_path / "start", device="cpu").checkpoint
    for name, batch_size, launcher in (
        ("one", 4, []),
        ("two", 2, ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]),
    ):
        config = tmp_path / f"{name}.toml"
        config.write_text(
            'base = "debug"\nname = "debug"\nprecision = "float64"\n'
            f"[stages.1]\nsteps = 2\nwarmup_steps = 0\nframes = 2\nbatch_size = {batch_size}\naccumulation = 2\n"
        )
        plain = command(config, shards, tmp_path / name, "--stage", 1, "--start-from", start, "--state-every", 1)
        subprocess.run([plain[0], *launcher, *plain[1:]], check=True, env=ENVIRONMENT, capture_output=True)
    assert_alike(moments(tmp_path / "one"), moments(tmp_path / "two"))
    assert losses(tmp_path / "two")["1"] == pytest.approx(losses(tmp_path / "one")["1"], rel=1e-6)
    headers = [
        json.loads((states_in(tmp_path / name / "states")[0] / "state.json").read_text()) for name in ("one", "two")
    ]
    assert [header["process_count"] for header in headers] == [1, 2]


def test_debug_runs_all_stages_and_matches_its_golden(tmp_path: Path) -> None:
    done = subprocess.run(
        command("debug", Path("procedural"), tmp_path / "run"), check=True, env=ENVIRONMENT, capture_output=True
    )
    summary = json.loads(done.stdout)
    assert summary["stage"] == "finished"

    golden: dict[str, Any] = json.loads(GOLDEN.read_text())
    curves = losses(tmp_path / "run")
    assert curves.keys() == golden["losses"].keys()
    for stage, expected in golden["losses"].items():
        assert curves[stage] == pytest.approx(expected, rel=golden["relative_tolerance"]), f"stage {stage}"

    clip = SoftClips(frames=9).clip(0)
    pipeline = AnyToBokehPipeline.from_pretrained(summary["checkpoint"])
    frames = pipeline(clip.frames, clip.disparity, clip.focus_disparity, clip.blur_strength).frames
    assert frames.shape == clip.frames.shape
    assert np.isfinite(frames).all()
    in_focus = np.abs(clip.disparity - clip.focus_disparity[:, None, None, None]) * 60 * 128 / 1024 < 0.4
    assert in_focus.any()
    assert not np.array_equal(frames, clip.frames)


def test_one_clip_can_be_learnt_by_heart(tmp_path: Path) -> None:
    """Stage 1 brings its loss down tenfold; stage 3 raises the PSNR that stage 2 has left."""
    config = tiny_config({"0": 60, "1": 80, "2": 4, "3": 60}, frames=2)
    clips = soft_clips(count=1, frames=2)
    train(config, clips, tmp_path, device="cpu", run_options=RunOptions(state_every=1000, log_every=1))
    lines = read_log(tmp_path / LOG_FILE)
    first = [line["loss"] for line in lines if line["kind"] == "step" and line["stage"] == "1"]
    psnr_db = {line["stage"]: line["psnr_db"] for line in lines if line["kind"] == "strip"}
    assert np.mean(first[-10:]) < first[0] / 10
    assert psnr_db["3"] > psnr_db["2"] + 1
