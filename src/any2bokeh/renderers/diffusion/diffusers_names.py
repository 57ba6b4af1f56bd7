"""Our classes under their names in diffusers: once this is imported, its ``DiffusionPipeline`` opens our checkpoints.

diffusers looks up the pipeline of ``model_index.json`` in itself, and its parts in a fixed list of libraries or among
its own pipelines; it takes no others, and code from a model's folder we never run. So the names are added there.
"""

from types import SimpleNamespace
from typing import Any, cast

import diffusers
from diffusers import pipelines

from any2bokeh.renderers.diffusion.checkpoints.model_index import LIBRARY
from any2bokeh.renderers.diffusion.network.autoencoder import BokehAutoencoder
from any2bokeh.renderers.diffusion.network.unet import BokehUNet
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline

__all__ = ["AnyToBokehPipeline", "BokehAutoencoder", "BokehUNet"]

cast(Any, diffusers).AnyToBokehPipeline = AnyToBokehPipeline
setattr(pipelines, LIBRARY, SimpleNamespace(BokehUNet=BokehUNet, BokehAutoencoder=BokehAutoencoder))
