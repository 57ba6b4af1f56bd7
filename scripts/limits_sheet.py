"""Make docs/images/limits.jpg: what rough disparity and clipped highlights cost, on the bundled clip."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh import DisparitySource, EstimatedDisparity, FocusScript, LayeredRenderer, open_disparity, open_estimator
from any2bokeh.demo import CLIP_FOLDER
from any2bokeh.optics.highlights import Highlights
from any2bokeh.preview import preview
from any2bokeh.recipe import Recipe
from any2bokeh.subject.seed import ClipSeed
from any2bokeh.video import VideoSource, open_source

TARGET = Path(__file__).parents[1] / "docs" / "images" / "limits.jpg"
FRAME, POINT, BLUR_STRENGTH = 0, (0.31, 0.6), 30.0
GAP_PX, LAMPS = 8, np.s_[20:290, 480:960]


def picture(source: VideoSource, disparity: DisparitySource, renderer: LayeredRenderer) -> NDArray[np.float32]:
    """The frame with the near robot in focus, ``(H, W, 3)`` code values."""
    focus = FocusScript.at_point(*POINT, blur_strength=BLUR_STRENGTH)
    return preview(source, FRAME, Recipe(focus=focus, disparity=disparity), renderer=renderer).pixels.transpose(1, 2, 0)


def labelled(pixels: NDArray[np.float32], text: str) -> NDArray[np.uint8]:
    """8-bit BGR with a line of text in its corner."""
    tile = np.ascontiguousarray(np.rint(np.clip(pixels, 0, 1)[..., ::-1] * 255).astype(np.uint8))
    for grey, thickness in ((0, 5), (255, 2)):
        place = (14, tile.shape[0] - 16)
        cv2.putText(tile, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (grey,) * 3, thickness, cv2.LINE_AA)
    return tile


def main() -> None:
    with open_source(CLIP_FOLDER / "clip.mp4") as source:
        given = open_disparity(CLIP_FOLDER / "disparity.mkv", clip_frame_count=source.info.frame_count)
        rough = EstimatedDisparity(source, open_estimator("rough", seed=ClipSeed(FRAME, point=POINT)))
        plain, bright = LayeredRenderer(), LayeredRenderer(highlights=Highlights(gain=6))
        tiles = [
            labelled(picture(source, given, plain), "given disparity"),
            labelled(picture(source, rough, plain), "rough estimate"),
            labelled(_lamps(picture(source, given, plain)), "highlights as recorded"),
            labelled(_lamps(picture(source, given, bright)), "--highlights 6"),
        ]
    height, width = tiles[0].shape[:2]
    sheet = np.full((2 * height + GAP_PX, 2 * width + GAP_PX, 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        top, left = number // 2 * (height + GAP_PX), number % 2 * (width + GAP_PX)
        sheet[top : top + height, left : left + width] = tile
    small = cv2.resize(sheet, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(TARGET), small, [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


def _lamps(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The lamps of the background, at twice the size."""
    return cv2.resize(np.ascontiguousarray(pixels[LAMPS]), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)


if __name__ == "__main__":
    main()
