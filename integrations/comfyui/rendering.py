"""What the render nodes share: a batch, its disparity and its focus through a renderer, with progress."""

import logging
from pathlib import Path
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
from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.source_blur import SourceBlur, source_blur_of_frames, typed_source_blur

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


def source_blur_input() -> Any:
    """The field for what blur the clip has already; optional, and after all that were there before it."""
    return io.String.Input(
        "source_blur",
        default="off",
        optional=True,
        tooltip="Blur that the clip has already; only what is missing is added: off, auto (estimated), or K,D, its "
        "strength and the disparity that it was focused at, such as 8,0.4.",
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
    source_blur: str = "off",
) -> torch.Tensor:
    """The refocused clip as an IMAGE.

    Args:
        images: ``(B, H, W, 3)``.
        disparity: ``(B, h, w, 3)``, grey.
        focus: of the clip.
        renderer: the engine.
        reading: what ``disparity`` means.
        edges, plate: see ``Recipe``.
        source_blur: as typed.

    Raises:
        InputError: disparity or focus of another clip, or a source blur that is none.
    """
    frames = frames_of(images)
    count, _, height, width = frames.shape
    maps = BatchDisparity(disparity, frame_count=count, frame_size=(width, height), reading=reading)
    if len(focus.focus_disparity) != count:
        raise InputError(f"focus has {len(focus.focus_disparity)} frames but the clip has {count}; connect its own")

    known = source_blur_of_frames(
        _source_blur(source_blur),
        frames,
        maps.maps,
        transfer=renderer.transfer if isinstance(renderer, LayeredRenderer) else "srgb",
        notice=logging.getLogger("any2bokeh").warning,
    )
    values = zip(focus.focus_disparity.tolist(), focus.blur_strength.tolist(), strict=True)
    given = (
        RenderInput(pixels, known, focus_disparity, blur_strength)
        for pixels, known, (focus_disparity, blur_strength) in zip(frames, maps.frames(), values, strict=True)
    )
    plate = plate if isinstance(renderer, TakesHidden) else "off"
    inputs = render_inputs(given, edges=edges, plate=plate, source_blur=known)

    execution = _execution(ComfyAPI())
    result = np.empty_like(frames)
    for index, pixels in enumerate(renderer.render(inputs)):
        result[index] = pixels
        await execution.set_progress(value=index + 1, max_value=count)
    return image_of(result)


def _source_blur(typed: str) -> SourceBlur:
    choice = typed_source_blur(typed.strip() or "off")
    # A path from a workflow could name any file of the machine that runs it.
    if isinstance(choice, Path):
        raise InputError(f"source_blur is {typed}; give off, auto, or the lens of the source as K,D, such as 8,0.4")
    return choice


def _execution(api: Any) -> Any:
    """What takes the progress. ComfyUI documents it as an attribute, but 0.3.64 has only the class of it."""
    execution = getattr(api, "execution", None)
    return api.Execution() if execution is None else execution
