"""What the render nodes share: a batch, its disparity and its focus through a renderer, with progress."""

from typing import Any, get_args

import numpy as np
import torch
from comfy_api.latest import ComfyAPI, io

from any2bokeh import FocusTrack, InputError, Renderer, RenderInput
from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.disparity.reading import DisparityReading
from any2bokeh.plate.choice import PlateChoice
from any2bokeh.render_inputs import render_inputs
from any2bokeh.renderers.base import TakesHidden

from .batch import BatchDisparity, frames_of, image_of


def edges_input() -> Any:
    """The field for the treatment of edges; optional, as those that came later are."""
    return io.Combo.Input(
        "edges",
        options=list(get_args(EdgeTreatment)),
        default="auto",
        optional=True,
        tooltip="Treatment of soft or displaced edges in the disparity: classical, learned (a network), auto where "
        "maps need it, off leaves them as they are.",
    )


async def rendered(
    images: torch.Tensor,
    disparity: torch.Tensor,
    focus: FocusTrack,
    renderer: Renderer,
    *,
    reading: DisparityReading,
    edges: EdgeTreatment = "auto",
    plate: PlateChoice = "auto",
) -> torch.Tensor:
    """The refocused clip as an IMAGE.

    Args:
        images: ``(B, H, W, 3)``.
        disparity: ``(B, h, w, 3)``, grey.
        focus: of the clip.
        renderer: the engine.
        reading: what ``disparity`` means.
        edges, plate: see ``Recipe``.

    Raises:
        InputError: disparity or focus of another clip.
    """
    frames = frames_of(images)
    count, _, height, width = frames.shape
    maps = BatchDisparity(disparity, frame_count=count, frame_size=(width, height), reading=reading)
    if len(focus.focus_disparity) != count:
        raise InputError(f"focus has {len(focus.focus_disparity)} frames but the clip has {count}; connect its own")

    values = zip(focus.focus_disparity.tolist(), focus.blur_strength.tolist(), strict=True)
    given = (
        RenderInput(pixels, known, focus_disparity, blur_strength)
        for pixels, known, (focus_disparity, blur_strength) in zip(frames, maps.frames(), values, strict=True)
    )
    inputs = render_inputs(given, edges=edges, plate=plate if isinstance(renderer, TakesHidden) else "off")

    execution = _execution(ComfyAPI())
    result = np.empty_like(frames)
    for index, pixels in enumerate(renderer.render(inputs)):
        result[index] = pixels
        await execution.set_progress(value=index + 1, max_value=count)
    return image_of(result)


def _execution(api: Any) -> Any:
    """What takes the progress. ComfyUI documents it as an attribute, but 0.3.64 has only the class of it."""
    execution = getattr(api, "execution", None)
    return api.Execution() if execution is None else execution
