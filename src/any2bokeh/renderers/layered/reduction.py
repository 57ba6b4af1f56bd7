"""A frame at a smaller size, with all that is known of it: mixed pixels and hidden background, too."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.bands import EdgeBands
from any2bokeh.optics.transfer import Transfer, encode, lookup_tables
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.renderers.base import RenderInput

_LEAST_SHARE = 0.02
"""Of either surface, from which on a small pixel counts as mixed."""


def reduced(frame: RenderInput, size: tuple[int, int], transfer: Transfer) -> RenderInput:
    """A frame at a smaller size ``(width, height)``.

    Code values are averaged. Disparity is sampled, so that none is invented between two surfaces. A pixel that takes in
    mixed pixels is mixed: its share of the nearer surface is the mean over all that it takes in, its colours are means
    of light, weighted by the shares.
    """
    frame = frame.with_planes()
    values = np.ascontiguousarray(frame.disparity[0])
    disparity = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_NEAREST), np.float32)
    bands = None if frame.bands is None else _reduced_bands(frame, frame.bands, disparity, transfer)
    return replace(
        frame,
        pixels=_averaged(frame.pixels, size),
        disparity=disparity[None],
        hidden=None if frame.hidden is None else _reduced_hidden(frame.hidden, size),
        bands=bands,
    )


def _averaged(planes: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    return np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes]).astype(np.float32)


def _reduced_bands(
    frame: RenderInput, bands: EdgeBands, disparity: NDArray[np.float32], transfer: Transfer
) -> EdgeBands | None:
    """The bands; ``disparity`` ``(h, w)`` becomes that of the surface which each mixed pixel mostly shows."""
    height, width = disparity.shape
    near, far, alpha = (np.zeros((height, width), np.float32) for _ in range(3))
    light = np.zeros((2, 3, height, width), np.float32)
    pixels = np.ascontiguousarray(frame.pixels, np.float32)
    shares = bands.alpha, bands.near, bands.far
    decoded = lookup_tables(transfer)[0]
    _mix(pixels, np.ascontiguousarray(frame.disparity[0]), shares, bands.background, decoded, near, far, alpha, light)
    mixed = alpha > 0
    if not mixed.any():
        return None
    disparity[mixed] = np.where(alpha >= 0.5, near, far)[mixed]
    mixed &= (alpha >= _LEAST_SHARE) & (alpha <= 1 - _LEAST_SHARE)
    for plane in (near, far, alpha):
        plane[~mixed] = 0
    colours = np.zeros_like(light)
    colours[..., mixed] = encode(light[..., mixed], transfer)
    return EdgeBands(disparity[None], mixed, near, far, alpha, alpha, colours[0], colours[1])


@compiled(nogil=True)
def _mix(pixels, disparity, shares, background, decoded, near, far, alpha, light):
    """Shares, surfaces and the light of both of every small pixel that takes in mixed ones."""
    shares_alpha, shares_near, shares_far = shares
    height, width = alpha.shape
    full_height, full_width = disparity.shape
    for y in range(height):
        top, bottom = y * full_height // height, (y + 1) * full_height // height
        for x in range(width):
            left, right = x * full_width // width, (x + 1) * full_width // width
            count = 0
            nearer = farther = np.float32(0)
            for v in range(top, bottom):
                for u in range(left, right):
                    if shares_alpha[v, u] > 0:
                        count += 1
                        nearer += shares_near[v, u]
                        farther += shares_far[v, u]
            if count == 0:
                continue
            nearer /= np.float32(count)
            farther /= np.float32(count)
            between = (nearer + farther) / 2
            covered = np.float32(0)
            for v in range(top, bottom):
                for u in range(left, right):
                    share = shares_alpha[v, u]
                    is_whole = share == 0
                    if is_whole:
                        share = np.float32(1) if disparity[v, u] > between else np.float32(0)
                    covered += share
                    for c in range(3):
                        whole = _light(pixels[c, v, u], decoded)
                        behind = np.float32(0)
                        if share < 1:
                            behind = whole
                            if not is_whole:
                                behind = min((1 - share) * _light(background[c, v, u], decoded), whole)
                        light[1, c, y, x] += behind
                        light[0, c, y, x] += whole - behind
            uncovered = np.float32((bottom - top) * (right - left)) - covered
            for c in range(3):
                light[0, c, y, x] /= max(covered, np.float32(1e-6))
                light[1, c, y, x] /= max(uncovered, np.float32(1e-6))
            near[y, x], far[y, x] = nearer, farther
            # Not 0 even where nothing of the nearer surface is left: its disparity is decided by it.
            alpha[y, x] = max(covered / (covered + uncovered), np.float32(1e-6))


@compiled(nogil=True, inline="always")
def _light(code, decoded):
    """Linear light of a code value, by linear interpolation."""
    cells = decoded.shape[0] - 1
    if cells <= 0:
        return code
    at = min(max(code, np.float32(0)), np.float32(1)) * np.float32(cells)
    cell = min(int(at), cells - 1)
    return decoded[cell] + (decoded[cell + 1] - decoded[cell]) * (at - np.float32(cell))


def _reduced_hidden(hidden: HiddenBackground, size: tuple[int, int]) -> HiddenBackground:
    """Means of what is known; the margin loses less than a small pixel of its width."""
    height, width = (side - 2 * hidden.margin_px for side in hidden.known.shape)
    scale = size[0] / width, size[1] / height
    margin_px = int(hidden.margin_px * min(scale))
    left, top = (round(hidden.margin_px - margin_px / each) for each in scale)
    kept = slice(top, 2 * hidden.margin_px + height - top), slice(left, 2 * hidden.margin_px + width - left)
    padded = size[0] + 2 * margin_px, size[1] + 2 * margin_px
    weight = np.ascontiguousarray(hidden.known[kept])
    known = np.asarray(cv2.resize(weight, padded, interpolation=cv2.INTER_AREA), np.float32)
    planes = np.concatenate([hidden.pixels[:, *kept], hidden.disparity[:, *kept]]) * weight
    means = np.asarray(_averaged(planes, padded) / np.maximum(known, np.float32(1e-6)), np.float32)
    return HiddenBackground(means[:3], means[3:], known, margin_px)
