"""Checkpoints: ours, the published ones, and the start from Stable Video Diffusion.

Layout of ours: ``any2bokeh.json`` (the card), and ``unet/``, ``vae/``, ``image_encoder/``, each with ``config.json``
and safetensors.
"""

from any2bokeh.renderers.diffusion.checkpoints.conversion import convert
from any2bokeh.renderers.diffusion.checkpoints.image_encoder import NO_IMAGE_ENCODER, load_image_encoder
from any2bokeh.renderers.diffusion.checkpoints.loading import load, load_published
from any2bokeh.renderers.diffusion.checkpoints.model_folder import Layout, layout_of, model_folder
from any2bokeh.renderers.diffusion.checkpoints.saving import save
from any2bokeh.renderers.diffusion.checkpoints.svd_start import NewParameter, from_svd

__all__ = [
    "NO_IMAGE_ENCODER",
    "Layout",
    "NewParameter",
    "convert",
    "from_svd",
    "layout_of",
    "load",
    "load_image_encoder",
    "load_published",
    "model_folder",
    "save",
]
