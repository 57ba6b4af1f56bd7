"""The stages of the training: which parameters, which loss, how many frames, how fast."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from any2bokeh.errors import InputError, require_choice

Trains = Literal["autoencoder", "encoder", "unet", "unet-temporal", "decoder-spatial"]
"""Which parameters a stage trains; see ``trained_names``."""

Loss = Literal["reconstruction", "thumbnail", "latent", "picture"]
"""``reconstruction``: the autoencoder gives back what it was shown. ``thumbnail``: squared error of latents against
block means and contrasts; see ``losses.thumbnails``. ``latent``: squared error of the latents of the bokeh frames.
``picture``: L1, and L1 of Sobel magnitudes, of the decoded bokeh frames."""

Decay = Literal["constant", "cosine"]

_OVER_TIME = ("temporal_res_block", "time_mixer", "time_conv_out")
_SKIP_CONVOLUTION = "vae.decoder.skip_conv_"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        name: what ``--stage`` calls it.
        trains: which parameters; all others are frozen.
        loss: see ``Loss``.
        frames: of a training window.
        steps: of the optimiser.
        learning_rate: after the warm-up.
        batch_size: windows of each process in each forward pass.
        accumulation: forward passes of a step.
        perturbation: probability that the disparity of a frame is perturbed, each frame by itself.
        warmup_steps: over which the learning rate rises from 0.
        decay: of the learning rate after the warm-up; ``cosine`` ends at a twentieth.

    Raises:
        InputError: a value outside its range.
    """

    name: str
    trains: Trains
    loss: Loss
    frames: int
    steps: int
    learning_rate: float
    batch_size: int = 1
    accumulation: int = 1
    perturbation: float = 0.0
    warmup_steps: int = 0
    decay: Decay = "constant"

    def __post_init__(self) -> None:
        for name, allowed in (("trains", Trains), ("loss", Loss), ("decay", Decay)):
            require_choice(f"{name} of stage {self.name}", getattr(self, name), get_args(allowed))
        for name in ("frames", "steps", "batch_size", "accumulation"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} of stage {self.name} is {getattr(self, name)}; it must be at least 1")
        if not self.learning_rate > 0:
            raise InputError(f"learning_rate of stage {self.name} is {self.learning_rate:g}; it must be above 0")
        if not 0 <= self.perturbation <= 1:
            raise InputError(f"perturbation of stage {self.name} is {self.perturbation:g}; it must lie in [0, 1]")
        if not 0 <= self.warmup_steps <= self.steps:
            raise InputError(
                f"warmup_steps of stage {self.name} is {self.warmup_steps}; it must be at most its {self.steps} steps"
            )
        reached = {
            "reconstruction": ("autoencoder",),
            "thumbnail": ("encoder",),
            "latent": ("unet", "unet-temporal"),
            "picture": ("decoder-spatial",),
        }
        if self.trains not in reached[self.loss]:
            raise InputError(f"stage {self.name} trains {self.trains}, which the loss {self.loss!r} does not reach")

    def learning_rate_at(self, step: int) -> float:
        """Learning rate of step ``step``, counted from 0."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        if self.decay == "constant":
            return self.learning_rate
        progress = (step - self.warmup_steps) / max(self.steps - self.warmup_steps, 1)
        return self.learning_rate * (0.05 + 0.95 * 0.5 * (1.0 + math.cos(math.pi * progress)))


def trained_names(trains: Trains, names: Iterable[str]) -> list[str]:
    """Names of the parameters that a stage trains.

    Args:
        trains: ``autoencoder`` is the whole one but for the skip convolutions, which would hand it the picture that it
            has to give back; ``encoder`` its encoder alone; ``unet`` the whole U-Net; ``unet-temporal`` what is named
            temporal in it, its temporal transformer blocks and residual blocks, but not what mixes them in;
            ``decoder-spatial`` the decoder without such parts and without what mixes them in.
        names: of all parameters, with ``unet.`` or ``vae.`` in front.

    Source: training of Yang et al., Any-to-Bokeh, ICLR 2026.
    """
    return [name for name in names if _is_trained(trains, name)]


def _is_trained(trains: Trains, name: str) -> bool:
    if trains == "autoencoder":
        return name.startswith("vae.") and not name.startswith(_SKIP_CONVOLUTION)
    if trains == "encoder":
        return name.startswith(("vae.encoder.", "vae.quant_conv."))
    if trains == "unet":
        return name.startswith("unet.")
    if trains == "unet-temporal":
        return name.startswith("unet.") and "temporal" in name
    over_time = any(part in _OVER_TIME for part in name.split("."))
    return name.startswith("vae.decoder.") and not over_time
