"""The layered engine written out plainly: the oracle of ``cpu.py``. Slow; for small pictures.

Same layered depth image, same bins, same order. But every sample's shape is drawn pixel by pixel with its exact overlap
with each pixel, found by counting fine sub-samples in the shape's own definition, and every sum is a float64 picture.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.aperture import Aperture
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.optics.radii import IDENTITY_RADIUS_PX
from any2bokeh.optics.vignetting import Vignetting
from any2bokeh.renderers.layered.bins import BIN_COUNT, depth_bin
from any2bokeh.renderers.layered.border import repeated
from any2bokeh.renderers.layered.cpu import LEAST_TO_FILL
from any2bokeh.renderers.layered.lamps import IN_FOCUS_PX, LEAST_VISIBLE
from any2bokeh.renderers.layered.layered_image import Samples
from any2bokeh.renderers.layered.layers import BEHIND, FRONT, HIDDEN, PATCH, SPLIT, STEP_PX

_SUBSAMPLES = 24


def render(
    samples: Samples,
    aperture: Aperture,
    profile: BokehProfile | None = None,
    vignetting: Vignetting | None = None,
    axial_px: float = 0.0,
) -> NDArray[np.float64]:
    """Linear light of the layered depth image seen through a lens.

    Args:
        samples: of the layered depth image.
        aperture: shape of the aperture.
        profile: how light lies within it; evenly where None.
        vignetting: what is cut off it; nothing where None.
        axial_px: added to the defocus of red, taken from that of blue.

    Returns:
        ``(3, H, W)``.
    """
    lens = (aperture, profile or BokehProfile(), vignetting or Vignetting())
    if axial_px == 0:
        return _render(samples, lens, 0.0)
    shifts = (axial_px, 0.0, -axial_px)
    return np.stack([_render(samples, lens, shift)[c] for c, shift in enumerate(shifts)])


Lens = tuple[Aperture, BokehProfile, Vignetting]
Overlaps = Callable[[float, tuple[float, float]], NDArray[np.float64]]
"""Of a defocus in px, negative behind the focal plane, at a place in half diagonals from the frame's centre."""


def _render(samples: Samples, lens: Lens, shift_px: float) -> NDArray[np.float64]:
    light, defocus, kind = samples.light, samples.defocus, samples.kind
    height, width = kind.shape
    overlaps_of = _drawn(lens)
    margin = int(np.ceil(_widest(defocus, kind) + abs(shift_px))) + 2
    bins: dict[int, NDArray[np.float64]] = {}
    for around_y in range(-margin, height + margin):
        for around_x in range(-margin, width + margin):
            y, x = min(max(around_y, 0), height - 1), min(max(around_x, 0), width - 1)
            per_px = 2 / np.hypot(height, width)
            place = (around_x - (width - 1) / 2) * per_px, (around_y - (height - 1) / 2) * per_px
            for layer in _layers(kind[y, x]):
                signed = float(defocus[layer, y, x])
                picture = bins.setdefault(depth_bin(np.float32(signed)), np.zeros((height, width, 4)))
                overlaps = overlaps_of(signed + shift_px, place)
                shining = light[layer, y, x].astype(np.float64)
                if (around_y, around_x) != (y, x):
                    beyond_px = max(abs(around_y - y), abs(around_x - x))
                    shining[:3] *= repeated(light, layer, samples.surroundings, y, x, beyond_px)
                _add(picture, shining, around_y, around_x, overlaps)
    return _front_to_back(bins, samples.backstop) + _glow(samples, lens, shift_px)


