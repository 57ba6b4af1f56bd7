"""Training of the network for mixed pixels, on tiny frames."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from any2bokeh.disparity.edges.bands import EdgeBands
from any2bokeh.disparity.edges.classical import FirstLook, matted
from any2bokeh.disparity.edges.learned import MixedModel
from any2bokeh.disparity.edges.learned.cells import CELL_PX, PIXELS, Cells
from any2bokeh.disparity.edges.learned.clues import interleaved
from any2bokeh.disparity.edges.learned.mixed_clues import BASES, MIXED_CLUES, MixedClues
from any2bokeh.disparity.edges.learned.mixing import LEAST_SHARE, MIXED_CORRECTIONS, proposed
from any2bokeh.disparity.edges.learned.network import Shape, corrections
from any2bokeh.errors import InputError
from any2bokeh.optics.transfer import srgb_decode
from any2bokeh.training.edges import mixed_tiles
from any2bokeh.training.edges.config import EdgeConfig
from any2bokeh.training.edges.mixed_cards import card_frame
from any2bokeh.training.edges.mixed_loss import mixed_loss, split
from any2bokeh.training.edges.mixed_tiles import MixedTileSource
from any2bokeh.training.edges.packaging import install_mixing
from any2bokeh.training.edges.state import load_edge_state
from any2bokeh.training.edges.torch_network import EdgeNetwork
from any2bokeh.training.edges.traced_truth import traced_truths
from any2bokeh.training.edges.trainer import EdgeRunOptions, looks_of, train_edges

SHAPE = Shape(8, (1, 2), 8, MIXED_CLUES, MIXED_CORRECTIONS)
SOURCE = MixedTileSource(height_px=64, width_px=96, cells=8, tiles=6)
CONFIG = EdgeConfig(
    shape=SHAPE, source=SOURCE, batch_size=4, pool_tiles=20, first_tiles=6, held_out_frames=1, warmup_steps=2
)


def test_without_torch_it_says_the_same():
    generator = np.random.default_rng(1)
    cells = Cells.of(generator.uniform(size=(24, 40)) < 0.02, 1)
    values = generator.normal(size=(len(cells.at), PIXELS * MIXED_CLUES)).astype(np.float32)
    network = EdgeNetwork(SHAPE)
    with torch.no_grad():
        last = network.named_weights()["head.narrow.weight"]
        last.copy_(torch.randn(last.shape, generator=torch.Generator().manual_seed(0)))
    weights = {name: value.detach().numpy() for name, value in network.named_weights().items()}
    whole = torch.zeros((1, *cells.grid.shape, PIXELS * MIXED_CLUES))
    whole[0, cells.at[:, 0], cells.at[:, 1]] = torch.from_numpy(values)
    with torch.no_grad():
        wanted = network(whole, looks_of(whole))[0, cells.at[:, 0], cells.at[:, 1]]
    found = corrections(SHAPE, weights, cells, values)
    assert found.shape == (len(cells.at), PIXELS, MIXED_CORRECTIONS)
    assert float(wanted.abs().max()) > 0.5
    np.testing.assert_allclose(found, wanted.numpy(), atol=2e-5)  # worst seen: 2e-6


def test_it_learns_the_split_that_is_rendered():
    truth = replace(SOURCE.frame(4), enlarged=False)
    truth = replace(truth, given=truth.disparity)
    look = FirstLook.of(truth.given, truth.pixels, enlarged=False)
    assert look is not None
    classical = matted(EdgeBands.none(truth.given), look.pixels, look.step)
    picture = interleaved(look.pixels)
    clues = MixedClues.of(picture, look.step, classical)
    bases = clues.bases(picture, classical)
    said = np.random.default_rng(0).normal(0, 0.3, (len(clues.cells.at), PIXELS, MIXED_CORRECTIONS)).astype(np.float32)
    at, parts = proposed(classical, picture, clues, said)
    np.testing.assert_array_equal(at, clues.cells.at)
    y = (CELL_PX * at[:, :1] + np.arange(PIXELS) // CELL_PX).clip(max=63)
    x = (CELL_PX * at[:, 1:] + np.arange(PIXELS) % CELL_PX).clip(max=95)
    share, light = split(torch.from_numpy(said), torch.from_numpy(bases[y, x]))
    is_mixed = clues.is_open[y, x] & (share[..., 0].numpy() >= LEAST_SHARE)
    assert np.count_nonzero(is_mixed) > 50
    np.testing.assert_allclose(parts[..., 0][is_mixed], share[..., 0].numpy()[is_mixed], atol=1e-5)
    np.testing.assert_allclose(parts[..., 1:4][is_mixed], light.numpy()[is_mixed], atol=1e-5)  # worst seen: 1e-6


def test_the_loss_of_the_truth_is_least():
    _, targets = SOURCE.tiles_of(1)
    wanted = torch.from_numpy(targets).float().unflatten(-1, (PIXELS, mixed_tiles.MIXED_TARGETS))
    share = wanted[..., mixed_tiles.TRUE_SHARE].clamp(1e-4, 0.79)
    best = torch.zeros((*wanted.shape[:-1], MIXED_CORRECTIONS))
    best[..., 0] = share.logit() - wanted[..., 0]
    best[..., 1] = 20  # the farther surface keeps what is said of it
    best[..., 5:8] = wanted[..., mixed_tiles.TRUE_BACKGROUND] - wanted[..., 7:10]
    least, untrained = (mixed_loss(each, torch.from_numpy(targets)) for each in (best, torch.zeros_like(best)))
    assert float(least.light) < 0.1 * float(untrained.light)
    assert float(least.share) < 0.1 * float(untrained.share)
    assert float(least.ratio) < float(untrained.ratio)
    assert float(least.regret) == 0


def test_what_is_worse_than_no_split_at_all_is_regretted():
    _, targets = SOURCE.tiles_of(1)
    wanted = torch.from_numpy(targets).float().unflatten(-1, (PIXELS, mixed_tiles.MIXED_TARGETS))
    wrong = torch.zeros((*wanted.shape[:-1], MIXED_CORRECTIONS))
    wrong[..., 0], wrong[..., 5:8] = 20, 0.5
    loss = mixed_loss(wrong, torch.from_numpy(targets))
    assert float(loss.ratio) > 0
    assert float(loss.regret) == pytest.approx(float(loss.ratio))
    assert float(loss.total) > 2 * float(loss.ratio)


def test_frames_of_cards_are_exact_and_come_again():
    truth, again = (card_frame(3, (72, 128)) for _ in range(2))
    np.testing.assert_array_equal(truth.pixels, again.pixels)
    np.testing.assert_array_equal(truth.given, truth.disparity)
    mixed = (truth.alpha > 0) & (truth.alpha < 1)
    assert 50 < np.count_nonzero(mixed) < 0.5 * mixed.size
    assert (truth.near[mixed] > truth.far[mixed]).all()
    assert not np.array_equal(card_frame(4, (72, 128)).pixels, truth.pixels)
    kinds = [SOURCE.frame(number) for number in (2, 4)]  # every second one that is not traced
    np.testing.assert_array_equal(kinds[0].pixels, card_frame((SOURCE.seed << 20) + 2, (64, 96)).pixels)


def test_targets_know_the_truth():
    frames = list(traced_truths(5, 0, (64, 96), 2))
    for truth in frames:
        light = truth.alpha * srgb_decode(truth.foreground) + (1 - truth.alpha) * srgb_decode(truth.background)
        np.testing.assert_allclose(light, srgb_decode(truth.pixels), atol=1e-5)
        look = FirstLook.of(truth.given, truth.pixels, enlarged=False)
        assert look is not None
        classical, picture = matted(EdgeBands.none(truth.given), look.pixels, look.step), interleaved(look.pixels)
        clues = MixedClues.of(picture, look.step, classical)
        bases = clues.bases(picture, classical)
        targets = mixed_tiles.mixed_targets(truth, look, clues, bases)
        is_mixed = (truth.alpha > 0) & (truth.alpha < 1)
        weighty = targets[..., mixed_tiles.WEIGHT] > 0
        assert np.count_nonzero(weighty & is_mixed) > 50
        assert not weighty[~clues.is_open].any()
        np.testing.assert_array_equal(targets[is_mixed, mixed_tiles.TRUE_SHARE], truth.alpha[is_mixed])
        np.testing.assert_array_equal(targets[..., :BASES], bases)
    again = next(iter(traced_truths(5, 0, (64, 96), 2)))
    np.testing.assert_array_equal(again.pixels, frames[0].pixels)


def test_a_training_goes_on_and_its_weights_can_be_used(tmp_path: Path):
    whole = train_edges(CONFIG, tmp_path / "whole", run_options=EdgeRunOptions(steps=4))
    train_edges(CONFIG, tmp_path / "parts", run_options=EdgeRunOptions(steps=2))
    again = train_edges(CONFIG, tmp_path / "parts", resume=True, run_options=EdgeRunOptions(steps=4))
    assert (again.step, again.frames) == (whole.step, whole.frames)
    (_, one), (_, other) = (load_edge_state(tmp_path / name / "state") for name in ("whole", "parts"))
    for name, value in one.items():
        assert torch.equal(value, other[name]), name
    model = MixedModel.read(tmp_path / "parts" / "mixed.safetensors")
    assert model.shape == SHAPE
    assert model.card["steps"] == 4
    # Four steps teach nothing that is worth shipping.
    with pytest.raises(InputError, match="of the classical error of light"):
        install_mixing(tmp_path / "parts", tmp_path / "mixed.safetensors", frames=2)
    assert not (tmp_path / "mixed.safetensors").exists()


def test_what_ships_is_nearer_to_the_truth_than_the_classical_split():
    model = MixedModel.packaged()
    assert model is not None
    source = MixedTileSource(seed=5, height_px=144, width_px=256, traced_every=1)  # scenes that no training has
    errors = [each for number in range(4) if (each := mixed_tiles.light_errors(source, model, number))]
    classical, learned = np.mean(errors, axis=0)
    assert learned < 0.85 * classical, errors  # 0.76; of frames with grain more
