"""Make docs/images/looks.jpg: every look of the layered engine on one crop of the bundled clip."""

from pathlib import Path

import cv2
import numpy as np

import any2bokeh
from any2bokeh.disparity import open_disparity
from any2bokeh.optics.aperture import Disc, ImageAperture, Polygon
from any2bokeh.optics.highlights import Highlights
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.optics.vignetting import Vignetting
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.video import open_source

CLIP = Path(any2bokeh.__file__).parent / "demo_clip"
TARGET = Path(__file__).parents[1] / "docs" / "images" / "looks.jpg"
FRAME, FOCUS, BLUR_STRENGTH = 30, 0.85, 34.0
ROWS, COLUMNS = slice(0, 270), slice(480, 960)
ACROSS = 4


def heart() -> ImageAperture:
    """A heart, point down."""
    y, x = 1.25 * np.mgrid[-1:1:257j, -1:1:257j]
    return ImageAperture(((x**2 + y**2 - 0.8) ** 3 + x**2 * y**3 < 0).astype(np.float32))


BRIGHT = Highlights(gain=5)
LOOKS = {
    "disc": {},
    "highlights 5": {"highlights": BRIGHT},
    "6 blades": {"aperture": Polygon(6), "highlights": BRIGHT},
    "5 blades, curved, turned": {"aperture": Polygon(5, 0.4, 20), "highlights": BRIGHT},
    "anamorphic 2": {"aperture": Polygon(11, 1, squeeze=0.5), "highlights": BRIGHT},
    "heart": {"aperture": heart(), "highlights": BRIGHT},
    "cat eye 0.8": {"vignetting": Vignetting(cat_eye=0.8), "highlights": BRIGHT},
    "cat eye 0.6, swirl 0.6": {"vignetting": Vignetting(cat_eye=0.6, swirl=0.6), "highlights": BRIGHT},
    "spherical 0.9": {"profile": BokehProfile(spherical=0.9), "highlights": BRIGHT},
    "spherical -0.9": {"profile": BokehProfile(spherical=-0.9), "highlights": BRIGHT},
    "softness 0.6": {"profile": BokehProfile(softness=0.6), "highlights": BRIGHT},
    "onion rings 0.5": {"profile": BokehProfile(onion_rings=0.5), "highlights": BRIGHT},
    "axial chromatic 0.06": {"axial_chromatic": 0.06, "highlights": BRIGHT},
    "axial chromatic -0.06": {"axial_chromatic": -0.06, "highlights": BRIGHT},
    "bubble + cat eye": {"profile": BokehProfile(0.8), "vignetting": Vignetting(0.6), "highlights": BRIGHT},
    "all in focus": None,
}


def main() -> None:
    """Render, label and write the sheet."""
    with open_source(CLIP / "clip.mp4") as source:
        [frame] = source.frames(FRAME, FRAME + 1)
        disparity = open_disparity(CLIP / "disparity.mkv", clip_frame_count=source.info.frame_count).at(FRAME)
    given = RenderInput(frame.pixels, disparity, FOCUS, BLUR_STRENGTH)
    tiles = []
    for name, look in LOOKS.items():
        pixels = given.pixels if look is None else LayeredRenderer(**({"aperture": Disc()} | look)).render_frame(given)
        tile = np.ascontiguousarray((pixels[::-1, ROWS, COLUMNS].transpose(1, 2, 0).clip(0, 1) * 255).astype(np.uint8))
        tile[242:] //= 3
        cv2.putText(tile, name, (10, 262), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA)
        tiles.append(tile)
    rows = [np.concatenate(tiles[start : start + ACROSS], axis=1) for start in range(0, len(tiles), ACROSS)]
    cv2.imwrite(str(TARGET), np.concatenate(rows), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
