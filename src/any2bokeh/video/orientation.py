"""How a decoded picture is turned to be displayed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Orientation:
    """Transpose first, then mirror; together the eight ways to lay a picture on its own grid."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @property
    def is_identity(self) -> bool:
        return self == Orientation()

    @property
    def rotation_deg(self) -> int:
        """Clockwise turn, 0, 90, 180 or 270; of a mirrored picture, the turn before it is mirrored left to right."""
        mirrored = self.mirror_x ^ self.mirror_y ^ self.transpose
        mirror_x = self.mirror_x ^ mirrored
        if self.transpose:
            return 90 if mirror_x else 270
        return 180 if self.mirror_y else 0

    def apply(self, plane: NDArray) -> NDArray:
        """``(h, w)`` as displayed, ``(w, h)`` where transposed; a view."""
        if self.transpose:
            plane = plane.T
        if self.mirror_x:
            plane = plane[:, ::-1]
        return plane[::-1] if self.mirror_y else plane


def orientation_of(display_matrix: bytes | None) -> Orientation:
    """The orientation nearest to a display matrix: nine 32-bit integers, as MP4 stores them.

    The matrix takes column vectors of source coordinates, x to the right and y down, to displayed ones:
    ``x' = a x + c y``, ``y' = b x + d y``. Source: ISO/IEC 14496-12, 6.2.2.
    """
    if display_matrix is None or len(display_matrix) < 36:
        return Orientation()
    a, b, _, c, d = np.frombuffer(display_matrix[:36], np.int32)[:5].tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def exif_orientation(value: int) -> Orientation:
    """The orientation that an Exif tag asks for, 1 to 8; any other value means none.

    Source: TIFF 6.0, section 8, tag 274; Exif 3.0, 4.6.5.1.
    """
    return {
        2: Orientation(mirror_x=True),
        3: Orientation(mirror_x=True, mirror_y=True),
        4: Orientation(mirror_y=True),
        5: Orientation(transpose=True),
        6: Orientation(transpose=True, mirror_x=True),
        7: Orientation(transpose=True, mirror_x=True, mirror_y=True),
        8: Orientation(transpose=True, mirror_y=True),
    }.get(value, Orientation())
