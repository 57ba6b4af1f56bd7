"""Small maps enlarged by colour, whose edges stay unless ramps and colours surely contradict."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.bands import BandPixels, TreatedMap
from any2bokeh.disparity.edges.classical import FirstLook
from any2bokeh.disparity.upsampling import upsample

_TRUSTED_DOUBT = 0.0083  # up to which colours do not contradict a map; see ``FirstLook.doubt``
_RISE = 0.5  # above it, over which trust ends
_STAY_ODDS = 1.5  # log odds that an enlarged edge lies where it should; chosen on traced clips
_ALIKE = 0.3  # of a step: surfaces that differ by less are the same in both
_LEAST_SHARE = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class EnlargedMap:
    """A map that was smaller than the picture.

    Attributes:
        disparity: ``(1, H, W)``, each pixel given to a side of a step; see ``upsample``.
        sides: the pixels beside its steps, where it is trusted; ``near_share`` is 1 on near sides, 0 on far ones.
        trust: how far its edges are trusted, in [0, 1]. It falls as doubt rises, as frames that hardly differ are to be
            treated nearly alike.
    """

    disparity: NDArray[np.float32]
    sides: BandPixels
    trust: float

    @classmethod
    def of(cls, small: NDArray[np.float32], pixels: NDArray[np.float32]) -> "EnlargedMap":
        """That of a map ``(1, h, w)`` and its picture ``(3, H, W)``."""
        disparity = upsample(small, pixels)
        look = FirstLook.of(disparity, pixels, enlarged=False)
        trust = 0.0
        if look is not None and not look.is_off:
            trust = 1 - min(max((look.doubt / _TRUSTED_DOUBT - 1) / _RISE, 0.0), 1.0)
        if look is None or trust <= 0:
            return cls(disparity, TreatedMap.none(disparity).band, 0.0)
        at, step = look.step.band, look.step
        is_near = (step.side.ravel()[at] > 0).astype(np.float32)
        return cls(disparity, BandPixels(at, step.near.ravel()[at], step.far.ravel()[at], is_near), trust)

    def joined(self, placed: BandPixels) -> TreatedMap:
        """This map with the edges of another treatment where that is sure of them.

        Colours that tell the sides of a small map apart see more of a step than a ramp shows, but each pixel by itself;
        where ramps have become steps, colours are compared with those farther away, and neighbours are asked. What both
        say adds up.

        Args:
            placed: the pixels in question of the map with ramps, each given to a surface.

        Returns:
            The map without mixed pixels; in question is what has the same two surfaces in both.
        """
        _, of_own, of_placed = np.intersect1d(self.sides.at, placed.at, assume_unique=True, return_indices=True)
        own, other = _taken(self.sides, of_own), _taken(placed, of_placed)
        most = np.float32(_ALIKE) * (own.near - own.far)
        alike = (np.abs(own.near - other.near) < most) & (np.abs(own.far - other.far) < most)
        own, other = _taken(own, alike), _taken(other, alike)
        side = 2 * own.near_share - 1
        share = np.clip(other.near_share, np.float32(_LEAST_SHARE), np.float32(1 - _LEAST_SHARE))
        odds = np.log(share / (1 - share)) + np.float32(_STAY_ODDS * self.trust) * side
        moves = (odds > 0) != (side > 0)
        disparity = self.disparity.copy()
        disparity.reshape(-1)[own.at[moves]] = np.where(odds > 0, own.near, own.far)[moves]
        band = replace(own, near_share=np.asarray(1 / (1 + np.exp(-odds)), np.float32))
        return TreatedMap(disparity, band, TreatedMap.none(disparity).mixed)


def _taken(pixels: BandPixels, which: NDArray[np.intp] | NDArray[np.bool_]) -> BandPixels:
    """Some of them."""
    return BandPixels(pixels.at[which], pixels.near[which], pixels.far[which], pixels.near_share[which])
