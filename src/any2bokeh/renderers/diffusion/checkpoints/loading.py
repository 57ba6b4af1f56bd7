"""Checkpoints read: ours, and the published ones as they are."""

from pathlib import Path

import torch

from any2bokeh.errors import InputError
from any2bokeh.renderers.diffusion.checkpoints.building import built, joined, vae_dtype
from any2bokeh.renderers.diffusion.checkpoints.image_encoder import NO_IMAGE_ENCODER, load_image_encoder
from any2bokeh.renderers.diffusion.checkpoints.model_card import CARD_FILE, PUBLISHED_CARD, ModelCard
from any2bokeh.renderers.diffusion.checkpoints.model_folder import (
    OUR_UNET,
    OUR_VAE,
    SVD_UNET,
    SVD_VAE,
    layout_of,
    model_folder,
)
from any2bokeh.renderers.diffusion.checkpoints.weights import read_config
from any2bokeh.renderers.diffusion.network.autoencoder import BokehAutoencoder
from any2bokeh.renderers.diffusion.network.conditioning import MpiMode, TimeContext
from any2bokeh.renderers.diffusion.network.unet import BokehUNet
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline


def load(
    model: str | Path,
    *,
    dtype: torch.dtype | None = None,
    mpi_mode: MpiMode | None = None,
    image_encoder: str | Path | None = None,
    variant: str | None = None,
) -> AnyToBokehPipeline:
    """Load one of our checkpoints, or a folder that holds the published ``unet/`` and ``vae/``.

    Args:
        model: folder, hub id, or ``compact``, the one that comes with the package.
        dtype: of the weights; that of the files where None. Take float32 to run on a CPU, which emulates float16 at a
            fortieth of the speed; ``DiffusionRenderer.load`` does.
        mpi_mode: in place of the checkpoint's: ``masked`` or ``released``. Published weights are ``released``.
        image_encoder: folder or hub id of CLIP's image encoder, or of a model that has one in ``image_encoder/``,
            where the checkpoint brings none; ``"none"`` to run without one.
        variant: of the files, such as ``fp16`` for ``diffusion_pytorch_model.fp16.safetensors``; the plain ones where
            None. One of ours or a folder: hub ids are fetched without variants.

    Raises:
        InputError: nothing there, another architecture, missing or unexpected keys, a truncated file, a pickle.
    """
    folder = model_folder(model)
    layout = layout_of(folder)
    if layout == "svd":
        raise InputError(
            f"{folder} is plain Stable Video Diffusion, which has no MPI block and makes no bokeh; "
            "give a model trained from it, or the published Any-to-Bokeh weights"
        )
    if layout == "published":
        return load_published(
            folder / "unet",
            folder / "vae",
            image_encoder=folder / "image_encoder" if (folder / "image_encoder").is_dir() else image_encoder,
            mpi_mode=mpi_mode or "released",
            dtype=dtype,
            variant=variant,
        )
    card = ModelCard.load(folder / CARD_FILE)
    config = read_config(folder / "unet", (OUR_UNET,))
    if mpi_mode is not None:
        config["mpi_mode"] = mpi_mode
    unet = built(BokehUNet, config, folder / "unet", dtype, variant=variant)
    vae_config = read_config(folder / "vae", (OUR_VAE,))
    vae = built(BokehAutoencoder, vae_config, folder / "vae", vae_dtype(dtype, vae_config), variant=variant)
    own_encoder = folder / "image_encoder"
    encoder = (
        load_image_encoder(own_encoder, dtype)
        if own_encoder.is_dir()
        else load_image_encoder(image_encoder or NO_IMAGE_ENCODER, dtype)
    )
    return joined(unet, vae, encoder, card)


def load_published(
    unet_folder: str | Path,
    vae_folder: str | Path,
    *,
    image_encoder: str | Path | None,
    mpi_mode: MpiMode = "released",
    time_context: TimeContext = "interleaved",
    keep_unused_feed_forward: bool = True,
    card: ModelCard = PUBLISHED_CARD,
    dtype: torch.dtype | None = None,
    variant: str | None = None,
) -> AnyToBokehPipeline:
    """Load published Any-to-Bokeh weights as they are.

    Args:
        unet_folder, vae_folder: in diffusers layout.
        image_encoder: CLIP's, which the published checkpoints leave to Stable Video Diffusion; see ``load``.
        mpi_mode: see ``MpiMode``; the published weights are ``released``.
        time_context: see ``TimeContext``; ``interleaved`` is what the published modules compute.
        keep_unused_feed_forward: carry ``ff_k``, which nothing reads.
        card: how the weights want to be fed; the published inference by default.
        dtype: of the weights; that of the files where None.
        variant: see ``load``.

    Raises:
        InputError: see ``load``.
    """
    unet_folder, vae_folder = Path(unet_folder), Path(vae_folder)
    if image_encoder is None:
        raise InputError(
            f"{unet_folder.parent} has no image_encoder folder; give the one of Stable Video Diffusion: "
            "any2bokeh convert MODEL OUT --image-encoder PATH|ID (or 'none' to run without one)"
        )
    config = read_config(unet_folder, (SVD_UNET,))
    config |= {
        "mpi_mode": mpi_mode,
        "time_context": time_context,
        "unused_feed_forward": keep_unused_feed_forward,
    }
    drop = () if keep_unused_feed_forward else (".fuser.ff_k.",)
    unet = built(BokehUNet, config, unet_folder, dtype, drop=drop, variant=variant)
    vae_config = read_config(vae_folder, (SVD_VAE,))
    vae = built(BokehAutoencoder, vae_config, vae_folder, vae_dtype(dtype, vae_config), variant=variant)
    return joined(unet, vae, load_image_encoder(image_encoder, dtype), card)
