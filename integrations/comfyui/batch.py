"""ComfyUI's batches of images as frames, disparity and pictures of a clip."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from any2bokeh import InputError
from any2bokeh.disparity.reading import DisparityReading
from any2bokeh.focus.pictures import LONG_SIDE_PX

from .disparity_reading import disparity_of

# Channels of a grey picture may differ by what 8 bits and a lossy codec leave.
_GREY_TOLERANCE = 0.02


def frames_of(images: torch.Tensor) -> NDArray[np.float32]:
    """An IMAGE, ``(B, H, W, C)`` in [0, 1], as ``(B, 3, H, W)`` float32; a fourth channel is left out.

    Raises:
        InputError: another shape, or values that are no numbers.
    """
    if images.ndim != 4 or images.shape[-1] < 3 or images.shape[0] == 0:
        raise InputError(f"images have the shape {tuple(images.shape)}; connect an IMAGE batch, (B, H, W, 3)")
    values = images[..., :3].detach().to("cpu", torch.float32).permute(0, 3, 1, 2)
    nowhere = int(values.isnan().sum())
    if nowhere > 0:
        raise InputError(f"images have {nowhere} values that are NaN; mend what made them, or fill them")
    return np.ascontiguousarray(values.clamp(0, 1).numpy())


def image_of(frames: NDArray[np.float32]) -> torch.Tensor:
    """Frames ``(B, 3, H, W)`` as an IMAGE, ``(B, H, W, 3)`` float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 2, 3, 1))).clamp(0, 1)


class BatchDisparity:
    """A grey IMAGE batch as disparity, 1 = nearest.

    Args:
        images: ``(B, h, w, 3)`` in [0, 1].
        frame_count: of the clip that it belongs to.
        frame_size: ``(width, height)`` of the clip, whose aspect it must have.
        reading: what the values mean; None = disparity, white near.

    Raises:
        InputError: another count or aspect, a picture in colour, or depth that is none.
    """

    def __init__(
        self,
        images: torch.Tensor,
        *,
        frame_count: int,
        frame_size: tuple[int, int],
        reading: DisparityReading | None = None,
    ) -> None:
        from any2bokeh.disparity.aspect import require_same_aspect

        maps = frames_of(images)
        if len(maps) != frame_count:
            raise InputError(f"disparity has {len(maps)} pictures but the clip has {frame_count}; connect one for each")
        difference = float((maps.max(axis=1) - maps.min(axis=1)).max())
        if difference > _GREY_TOLERANCE:
            raise InputError(f"disparity is in colour (channels differ by {difference:.2f}); connect a grey picture")
        require_same_aspect("disparity", (maps.shape[3], maps.shape[2]), frame_size)
        # In float64, so that three equal channels give their own value.
        grey = maps.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
        self._maps = disparity_of(grey, reading or DisparityReading())
        self.frame_count = frame_count

    @property
    def maps(self) -> NDArray[np.float32]:
        """All of them, ``(B, 1, h, w)``."""
        return self._maps

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Maps of frames ``start`` to ``stop`` (exclusive), ``(1, h, w)`` each."""
        yield from self._maps[start:stop]

    def at(self, index: int) -> NDArray[np.float32]:
        """The map of one frame."""
        return self._maps[index]


class BatchPictures:
    """Frames as what follows subjects sees them, reduced to ``LONG_SIDE_PX`` and 8 bits."""

    def __init__(self, frames: NDArray[np.float32]) -> None:
        self._frames = frames

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.uint8]]:
        """Pictures ``start`` to ``stop`` (exclusive), ``(h, w, 3)`` uint8 RGB each."""
        import cv2

        height, width = self._frames.shape[2:]
        scale = min(1.0, LONG_SIDE_PX / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        for pixels in self._frames[start:stop]:
            reduced = np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in pixels], axis=-1)
            yield np.rint(reduced * 255).astype(np.uint8)
