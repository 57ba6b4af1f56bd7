"""Stable Video Diffusion as a start: where the parameters that it does not have start from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from any2bokeh.models.model_files import weight_files
from any2bokeh.renderers.diffusion.checkpoints.building import joined, on_meta, started, vae_dtype
from any2bokeh.renderers.diffusion.checkpoints.image_encoder import load_image_encoder
from any2bokeh.renderers.diffusion.checkpoints.model_card import ModelCard
from any2bokeh.renderers.diffusion.checkpoints.model_folder import SVD_UNET, SVD_VAE, model_folder
from any2bokeh.renderers.diffusion.checkpoints.weights import WEIGHTS_STEM, read_config, read_weights
from any2bokeh.renderers.diffusion.network.autoencoder import BokehAutoencoder
from any2bokeh.renderers.diffusion.network.conditioning import MpiMode
from any2bokeh.renderers.diffusion.network.fourier import FREQUENCY_COUNT
from any2bokeh.renderers.diffusion.network.unet import LATENT_CHANNELS, BokehUNet
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline

SKIP_START = 1e-5
"""Of the skip convolutions: nearly nothing, yet not a dead end for gradients."""

Starts = dict[str, tuple[torch.Tensor, str]]

_BLOCK_WEIGHT = ".attn1.to_q.weight"


@dataclass(frozen=True, slots=True)
class NewParameter:
    """A parameter that a base checkpoint does not have, and what it starts from."""

    name: str
    start: str


def from_svd(
    base: str | Path, *, mpi_mode: MpiMode = "masked", card: ModelCard | None = None, dtype: torch.dtype | None = None
) -> tuple[AnyToBokehPipeline, list[NewParameter]]:
    """Start from Stable Video Diffusion: every key of the base is used, every new parameter starts on purpose.

    With these starts the U-Net equals the base U-Net, and the decoder nearly the base decoder.

    Args:
        base: folder or hub id of the image-to-video model.
        mpi_mode: see ``MpiMode``.
        card: alpha and the like; the paper's by default.
        dtype: of the weights; that of the files where None.

    Returns:
        The pipeline, and what each new parameter starts from.

    Raises:
        InputError: see ``load``; also if a key of the base is not used.
    """
    folder = model_folder(base)
    unet_config = read_config(folder / "unet", (SVD_UNET,)) | {"mpi_mode": mpi_mode}
    unet_state = read_weights(weight_files(folder / "unet", WEIGHTS_STEM), dtype)
    unet_starts = start_unet(unet_state)
    unet = started(on_meta(BokehUNet, unet_config), unet_state, unet_starts, str(folder / "unet"))

    vae_config = read_config(folder / "vae", (SVD_VAE,))
    vae_state = read_weights(weight_files(folder / "vae", WEIGHTS_STEM), vae_dtype(dtype, vae_config))
    vae = on_meta(BokehAutoencoder, vae_config)
    vae_starts = start_autoencoder(vae_state, vae.state_dict())
    vae = started(vae, vae_state, vae_starts, str(folder / "vae"))

    encoder = load_image_encoder(folder / "image_encoder", dtype)
    card = card or ModelCard()
    card = replace(card, provenance={"base": str(base) if not Path(base).exists() else folder.name, **card.provenance})
    new = [NewParameter(f"unet.{name}", start) for name, (_, start) in unet_starts.items()]
    new += [NewParameter(f"vae.{name}", start) for name, (_, start) in vae_starts.items()]
    return joined(unet, vae, encoder, card), new


def start_unet(base: Mapping[str, torch.Tensor]) -> Starts:
    """New parameters of the U-Net: name to value and where the value comes from.

    Gates and the embedding of K start at 0, so that the U-Net starts as the base. Attention and feed-forward of the MPI
    block start as those of the block that they sit in, so that opening a gate does no harm.

    Args:
        base: state dict of the base U-Net.
    """
    starts: Starts = {
        "conv_in_mpi.weight": (
            base["conv_in.weight"][:, :LATENT_CHANNELS].clone(),
            "conv_in, its channels of the all-in-focus latent",
        ),
        "conv_in_mpi.bias": (base["conv_in.bias"].clone(), "conv_in"),
    }
    mpi_dim = base["conv_in.weight"].shape[0]
    generator = torch.Generator().manual_seed(0)
    blocks = sorted(
        key.removesuffix(_BLOCK_WEIGHT)
        for key in base
        if key.endswith(_BLOCK_WEIGHT) and ".transformer_blocks." in key and ".temporal_transformer_blocks." not in key
    )
    for block in blocks:
        fuser = f"{block}.fuser"
        example = base[block + _BLOCK_WEIGHT]
        dim = example.shape[0]
        for part, copy in (
            ("mpi_attn", "attn1"),
            ("ff", "ff"),
            ("norm1", "norm1"),
            ("norm2", "norm3"),
            ("norm_k", "norm3"),
        ):
            prefix = f"{block}.{copy}."
            for key in [key for key in base if key.startswith(prefix)]:
                name = f"{fuser}.{part}.{key.removeprefix(prefix)}"
                starts[name] = (base[key].clone(), f"{copy} of the same block")
        # As nn.Linear starts, from a seed of our own.
        bound = mpi_dim**-0.5
        weight = torch.empty(dim, mpi_dim).uniform_(-bound, bound, generator=generator)
        starts[f"{fuser}.linear.weight"] = (weight.to(example.dtype), f"uniform in +-1/sqrt({mpi_dim})")
        starts[f"{fuser}.linear.bias"] = (example.new_zeros(dim), "0")
        starts[f"{fuser}.k_encoder.weight"] = (example.new_zeros(dim, 2 * FREQUENCY_COUNT), "0")
        starts[f"{fuser}.k_encoder.bias"] = (example.new_zeros(dim), "0")
        for gate in ("alpha_attn", "alpha_dense"):
            starts[f"{fuser}.{gate}"] = (example.new_zeros(()), "0, a closed gate")
    return starts


def start_autoencoder(base: Mapping[str, torch.Tensor], whole: Mapping[str, torch.Tensor]) -> Starts:
    """New parameters of the autoencoder: the skip convolutions.

    Args:
        base: state dict of the base autoencoder.
        whole: state dict of ours, for the shapes.
    """
    dtype = base["decoder.conv_in.weight"].dtype
    return {
        name: (torch.full(tuple(value.shape), SKIP_START, dtype=dtype), f"{SKIP_START:g} everywhere")
        for name, value in whole.items()
        if name.startswith("decoder.skip_conv_")
    }
