"""The end of a training: a checkpoint of ours that says where its weights come from."""

import os
import platform
from pathlib import Path
from typing import Any

import torch

from any2bokeh import __version__
from any2bokeh.renderers.diffusion.checkpoints import checkpoint
from any2bokeh.renderers.diffusion.network.autoencoder import BokehAutoencoder
from any2bokeh.renderers.diffusion.network.unet import BokehUNet
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.training.state import StateHeader

_CURVE_POINTS = 60


def export(pipeline: AnyToBokehPipeline, folder: Path, header: StateHeader) -> None:
    """Write the networks as a checkpoint; it replaces one that is there.

    Args:
        pipeline: the networks; copied, not changed.
        folder: of the checkpoint.
        header: of the training, for the provenance: config, clips, steps, hours, what the stages came to, versions.
    """
    dtype = getattr(torch, header.config["export_dtype"])
    copy = AnyToBokehPipeline(
        _copied(BokehUNet, pipeline.unet, dtype),
        _copied(BokehAutoencoder, pipeline.vae, dtype),
        pipeline.image_encoder,
        pipeline.card,
    )
    checkpoint.save(copy, folder, provenance={"training": training_record(header)}, overwrite=True)


def training_record(header: StateHeader) -> dict[str, Any]:
    """Plain JSON values that tell how the weights came to be."""
    machine = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor() or platform.machine()
    return {
        "config": header.config,
        "clips": header.clips,
        "processes": header.process_count,
        "steps": header.position.total_steps,
        "hours": round(header.position.seconds / 3600, 4),
        "stands_in_stage": header.position.stage,
        "stages": header.history,
        "machine": f"{machine}, {os.cpu_count()} CPU cores",
        "versions": {"any2bokeh": __version__, "torch": torch.__version__, "python": platform.python_version()},
    }


def thinned_curve(losses: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """A loss curve as at most some sixty points, each the mean of its neighbours: last step and loss."""
    size = -(-len(losses) // _CURVE_POINTS) or 1
    groups = [losses[start : start + size] for start in range(0, len(losses), size)]
    return [(group[-1][0], float(f"{sum(loss for _, loss in group) / len(group):.5g}")) for group in groups]


def _copied(network: Any, own: Any, dtype: torch.dtype) -> Any:
    # Not from_config, which would set what was left at its default, such as the latents' scale, back to it.
    copy = network(**{name: value for name, value in own.config.items() if not name.startswith("_")})
    copy.load_state_dict({name: value.to("cpu", dtype) for name, value in own.state_dict().items()}, assign=True)
    return copy.eval()
