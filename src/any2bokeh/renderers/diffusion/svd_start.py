"""Where the parameters that Stable Video Diffusion does not have start from."""

from collections.abc import Mapping

import torch

from any2bokeh.renderers.diffusion.fourier import FREQUENCY_COUNT
from any2bokeh.renderers.diffusion.unet import LATENT_CHANNELS

SKIP_START = 1e-5
"""Of the skip convolutions: nearly nothing, yet not a dead end for gradients."""

Starts = dict[str, tuple[torch.Tensor, str]]

_BLOCK_WEIGHT = ".attn1.to_q.weight"


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
