"""Configs: ours, and those of a TOML file."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from any2bokeh.errors import InputError
from any2bokeh.renderers.diffusion.network.autoencoder import BokehAutoencoder
from any2bokeh.renderers.diffusion.network.unet import BokehUNet
from any2bokeh.training.networks import start_networks
from any2bokeh.training.registry import CONFIGS, compact, find_config


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_is_plain_json(name: str) -> None:
    config = find_config(name)
    assert config.name == name
    assert json.loads(json.dumps(config.to_json())) == config.to_json()


def test_the_compact_model_fits_its_bounds() -> None:
    start = compact().start
    with torch.device("meta"):
        unet, vae = BokehUNet(**start.unet), BokehAutoencoder(**start.vae)
    counts = [sum(parameter.numel() for parameter in network.parameters()) for network in (unet, vae)]
    assert sum(counts) <= 30e6
    header = 2**18  # of a safetensors file, and a card with provenance in it
    assert all(2 * count + header <= 16 * 2**20 for count in counts)  # two bytes a parameter


def test_a_file_changes_fields_of_a_config(tmp_path: Path) -> None:
    path = tmp_path / "longer.toml"
    path.write_text(
        'base = "compact"\naverage_decay = 0\n[stages.1]\nsteps = 12345\n[cut]\nwidth_px = 128\n'
        "[start.unet]\nlayers_per_block = 2\n[clips]\nblur_strength = [1, 8]\n"
    )
    config, base = find_config(str(path)), compact()
    assert config == replace(
        base,
        name="longer",
        average_decay=0.0,
        stages=(base.stages[0], replace(base.stages[1], steps=12345), *base.stages[2:]),
        cut=replace(base.cut, width_px=128),
        start=replace(base.start, unet={**base.start.unet, "layers_per_block": 2}),
        clips=replace(base.clips, blur_strength=(1.0, 8.0)),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('base = "compact"\nsteps = 3', "has unknown keys: steps; known are average_decay"),
        ('base = "large"', "base of .* is 'large'; allowed is paper, compact, compact-cpu or debug"),
        ("steps = 3", "base of .* is None; allowed is paper"),
        ("base =", "is not TOML"),
        ('base = "debug"\nseed = "x"', "seed of .* is 'x'; it must be of the kind of 0"),
        ('base = "debug"\nseed = true', "seed of .* is True"),
        ('base = "debug"\n[stages.9]\nsteps = 1', r"must be tables \[stages.NAME\] with NAME one of 0, 1, 2, 3"),
        ('base = "debug"\n[stages.1]\nsteps = 0', "steps of stage 1 is 0"),
        ('base = "debug"\n[stages.1]\nlength = 4', "stage 1 of stages of .* has unknown keys: length"),
        ('base = "debug"\nprecision = "int8"', "precision is 'int8'"),
        ('base = "debug"\n[cut]\nwidth_px = 100', "width_px of the cut is 100; it must be a multiple of 64"),
    ],
)
def test_bad_files_are_told_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        find_config(str(path))


def test_an_unknown_config_is_named() -> None:
    with pytest.raises(InputError, match="config papr is neither paper, compact, compact-cpu, debug nor a TOML file"):
        find_config("papr")


def test_random_weights_are_those_of_the_seed() -> None:
    start = find_config("debug").start
    one, same, other = (start_networks(start, seed).unet.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not torch.equal(one["conv_in.weight"], other["conv_in.weight"])
