"""Pictures that layers show: with a matte, or filling the frame."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics import transfer as transfer_functions
from any2bokeh.optics.transfer import Transfer


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A still or moving picture with its matte. ``F`` frames, 1 for a still, of ``h`` x ``w``.

    Attributes:
        code: ``(F, h, w, 3)`` float32 RGB code values in [0, 1], not multiplied by alpha.
        alpha: ``(F, h, w)`` float32 in [0, 1]; 1 everywhere for a background.
        gain: ``(F, h, w)`` float32 from 1 up, by which light exceeds what the code value says: highlights. None: 1.
        name: where it comes from, for the record.
    """

    code: NDArray[np.float32]
    alpha: NDArray[np.float32]
    gain: NDArray[np.float32] | None = field(default=None)
    name: str = "procedural"

    @property
    def frame_count(self) -> int:
        """F."""
        return self.code.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """(h, w)."""
        return self.code.shape[1], self.code.shape[2]

    def light(self, frame: int, transfer: Transfer) -> NDArray[np.float32]:
        """``(h, w, 4)`` light premultiplied by alpha, of frame ``frame`` modulo ``F``.

        Under ``none`` light is code values, which end at 1: highlights have no place there.
        """
        frame %= self.frame_count
        light = transfer_functions.decode(self.code[frame], transfer)
        if self.gain is not None and transfer != "none":
            light = light * self.gain[frame][..., None]
        alpha = self.alpha[frame][..., None]
        return np.concatenate([light * alpha, alpha], axis=-1)


class Source(Protocol):
    """Where the pictures of scenes come from. A picture depends on the generator's state alone."""

    @property
    def description(self) -> str:
        """Which source this is, for the record."""
        ...

    def picture(self, rng: np.random.Generator, long_side_px: int, frame_count: int) -> Picture:
        """A picture whose longer side has at most ``long_side_px``, with at most ``frame_count`` frames."""
        ...
