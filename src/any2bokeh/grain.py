"""Grain matched after the blur.

A camera adds its grain after the lens; a rendered blur takes it out of what it blurs, which then looks pasted on. The
grain of the source is measured, and as much of it as the blur took is put back.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.optics.transfer import Transfer
from any2bokeh.video import VideoSource

MOST = 4.0

Pair = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Two neighbouring frames, ``(3, H, W)`` each."""

_PAIRS = 6
_BLOCK = 16
_BLOCKS_AT_MOST = 2048
_FEWEST_BLOCKS = 48
_LEVELS = 8
_BLACK, _WHITE = 0.02, 0.98
"""Code values beyond which grain may be clipped."""

# Variances of blocks that hold grain alone scatter around the grain's by sqrt(2 / n); n is less than the pixels of a
# block, as neighbours are alike.
_SCATTER = float(np.sqrt(2 / 128))
_STILLEST = 0.1
_QUANTILE = 1.2816  # of the normal distribution at 1 - _STILLEST

_FINE_PX, _AROUND_PX = 1.0, 17
# What is so near to a pixel that is untouched sees it in its fine detail.
_REACH_PX = 3
_DARKEST = np.float32(1e-9)
# Share of a window that is enough to tell from.
_LEAST_SEEN = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class GrainModel:
    """Grain of one source, in code values.

    Attributes:
        covariance: ``(levels, 3, 3)`` of red, green and blue at evenly spaced grey levels from 0 to 1.
        along, down: correlation of neighbours in a row and in a column, in [0, 0.7].
    """

    covariance: NDArray[np.float64]
    along: float
    down: float

    @classmethod
    def measured(cls, pairs: Iterable[Pair]) -> "GrainModel | None":
        """Measure what changes from a frame to the next where nothing moves; None where there is too little to see.

        Texture, and the steps of a codec, look like grain in one frame but stay in the next. What moves changes more
        than the grain does, so the blocks of each level that change least are taken.
        """
        level, rest = _differences(pairs)
        if len(level) < _FEWEST_BLOCKS:
            return None
        grey = rest.mean(axis=1)
        variance = grey.var(axis=(1, 2))
        bins = np.minimum((level * _LEVELS).astype(int), _LEVELS - 1)
        found: dict[int, NDArray[np.float64]] = {}
        products = np.zeros(3)
        for at in range(_LEVELS):
            here = np.flatnonzero(bins == at)
            if len(here) < _FEWEST_BLOCKS:
                continue
            least = np.quantile(variance[here], _STILLEST) / (1 - _QUANTILE * _SCATTER)
            still = here[variance[here] <= least * (1 + 3 * _SCATTER)]
            pixels = rest[still].transpose(1, 0, 2, 3).reshape(3, -1)
            found[at] = pixels @ pixels.T / pixels.shape[1]
            g = grey[still]
            products += [(g * g).mean(), (g[:, :, 1:] * g[:, :, :-1]).mean(), (g[:, 1:] * g[:, :-1]).mean()]
        if not found:
            return None
        centres = [(at + 0.5) / _LEVELS for at in found]
        known = np.stack(list(found.values())).reshape(len(found), 9)
        at_levels = np.linspace(0, 1, _LEVELS)
        covariance = np.stack([np.interp(at_levels, centres, known[:, i]) for i in range(9)], axis=1)
        along, down = np.clip(products[1:] / max(products[0], 1e-12), 0, 0.7)
        return cls(covariance.reshape(_LEVELS, 3, 3), float(along), float(down))

    def dumped(self) -> dict[str, Any]:
        """As plain JSON; ``loaded`` gives an equal one back."""
        return {"covariance": self.covariance.tolist(), "along": self.along, "down": self.down}

    @classmethod
    def loaded(cls, given: Mapping[str, Any]) -> "GrainModel":
        """From what ``dumped`` gave."""
        return cls(np.asarray(given["covariance"], np.float64), float(given["along"]), float(given["down"]))

    def deviations(self) -> NDArray[np.float32]:
        """Standard deviation ``(3, 256)`` of the channels at evenly spaced grey levels from 0 to 1."""
        channels = np.sqrt(np.maximum(np.diagonal(self.covariance, axis1=1, axis2=2), 0))
        levels = np.linspace(0, 1, _LEVELS)
        table = np.stack([np.interp(np.linspace(0, 1, 256), levels, channels[:, c]) for c in range(3)])
        return table.astype(np.float32)

    def sample(self, height: int, width: int, seed: int) -> NDArray[np.float32]:
        """Grain ``(3, H, W)`` of deviation 1 in each channel, alike for the same seed."""
        from any2bokeh.grain_noise import white_noise

        white = white_noise(height, width, seed)
        correlation = self._between_channels()
        mixed = np.einsum("ij,jhw->ihw", np.linalg.cholesky(correlation).astype(np.float32), white)
        across, along = _taps(self.along), _taps(self.down)
        for each, correlated in zip(mixed, white, strict=True):
            cv2.sepFilter2D(each, -1, across, along, dst=correlated, borderType=cv2.BORDER_REFLECT)
        return white

    def _between_channels(self) -> NDArray[np.float64]:
        mean = self.covariance.mean(axis=0)
        deviation = np.sqrt(np.maximum(np.diagonal(mean), 1e-20))
        return np.clip(mean / np.outer(deviation, deviation), -0.99, 0.99) * (1 - np.eye(3)) + np.eye(3)


