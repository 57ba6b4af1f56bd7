"""The trainer, on tiny models: what it trains, how it resumes, what it refuses."""

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from any2bokeh.errors import InputError
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.training.config import TrainingConfig
from any2bokeh.training.networks import named_parameters, start_networks
from any2bokeh.training.run_log import read_log
from any2bokeh.training.stages import trained_names
from any2bokeh.training.state import FINISHED, read_header, states_in
from any2bokeh.training.trainer import RunOptions, TrainingResult, train
from tests.training.clips import soft_clips
from tests.training.conftest import MakeConfig, tiny_config

ALL = {"0": 1, "1": 3, "2": 2, "3": 1}


def run(config: TrainingConfig, out: Path, **options: Any) -> TrainingResult:
    run_options = options.pop("run_options", RunOptions(state_every=100))
    return train(config, options.pop("clips", soft_clips()), out, device="cpu", run_options=run_options, **options)


def losses(result: TrainingResult) -> list[float]:
    return [line["loss"] for line in read_log(result.log) if line["kind"] == "step"]


def moments(out: Path) -> dict[str, torch.Tensor]:
    """First moments of the optimiser in the oldest state that is kept."""
    tensors = load_file(states_in(out / "states")[0] / "optimizer.safetensors")
    return {key: value for key, value in tensors.items() if key.startswith("exp_avg/")}


class Killed(Exception):
    """Stands in for SIGKILL: nothing is tidied up on the way out."""


