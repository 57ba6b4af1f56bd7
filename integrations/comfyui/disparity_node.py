"""The node that estimates disparity."""

import logging
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import torch
from comfy_api.latest import io
from numpy.typing import NDArray

from any2bokeh import open_estimator
from any2bokeh.disparity.estimators import DEFAULT_CHOICE, DepthEstimator
from any2bokeh.engines import Device
from any2bokeh.subject.seed import ClipSeed

from .batch import frames_of, image_of

DEVICES = list(get_args(Device))


class Disparity(io.ComfyNode):
    """Disparity of a clip from a depth model, on one scale and held still over time."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Any2BokehDisparity",
            display_name="Bokeh: disparity",
            category="any2bokeh",
            description="Disparity of the clip, white near, one scale for all frames, held still over time.",
            inputs=[
                io.Image.Input("images", tooltip="The clip, all in focus."),
                io.String.Input(
                    "model",
                    default=DEFAULT_CHOICE,
                    tooltip="auto, rough (no weights), small, another known name, a hub id or a folder.",
                ),
                io.Float.Input("subject_x", default=0.5, min=0, max=1, step=0.01, tooltip="For rough: on the subject."),
                io.Float.Input("subject_y", default=0.5, min=0, max=1, step=0.01, tooltip="For rough: on the subject."),
                io.Combo.Input("device", options=DEVICES, default="auto", tooltip="Where the model runs."),
                io.Boolean.Input(
                    "allow_noncommercial",
                    default=False,
                    tooltip="Take models whose licence does not allow any use.",
                ),
            ],
            outputs=[io.Image.Output(display_name="disparity", tooltip="Grey, white near.")],
        )

    @classmethod
    def execute(
        cls,
        images: torch.Tensor,
        model: str,
        subject_x: float,
        subject_y: float,
        device: Any,
        allow_noncommercial: bool,
    ) -> io.NodeOutput:
        log = logging.getLogger("any2bokeh")
        estimator = open_estimator(
            model,
            allow_noncommercial=allow_noncommercial,
            seed=ClipSeed(point=(subject_x, subject_y)),
            device=device,
            notice=log.warning,
        )
        if estimator.caveat is not None:
            log.warning("%s", estimator.caveat)
        disparity = estimated(frames_of(images), estimator)
        return io.NodeOutput(image_of(np.repeat(disparity, 3, axis=1)))


def estimated(frames: NDArray[np.float32], estimator: DepthEstimator) -> NDArray[np.float32]:
    """Disparity of frames in memory: what ``EstimatedDisparity`` does for a clip on disk.

    Args:
        frames: ``(T, 3, H, W)`` display-referred in [0, 1].
        estimator: what makes the maps.

    Returns:
        ``(T, 1, h, w)`` float32 in [0, 1], 1 = nearest.
    """
    from any2bokeh.disparity.raw_scale import ClipRange, on_scale, raw_disparity
    from any2bokeh.disparity.stabilise import stabilised

    def pictures() -> Iterator[NDArray[np.float32]]:
        return iter(frames)

    raw = [raw_disparity(each, estimator.meaning) for each in estimator.maps(pictures())]
    maps = list(stabilised(lambda: iter(raw), pictures, mode=estimator.scale_alignment))
    scale = ClipRange()
    for each in maps:
        scale.add(each)
    ends = scale.ends(estimator.meaning)
    return np.stack([on_scale(each, ends) for each in maps])