class MatchedGrain:
    """Puts back the grain that a renderer blurred away.

    Args:
        amount: 1 puts back as much as there was, in [0, 4].
        model: of the source's grain; None puts nothing back.
        transfer: of the source.

    Raises:
        InputError: an amount outside its range.
    """

    def __init__(self, amount: float, model: GrainModel | None, transfer: Transfer) -> None:
        require_amount(amount)
        self._amount = np.float32(amount)
        self._model = model
        self._transfer: Transfer = transfer

    @classmethod
    def of_clip(cls, amount: float, source: VideoSource) -> "MatchedGrain":
        """For a clip, a few frames of which it looks at, evenly over all of it; a part of it gets the same grain."""
        transfer = source.info.transfer
        model = GrainModel.measured(_pairs(source, 0, source.info.frame_count, transfer))
        return cls(amount, model, transfer)

    @property
    def model(self) -> GrainModel | None:
        """Of the source's grain; None where none could be measured."""
        return self._model

    @property
    def is_known(self) -> bool:
        """Whether there is grain that could be measured."""
        return self._model is not None

    def put_back(self, source: NDArray[np.float32], rendered: NDArray[np.float32], index: int) -> NDArray[np.float32]:
        """A rendered frame with the grain of its source.

        What part of the grain was lost is told from the fine detail around each pixel, before and after. What is in
        focus counts for none of it but itself: the grain reaches up to it, and leaves it alone.

        Args:
            source, rendered: ``(3, H, W)`` in the transfer of the source.
            index: of the frame; the same one has the same grain.

        Returns:
            The same shape; the very array ``rendered`` where nothing was lost.
        """
        if rendered is source or self._model is None:
            return rendered
        from any2bokeh.grain_noise import with_grain

        before, after = _codes(source, self._transfer), _codes(rendered, self._transfer)
        grey = _grey(after)
        lost = _lost(before, after, grey)
        noise = self._model.sample(*lost.shape, seed=index)
        grained = with_grain(after, lost, grey, self._model.deviations(), noise, self._amount)
        return np.square(np.maximum(grained, 0)) if self._transfer == "linear" else grained


def require_amount(amount: float) -> None:
    """Refuse an amount of grain outside its range.

    Raises:
        InputError: it is.
    """
    if not 0 <= amount <= MOST:
        raise InputError(f"grain is {amount:g}; it lies in 0 to {MOST:g}, 1 for as much as the source has")


def _codes(pixels: NDArray[np.float32], transfer: Transfer) -> NDArray[np.float32]:
    """Values in which grain is about as strong everywhere: of linear light, its root."""
    return np.sqrt(np.maximum(pixels, 0)) if transfer == "linear" else pixels


def _pairs(source: VideoSource, start: int, stop: int, transfer: Transfer) -> Iterator[Pair]:
    if stop - start < 2:
        return
    for index in sorted({int(at) for at in np.linspace(start, stop - 2, _PAIRS)}):
        one, other = (_codes(frame.pixels, transfer) for frame in source.frames(index, index + 2))
        yield one, other


