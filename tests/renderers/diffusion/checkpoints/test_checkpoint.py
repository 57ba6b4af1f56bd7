"""Checkpoints: what is written is what is read, and what does not fit is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl_temporal_decoder import AutoencoderKLTemporalDecoder
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from any2bokeh.errors import InputError
from any2bokeh.models.aligned_weights import ALIGNMENT_BYTES, align_weights
from any2bokeh.renderers.diffusion.checkpoints import checkpoint
from any2bokeh.renderers.diffusion.checkpoints.model_card import ModelCard
from any2bokeh.renderers.diffusion.checkpoints.tiny import UNET_CONFIG, VAE_CONFIG, tiny_pipeline
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from tests.renderers.diffusion.clips import render_inputs

WEIGHTS = "diffusion_pytorch_model.safetensors"


def states(pipeline: AnyToBokehPipeline) -> dict[str, torch.Tensor]:
    parts: list[tuple[str, nn.Module | None]] = [
        ("unet", pipeline.unet),
        ("vae", pipeline.vae),
        ("image_encoder", pipeline.image_encoder),
    ]
    return {
        f"{name}.{key}": value for name, part in parts if part is not None for key, value in part.state_dict().items()
    }


def assert_same(first: AnyToBokehPipeline, second: AnyToBokehPipeline) -> None:
    one, other = states(first), states(second)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)


def write_published(folder: Path, *, image_encoder: bool = True) -> AnyToBokehPipeline:
    """A tiny model in the layout of the published checkpoints, and the model itself."""
    pipeline = tiny_pipeline(7, unet={"unused_feed_forward": True, "mpi_mode": "released"})
    own = {"mpi_mode", "time_context", "unused_feed_forward"}
    for name, part, class_name in (
        ("unet", pipeline.unet, "UNetSpatioTemporalConditionModel"),
        ("vae", pipeline.vae, "AutoencoderKLTemporalDecoder"),
    ):
        (folder / name).mkdir(parents=True)
        config = {key: value for key, value in dict(part.config).items() if key not in own and not key.startswith("_")}
        (folder / name / "config.json").write_text(json.dumps({"_class_name": class_name, **config}))
        save_file({key: value.contiguous() for key, value in part.state_dict().items()}, folder / name / WEIGHTS)
    if image_encoder:
        assert pipeline.image_encoder is not None
        pipeline.image_encoder.save_pretrained(folder / "image_encoder")
    return pipeline


def write_base(folder: Path) -> None:
    """A tiny Stable Video Diffusion."""
    UNetSpatioTemporalConditionModel(**UNET_CONFIG).save_pretrained(folder / "unet")
    vae = {"down_block_types": ("DownEncoderBlock2D",) * 4, **VAE_CONFIG}
    AutoencoderKLTemporalDecoder(**vae).save_pretrained(folder / "vae")
    encoder = tiny_pipeline().image_encoder
    assert encoder is not None
    encoder.save_pretrained(folder / "image_encoder")


def test_save_and_load_give_the_same(tmp_path: Path) -> None:
    card = ModelCard(alpha=1.25, clip_normalization="none", disparity_latent="unscaled", provenance={"stage": 2})
    pipeline = tiny_pipeline(2, unet={"mpi_mode": "released"}, card=card)
    pipeline.save_pretrained(tmp_path / "model", commit="abc")
    loaded = AnyToBokehPipeline.from_pretrained(tmp_path / "model")
    assert_same(loaded, pipeline)
    assert loaded.unet.mpi_mode == "released"
    assert loaded.card == replace(card, provenance={"stage": 2, "commit": "abc"})
    inputs = render_inputs(2)
    for one, other in zip(loaded.stream(inputs), pipeline.stream(inputs), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_are_aligned_wherever_they_come_from(tmp_path: Path) -> None:
    tiny_pipeline(2).save_pretrained(tmp_path / "ours")
    write_published(tmp_path / "published")
    write_base(tmp_path / "base")
    for pipeline in (
        checkpoint.load(tmp_path / "ours"),
        checkpoint.load(tmp_path / "published", dtype=torch.float32),
        checkpoint.from_svd(tmp_path / "base")[0],
    ):
        assert all(value.data_ptr() % ALIGNMENT_BYTES == 0 for value in states(pipeline).values())


def test_the_weights_file_describes_itself(tmp_path: Path) -> None:
    tiny_pipeline().save_pretrained(tmp_path / "model", steps=30)
    with safe_open(tmp_path / "model" / "unet" / WEIGHTS, framework="pt") as file:
        metadata = file.metadata()
    assert json.loads(metadata["any2bokeh_card"])["provenance"]["steps"] == 30
    assert json.loads(metadata["any2bokeh_config"])["mpi_mode"] == "masked"


def test_mode_and_dtype_can_be_chosen_when_loading(tmp_path: Path) -> None:
    tiny_pipeline(vae={"force_upcast": True}).save_pretrained(tmp_path / "model")
    loaded = checkpoint.load(tmp_path / "model", mpi_mode="released", dtype=torch.float16)
    assert loaded.unet.mpi_mode == "released"
    assert loaded.unet.dtype == torch.float16
    assert loaded.vae.dtype == torch.float32  # it overflows in float16
    assert checkpoint.load(tmp_path / "model", dtype=torch.bfloat16).vae.dtype == torch.bfloat16


def test_a_model_without_image_encoder(tmp_path: Path) -> None:
    tiny_pipeline(image_encoder=False).save_pretrained(tmp_path / "model")
    loaded = checkpoint.load(tmp_path / "model")
    assert loaded.image_encoder is None
    assert len(list(loaded.stream(render_inputs(1)))) == 1


def test_saving_does_not_replace_a_folder(tmp_path: Path) -> None:
    pipeline = tiny_pipeline()
    pipeline.save_pretrained(tmp_path / "model")
    with pytest.raises(InputError, match="exists"):
        pipeline.save_pretrained(tmp_path / "model")
    checkpoint.save(tiny_pipeline(5), tmp_path / "model", overwrite=True)
    assert_same(checkpoint.load(tmp_path / "model"), tiny_pipeline(5))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_published_weights_load_as_they_are(tmp_path: Path) -> None:
    pipeline = write_published(tmp_path / "published")
    loaded = checkpoint.load(tmp_path / "published")
    assert_same(loaded, pipeline)
    assert loaded.unet.mpi_mode == "released"
    assert loaded.card.alpha == 1.5
    assert checkpoint.load(tmp_path / "published", mpi_mode="masked").unet.mpi_mode == "masked"


def test_conversion_drops_only_what_is_unused(tmp_path: Path) -> None:
    write_published(tmp_path / "published")
    published = checkpoint.load(tmp_path / "published")
    checkpoint.convert(tmp_path / "published", tmp_path / "ours")
    ours = checkpoint.load(tmp_path / "ours")
    dropped = states(published).keys() - states(ours).keys()
    assert dropped
    assert all(".fuser.ff_k." in key for key in dropped)
    assert ours.card == published.card
    inputs = render_inputs(3)
    for one, other in zip(ours.stream(inputs), published.stream(inputs), strict=True):
        np.testing.assert_array_equal(one, other)


def test_published_weights_need_an_image_encoder(tmp_path: Path) -> None:
    write_published(tmp_path / "published", image_encoder=False)
    with pytest.raises(InputError, match=r"has no image_encoder folder.*--image-encoder PATH\|ID"):
        checkpoint.load(tmp_path / "published")
    assert checkpoint.load(tmp_path / "published", image_encoder="none").image_encoder is None
    write_base(tmp_path / "base")
    assert checkpoint.load(tmp_path / "published", image_encoder=tmp_path / "base").image_encoder is not None


def test_start_from_the_base_uses_every_key_and_lists_what_is_new(tmp_path: Path) -> None:
    write_base(tmp_path / "base")
    pipeline, new = checkpoint.from_svd(tmp_path / "base")
    found = states(pipeline)
    base = {
        f"{part}.{key}": value
        for part in ("unet", "vae")
        for key, value in load_file(tmp_path / "base" / part / WEIGHTS).items()
    }
    assert all(torch.equal(found[key], value) for key, value in base.items())
    others = {key for key in found if not key.startswith("image_encoder.")}
    assert {parameter.name for parameter in new} == others - base.keys()
    assert all(parameter.start for parameter in new)
    assert all(bool(value.isfinite().all()) for value in found.values())
    assert torch.equal(found["unet.conv_in_mpi.weight"], found["unet.conv_in.weight"][:, :4])
    assert pipeline.unet.mpi_mode == "masked"
    assert pipeline.card.alpha == 1.0
    assert pipeline.card.provenance == {"base": "base"}


def test_start_from_the_base_equals_the_base(tmp_path: Path) -> None:
    write_base(tmp_path / "base")
    pipeline, _ = checkpoint.from_svd(tmp_path / "base")
    base = UNetSpatioTemporalConditionModel.from_pretrained(tmp_path / "base" / "unet")
    align_weights(base)  # as ours are, or the same numbers are summed in another order
    sample, context = torch.randn(1, 2, 8, 8, 8), torch.randn(1, 1, 32)
    ids = torch.tensor([[6.0, 127.0, 0.0]])
    with torch.no_grad():
        ours = pipeline.unet(
            sample, context.expand(2, 1, 32), ids, torch.tensor([[4.0, 30.0]]), torch.zeros(1, 2, 64, 64)
        )
        assert torch.equal(ours, base(sample, 1.0, context, ids).sample)


def test_start_from_the_base_can_be_trained(tmp_path: Path) -> None:
    """Closed gates let the gates and the embedding of K learn first, and after one step everything behind them."""
    write_base(tmp_path / "base")
    pipeline, _ = checkpoint.from_svd(tmp_path / "base")
    unet = pipeline.unet.train()
    optimizer = torch.optim.SGD(unet.parameters(), lr=1.0)
    arguments = (
        torch.randn(1, 2, 8, 16, 16),
        torch.randn(2, 2, 32),
        torch.tensor([[6.0, 127.0, 0.0]]),
        torch.tensor([[4.0, 30.0]]),
        torch.randint(0, 4, (1, 2, 128, 128)).float(),
    )
    target = torch.randn(1, 2, 4, 16, 16)
    for step in range(2):
        optimizer.zero_grad()
        (unet(*arguments) - target).square().mean().backward()
        dead = {name for name, one in unet.named_parameters() if one.grad is None or not bool(one.grad.abs().max() > 0)}
        if step == 0:
            assert dead
            assert all(".fuser." in name or name.startswith("conv_in_mpi.") for name in dead)
            assert not any(name.endswith(("alpha_attn", "alpha_dense", "k_encoder.weight")) for name in dead)
        else:
            assert dead == set()
        optimizer.step()


def test_weights_in_shards(tmp_path: Path) -> None:
    write_base(tmp_path / "base")
    whole = checkpoint.from_svd(tmp_path / "base")[0]
    unet = UNetSpatioTemporalConditionModel.from_pretrained(tmp_path / "base" / "unet")
    (tmp_path / "base" / "unet" / WEIGHTS).unlink()
    unet.save_pretrained(tmp_path / "base" / "unet", max_shard_size="2MB")
    shards = sorted((tmp_path / "base" / "unet").glob("*.safetensors"))
    assert len(shards) > 1
    assert_same(checkpoint.from_svd(tmp_path / "base")[0], whole)
    shards[0].unlink()
    with pytest.raises(InputError, match=f"lacks {shards[0].name}"):
        checkpoint.from_svd(tmp_path / "base")


def edit_state(path: Path, edit: Callable[[dict[str, torch.Tensor]], object]) -> None:
    state = load_file(path)
    edit(state)
    save_file(state, path)


def edit_config(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def as_pickle(path: Path) -> None:
    torch.save(load_file(path), path.with_suffix(".bin"))
    path.unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda model: edit_state(model / "unet" / WEIGHTS, lambda state: state.pop("conv_out.bias")),
            r"unet does not fit the model: 1 missing keys \(conv_out.bias\)",
        ),
        (
            lambda model: edit_state(
                model / "vae" / WEIGHTS, lambda state: state.update({"decoder.extra.weight": torch.zeros(1)})
            ),
            r"vae does not fit the model: 1 unexpected keys \(decoder.extra.weight\)",
        ),
        (
            lambda model: edit_state(
                model / "unet" / WEIGHTS, lambda state: state.update({"conv_out.bias": torch.zeros(7)})
            ),
            r"1 keys of another shape \(conv_out.bias is \(7,\), not \(4,\)\)",
        ),
        (
            lambda model: edit_config(model / "unet" / "config.json", _class_name="UNet2DConditionModel"),
            "is of a UNet2DConditionModel, another architecture; expected BokehUNet",
        ),
        (
            lambda model: edit_config(model / "unet" / "config.json", mpi_mode="soft"),
            "mpi_mode is 'soft'; allowed is masked or released",
        ),
        (
            lambda model: edit_config(model / "unet" / "config.json", colour="blue"),
            "config of the BokehUNet has unknown keys: colour",
        ),
        (lambda model: truncate(model / "unet" / WEIGHTS), "is truncated or not a safetensors file"),
        (lambda model: truncate(model / "image_encoder" / "model.safetensors"), "is truncated or not a safetensors"),
        (lambda model: as_pickle(model / "unet" / WEIGHTS), "diffusion_pytorch_model.bin, a pickle"),
        (lambda model: as_pickle(model / "image_encoder" / "model.safetensors"), "model.bin, a pickle"),
        (lambda model: (model / "vae" / WEIGHTS).unlink(), f"vae has no {WEIGHTS}"),
        (lambda model: (model / "vae" / "config.json").unlink(), "vae has no config.json"),
        (lambda model: (model / "vae" / "config.json").write_text("{"), "config.json is not JSON"),
        (lambda model: edit_config(model / "any2bokeh.json", format_version=9), "format version 9"),
        (lambda model: edit_config(model / "any2bokeh.json", betas=1), "unknown keys: betas"),
        (lambda model: edit_config(model / "any2bokeh.json", clip_normalization="l2"), "clip_normalization .* 'l2'"),
        (lambda model: edit_config(model / "any2bokeh.json", alpha="x"), "alpha of the model is 'x'"),
        (lambda model: edit_config(model / "image_encoder" / "config.json", projection_dim=48), "image_encoder"),
    ],
)
def test_spoilt_checkpoints_are_named(
    spoil: Callable[[Path], object], message: str, pipeline: AnyToBokehPipeline, tmp_path: Path
) -> None:
    pipeline.save_pretrained(tmp_path / "model")
    spoil(tmp_path / "model")
    with pytest.raises(InputError, match=message):
        checkpoint.load(tmp_path / "model")


def test_folders_that_are_no_model_are_named(tmp_path: Path) -> None:
    write_base(tmp_path / "base")
    (tmp_path / "empty").mkdir()
    torch.save({}, tmp_path / "model.ckpt")
    for model, message in (
        (tmp_path / "base", "is plain Stable Video Diffusion, which has no MPI block"),
        (tmp_path / "empty", "has neither any2bokeh.json nor the folder unet and vae"),
        (tmp_path / "nowhere", "is neither a folder nor a hub id"),
        (tmp_path / "model.ckpt", "is a pickle; only safetensors are read"),
    ):
        with pytest.raises(InputError, match=message):
            checkpoint.load(model)
    with pytest.raises(InputError, match="is plain Stable Video Diffusion; convert takes"):
        checkpoint.convert(tmp_path / "base", tmp_path / "out")


def test_an_image_encoder_of_another_model_is_named(tmp_path: Path) -> None:
    write_published(tmp_path / "published", image_encoder=False)
    other = tiny_pipeline(unet={"cross_attention_dim": 48})
    assert other.image_encoder is not None
    other.image_encoder.save_pretrained(tmp_path / "encoder")
    with pytest.raises(InputError, match="gives 48 channels but the U-Net takes 32"):
        checkpoint.load(tmp_path / "published", image_encoder=tmp_path / "encoder")
