"""CLIP's image encoder from a checkpoint."""

from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from transformers import CLIPVisionModelWithProjection

from any2bokeh.errors import InputError
from any2bokeh.models.aligned_weights import align_weights
from any2bokeh.models.model_files import CONFIG_FILE, weight_files
from any2bokeh.renderers.diffusion.checkpoints.model_folder import model_folder
from any2bokeh.renderers.diffusion.checkpoints.weights import read_weights

NO_IMAGE_ENCODER = "none"
"""In place of an image encoder: run without one, on a zero context."""


def load_image_encoder(encoder: str | Path, dtype: torch.dtype | None = None) -> CLIPVisionModelWithProjection | None:
    """Load CLIP's image encoder from a folder, a hub id, or a model that has one; None for ``none``.

    Raises:
        InputError: nothing there, a pickle, a truncated file, missing keys.
    """
    if str(encoder) == NO_IMAGE_ENCODER:
        return None
    folder = model_folder(encoder)
    if not (folder / CONFIG_FILE).is_file() and (folder / "image_encoder").is_dir():
        folder = folder / "image_encoder"
    if not (folder / CONFIG_FILE).is_file():
        raise InputError(f"{folder} has no {CONFIG_FILE}; give the folder of a CLIP image encoder")
    read_weights(weight_files(folder, stem="model")[:1], dtype=None)  # a clear word on pickles and truncated files
    try:
        model, report = cast(Any, CLIPVisionModelWithProjection).from_pretrained(
            folder, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise InputError(f"{folder} is not a CLIP image encoder: {' '.join(str(error).split())[:300]}") from None
    missing = sorted(str(key) for key in report["missing_keys"])
    if missing:
        raise InputError(f"{folder} lacks {len(missing)} keys of a CLIP image encoder, such as {missing[0]}")
    align_weights(model)
    model.eval().requires_grad_(False)
    return model if dtype is None else model.to(dtype)
