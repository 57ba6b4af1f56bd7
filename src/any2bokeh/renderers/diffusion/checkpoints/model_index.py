"""``model_index.json``: what ``DiffusionPipeline.from_pretrained`` of diffusers reads of a checkpoint of ours."""

import json
from dataclasses import asdict

from any2bokeh.renderers.diffusion.checkpoints.model_card import ModelCard

INDEX_FILE = "model_index.json"

LIBRARY = "any2bokeh"
"""The name that our networks have among the libraries of diffusers; ``diffusers_names`` registers it."""


def model_index(card: ModelCard, *, has_image_encoder: bool) -> str:
    """The file's text.

    Args:
        card: how the weights want to be fed; where they come from stays in ``any2bokeh.json``.
        has_image_encoder: whether the checkpoint has one.
    """
    fed = asdict(card)
    del fed["provenance"]
    index = {
        "_class_name": "AnyToBokehPipeline",
        "card": fed,
        "image_encoder": ["transformers", "CLIPVisionModelWithProjection"] if has_image_encoder else [None, None],
        "unet": [LIBRARY, "BokehUNet"],
        "vae": [LIBRARY, "BokehAutoencoder"],
    }
    return json.dumps(index, indent=2) + "\n"
