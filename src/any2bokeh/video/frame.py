"""One decoded picture."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture, as displayed: the source's rotation is already applied.

    Attributes:
        pixels: ``(3, H, W)`` float32 RGB, C-contiguous; display-referred in [0, 1], or scene-linear and unbounded
            above where ``VideoInfo.transfer`` is ``linear``.
        index: 0-based, counted from the start of the source, whatever ``start`` the iteration had.
        time_s: presentation time on the source's own clock, which need not begin at 0
            (``VideoInfo.start_time_s``).
        native: the decoder's own samples, for the sink alone. ``sink.write(frame, frame.pixels)`` with this very
            array encodes them untouched.
        duration_s: how long the picture is shown, 0 where the source does not say.
        alpha: ``(1, H, W)`` float32 coverage in [0, 1], straight: pixels are not multiplied by it, but for those of
            EXR, which come as they are stored. None where the source has none.
        is_past_end: the file held fewer frames than it seemed to, and this is the last one again. Who writes a clip
            stops here; who only looks at it need not care.
    """

    pixels: NDArray[np.float32]
    index: int
    time_s: Fraction
    native: Any
    duration_s: Fraction = Fraction(0)
    is_past_end: bool = False
    alpha: NDArray[np.float32] | None = None
