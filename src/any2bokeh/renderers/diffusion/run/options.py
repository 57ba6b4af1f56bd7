"""Options of a run of the pipeline, defined once; the command line and the UI read them from here."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from any2bokeh.errors import InputError, require_choice
from any2bokeh.renderers.diffusion.run.windows import WindowPlan

LatentChoice = Literal["mean", "sample"]
"""``mean``: the posterior's mean, no sampling at all. ``sample``: drawn, the same for the same seed."""


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """How a clip is rendered.

    Attributes:
        plan: windows that the U-Net sees, and how they are blended.
        processing_size_px: frames with a longer side are scaled down to it for the model; None = never.
        latent: see ``LatentChoice``.
        seed: of ``latent="sample"``; every frame draws from a stream of its own, so windows do not matter.
        frames_per_decode: frames that the temporal decoder sees together; groups of ``plan.stride`` are cut into these.
        framewise_decode: decode a frame at a time inside such a group, in half the memory; the same up to rounding.
        fps, motion_bucket: micro-conditioning of the base model.
        compose: bring the result to the source's size, in-focus pixels from the source; else the model's bare picture.
    """

    plan: WindowPlan = field(default_factory=WindowPlan)
    processing_size_px: int | None = 1024
    latent: LatentChoice = "mean"
    seed: int = 0
    frames_per_decode: int = 4
    framewise_decode: bool = True
    fps: int = 7
    motion_bucket: int = 127
    compose: bool = True

    def __post_init__(self) -> None:
        require_choice("latent", self.latent, get_args(LatentChoice))
        for name in ("frames_per_decode", "fps"):
            value = getattr(self, name)
            if value < 1:
                raise InputError(f"{name} is {value}; it must be at least 1")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"seed is {self.seed}; it must be at least 0 and below 2**63")
