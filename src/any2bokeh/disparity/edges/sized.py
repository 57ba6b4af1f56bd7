"""Maps of any size brought to that of the picture, with their edges treated."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.aspect import require_same_aspect
from any2bokeh.disparity.edges.bands import (
    LARGE_PX,
    BandPixels,
    EdgeBands,
    EdgeEstimator,
    PlacesFirst,
    TreatedMap,
    TreatsInStrips,
)
from any2bokeh.disparity.edges.enlarged import EnlargedMap
from any2bokeh.disparity.edges.strips import Told
from any2bokeh.disparity.upsampling import upsample

Bands = TypeVar("Bands", EdgeBands, TreatedMap)


def bands_at_size(edges: EdgeEstimator, disparity: NDArray[np.float32], pixels: NDArray[np.float32]) -> EdgeBands:
    """What is known of the bands of a map, at the size of the picture.

    A map that is smaller than the picture is interpolated, its steps become ramps, and these are treated as those of a
    soft map. If ``upsample``, which tells by colour to which side of a step a pixel belongs, gives a map that colours
    do not contradict, its edges move only where that treatment is sure; see ``EnlargedMap``. Where nothing is to be
    done about ramps, and for maps that are larger, ``upsample`` comes first.

    Args:
        edges: what treats them, or its ``placed``.
        disparity: ``(1, h, w)`` float32 in [0, 1].
        pixels: ``(3, H, W)`` float32, display-referred; values above 1 count as 1.

    Raises:
        InputError: the aspects differ.
    """

    def without_shares(joined: TreatedMap) -> EdgeBands:
        return joined.band.bands(joined.disparity)

    if not isinstance(edges, PlacesFirst):
        return _at_size(edges, edges, without_shares, disparity, pixels)
    return _at_size(
        edges, edges.placed, lambda joined: edges.with_shares(without_shares(joined), pixels), disparity, pixels
    )


def treated_at_size(
    edges: EdgeEstimator, disparity: NDArray[np.float32], pixels: NDArray[np.float32], *, told: Told | None = None
) -> TreatedMap:
    """The same as lists, to the bit; those of large frames are found strip by strip where the estimator can.

    Args:
        edges, disparity, pixels: see ``bands_at_size``.
        told: called with how much of a large frame is done, to 1; what it raises ends the work.

    Raises:
        InputError: the aspects differ.
    """
    if pixels[0].size > LARGE_PX and isinstance(edges, TreatsInStrips):

        def with_shares(joined: TreatedMap) -> TreatedMap:
            return replace(joined, mixed=edges.listed_shares(joined.disparity, joined.band, pixels))

        whole, places = partial(edges.listed, told=told), partial(edges.listed_places, told=told)
        return _at_size(whole, places, with_shares, disparity, pixels)
    return TreatedMap.of(bands_at_size(edges, disparity, pixels))


def places_at_size(
    edges: TreatsInStrips, disparity: NDArray[np.float32], pixels: NDArray[np.float32], *, told: Told | None = None
) -> TreatedMap:
    """The same of a large frame before its mixed pixels are found; see ``PlacesFirst``."""
    places = partial(edges.listed_places, told=told)
    return _at_size(places, places, lambda joined: joined, disparity, pixels)


def _at_size(
    edges: Callable[..., Bands],
    places: Callable[..., Bands],
    finished: Callable[[TreatedMap], Bands],
    disparity: NDArray[np.float32],
    pixels: NDArray[np.float32],
) -> Bands:
    """A map treated by ``edges``; one that was enlarged and is trusted by ``places``, joined, and ``finished``."""
    height, width = pixels.shape[1:]
    map_height, map_width = disparity.shape[1:]
    if map_height >= height:
        return edges(upsample(disparity, pixels), pixels)
    require_same_aspect("disparity", (map_width, map_height), (width, height))
    enlarged = EnlargedMap.of(disparity, pixels)
    ramps = cv2.resize(np.ascontiguousarray(disparity[0], np.float32), (width, height))
    smooth = np.asarray(ramps, np.float32)[None]
    bands = (places if enlarged.trust > 0 else edges)(smooth, pixels, enlarged=True)
    if bands.disparity is smooth:
        return edges(enlarged.disparity, pixels)
    if enlarged.trust <= 0:
        return bands
    return finished(enlarged.joined(BandPixels.of(bands) if isinstance(bands, EdgeBands) else bands.band))
