"""A checkpoint written: ``any2bokeh.json`` (the card), ``model_index.json`` (for diffusers), and ``unet/``, ``vae/``,
``image_encoder/``, each with ``config.json`` and safetensors."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from torch import nn

from any2bokeh.errors import InputError
from any2bokeh.models.model_files import CONFIG_FILE
from any2bokeh.pending_output import PendingOutput, writing
from any2bokeh.renderers.diffusion.checkpoints.model_card import CARD_FILE, ModelCard
from any2bokeh.renderers.diffusion.checkpoints.model_index import INDEX_FILE, model_index
from any2bokeh.renderers.diffusion.checkpoints.weights import (
    ENCODER_WEIGHTS_NAME,
    WEIGHTS_NAME,
    write_weights,
)
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline


def save(
    pipeline: AnyToBokehPipeline, folder: Path, *, provenance: dict[str, Any] | None = None, overwrite: bool = False
) -> None:
    """Save a checkpoint that describes itself; the folder appears when it is complete.

    Args:
        pipeline: what to save.
        folder: must not exist, unless ``overwrite``.
        provenance: added to the card's.
        overwrite: replace the folder.

    Raises:
        InputError: the folder exists, another run writes it, or it cannot be written.
    """
    if folder.exists() and not overwrite:
        raise InputError(f"{folder} exists; choose another folder, or pass --overwrite")
    card = replace(pipeline.card, provenance={**pipeline.card.provenance, **(provenance or {})})
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    pending = PendingOutput.replacing_folder(folder)
    try:
        with writing(folder):
            _save_parts(pipeline, pending.temporary, card)
        pending.publish()
    finally:
        pending.discard()


def _save_parts(pipeline: AnyToBokehPipeline, folder: Path, card: ModelCard) -> None:
    (folder / CARD_FILE).write_text(card.to_json())
    (folder / INDEX_FILE).write_text(model_index(card, has_image_encoder=pipeline.image_encoder is not None))
    for name, network in (("unet", pipeline.unet), ("vae", pipeline.vae)):
        _save_network(network, folder / name, card)
    if pipeline.image_encoder is not None:
        (folder / "image_encoder").mkdir()
        pipeline.image_encoder.config.save_pretrained(folder / "image_encoder")
        write_weights(pipeline.image_encoder.state_dict(), folder / "image_encoder" / ENCODER_WEIGHTS_NAME, {})


def _save_network(network: nn.Module, folder: Path, card: ModelCard) -> None:
    folder.mkdir()
    cast(Any, network).save_config(folder)
    config = (folder / CONFIG_FILE).read_text()
    metadata = {"any2bokeh_card": card.to_json(), "any2bokeh_config": json.dumps(json.loads(config))}
    write_weights(network.state_dict(), folder / WEIGHTS_NAME, metadata)
