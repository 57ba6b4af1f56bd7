"""The networks that a training starts from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import torch
from diffusers.models.resnet import TemporalResnetBlock
from torch import nn

from any2bokeh.errors import InputError
from any2bokeh.mpi import PAPER_ALPHA
from any2bokeh.renderers.diffusion.checkpoints import checkpoint
from any2bokeh.renderers.diffusion.checkpoints.model_card import ModelCard
from any2bokeh.renderers.diffusion.checkpoints.svd_start import SKIP_START
from any2bokeh.renderers.diffusion.network.autoencoder import BokehAutoencoder, SkipDecoder
from any2bokeh.renderers.diffusion.network.unet import BokehUNet
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline


@dataclass(frozen=True, slots=True)
class ModelStart:
    """What a training starts from.

    Attributes:
        base: folder or hub id of Stable Video Diffusion; None for random weights of the sizes below, without an image
            encoder.
        unet, vae: arguments of ``BokehUNet`` and ``BokehAutoencoder``; used without a base.
        alpha: exponent of the MPI regions.
        still_decoder: a random decoder begins without any effect between frames.
    """

    base: str | None = None
    unet: dict[str, Any] = field(default_factory=dict)
    vae: dict[str, Any] = field(default_factory=dict)
    alpha: float = PAPER_ALPHA
    still_decoder: bool = False


def start_networks(start: ModelStart, seed: int) -> AnyToBokehPipeline:
    """Build the networks, float32, on the CPU; random ones are the same for the same seed.

    Raises:
        InputError: the base cannot be had or is no Stable Video Diffusion.
    """
    card = ModelCard(alpha=start.alpha)
    if start.base is not None:
        pipeline, _ = checkpoint.from_svd(start.base, card=card, dtype=torch.float32)
        return pipeline
    with torch.random.fork_rng(devices=[]), _drawn_in_float64():
        torch.manual_seed(seed)
        unet = BokehUNet(**_as_arguments(start.unet)).float()
        vae = BokehAutoencoder(**_as_arguments(start.vae)).float()
    for convolution in vae.decoder.skip_convolutions():
        nn.init.constant_(convolution.weight, SKIP_START)
    if start.still_decoder:
        _still(vae.decoder)
    return AnyToBokehPipeline(unet.eval(), vae.eval(), None, card)


@contextmanager
def _drawn_in_float64() -> Iterator[None]:
    """Random weights are drawn in float64: float32 ones round otherwise without fused multiplication and addition."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@torch.no_grad()
def _still(decoder: SkipDecoder) -> None:
    """Let temporal residual blocks add nothing, and the last convolution over time pass each frame as it is."""
    for module in decoder.modules():
        if isinstance(module, TemporalResnetBlock):
            nn.init.zeros_(module.conv2.weight)
            nn.init.zeros_(cast(torch.Tensor, module.conv2.bias))
    last = decoder.time_conv_out
    nn.init.zeros_(last.weight)
    nn.init.zeros_(cast(torch.Tensor, last.bias))
    for channel in range(len(last.weight)):
        last.weight[channel, channel, last.kernel_size[0] // 2] = 1.0


def load_networks(folder: Path, start: ModelStart) -> AnyToBokehPipeline:
    """Weights of an exported checkpoint, float32, to go on training with.

    Raises:
        InputError: no checkpoint, or one of other sizes than the config's.
    """
    pipeline = checkpoint.load(folder, dtype=torch.float32)
    for name, network, wanted in (("unet", pipeline.unet, start.unet), ("vae", pipeline.vae, start.vae)):
        for key, value in wanted.items():
            found = network.config.get(key)
            if _comparable(found) != _comparable(value):
                raise InputError(
                    f"{folder} has {key} {found} in its {name}, but the config wants {value}; "
                    "give a checkpoint of this config"
                )
    return replace_card(pipeline, replace(pipeline.card, alpha=start.alpha))


def replace_card(pipeline: AnyToBokehPipeline, card: ModelCard) -> AnyToBokehPipeline:
    """The same networks under another card."""
    return AnyToBokehPipeline(pipeline.unet, pipeline.vae, pipeline.image_encoder, card)


def named_parameters(pipeline: AnyToBokehPipeline) -> dict[str, nn.Parameter]:
    """Every parameter of the U-Net and the autoencoder, with ``unet.`` or ``vae.`` in front."""
    named = {f"unet.{name}": parameter for name, parameter in pipeline.unet.named_parameters()}
    return named | {f"vae.{name}": parameter for name, parameter in pipeline.vae.named_parameters()}


def set_latent_scale(vae: BokehAutoencoder, scale: float) -> None:
    """Let latents be multiplied by ``scale``, in the config too."""
    vae.register_to_config(scaling_factor=scale)
    vae.latent_scale = scale


def _as_arguments(config: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in config.items()}


def _comparable(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | list) else value