def killed_at(total_steps: int) -> Any:
    """Somebody who watches, and kills."""
    seen = 0

    def report(_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == total_steps:
            raise Killed

    return report


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """All stages of the tiny config, in one go; every state is kept."""
    return run(
        tiny_config(ALL), tmp_path_factory.mktemp("unbroken"), run_options=RunOptions(state_every=1, states_kept=99)
    )


@pytest.fixture(scope="module")
def three_steps(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """Three steps of one stage, in one go."""
    return run(tiny_config({"1": 3}), tmp_path_factory.mktemp("three-steps"))


@pytest.mark.parametrize("step", [pytest.param(2, marks=pytest.mark.slow), pytest.param(5, marks=pytest.mark.slow), 6])
def test_a_killed_training_goes_on_as_if_it_had_not_been(
    tmp_path: Path, tiny: MakeConfig, unbroken: TrainingResult, step: int
) -> None:
    config, run_options = tiny(ALL), RunOptions(state_every=2)
    with pytest.raises(Killed):
        run(config, tmp_path, run_options=run_options, report=killed_at(step))
    resumed = run(config, tmp_path, run_options=run_options, resume=True)
    assert len(losses(unbroken)) == sum(ALL.values())
    assert losses(resumed) == losses(unbroken)  # to the bit, on one machine
    for name in ("unet", "vae"):
        file = f"{name}/diffusion_pytorch_model.safetensors"
        one, other = (load_file(result.checkpoint / file) for result in (unbroken, resumed))
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_stage_changes_what_it_declares_and_nothing_else(tiny: MakeConfig, unbroken: TrainingResult) -> None:
    config = tiny(ALL)
    out = unbroken.checkpoint.parent
    between = [state for state in states_in(out / "states") if read_header(state).position.step == 0]
    before = {name: value.detach() for name, value in named_parameters(start_networks(config.start, 0)).items()}
    for stage, state in zip(config.stages, between, strict=True):
        after = load_file(state / "networks.safetensors")
        changed = {name for name in before if not torch.equal(before[name], after[name])}
        declared = set(trained_names(stage.trains, before))
        assert changed <= declared
        # Without a say, of what is declared: queries and keys of cross-attention to a single token, and the attention
        # in the middle of a decoder of one layer, which diffusers builds and does not call.
        idle = {name for name in declared - changed if ".attn2." not in name and ".norm2." not in name}
        assert not {name for name in idle if not name.startswith("vae.decoder.mid_block.attentions.")}
        before = after
    assert unbroken.position.stage == FINISHED
    assert len(list((out / "strips").glob("*.png"))) == 4


@pytest.mark.slow
def test_a_bigger_batch_is_the_same_as_accumulation(tmp_path: Path, tiny: MakeConfig) -> None:
    # In float64, for on so small frames norms over two pixels magnify the rounding of float32 ten thousandfold.
    config = tiny({"1": 2}, precision="float64")
    settings = {"whole": {"batch_size": 4}, "parts": {"batch_size": 2, "accumulation": 2}}
    seen = {}
    for name, setting in settings.items():
        stages = (replace(config.stages[0], **setting),)
        run(replace(config, stages=stages), tmp_path / name, run_options=RunOptions(state_every=1))
        seen[name] = moments(tmp_path / name)
    assert_alike(seen["whole"], seen["parts"])


def assert_alike(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    """Gradients agree to the rounding of sums taken in another order; worst seen 2e-11 of the largest."""
    assert one.keys() == other.keys()
    largest = max(float(value.abs().max()) for value in one.values())
    assert largest > 0
    for key in one:
        assert float((one[key] - other[key]).abs().max()) <= 1e-8 * largest, key


def test_the_export_refocuses_a_clip_and_says_where_it_comes_from(unbroken: TrainingResult) -> None:
    pipeline = AnyToBokehPipeline.from_pretrained(unbroken.checkpoint)
    clip = soft_clips().training.clip(0)
    frames = pipeline(clip.frames, clip.disparity, clip.focus_disparity, clip.blur_strength).frames
    assert frames.shape == clip.frames.shape
    assert np.isfinite(frames).all()
    record = pipeline.card.provenance["training"]
    assert record["config"]["name"] == "debug"
    assert record["clips"] == {"kind": "soft", "count": 4}
    assert record["steps"] == sum(ALL.values())
    assert [stage["stage"] for stage in record["stages"]] == ["0", "1", "2", "3"]
    # The autoencoder's latents were measured, and every later stage and the pipeline scale them alike.
    assert pipeline.vae.latent_scale == record["stages"][0]["latent_scale"] != 0.18215


@pytest.mark.slow
def test_stages_one_at_a_time_are_all_stages(tmp_path: Path, tiny: MakeConfig, unbroken: TrainingResult) -> None:
    results = [run(tiny(ALL), tmp_path, stage=stage, resume=stage != "0") for stage in ALL]
    assert losses(results[-1]) == losses(unbroken)
    assert [result.position.stage for result in results] == ["1", "2", "3", FINISHED]
    assert results[-1].position.total_steps == sum(ALL.values())


def test_a_stage_starts_from_an_exported_checkpoint(tmp_path: Path, tiny: MakeConfig) -> None:
    config = tiny({"0": 1, "1": 1, "3": 2})
    first = run(config, tmp_path / "first", stage="0")
    third = run(config, tmp_path / "third", stage="3", start_from=first.checkpoint)
    assert [line["stage"] for line in read_log(third.log) if line["kind"] == "step"] == ["3", "3"]


@pytest.mark.slow
def test_time_runs_out_and_a_handoff_goes_on_elsewhere(tmp_path: Path, tiny: MakeConfig) -> None:
    config = tiny({"0": 1, "1": 4})
    kept = tmp_path / "handoff"
    first = run(config, tmp_path / "here", run_options=RunOptions(state_every=100, minutes=1e-9), handoff=kept)
    assert first.stopped_early
    assert (first.position.stage, first.position.step) == ("1", 0)
    second = run(
        config, tmp_path / "there", run_options=RunOptions(state_every=100, minutes=1e-9), start_from=kept, handoff=kept
    )
    assert (second.position.stage, second.position.step) == ("1", 1)
    assert {path.name for path in kept.iterdir()} <= {"handoff.json", "handoff.safetensors", "log.jsonl", "latest.png"}
    last = run(config, tmp_path / "last", start_from=kept)
    assert last.position.stage == FINISHED
    assert len(losses(last)) == 5
    # Near the unbroken run, not the same: weights are carried in 16 bits, first moments not at all.
    unbroken = run(config, tmp_path / "unbroken")
    assert losses(last)[:2] == pytest.approx(losses(unbroken)[:2], rel=5e-3)
    assert losses(last)[2:] == pytest.approx(losses(unbroken)[2:], rel=0.5)


def test_a_full_handoff_goes_on_exactly(tmp_path: Path, tiny: MakeConfig, three_steps: TrainingResult) -> None:
    config, kept = tiny({"1": 3}), tmp_path / "handoff"
    short = RunOptions(minutes=1e-9, handoff_size="full")
    run(config, tmp_path / "here", run_options=short, handoff=kept)
    last = run(config, tmp_path / "there", start_from=kept)
    assert losses(last) == losses(three_steps)  # to the bit, on one machine
    (kept / "handoff.safetensors").write_bytes((kept / "handoff.safetensors").read_bytes()[:-100])
    with pytest.raises(InputError, match=r"handoff\.safetensors is missing or truncated"):
        run(config, tmp_path / "again", start_from=kept)


def test_the_rate_falls_to_nothing_over_the_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))  # a second whenever somebody looks
    config = tiny_config({"1": 100_000})
    result = run(config, tmp_path, run_options=RunOptions(state_every=100_000, minutes=0.6, anneal=True))
    rates = [line["learning_rate"] for line in read_log(result.log) if line["kind"] == "step"]
    assert result.stopped_early
    assert max(rates) <= config.stages[0].learning_rate
    assert max(rates) > 0.8 * config.stages[0].learning_rate
    assert rates[-1] < 0.2 * config.stages[0].learning_rate


def test_a_run_that_ran_out_of_time_resumes_exactly(
    tmp_path: Path, tiny: MakeConfig, three_steps: TrainingResult
) -> None:
    config, pieces = tiny({"1": 3}), tmp_path / "pieces"
    results = [run(config, pieces, run_options=RunOptions(minutes=1e-9), resume=piece > 0) for piece in range(3)]
    assert [result.stopped_early for result in results] == [True, True, False]
    assert losses(results[-1]) == losses(three_steps)


def test_states_are_kept_by_count_and_hold_no_pickle(tmp_path: Path, tiny: MakeConfig) -> None:
    run(tiny({"1": 4}), tmp_path, run_options=RunOptions(state_every=1, states_kept=2))
    states = states_in(tmp_path / "states")
    assert [state.name for state in states] == ["step-0000003", "step-0000004"]
    assert {path.suffix for state in states for path in state.iterdir()} == {".json", ".safetensors"}


def test_log_lines_are_means_of_their_steps(tmp_path: Path, tiny: MakeConfig, three_steps: TrainingResult) -> None:
    each = losses(three_steps)
    pairs = losses(run(tiny({"1": 3}), tmp_path, run_options=RunOptions(state_every=2, log_every=2)))
    assert pairs == pytest.approx([np.mean(each[:2]), each[2]], rel=1e-6)


def test_bad_starts_are_told_in_one_line(tmp_path: Path, tiny: MakeConfig) -> None:
    config = tiny({"0": 1, "1": 2})
    out = tmp_path / "run"
    for options, message in (
        ({"stage": "4"}, "config debug has no stage 4; it has 0, 1, or take all"),
        ({"resume": True}, "holds no state to resume"),
        ({"stage": "1"}, "stage 1 goes on from the weights of stage 0; give them with --start-from"),
        ({"start_from": tmp_path / "nowhere"}, "nowhere is neither a folder nor a hub id"),
        ({"device": "cuda"}, "device cuda is not available"),
    ):
        if options.get("device") == "cuda" and torch.cuda.is_available():
            continue
        with pytest.raises(InputError, match=message):
            train(config, soft_clips(), out, **{"device": "cpu", **options})  # pyright: ignore[reportArgumentType]
    result = run(config, out, stage="0")
    with pytest.raises(InputError, match="holds a training already; pass --resume"):
        run(config, out)
    with pytest.raises(InputError, match=r"another config: seed was 0 and is 1 now; resume with its config"):
        run(replace(config, seed=1), out, resume=True)
    other_stage = replace(config, stages=(config.stages[0], replace(config.stages[1], learning_rate=0.5)))
    with pytest.raises(InputError, match=r"another config: stages\[1\]\.learning_rate was 0\.001 and is 0\.5 now"):
        run(other_stage, out, resume=True)
    with pytest.raises(InputError, match="was trained on other clips: count was 4 and is 5 now"):
        run(config, out, resume=True, clips=soft_clips(5))
    wider = replace(config, start=replace(config.start, vae={**config.start.vae, "layers_per_block": 2}))
    with pytest.raises(InputError, match="layers_per_block 1 in its vae, but the config wants 2"):
        run(wider, tmp_path / "other", start_from=result.checkpoint)


def test_a_damaged_state_is_told_in_one_line(tmp_path: Path, tiny: MakeConfig) -> None:
    config = tiny({"1": 2})
    run(config, tmp_path, run_options=RunOptions(state_every=1))
    state = states_in(tmp_path / "states")[0]
    for newer in states_in(tmp_path / "states")[1:]:
        (newer / "state.json").unlink()
    whole = (state / "networks.safetensors").read_bytes()
    (state / "networks.safetensors").write_bytes(whole[:-100])
    with pytest.raises(InputError, match=r"networks\.safetensors is missing or truncated"):
        run(config, tmp_path, resume=True)
    header = json.loads((state / "state.json").read_text())
    (state / "state.json").write_text(json.dumps({**header, "format_version": 9}))
    with pytest.raises(InputError, match="has format version 9; this version of any2bokeh reads 1"):
        run(config, tmp_path, resume=True)
    (state / "state.json").write_text("{")
    with pytest.raises(InputError, match=r"state\.json is damaged"):
        run(config, tmp_path, resume=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"state_every": 0}, "state_every is 0"),
        ({"state_every": 5, "log_every": 2}, "state_every is 5; it must be a multiple of log_every, 2"),
        ({"minutes": 0.0}, "minutes is 0"),
        ({"anneal": True}, "give --minutes with --anneal"),
        ({"workers": -1}, "workers and strip_every must be at least 0"),
    ],
)
def test_bad_upkeep_is_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        RunOptions(**settings)
