"""Taste: what stays in focus, and how differently near and far are blurred."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError

_LIMIT_BEGINS = 0.75  # of the largest radius: from here on it is approached gently


@dataclass(frozen=True, slots=True)
class FocusRange:
    """How the distance of a point from the focal plane, in disparity, becomes blur.

    Attributes:
        slab: everything within this distance of the focal plane is in focus; in disparity, 0 to 1. ``auto``: of each
            frame, as far as the subject that is followed reaches, and 0 where none is; see `in_frame`.
        shoulder: over this much of disparity on both sides of the slab's border the blur sets in; 0 to 1.
        near, far: multiply the blur in front of the focal plane and behind it; 0 or more.
        max_radius_px: largest radius, in a frame of 1024 px on its longer side.
    """

    slab: float | Literal["auto"] = 0.0
    shoulder: float = 0.02
    near: float = 1.0
    far: float = 1.0
    max_radius_px: float = math.inf

    def __post_init__(self) -> None:
        if isinstance(self.slab, str) and self.slab != "auto":
            raise InputError(f"focus slab is {self.slab!r}; give a disparity, 0 to 1, or auto")
        for name, value, most in (
            ("focus slab", 0.0 if self.slab == "auto" else self.slab, 1.0),
            ("focus shoulder", self.shoulder, 1.0),
            ("near blur", self.near, 16.0),
            ("far blur", self.far, 16.0),
        ):
            if not 0 <= value <= most:
                raise InputError(f"{name} is {value:g}; it lies in 0 to {most:g}")
        if not self.max_radius_px > 0:
            raise InputError(f"largest radius is {self.max_radius_px:g} px; give more than 0")

    @property
    def is_plain(self) -> bool:
        """Whether it leaves everything as a thin lens has it."""
        return self.slab == 0 and self.near == self.far == 1 and self.max_radius_px == math.inf

    def in_frame(self, slab: float) -> "FocusRange":
        """The same in a frame whose subject reaches so far in disparity, which a slab of ``auto`` becomes."""
        return replace(self, slab=slab) if self.slab == "auto" else self

    def applied(
        self, disparity: NDArray[np.float32], focus_disparity: float, blur_strength: float
    ) -> NDArray[np.float32]:
        """Disparity from which a thin lens of the same focus and K makes this blur.

        Args:
            disparity: any shape, in [0, 1].
            focus_disparity: d_f.
            blur_strength: K.

        Returns:
            The same shape; the order of what is in front of what is kept. It may leave [0, 1].

        Raises:
            ValueError: the slab is that of each frame.
        """
        if self.slab == "auto":
            raise ValueError("the slab of a frame is not known; take the range of in_frame")
        if self.is_plain:
            return disparity
        away = np.asarray(disparity, np.float32) - np.float32(focus_disparity)
        distance = np.abs(away)
        if self.slab > 0:
            beyond = distance - np.float32(self.slab)
            shoulder = np.float32(max(min(self.shoulder, self.slab), 1e-6))  # at the focal plane itself nothing blurs
            rising = (beyond + shoulder) ** 2 / (4 * shoulder)
            distance = np.where(beyond >= shoulder, beyond, np.where(beyond <= -shoulder, np.float32(0), rising))
        distance = distance * np.where(away > 0, np.float32(self.near), np.float32(self.far))
        if blur_strength > 0 and self.max_radius_px < math.inf:
            distance = _limited(distance, np.float32(self.max_radius_px / blur_strength))
        return np.float32(focus_disparity) + np.copysign(distance, away)


def _limited(distance: NDArray[np.float32], most: np.float32) -> NDArray[np.float32]:
    begin = np.float32(_LIMIT_BEGINS) * most
    room = most - begin
    return np.where(distance <= begin, distance, most - room * np.exp(-(np.maximum(distance, begin) - begin) / room))
