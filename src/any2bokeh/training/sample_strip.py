"""A picture of where the training is: one clip, refocused, beside its ground truth."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.mpi import disparity_difference
from any2bokeh.pending_output import PendingOutput, writing
from any2bokeh.renderers.diffusion.run.options import PipelineOptions
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.synthesis.clip import SyntheticClip

_FRAMES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class SampleStrip:
    """One clip as the model renders it now.

    Attributes:
        psnr_db: of the model's bare picture (nothing taken from the source) against the ground truth.
        source_psnr_db: of the source, unblurred.
        picture: ``(H, W, 3)`` uint8: rows are frames; columns the source, V_D, the result and the ground truth.
    """

    psnr_db: float
    source_psnr_db: float
    picture: NDArray[np.uint8]


def sample_strip(pipeline: AnyToBokehPipeline, clip: SyntheticClip) -> SampleStrip:
    """Refocus a clip and lay it out."""
    options = PipelineOptions(compose=False)
    result = pipeline(clip.frames, clip.disparity, clip.focus_disparity, clip.blur_strength, options=options).frames
    rows = []
    for frame in np.linspace(0, clip.frame_count - 1, min(_FRAMES_SHOWN, clip.frame_count)).round().astype(int):
        difference = disparity_difference(clip.disparity[frame], float(clip.focus_disparity[frame]))
        columns = (clip.frames[frame], difference.repeat(3, axis=0), result[frame], clip.bokeh[frame])
        rows.append(np.concatenate(columns, axis=2))
    picture = np.concatenate(rows, axis=1).clip(0, 1).transpose(1, 2, 0)
    return SampleStrip(
        psnr_db=psnr_db(result, clip.bokeh),
        source_psnr_db=psnr_db(clip.frames, clip.bokeh),
        picture=np.rint(picture * 255).astype(np.uint8),
    )


def write_strip(path: Path, strip: SampleStrip) -> None:
    """Write the picture as PNG, complete or not at all."""
    encoded, png = cv2.imencode(".png", strip.picture[..., ::-1])
    assert encoded
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    pending = PendingOutput.file(path)
    try:
        with writing(path):
            pending.temporary.write_bytes(png.tobytes())
        pending.publish()
    finally:
        pending.discard()


def psnr_db(result: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Peak signal-to-noise ratio of frames in [0, 1], over all of them together."""
    error = float(np.mean(np.square(result.astype(np.float64) - truth)))
    return float(10 * np.log10(1 / max(error, 1e-12)))
