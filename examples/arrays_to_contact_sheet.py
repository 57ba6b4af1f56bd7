"""Refocus arrays that are in memory, and lay the results out on one sheet: focal plane by blur strength."""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from any2bokeh import refocus_frames
from any2bokeh.picture import write_picture

FOCUS_DISPARITIES = (0.9, 0.5, 0.1)
BLUR_STRENGTHS = (0.0, 40.0, 80.0)
WIDTH, HEIGHT, GAP_PX = 320, 180, 4


def scene() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Three checked cards, near on the left and far on the right, before a dark wall with lamps."""
    pixels = np.full((3, HEIGHT, WIDTH), 0.05, np.float32)
    disparity = np.zeros((1, HEIGHT, WIDTH), np.float32)
    random = np.random.default_rng(3)
    for y, x in zip(random.integers(4, HEIGHT - 4, 60), random.integers(4, WIDTH - 4, 60), strict=True):
        pixels[:, y - 1 : y + 2, x - 1 : x + 2] = random.uniform(0.6, 1, (3, 1, 1))
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    checks = ((rows // 8 + columns // 8) % 2).astype(np.float32)
    for left, value, color in ((20, 0.9, (1, 0.5, 0.4)), (120, 0.5, (0.5, 1, 0.5)), (220, 0.1, (0.5, 0.6, 1))):
        card = np.s_[:, 40:150, left : left + 80]
        pixels[card] = (0.3 + 0.6 * checks[40:150, left : left + 80]) * np.array(color, np.float32)[:, None, None]
        disparity[card] = value
    return pixels, disparity


def main(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pixels, disparity = scene()
    settings = [(focus, blur) for blur in BLUR_STRENGTHS for focus in FOCUS_DISPARITIES]
    refocused = refocus_frames(
        np.repeat(pixels[None], len(settings), axis=0),  # (T, 3, H, W)
        np.repeat(disparity[None], len(settings), axis=0),  # (T, 1, H, W)
        [focus for focus, _ in settings],  # one for each frame, or one number for all
        [blur for _, blur in settings],
        plate="off",  # one picture again and again: no frame shows what another hides
    )
    step_y, step_x = HEIGHT + GAP_PX, WIDTH + GAP_PX
    columns = len(FOCUS_DISPARITIES)
    sheet = np.ones((3, len(BLUR_STRENGTHS) * step_y - GAP_PX, columns * step_x - GAP_PX), np.float32)
    for number, picture in enumerate(refocused):
        row, column = divmod(number, columns)
        sheet[:, row * step_y : row * step_y + HEIGHT, column * step_x : column * step_x + WIDTH] = picture
    path = folder / "contact-sheet.png"
    write_picture(path, sheet)
    print(f"{path}: focus on the near, middle and far card; K = {', '.join(f'{blur:g}' for blur in BLUR_STRENGTHS)}")
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-output"))
