"""What is known of the unknown ground around steps of disparity, and who finds it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

LARGE_PX = 8_000_000
"""Frames of more pixels have their edges treated in strips, and their mixed pixels told as lists: planes of what is
known of edges would take 40 bytes a pixel."""


@dataclass(frozen=True, slots=True, eq=False)
class EdgeBands:
    """The bands around the steps of one map.

    Attributes:
        disparity: ``(1, H, W)`` float32: outside the bands as it came, inside that of the surface each pixel mostly
            shows; the very array that came where nothing was to be done.
        band: ``(H, W)`` bool: pixels that were in question.
        near, far: ``(H, W)`` float32: disparity of the two surfaces that a pixel of the band may show; elsewhere 0.
        near_share: ``(H, W)`` float32 in [0, 1]: how far the evidence speaks for the nearer of the two; elsewhere 0.
        alpha: ``(H, W)`` float32 in [0, 1]: how much of a mixed pixel is the nearer surface; 0 where a pixel is not
            mixed. There ``near`` and ``far`` are known, in the band and outside.
        foreground, background: ``(3, H, W)`` float32 in [0, 1]: code values of the two surfaces in mixed pixels. In
            linear light ``alpha * foreground + (1 - alpha) * background`` is the pixel; elsewhere 0.
    """

    disparity: NDArray[np.float32]
    band: NDArray[np.bool_]
    near: NDArray[np.float32]
    far: NDArray[np.float32]
    near_share: NDArray[np.float32]
    alpha: NDArray[np.float32]
    foreground: NDArray[np.float32]
    background: NDArray[np.float32]

    @classmethod
    def none(cls, disparity: NDArray[np.float32]) -> "EdgeBands":
        """Those of a map that is left as it is."""
        shape = disparity.shape[1:]
        empty = np.zeros(shape, np.float32)
        colour = np.zeros((3, *shape), np.float32)
        return cls(disparity, np.zeros(shape, np.bool_), empty, empty, empty, empty, colour, colour)

    @property
    def is_mixed(self) -> bool:
        """Whether any pixel shows two surfaces."""
        return bool(self.alpha.any())

    def with_disparity(self, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> "EdgeBands":
        """The same with another scale of disparity.

        Args:
            change: takes and gives any shape of disparity, and keeps what is in front of what.
        """
        return replace(self, disparity=change(self.disparity), near=change(self.near), far=change(self.far))

    def resampled(self, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> "EdgeBands":
        """The same at other places of the picture.

        Args:
            change: takes and gives ``(C, H, W)``, and mixes no samples.
        """
        band = change(self.band[None].astype(np.float32))[0] > 0
        near, far, near_share, alpha = change(np.stack([self.near, self.far, self.near_share, self.alpha]))
        colours = change(self.foreground), change(self.background)
        return EdgeBands(change(self.disparity), band, near, far, near_share, alpha, *colours)


@dataclass(frozen=True, slots=True, eq=False)
class BandPixels:
    """The pixels in question of a map alone, in little memory.

    Attributes:
        at: ``(N,)`` int32: which pixels, in order.
        near, far: ``(N,)`` float32: disparity of the two surfaces that each may show.
        near_share: ``(N,)`` float32 in [0, 1]: how far the evidence speaks for the nearer.
    """

    at: NDArray[np.int32]
    near: NDArray[np.float32]
    far: NDArray[np.float32]
    near_share: NDArray[np.float32]

    @classmethod
    def of(cls, bands: EdgeBands) -> "BandPixels":
        """Those of bands."""
        at = np.flatnonzero(bands.band).astype(np.int32)
        return cls(at, bands.near.ravel()[at], bands.far.ravel()[at], bands.near_share.ravel()[at])

    def share_at(self, at: NDArray[np.int32]) -> NDArray[np.float32]:
        """``near_share`` of pixels, 0 of those that are not in question."""
        if self.at.size == 0:
            return np.zeros(at.size, np.float32)
        places = np.minimum(np.searchsorted(self.at, at), self.at.size - 1)
        return np.where(self.at[places] == at, self.near_share[places], np.float32(0))

    def bands(self, disparity: NDArray[np.float32]) -> EdgeBands:
        """The bands of these pixels, of a map ``(1, H, W)``; none of them is mixed."""
        near, far, near_share = np.zeros((3, *disparity.shape[1:]), np.float32)
        band = np.zeros(near.shape, np.bool_)
        for plane, values in ((band, True), (near, self.near), (far, self.far), (near_share, self.near_share)):
            plane.reshape(-1)[self.at] = values
        return replace(EdgeBands.none(disparity), band=band, near=near, far=far, near_share=near_share)


@dataclass(frozen=True, slots=True, eq=False)
class MixedPixels:
    """The mixed pixels of a map alone: what a renderer needs of its bands, in little memory.

    Attributes:
        at: ``(N,)`` int32: which pixels.
        values: ``(10, N)`` float32: near, far, near share, alpha, foreground, background.
    """

    at: NDArray[np.int32]
    values: NDArray[np.float32]

    @property
    def near(self) -> NDArray[np.float32]:
        """``(N,)`` disparity of the nearer surface."""
        return self.values[0]

    @property
    def far(self) -> NDArray[np.float32]:
        """``(N,)`` disparity of the farther surface."""
        return self.values[1]

    @property
    def alpha(self) -> NDArray[np.float32]:
        """``(N,)`` how much of each pixel is the nearer surface."""
        return self.values[3]

    @property
    def background(self) -> NDArray[np.float32]:
        """``(3, N)`` code values of the farther surface."""
        return self.values[7:]

    @classmethod
    def of(cls, bands: EdgeBands) -> "MixedPixels":
        """Those of bands."""
        at = np.flatnonzero(bands.alpha > 0).astype(np.int32)
        planes = (bands.near, bands.far, bands.near_share, bands.alpha, *bands.foreground, *bands.background)
        return cls(at, np.stack([plane.ravel().take(at) for plane in planes]))

    def without(self, part: NDArray[np.bool_]) -> "MixedPixels":
        """These outside a part ``(H, W)`` of the frame."""
        stays = ~part.ravel()[self.at]
        return MixedPixels(self.at[stays], self.values[:, stays])

    def bands(self, disparity: NDArray[np.float32]) -> EdgeBands | None:
        """The bands of these pixels alone, of a map ``(1, H, W)``; None where none is mixed."""
        if self.at.size == 0:
            return None
        planes = np.zeros((10, *disparity.shape[1:]), np.float32)
        planes.reshape(10, -1)[:, self.at] = self.values
        near, far, near_share, alpha = planes[:4]
        return EdgeBands(disparity, alpha > 0, near, far, near_share, alpha, planes[4:7], planes[7:])

    def within(self, width: int, margin_px: int) -> "MixedPixels":
        """The same in a larger map of a width, which has a margin on each side around that of these pixels."""
        rows, columns = np.divmod(self.at, width - 2 * margin_px)
        at = (rows + margin_px) * width + columns + margin_px
        return MixedPixels(at.astype(np.int32), self.values)

    def of_rows(self, first: int, last: int, width: int) -> "MixedPixels":
        """Those in some rows of a map of a width, where they lie in these rows."""
        begin, end = np.searchsorted(self.at, [first * width, last * width])
        return MixedPixels(self.at[begin:end] - np.int32(first * width), self.values[:, begin:end])

    def with_disparity(self, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> "MixedPixels":
        """The same with another scale of disparity; see ``EdgeBands.with_disparity``."""
        return MixedPixels(self.at, np.concatenate([change(self.values[:2]), self.values[2:]]))


@dataclass(frozen=True, slots=True, eq=False)
class TreatedMap:
    """A map whose edges are treated, with what is known of them as lists.

    Attributes:
        disparity: ``(1, H, W)`` float32; the very array that came where nothing was to be done.
        band: pixels that were in question.
        mixed: pixels that show two surfaces.
    """

    disparity: NDArray[np.float32]
    band: BandPixels
    mixed: MixedPixels

    @classmethod
    def of(cls, bands: EdgeBands) -> "TreatedMap":
        """That of bands."""
        return cls(bands.disparity, BandPixels.of(bands), MixedPixels.of(bands))

    @classmethod
    def none(cls, disparity: NDArray[np.float32]) -> "TreatedMap":
        """That of a map that is left as it is."""
        nothing, values = np.empty(0, np.int32), np.empty((10, 0), np.float32)
        return cls(disparity, BandPixels(nothing, *values[:3]), MixedPixels(nothing, values))


class EdgeEstimator(Protocol):
    """Finds the bands of one frame from its map and its picture alone, so that a frame gets the same wherever it lies.

    Args:
        disparity: ``(1, H, W)`` float32 in [0, 1].
        pixels: ``(3, H, W)`` float32, display-referred; values above 1 count as 1.
        enlarged: whether the map was smaller and has been interpolated linearly: its ramps are wide, and do not
            overshoot.
    """

    def __call__(
        self, disparity: NDArray[np.float32], pixels: NDArray[np.float32], *, enlarged: bool = False
    ) -> EdgeBands: ...


@runtime_checkable
class PlacesFirst(EdgeEstimator, Protocol):
    """An ``EdgeEstimator`` that can tell shares after steps have been placed, so that these may be moved between."""

    def placed(
        self, disparity: NDArray[np.float32], pixels: NDArray[np.float32], *, enlarged: bool = False
    ) -> EdgeBands:
        """The bands without mixed pixels; with them where the map is left as it is, and no pixel is in question."""
        ...

    def with_shares(self, bands: EdgeBands, pixels: NDArray[np.float32]) -> EdgeBands:
        """Bands whose steps are placed, with the mixed pixels beside these."""
        ...


@runtime_checkable
class TreatsInStrips(PlacesFirst, Protocol):
    """A ``PlacesFirst`` that treats large frames in strips, to the bit as it treats them at once."""

    def listed(
        self,
        disparity: NDArray[np.float32],
        pixels: NDArray[np.float32],
        *,
        enlarged: bool = False,
        told: Callable[[float], None] | None = None,
    ) -> TreatedMap:
        """What a call gives.

        Args:
            disparity, pixels, enlarged: as for an ``EdgeEstimator``.
            told: called after each strip with how much is done, to 1; what it raises ends the work.
        """
        ...

    def listed_places(
        self,
        disparity: NDArray[np.float32],
        pixels: NDArray[np.float32],
        *,
        enlarged: bool = False,
        told: Callable[[float], None] | None = None,
    ) -> TreatedMap:
        """What ``placed`` gives; see ``listed``."""
        ...

    def listed_shares(
        self, disparity: NDArray[np.float32], band: BandPixels, pixels: NDArray[np.float32]
    ) -> MixedPixels:
        """The mixed pixels that ``with_shares`` gives, of a map ``(1, H, W)`` whose steps are placed."""
        ...
