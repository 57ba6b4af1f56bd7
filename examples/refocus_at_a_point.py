"""Focus on what is at a point of the first frame, and follow it.

The point lies on the far robot, which drives towards the camera; the focus stays on it.
"""

import sys
from pathlib import Path

from any2bokeh import FocusScript, TrackerChoice, refocus
from any2bokeh.demo import CLIP_FOLDER
from any2bokeh.focus import Keyframe, PointTarget
from any2bokeh.recipe import Recipe


def main(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    far_robot = FocusScript(keyframes=(Keyframe(0, PointTarget(0.65, 0.46, track=True)),))
    result = refocus(
        CLIP_FOLDER / "clip.mp4",
        folder / "at-a-point.mp4",
        Recipe(
            focus=far_robot,
            disparity=CLIP_FOLDER / "disparity.mkv",
            tracker=TrackerChoice("classical"),
            blur_strength=24,
        ),
        end_s=0.25,
        overwrite=True,
    )
    first, last = result.track.focus_disparity[[0, -1]]
    print(f"{result.output}: {result.frame_count} frames, focus from disparity {first:.2f} to {last:.2f}")
    return result.output


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-output"))