def _grey(codes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(codes.mean(axis=0))


def _lost(
    before: NDArray[np.float32], after: NDArray[np.float32], grey_after: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Share ``(H, W)`` of the fine detail around each pixel that is no longer there; 0 where the pixel is untouched."""
    changed = (before != after).any(axis=0)
    kernel = np.ones((2 * _REACH_PX + 1, 2 * _REACH_PX + 1), np.uint8)
    apart = cv2.erode(changed.astype(np.uint8), kernel, borderType=cv2.BORDER_REPLICATE) > 0
    fine = _fine(_grey(before)), _fine(grey_after)
    found, is_known = _lost_among(apart, *fine)
    if not is_known[changed].all():  # nothing is apart in what is thin, such as a gap between two fingers
        found = np.where(is_known, found, _lost_among(changed, *fine)[0])
    found[~changed] = 0
    return found


def _lost_among(
    seen: NDArray[np.bool_], fine_before: NDArray[np.float32], fine_after: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Share ``(H, W)`` that the pixels seen around each one lost of their fine detail, and where there are enough."""
    weight = seen.astype(np.float32)
    share, lost = _around(fine_before * weight), _around(fine_after * weight)
    np.maximum(share, _DARKEST, out=share)
    np.divide(lost, share, out=lost)
    np.subtract(1, np.minimum(lost, 1, out=lost), out=lost)
    return lost, _around(weight) > _LEAST_SEEN


def _fine(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Square of what is finer than a pixel or two: ``(H, W)``."""
    fine = np.asarray(cv2.GaussianBlur(grey, (0, 0), _FINE_PX), np.float32)
    np.subtract(grey, fine, out=fine)
    return np.square(fine, out=fine)


def _around(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(values, (_AROUND_PX, _AROUND_PX), borderType=cv2.BORDER_REFLECT), np.float32)


def _differences(pairs: Iterable[Pair]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Grey levels ``(N,)`` of blocks; and how they differ from the next frame, over root 2: ``(N, 3, 16, 16)``."""
    levels, rests = [np.empty(0)], [np.empty((0, 3, _BLOCK, _BLOCK))]
    for one, other in pairs:
        blocks = _blocks(one)
        level = blocks.mean(axis=(1, 2, 3))
        inside = (level > _BLACK) & (level < _WHITE)
        levels.append(level[inside])
        rests.append(_without_plane((_blocks(other) - blocks)[inside]) / np.sqrt(2))
    return np.concatenate(levels), np.concatenate(rests)


def _blocks(codes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Blocks ``(N, 3, 16, 16)`` of a picture, evenly over it; none where it is smaller."""
    height, width = codes.shape[1] // _BLOCK * _BLOCK, codes.shape[2] // _BLOCK * _BLOCK
    grid = codes[:, :height, :width].reshape(3, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
    blocks = grid.transpose(1, 3, 0, 2, 4).reshape(-1, 3, _BLOCK, _BLOCK)
    return blocks[:: max(1, -(-len(blocks) // _BLOCKS_AT_MOST))].astype(np.float64)


def _without_plane(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Blocks less their planes of best fit."""
    ramp = np.arange(_BLOCK) - (_BLOCK - 1) / 2
    power = (ramp**2).sum() * _BLOCK
    across = np.einsum("ncij,j->nc", blocks, ramp) / power
    down = np.einsum("ncij,i->nc", blocks, ramp) / power
    plane = across[..., None, None] * ramp[None, :] + down[..., None, None] * ramp[:, None]
    return blocks - blocks.mean(axis=(2, 3), keepdims=True) - plane


def _taps(correlation: float) -> NDArray[np.float32]:
    """Three taps of power 1 that give white noise this correlation of neighbours: ``2 a / (1 + 2 a^2)``."""
    a = 0.0 if correlation <= 1e-6 else (1 - np.sqrt(max(1 - 2 * correlation**2, 0))) / (2 * correlation)
    taps = np.array([a, 1, a], np.float32)
    return taps / np.sqrt((taps**2).sum())
