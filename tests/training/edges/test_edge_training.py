"""Training of the network for edges, on tiny frames: arithmetic, exact resumption, refusals."""

import itertools
import json
import multiprocessing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from any2bokeh.cli.main import BAD_INPUT, run
from any2bokeh.disparity.edges.learned import EdgeModel, MixedModel
from any2bokeh.disparity.edges.learned.cells import PIXELS, Cells
from any2bokeh.disparity.edges.learned.clues import CLUES, Clues
from any2bokeh.disparity.edges.learned.mixed_clues import MIXED_CLUES
from any2bokeh.disparity.edges.learned.mixing import MIXED_CORRECTIONS
from any2bokeh.disparity.edges.learned.network import CORRECTIONS, Shape, corrections
from any2bokeh.errors import InputError
from any2bokeh.optics.transfer import srgb_decode, srgb_encode
from any2bokeh.pending_output import PUBLISHED
from any2bokeh.synthesis.layer_truth import LayerTruth
from any2bokeh.training.edges import tiles, trainer
from any2bokeh.training.edges.calibration import calibrated
from any2bokeh.training.edges.config import EdgeConfig
from any2bokeh.training.edges.frames import TileStream, WaitingTiles
from any2bokeh.training.edges.loss import edge_loss
from any2bokeh.training.edges.packaging import install
from any2bokeh.training.edges.pool import TilePool
from any2bokeh.training.edges.state import EdgeState, load_edge_state, require_tensors, save_edge_state
from any2bokeh.training.edges.tiles import TileSource, tiles_of
from any2bokeh.training.edges.torch_network import EdgeNetwork
from any2bokeh.training.edges.trainer import EdgeRunOptions, looks_of, train_edges
from any2bokeh.training.schedule import rate_at
from tests.disparity.edges.test_classical_edges import blob

SHAPE = Shape(channels=8, dilations=(1, 2), head=8)
SOURCE = TileSource(height_px=64, width_px=96, cells=8, tiles=6)
CONFIG = EdgeConfig(
    shape=SHAPE, source=SOURCE, batch_size=4, pool_tiles=20, first_tiles=12, held_out_frames=2, warmup_steps=2
)


def trained(seed: int = 0) -> EdgeNetwork:
    """A network whose last layer says something, too."""
    network = EdgeNetwork(SHAPE, seed)
    with torch.no_grad():
        for name, weight in network.named_weights().items():
            if name.startswith("head.narrow") or name.endswith("bias"):
                weight.copy_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(seed)) * 0.3)
    return network


def test_without_torch_it_says_the_same():
    generator = np.random.default_rng(1)
    band = generator.uniform(size=(24, 40)) < 0.02
    cells = Cells.of(band, 1)
    values = generator.normal(size=(len(cells.at), PIXELS * CLUES)).astype(np.float32)
    network = trained()
    weights = {name: value.detach().numpy() for name, value in network.named_weights().items()}
    found = corrections(SHAPE, weights, cells, values)
    rows, columns = cells.grid.shape
    whole = torch.zeros((1, rows, columns, PIXELS * CLUES))
    whole[0, cells.at[:, 0], cells.at[:, 1]] = torch.from_numpy(values)
    with torch.no_grad():
        wanted = network(whole, looks_of(whole))[0, cells.at[:, 0], cells.at[:, 1]]
    assert found.shape == (len(cells.at), PIXELS, CORRECTIONS)
    assert float(wanted.abs().max()) > 0.5
    np.testing.assert_allclose(found, wanted.numpy(), atol=2e-5)  # worst seen: 1e-6


def test_a_network_corrects_nothing_before_it_is_trained():
    with torch.no_grad():
        assert not EdgeNetwork(SHAPE)(torch.randn(1, 8, 8, PIXELS * CLUES), torch.ones(1, 8, 8, 1)).any()


def two_surfaces(gain: float) -> LayerTruth:
    """A near blob, its map grown by 2 px and on another scale, its outline antialiased in the picture."""
    is_near = blob(3)
    alpha = np.asarray(cv2.GaussianBlur(is_near.astype(np.float32), (0, 0), 0.6), np.float32)
    alpha[alpha < 0.02], alpha[alpha > 0.98] = 0, 1
    disparity = np.where(alpha > 0.5, 0.7, 0.2).astype(np.float32)
    colours = [np.full((3, *alpha.shape), value, np.float32) for value in (0.7, 0.3)]
    light = alpha * srgb_decode(colours[0]) + (1 - alpha) * srgb_decode(colours[1])
    given = cv2.dilate(disparity, np.ones((5, 5))) * np.float32(gain)
    near, far = np.full_like(alpha, 0.7), np.full_like(alpha, 0.2)
    away = cv2.dilate(alpha, np.ones((15, 15))) - cv2.erode(alpha, np.ones((15, 15))) == 0
    near[away] = far[away] = disparity[away]
    pixels, none = srgb_encode(light), np.zeros_like(alpha, bool)
    return LayerTruth(
        pixels, disparity[None], np.asarray(given, np.float32)[None], False, near, far, far, alpha,
        colours[0], colours[1], pixels, disparity, none,
    )  # fmt: skip


