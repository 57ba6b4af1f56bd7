"""Disparity from a depth model of your own, held still over time and refocused.

Any object with these properties and this method will do. The model here is a toy: it takes what is low in the picture
to be near, as if all the world were flat ground.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from any2bokeh import EstimatedDisparity, FocusScript, open_source, refocus
from any2bokeh.demo import CLIP_FOLDER
from any2bokeh.disparity.estimators import MapMeaning, ScaleAlignment
from any2bokeh.recipe import Recipe


class FlatGround:
    """Depth of flat ground that is seen from above: one over the height below the horizon."""

    name = "flat ground"
    licence = "apache-2.0"
    meaning = MapMeaning("depth")  # or "disparity"; is_metric=True where the unit is metres
    scale_alignment: ScaleAlignment = "none"  # "whole-clip" where each map has a scale of its own
    caveat = None

    def __init__(self, horizon: float) -> None:
        self.horizon = horizon
        self.settings: Mapping[str, object] = {"horizon": horizon}  # part of the key of the cache

    def maps(self, frames: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        for pixels in frames:  # (3, H, W) RGB in [0, 1]; a network would look at them
            height, width = pixels.shape[1] // 4, pixels.shape[2] // 4
            below = (np.arange(height) + 0.5) / height - self.horizon
            depth = np.where(below > 0, 1 / np.maximum(below, 1e-3), np.inf)  # the sky is infinitely far
            yield np.repeat(depth[:, None], width, axis=1)[None].astype(np.float32)


def main(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with open_source(CLIP_FOLDER / "clip.mp4") as source:
        disparity = EstimatedDisparity(source, FlatGround(horizon=0.35), stop=12)
        result = refocus(
            source,
            folder / "own-depth-model.mp4",
            Recipe(focus=FocusScript.constant(0.6, blur_strength=20), disparity=disparity),
            end_s=0.5,
            overwrite=True,
        )
    print(f"{result.output}: {result.frame_count} frames")
    return result.output


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-output"))
