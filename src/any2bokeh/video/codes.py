"""Integer code values to floats in [0, 1] and back."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Scalars are valid operands of cv2's arithmetic, which its type stubs deny.
_cv2: Any = cv2
_CV2_SCALAR = 4  # as many values or fewer may be taken for a scalar themselves: of one, it makes four


def normalised(codes: NDArray, bits: int, out: NDArray[np.float32]) -> None:
    """Write ``(H, W)`` code values of ``bits`` bits into ``out`` as [0, 1]."""
    _cv2.multiply(codes, 1 / ((1 << bits) - 1), dst=out, dtype=cv2.CV_32F)


def quantised(values: NDArray[np.float32], bits: int) -> NDArray[Any]:
    """Code values of ``(H, W)`` values in [0, 1], rounded to the nearest and clipped: uint8, or uint16 above 8 bits."""
    top = float((1 << bits) - 1)
    if bits == 8 and values.size > _CV2_SCALAR:
        # Scales, rounds and saturates in one pass, but it takes the magnitude: hence the maximum.
        return _cv2.convertScaleAbs(_cv2.max(values, 0.0), alpha=top)
    return np.rint(np.clip(values, 0, 1) * np.float32(top)).astype(np.uint8 if bits == 8 else np.uint16)
