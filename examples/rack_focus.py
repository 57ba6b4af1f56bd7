"""Rack the focus from one subject to another with a focus script, and keep the script as a file.

The file is what `--focus-script` of the command line and the studio read.
"""

import sys
from pathlib import Path

from any2bokeh import FocusScript, refocus
from any2bokeh.demo import CLIP_FOLDER
from any2bokeh.focus import Keyframe, PointTarget
from any2bokeh.recipe import Recipe


def main(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rack = FocusScript(
        keyframes=(
            Keyframe(0, PointTarget(0.31, 0.6), blur_strength=24),  # the near robot
            Keyframe(10, PointTarget(0.64, 0.46), easing="smooth", transition_s=0.3),  # the far one, within 0.3 s
        ),
    )
    rack.save(folder / "rack.json")
    result = refocus(
        CLIP_FOLDER / "clip.mp4",
        folder / "rack.mp4",
        Recipe(focus=FocusScript.load(folder / "rack.json"), disparity=CLIP_FOLDER / "disparity.mkv"),
        end_s=0.5,
        overwrite=True,
    )
    print(f"{result.output}: focus disparity of each frame", *(f"{d:.2f}" for d in result.track.focus_disparity))
    return result.output


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-output"))
