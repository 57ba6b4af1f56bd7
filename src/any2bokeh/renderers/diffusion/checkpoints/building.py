"""Networks made from a config and weights, and joined to a pipeline."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from transformers import CLIPVisionModelWithProjection

from any2bokeh.errors import InputError
from any2bokeh.models.model_files import weight_files
from any2bokeh.renderers.diffusion.checkpoints.model_card import ModelCard
from any2bokeh.renderers.diffusion.checkpoints.weights import WEIGHTS_STEM, assign_weights, check_keys, read_weights
from any2bokeh.renderers.diffusion.network.autoencoder import BokehAutoencoder
from any2bokeh.renderers.diffusion.network.unet import BokehUNet
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline


def built(
    network: type[Any],
    config: dict[str, Any],
    folder: Path,
    dtype: torch.dtype | None,
    *,
    drop: Sequence[str] = (),
    variant: str | None = None,
) -> Any:
    model = on_meta(network, config)
    stem = WEIGHTS_STEM if variant is None else f"{WEIGHTS_STEM}.{variant}"
    state = read_weights(weight_files(folder, stem), dtype)
    kept = {key: value for key, value in state.items() if not any(part in key for part in drop)}
    assign_weights(model, kept, str(folder))
    return model


def started(model: Any, state: dict[str, torch.Tensor], starts: dict[str, tuple[torch.Tensor, str]], where: str) -> Any:
    check_keys(model.state_dict(), state, where, may_lack=starts)
    model.load_state_dict(state | {name: value for name, (value, _) in starts.items()}, assign=True)
    return model


def on_meta(network: type[Any], config: dict[str, Any]) -> Any:
    known = network._get_init_keys(network)
    unknown = sorted(set(config) - known)
    if unknown:
        raise InputError(f"config of the {network.__name__} has unknown keys: {', '.join(unknown)}")
    with torch.device("meta"), _WithoutInitialization():
        return network(**{key: tuple(value) if isinstance(value, list) else value for key, value in config.items()})


class _WithoutInitialization(TorchFunctionMode):
    """Leaves parameters as they are: on the meta device they have no values, and to find that out takes most of the
    time of building a network.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == nn.init.__name__:
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


def joined(
    unet: BokehUNet, vae: BokehAutoencoder, encoder: CLIPVisionModelWithProjection | None, card: ModelCard
) -> AnyToBokehPipeline:
    wanted = unet.context_dim
    if encoder is not None and encoder.config.projection_dim != wanted:
        raise InputError(
            f"the image encoder gives {encoder.config.projection_dim} channels but the U-Net takes {wanted}; "
            "give the image encoder of the base model"
        )
    return AnyToBokehPipeline(unet.eval(), vae.eval(), encoder, card)


def vae_dtype(dtype: torch.dtype | None, config: dict[str, Any]) -> torch.dtype | None:
    """The autoencoder of Stable Video Diffusion overflows in float16."""
    return torch.float32 if dtype == torch.float16 and config.get("force_upcast", True) else dtype
