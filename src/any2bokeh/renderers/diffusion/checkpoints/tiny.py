"""A tiny model with random weights: every part is there and at work, nothing is learnt. For tests and trials."""

from typing import Any

import torch
from torch import nn
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from any2bokeh.renderers.diffusion.checkpoints.model_card import ModelCard
from any2bokeh.renderers.diffusion.network.autoencoder import BokehAutoencoder
from any2bokeh.renderers.diffusion.network.mpi_attention import MpiAttention
from any2bokeh.renderers.diffusion.network.unet import BokehUNet
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline

UNET_CONFIG: dict[str, Any] = {
    "block_out_channels": (32, 32, 64, 64),
    "num_attention_heads": (2, 2, 4, 4),
    "layers_per_block": 1,
    "cross_attention_dim": 32,
    "addition_time_embed_dim": 32,
    "projection_class_embeddings_input_dim": 96,
}
VAE_CONFIG: dict[str, Any] = {
    "block_out_channels": (32, 32, 32, 32),
    "layers_per_block": 1,
    "sample_size": 64,
    "force_upcast": False,
}
IMAGE_ENCODER_CONFIG: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}


def tiny_pipeline(
    seed: int = 0,
    *,
    unet: dict[str, Any] | None = None,
    vae: dict[str, Any] | None = None,
    card: ModelCard | None = None,
    image_encoder: bool = True,
) -> AnyToBokehPipeline:
    """Build a tiny random model; the same for the same arguments.

    Args:
        seed: of the weights.
        unet, vae: settings in place of ``UNET_CONFIG`` and ``VAE_CONFIG``.
        card: see ``ModelCard``.
        image_encoder: with one, or on a zero context.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        the_unet = BokehUNet(**{**UNET_CONFIG, **(unet or {})})
        the_vae = BokehAutoencoder(**{**VAE_CONFIG, **(vae or {})})
        encoder = None
        if image_encoder:
            projection = the_unet.context_dim
            encoder = CLIPVisionModelWithProjection(CLIPVisionConfig(**IMAGE_ENCODER_CONFIG, projection_dim=projection))
            encoder.eval().requires_grad_(False)
        open_gates(the_unet)
    card = card or ModelCard(provenance={"origin": f"random weights, seed {seed}"})
    return AnyToBokehPipeline(the_unet.eval(), the_vae.eval(), encoder, card)


def open_gates(unet: nn.Module) -> None:
    """Give the gates and norms of every MPI block random values, so that a test sees all that they let through."""
    for module in unet.modules():
        if isinstance(module, MpiAttention):
            for gate in (module.alpha_attn, module.alpha_dense):
                nn.init.uniform_(gate, 0.2, 1.0)
            for norm in (module.norm1, module.norm2, module.norm_k):
                nn.init.normal_(norm.weight, 1.0, 0.1)
                nn.init.normal_(norm.bias, 0.0, 0.1)
