"""One frame through lenses of your own: numbers, iris, cat's eye and the way light lies within a disc."""

import sys
from pathlib import Path

from any2bokeh import FocusScript, LayeredRenderer, open_source
from any2bokeh.demo import CLIP_FOLDER
from any2bokeh.focus import Keyframe, PointTarget
from any2bokeh.optics.aperture import Disc, Polygon
from any2bokeh.optics.lens import Lens
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.optics.vignetting import Vignetting
from any2bokeh.preview import preview, write_preview
from any2bokeh.recipe import Recipe

LOOKS = {
    "round": LayeredRenderer(aperture=Disc()),
    "six-blades": LayeredRenderer(aperture=Polygon(blades=6, curvature=0.2)),
    "old-portrait": LayeredRenderer(vignetting=Vignetting(cat_eye=0.8, swirl=0.4), profile=BokehProfile(spherical=0.6)),
}


def main(folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    near_robot = FocusScript(keyframes=(Keyframe(0, PointTarget(0.31, 0.6)),))
    lens = Lens(f_number=1.2, focal_length_mm=85, focus_distance_m=4)
    written = []
    with open_source(CLIP_FOLDER / "clip.mp4") as source:
        for name, renderer in LOOKS.items():
            shown = preview(
                source,
                0,
                Recipe(focus=near_robot, disparity=CLIP_FOLDER / "disparity.mkv", blur_strength=lens),
                renderer=renderer,
            )
            path = folder / f"lens-{name}.png"
            write_preview(shown, path, overwrite=True)
            print(f"{path}: K = {shown.given.blur_strength:.1f}")
            written.append(path)
    return written


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-output"))