@pytest.mark.parametrize("gain", [1.0, 0.9])
def test_targets_know_the_truth(gain: float):
    truth = two_surfaces(gain)
    clues = Clues.of(truth.given, truth.pixels, enlarged=False)
    assert clues is not None
    targets = tiles.targets_of(truth, clues)
    weighty = targets[..., tiles.SHARE_WEIGHT] > 0
    np.testing.assert_array_equal(weighty, clues.band)
    np.testing.assert_array_equal(targets[weighty, tiles.SHARE], truth.alpha[weighty])
    is_grown = np.abs(truth.given[0] - gain * truth.disparity[0]) > 0.1
    np.testing.assert_array_equal(targets[..., tiles.WRONG] > 0, is_grown)
    mixed = targets[..., tiles.MIXED_WEIGHT] > 0
    np.testing.assert_array_equal(mixed, clues.band & (truth.alpha > 0) & (truth.alpha < 1))
    np.testing.assert_allclose(targets[mixed][:, tiles.BACKGROUND], srgb_decode(np.array(0.3, np.float32)), atol=1e-6)
    assert not targets[..., tiles.THIRD].any()


def test_the_loss_of_the_truth_is_least():
    values, targets = (torch.from_numpy(each).float() for each in SOURCE.tiles_of(1))
    wanted = targets.unflatten(-1, (PIXELS, tiles.TARGETS))
    share = wanted[..., tiles.SHARE].clamp(1e-4, 1 - 1e-4)
    best = torch.zeros((*wanted.shape[:-1], CORRECTIONS))
    best[..., 0] = share.logit() - wanted[..., tiles.SHARE_BASE]
    best[..., 1] = 20 * wanted[..., tiles.THIRD] - 10
    best[..., 2] = 20 * wanted[..., tiles.WRONG] - 10
    best[..., 3:6] = wanted[..., tiles.BACKGROUND] - wanted[..., tiles.BACKGROUND_BASE]
    least, untrained = edge_loss(best, values, targets), edge_loss(torch.zeros_like(best), values, targets)
    assert float(least.share) < float(untrained.share)  # the entropy of true shares remains
    for name in ("mixed", "light", "wrong"):
        assert float(getattr(least, name)) < 0.5 * float(getattr(untrained, name)), name
    assert float(least.misplaced) == 0


def test_turned_tiles_are_those_of_the_turned_picture():
    pool = TilePool(1, 3, torch.device("cpu"))
    values = torch.zeros((1, 3, 3, PIXELS, CLUES))
    picture = torch.arange(36.0).reshape(6, 6)
    values[..., 0] = picture.reshape(3, 2, 3, 2).permute(0, 2, 1, 3).reshape(1, 3, 3, 4)
    values[..., 1], values[..., 2] = 100, 200
    pool.add(values.flatten(-2).half(), torch.zeros((1, 3, 3, PIXELS * tiles.TARGETS)).half())
    seen = set()
    for seed in range(40):
        drawn = pool.batch(1, torch.Generator().manual_seed(seed))[0].float().reshape(3, 3, 2, 2, CLUES)
        whole = drawn.permute(0, 2, 1, 3, 4).reshape(6, 6, CLUES)[..., :3]
        colour = next(each for each in whole.unbind(-1) if not bool((each >= 100).any()))
        turned = [turn(mirrored) for mirrored in (picture, picture.T) for turn in _TURNS]
        [which] = [number for number, each in enumerate(turned) if torch.equal(each, colour)]
        seen.add(which)
    assert len(seen) == 8


_TURNS = (lambda p: p, lambda p: p.flip(0), lambda p: p.flip(1), lambda p: p.flip(0, 1))


def test_a_training_that_was_cut_off_takes_the_same_steps(tmp_path: Path):
    whole = train_edges(CONFIG, tmp_path / "whole", run_options=EdgeRunOptions(steps=6))
    train_edges(CONFIG, tmp_path / "parts", run_options=EdgeRunOptions(steps=3))
    again = train_edges(CONFIG, tmp_path / "parts", resume=True, run_options=EdgeRunOptions(steps=6))
    assert (again.step, again.frames, again.pool_next) == (whole.step, whole.frames, whole.pool_next)
    _, one = load_edge_state(tmp_path / "whole" / "state")
    _, other = load_edge_state(tmp_path / "parts" / "state")
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name
    assert float(one["weight/head.narrow.weight"].abs().max()) > 0
    assert PUBLISHED.count(tmp_path / "parts" / "state") == 1  # what an interrupted run says is kept


