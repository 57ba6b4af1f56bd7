"""Published weights turned into one of our checkpoints."""

from pathlib import Path

import torch

from any2bokeh.errors import InputError
from any2bokeh.renderers.diffusion.checkpoints.loading import load_published
from any2bokeh.renderers.diffusion.checkpoints.model_folder import layout_of, model_folder
from any2bokeh.renderers.diffusion.checkpoints.saving import save
from any2bokeh.renderers.diffusion.network.conditioning import MpiMode
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline


def convert(
    model: str | Path,
    folder: Path,
    *,
    image_encoder: str | Path | None = None,
    mpi_mode: MpiMode | None = None,
    dtype: torch.dtype | None = None,
    overwrite: bool = False,
) -> AnyToBokehPipeline:
    """Turn published weights into one of our checkpoints, without the feed-forward that nothing reads.

    Clips of a batch no longer see each other's image embeddings (``time_context="per_clip"``); one clip at a time, as
    in inference, the result is the same.

    Args:
        model: folder or hub id with the published ``unet/`` and ``vae/``.
        folder: the new checkpoint.
        image_encoder: see ``load``.
        mpi_mode: see ``load``.
        dtype: of the weights; that of the files where None.
        overwrite: replace ``folder``.

    Returns:
        The converted pipeline.

    Raises:
        InputError: see ``load``; not published weights; the folder exists.
    """
    if folder.exists() and not overwrite:
        raise InputError(f"{folder} exists; choose another folder, or pass --overwrite")
    source = model_folder(model)
    layout = layout_of(source)
    if layout != "published":
        what = "one of our checkpoints already" if layout == "ours" else "plain Stable Video Diffusion"
        raise InputError(f"{source} is {what}; convert takes the published Any-to-Bokeh unet and vae folders")
    pipeline = load_published(
        source / "unet",
        source / "vae",
        image_encoder=source / "image_encoder" if (source / "image_encoder").is_dir() else image_encoder,
        mpi_mode=mpi_mode or "released",
        time_context="per_clip",
        keep_unused_feed_forward=False,
        dtype=dtype,
    )
    save(pipeline, folder, overwrite=overwrite)
    return pipeline
