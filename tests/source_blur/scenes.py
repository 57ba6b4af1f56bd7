"""Pictures of cards at several disparities, some of them blurred as by a lens."""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.transfer import srgb_encode

SIZE = 384, 640
DISPARITIES = (0.1, 0.35, 0.6, 0.85)


def codes(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Code values ``(3, H, W)`` of grey light ``(H, W)``."""
    return np.repeat(srgb_encode(np.clip(light, 0, 1))[None], 3, axis=0)


def disc(radius_px: float) -> NDArray[np.float32]:
    """A disc of any radius above 0, its rim antialiased, that sums to 1."""
    reach, fine = int(np.ceil(radius_px)) + 1, 9
    at = (np.arange((2 * reach + 1) * fine) + 0.5) / fine - reach - 0.5
    inside = (at[:, None] ** 2 + at[None] ** 2 <= radius_px**2).astype(np.float32)
    cells = inside.reshape(2 * reach + 1, fine, 2 * reach + 1, fine).sum(axis=(1, 3))
    return cells / cells.sum()


def shapes(seed: int, *, count: int = 24) -> NDArray[np.float32]:
    """Light of large polygons on one card, ``(H, W)``: steps in every direction, antialiased."""
    rng, (height, width), fine = np.random.default_rng(seed), SIZE, 4
    card = np.full((height * fine, width * fine), 0.2, np.float32)
    for _ in range(count):
        middle = rng.uniform((0, 0), (width, height)) * fine
        angles = np.sort(rng.uniform(0, 2 * np.pi, 5))
        corners = middle + rng.uniform(30, 60) * fine * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        cv2.fillPoly(card, [np.rint(corners).astype(np.int32)], float(rng.uniform(0.05, 0.7)))
    return np.asarray(cv2.resize(card, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def cards(blur_px: dict[float, float], *, motion_px: dict[float, int] | None = None) -> tuple[NDArray, NDArray]:
    """Strips of one disparity each, blurred by discs of so many pixels, or moved in a row while the shutter was open.

    Returns:
        Code values ``(3, H, W)`` and disparity ``(1, H, W)``.
    """
    light, disparity = np.zeros(SIZE, np.float32), np.zeros((1, *SIZE), np.float32)
    strip = SIZE[0] // len(DISPARITIES)
    for number, at in enumerate(DISPARITIES):
        rows = slice(number * strip, (number + 1) * strip)
        card = shapes(number)
        if blur_px.get(at):
            card = cv2.filter2D(card, -1, disc(blur_px[at]), borderType=cv2.BORDER_REFLECT)
        if motion_px and motion_px.get(at):
            card = cv2.blur(card, (motion_px[at], 1))
        light[rows], disparity[:, rows] = card[rows], at
    return codes(light), disparity


def through(blur_strength: float, focus: float) -> tuple[NDArray, NDArray]:
    """The cards through a lens."""
    per_unit = blur_strength * max(SIZE) / 1024
    return cards({at: per_unit * abs(at - focus) for at in DISPARITIES})