def test_a_handoff_goes_on_elsewhere_and_its_weights_can_be_used(tmp_path: Path):
    train_edges(CONFIG, tmp_path / "here", handoff=tmp_path / "kept", run_options=EdgeRunOptions(steps=2))
    state = train_edges(
        CONFIG, tmp_path / "there", start_from=tmp_path / "kept", run_options=EdgeRunOptions(steps=3, waits=False)
    )
    assert state.step == 3
    assert EdgeModel.read(tmp_path / "kept" / "edges.safetensors").card["steps"] == 2
    lines = [json.loads(line) for line in (tmp_path / "kept" / "log.jsonl").read_text().splitlines()]
    assert any("held_out" in line for line in lines)
    installed = install(tmp_path / "kept", tmp_path / "package" / "edges.safetensors", frames=3)
    found = EdgeModel.read(tmp_path / "package" / "edges.safetensors")
    assert found.gates == installed.gates
    assert found.card["calibration"]["frames"] == 3


@pytest.mark.slow
def test_processes_that_make_frames_end_by_themselves():
    stream = TileStream(SOURCE, itertools.count(), 1)
    next(stream)
    [process] = multiprocessing.active_children()
    waiting = WaitingTiles(stream)
    assert waiting.take(wait=True) is not None
    waiting.close()
    stream.close()
    process.join(60)
    assert process.exitcode == 0  # it was -15 where the loader had ended it


@pytest.mark.parametrize(
    ("change", "resume", "message"),
    [
        ({}, False, "holds a training already; pass --resume"),
        ({"shape": Shape(channels=16, dilations=(1, 2), head=8)}, True, "is of another training: its shape"),
        ({"seed": 3}, True, "is of another training: its seed is 0, not 3"),
    ],
)
def test_states_that_do_not_fit_are_refused(tmp_path: Path, change: dict[str, object], resume: bool, message: str):
    train_edges(CONFIG, tmp_path, run_options=EdgeRunOptions(steps=1))
    with pytest.raises(InputError, match=message):
        train_edges(replace(CONFIG, **change), tmp_path, resume=resume)  # pyright: ignore[reportArgumentType]


def test_what_is_missing_or_damaged_is_told(tmp_path: Path):
    with pytest.raises(InputError, match="holds no state to resume"):
        train_edges(CONFIG, tmp_path / "none", resume=True)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "edges.json").write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        train_edges(CONFIG, tmp_path, resume=True)
    with pytest.raises(InputError, match=r"edges\.safetensors is not there"):
        install(tmp_path)
    with pytest.raises(InputError, match="give --minutes with --anneal"):
        EdgeRunOptions(anneal=True)
    with pytest.raises(InputError, match="first_tiles is 30; it must be at most pool_tiles, which is 20"):
        replace(CONFIG, first_tiles=30)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("weight/head.wide.bias", None),
        ("average/head.wide.bias", torch.zeros(9)),
        ("exp_avg/head.wide.bias", None),
        ("weight/head.wide.bias", torch.full((8,), torch.nan)),
        ("weight/another", torch.zeros(8)),
    ],
)
def test_tensors_of_a_state_are_those_of_the_network(tmp_path: Path, key: str, value: torch.Tensor | None):
    sizes = CONFIG.shape.sizes()
    tensors = {
        f"{kind}/{name}": torch.zeros(size) for kind in ("weight", "average", "exp_avg") for name, size in sizes.items()
    }
    tensors |= {f"step/{name}": torch.tensor(1.0) for name in sizes}
    require_tensors(tmp_path, tensors, sizes)
    changed = tensors | {key: value} if value is not None else {k: each for k, each in tensors.items() if k != key}
    with pytest.raises(InputError, match=f"is damaged .*{key}"):
        require_tensors(tmp_path, changed, sizes)