def _glow(samples: Samples, lens: Lens, shift_px: float) -> NDArray[np.float64]:
    """Light of the lamps, cut by every nearer sample of the whole picture."""
    height, width = samples.kind.shape
    overlaps_of = _drawn(lens)
    glow = np.zeros((height, width, 4))
    for (layer, y, x), more in zip(*samples.lamps, strict=True):
        own = float(samples.defocus[layer, y, x])
        per_px = 2 / np.hypot(height, width)
        overlaps = overlaps_of(own + shift_px, ((x - (width - 1) / 2) * per_px, (y - (height - 1) / 2) * per_px))
        passing = 1 - _shadow(samples, y, x, own, own + shift_px, overlaps.shape[0] // 2)
        passing[passing <= LEAST_VISIBLE] = 0
        disc = np.zeros_like(glow)
        _add(disc, np.append(more, 0.0), y, x, overlaps * passing)
        glow += disc * (samples.backstop[..., None] <= depth_bin(np.float32(own)))
    return glow[..., :3].transpose(2, 0, 1)


def _shadow(samples: Samples, y: int, x: int, own: float, signed: float, reach: int) -> NDArray[np.float64]:
    """What nearer samples cover of the pixels around a lamp's, ``(2 * reach + 1,) * 2``, seen from the lamp."""
    shadow = np.zeros((2 * reach + 1, 2 * reach + 1))
    pixels = np.arange(-reach, reach + 1)
    for near_y, near_x in np.ndindex(*samples.kind.shape):
        for layer in _layers(int(samples.kind[near_y, near_x])):
            near = float(samples.defocus[layer, near_y, near_x])
            apart = (0.0 if abs(near) < IN_FOCUS_PX else near) - own
            if apart <= STEP_PX:
                continue
            # The sample's square, through the lamp, from the aperture onto the lamp's disc.
            scale = -signed / apart
            rows, columns = (
                np.maximum(
                    np.minimum(pixels + 0.5, scale * off + abs(scale) / 2)
                    - np.maximum(pixels - 0.5, scale * off - abs(scale) / 2),
                    0,
                )
                for off in (near_y - y, near_x - x)
            )
            alpha = float(samples.light[PATCH, near_y, near_x, 3]) if layer == PATCH else 1.0
            shadow += alpha * np.outer(rows, columns)
    return shadow


def _layers(kind: int) -> list[int]:
    return [PATCH if kind & SPLIT else FRONT] + ([BEHIND] if kind & HIDDEN else [])


def _widest(defocus: NDArray[np.float32], kind: NDArray[np.uint8]) -> float:
    used = [defocus[FRONT], defocus[PATCH][kind & SPLIT != 0], defocus[BEHIND][kind & HIDDEN != 0]]
    return max(float(np.abs(part).max()) for part in used if part.size)


def _drawn(lens: Lens) -> Overlaps:
    """How much of a shape's light falls on each pixel around its centre, ``(2n + 1, 2n + 1)``, summing to 1.

    A shape is drawn once for all samples of its radius; only a vignette cuts it anew at every place.
    """
    aperture, profile, vignetting = lens

    @lru_cache(maxsize=64)
    def shape(signed_px: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Places on either axis, in circles of confusion, and how bright the shape is there."""
        n, in_front = _reach(signed_px), signed_px > 0
        fine = (np.arange((2 * n + 1) * _SUBSAMPLES) + 0.5) / _SUBSAMPLES - n - 0.5
        unit = fine / abs(signed_px)
        # In front of the focal plane the image of the aperture is upside down and mirrored.
        u = -unit if in_front else unit
        x, y = u[None, :], u[:, None]
        gauge = np.minimum(aperture.gauge(x, y), 1.0)
        return unit, aperture.transmission(x, y) * profile.brightness(gauge, in_front=in_front)

    def cut(signed_px: float, place: tuple[float, float]) -> NDArray[np.float64]:
        unit, bright = shape(signed_px)
        bright = bright * vignetting.opening(unit[None, :], unit[:, None], *place, in_front=signed_px > 0)
        side = 2 * _reach(signed_px) + 1
        share = bright.reshape(side, _SUBSAMPLES, side, _SUBSAMPLES).sum(axis=(1, 3))
        return share / share.sum()

    cut_anywhere = lru_cache(maxsize=10_000)(lambda signed_px: cut(signed_px, (0.0, 0.0)))

    def overlaps(signed_px: float, place: tuple[float, float]) -> NDArray[np.float64]:
        if abs(signed_px) < IDENTITY_RADIUS_PX:
            return np.ones((1, 1))
        return cut_anywhere(signed_px) if vignetting.is_open else cut(signed_px, place)

    return overlaps


def _reach(signed_px: float) -> int:
    """How far from its centre a shape covers pixels."""
    return int(np.ceil(abs(signed_px) + 0.5))


def _add(
    picture: NDArray[np.float64], light: NDArray[np.float64], y: int, x: int, overlaps: NDArray[np.float64]
) -> None:
    height, width = picture.shape[:2]
    n = overlaps.shape[0] // 2
    top, bottom = max(y - n, 0), min(y + n + 1, height)
    left, right = max(x - n, 0), min(x + n + 1, width)
    if top < bottom and left < right:
        part = overlaps[top - y + n : bottom - y + n, left - x + n : right - x + n]
        picture[top:bottom, left:right] += part[..., None] * light


def _front_to_back(bins: dict[int, NDArray[np.float64]], backstop: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Take the bins from the nearest on, each as far as the aperture has room left, none behind a pixel's backstop."""
    total = np.zeros((*backstop.shape, 4))
    for bin_ in range(BIN_COUNT - 1, -1, -1):
        if bin_ not in bins:
            continue
        coverage = bins[bin_][..., 3:]
        room = np.maximum(1 - total[..., 3:], 0)
        may_show = (backstop[..., None] <= bin_) | (total[..., 3:] <= LEAST_TO_FILL)
        total += may_show * bins[bin_] * np.minimum(1, room / np.maximum(coverage, 1e-12))
    return (total[..., :3] / total[..., 3:]).transpose(2, 0, 1)
