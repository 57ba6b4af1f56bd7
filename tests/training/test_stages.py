"""Stages: which parameters they train, and how fast."""

import pytest
import torch

from any2bokeh.errors import InputError
from any2bokeh.renderers.diffusion.network.autoencoder import SkipFeatures
from any2bokeh.training.networks import named_parameters, start_networks
from any2bokeh.training.registry import compact_cpu, debug, paper
from any2bokeh.training.stages import Stage, trained_names


@pytest.fixture(scope="module")
def names() -> list[str]:
    return list(named_parameters(start_networks(debug().start, 0)))


def test_the_stages_of_the_paper() -> None:
    said = [(s.name, s.trains, s.loss, s.frames, s.learning_rate, s.perturbation) for s in paper().stages]
    assert said == [
        ("1", "unet", "latent", 4, 1e-5, 0.0),
        ("2", "unet-temporal", "latent", 8, 5e-6, 0.5),
        ("3", "decoder-spatial", "picture", 3, 5e-6, 0.0),
    ]


def test_a_rule_takes_what_it_says(names: list[str]) -> None:
    unet = trained_names("unet", names)
    temporal = trained_names("unet-temporal", names)
    decoder = trained_names("decoder-spatial", names)
    autoencoder = trained_names("autoencoder", names)
    assert set(unet) == {name for name in names if name.startswith("unet.")}
    assert set(temporal) < set(unet)
    block = "unet.down_blocks.0.attentions.0"
    assert f"{block}.temporal_transformer_blocks.0.attn1.to_q.weight" in temporal
    assert set(temporal) == {name for name in unet if "temporal" in name}  # the published rule
    assert f"{block}.time_mixer.mix_factor" not in temporal
    assert "unet.down_blocks.0.resnets.0.temporal_res_block.conv1.weight" in temporal
    assert not any("fuser" in name or "spatial_res_block" in name for name in temporal)
    assert "unet.conv_in.weight" not in temporal
    assert "vae.decoder.skip_conv_1.weight" in decoder
    assert "vae.decoder.conv_out.weight" in decoder
    assert not any("temporal" in name or "time_" in name for name in decoder)
    encoder = trained_names("encoder", names)
    assert "vae.quant_conv.weight" in encoder
    assert set(encoder) == {name for name in autoencoder if not name.startswith("vae.decoder.")}
    assert not any(name.startswith("vae.encoder") for name in decoder)
    assert set(autoencoder) == {n for n in names if n.startswith("vae.") and "skip_conv" not in n}


def test_the_learning_rate_rises_and_falls() -> None:
    stage = Stage("1", "unet", "latent", 4, 100, 1.0, warmup_steps=10, decay="cosine")
    assert [stage.learning_rate_at(step) for step in (0, 4, 9, 10)] == pytest.approx([0.1, 0.5, 1.0, 1.0])
    assert stage.learning_rate_at(55) == pytest.approx(0.525)
    assert stage.learning_rate_at(100) == pytest.approx(0.05)
    assert Stage("1", "unet", "latent", 4, 100, 1.0).learning_rate_at(99) == 1.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trains": "everything"}, "trains of stage 1 is 'everything'; allowed is autoencoder"),
        ({"loss": "picture"}, "stage 1 trains unet, which the loss 'picture' does not reach"),
        ({"steps": 0}, "steps of stage 1 is 0"),
        ({"learning_rate": 0.0}, "learning_rate of stage 1 is 0"),
        ({"perturbation": 1.5}, "perturbation of stage 1 is 1.5"),
        ({"warmup_steps": 6}, "warmup_steps of stage 1 is 6; it must be at most its 5 steps"),
    ],
)
def test_bad_stages_are_named(settings: dict[str, object], message: str) -> None:
    good = {"name": "1", "trains": "unet", "loss": "latent", "frames": 4, "steps": 5, "learning_rate": 1e-5}
    with pytest.raises(InputError, match=message):
        Stage(**{**good, **settings})  # pyright: ignore[reportArgumentType]


def test_a_still_decoder_treats_each_frame_alone() -> None:
    vae = start_networks(compact_cpu().start, 0).vae.double()
    torch.manual_seed(0)
    pixels = torch.rand(3, 3, 64, 64).double() * 2 - 1
    with torch.no_grad():
        encoded = vae.encode_frames(pixels)
        together = vae.decode_frames(encoded.mean, encoded.skip_features, 3)
        last = SkipFeatures(pixels[2:], tuple(level[2:] for level in encoded.skip_features.coarser))
        alone = vae.decode_frames(encoded.mean[2:], last, 1)
    torch.testing.assert_close(together[2:], alone, rtol=0, atol=1e-10)