@pytest.mark.parametrize("change", [{"step": "x"}, {"frames": -1}, {"config": None}, {"curve": 3}])
def test_numbers_of_a_state_are_such(tmp_path: Path, change: dict[str, object]):
    save_edge_state(tmp_path / "state", EdgeState(CONFIG.to_json()), {})
    path = tmp_path / "state" / "edges.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match="is damaged"):
        load_edge_state(tmp_path / "state")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "it is None"),
        ("768", "it is '768'"),
        ({"width": 768}, "unexpected keyword argument 'width'"),
        ({"seed": -1}, "seed is -1; allowed is a whole number, at least 0"),
        ({"height_px": 1e9}, "height_px is 1000000000.0; allowed is a whole number, 32 to 4096"),
        ({"tiles": True}, "tiles is True; allowed is a whole number, at least 1"),
    ],
)
@pytest.mark.parametrize("network", ["edges", "mixed"])
def test_a_card_that_does_not_say_how_frames_were_made_ends_in_one_line(
    network: str, source: object, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    card = {"config": {"source": source} if source is not None else {}}
    mixed_shape = replace(SHAPE, clues=MIXED_CLUES, corrections=MIXED_CORRECTIONS)
    model = EdgeModel.untrained(SHAPE) if network == "edges" else MixedModel.untrained(mixed_shape)
    replace(model, card=card).write(tmp_path / f"{network}.safetensors")
    assert run(["train", network, "--install", str(tmp_path)]) == BAD_INPUT
    [line] = capsys.readouterr().err.splitlines()
    assert "does not say how the frames of the training were made (config.source: " in line
    assert message in line
    assert line.endswith(f"handoff of train {network}")


def test_a_folder_is_held_while_a_training_writes_into_it(tmp_path: Path):
    refused: list[str] = []

    def begin_another(_: object) -> None:
        if not refused:
            with pytest.raises(InputError, match="is being written by another run") as told:
                train_edges(CONFIG, tmp_path / "run", run_options=EdgeRunOptions(steps=1))
            refused.append(str(told.value))

    options = EdgeRunOptions(steps=1, state_every_s=0)
    state = train_edges(CONFIG, tmp_path / "run", handoff=tmp_path / "run", run_options=options, report=begin_another)
    assert len(refused) == 1
    assert [each["step"] for each in state.curve] == [0, 1]  # one state, though it was due and the last
    assert sorted(each.name for each in (tmp_path / "run").iterdir()) == ["edges.safetensors", "log.jsonl", "state"]


class FlatSource(TileSource):
    """Frames whose maps have no step."""

    def frame(self, number: int) -> LayerTruth:
        flat = np.full((1, self.height_px, self.width_px), 0.5, np.float32)
        return replace(super().frame(number), given=flat, disparity=flat)


def test_frames_without_an_edge_calibrate_nothing():
    assert calibrated(EdgeModel.untrained(SHAPE), FlatSource(height_px=64, width_px=96), 1) is None


def test_a_short_run_takes_a_step_and_tells_what_took_the_time(tmp_path: Path):
    told: list[str] = []
    options = EdgeRunOptions(minutes=1e-6, anneal=True)
    state = train_edges(CONFIG, tmp_path, run_options=options, remark=told.append)
    assert state.step == 1
    assert "no more than one step is taken" in told[0]
    assert train_edges(CONFIG, tmp_path, resume=True, run_options=options).step == 2
    assert len(told) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["edges", "--stage", "1"], "leave out --data, --stage and --samples"),
        (["debug", "--install", "run"], "--install puts weights of edges into the package; config is debug"),
        (["edges", "--install", "nowhere"], "nowhere is not there; give the folder of a run or a handoff"),
        (["edges", "--anneal", "--out", "run"], "give --minutes with --anneal"),
    ],
)
def test_options_that_do_not_fit_end_in_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    assert run(["train", *arguments]) == BAD_INPUT
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_frames_give_the_same_tiles_again():
    one, other = SOURCE.tiles_of(5), SOURCE.tiles_of(5)
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])
    flat = replace(SOURCE.frame(5), given=np.full((1, 64, 96), 0.5, np.float32))
    assert len(tiles_of(flat, np.random.default_rng(0), 8, 6)[0]) == 0


def test_the_rate_falls_over_what_the_first_frames_leave_of_the_time(tmp_path: Path):
    options = EdgeRunOptions(minutes=1, anneal=True)
    run = trainer._Run(CONFIG, tmp_path, None, options, lambda _: None, lambda _: None)
    run.start(False, None)
    run.state = replace(run.state, step=CONFIG.warmup_steps)
    run.began -= 40
    assert run._learning_rate() == pytest.approx(CONFIG.learning_rate, rel=1e-3)
    run.began, run.prepared = run.began - 10, run.prepared - 10  # half of the 20 seconds that were left
    assert run._learning_rate() == pytest.approx(CONFIG.learning_rate / 2, rel=1e-2)


def test_the_rate_rises_and_falls_to_nothing():
    rates = [rate_at(share) for share in np.linspace(0, 1, 101)]
    assert rates[0] == 0
    assert max(rates) == rates[3] == 1
    assert rates[100] == rate_at(2.0) == pytest.approx(0, abs=1e-12)
    assert all(after < before for before, after in pairwise(rates[3:]))
