"""ICC profiles: what the code values of a picture mean."""

import struct
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

# Linear sRGB to XYZ of the profile connection space, whose white is D50. Source: IEC 61966-2-1 primaries, adapted by
# the Bradford transform, as in the ICC's own sRGB profile.
_SRGB_TO_D50 = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]], np.float64
)
_TABLE_SIZE = 65536
# Code values of 8 bits that differ by less are one.
_HALF_CODE = 0.5 / 255


@dataclass(frozen=True)
class IccProfile:
    """A profile as it lies in a file, with what is understood of it.

    Attributes:
        data: the whole profile.
        name: its description.
        space: colour space of the code values: ``RGB``, ``GRAY``, ``CMYK``.
        to_srgb: ``(3, 3)`` from its linear RGB to linear sRGB; None where colours go through tables of more than one
            dimension, or are not RGB.
        curves: ``(3, 65536)`` linear light of each code value; None likewise.

    Source: ICC.1:2022, 7.2 (header), 10.5 and 10.6 (curves), 10.18 (parametric curves), F.3 (matrix/TRC model).
    """

    data: bytes
    name: str
    space: str
    to_srgb: NDArray[np.float64] | None
    curves: NDArray[np.float32] | None

    @property
    def is_understood(self) -> bool:
        """Whether ``linear_srgb`` can be computed: a matrix and a curve for each of R, G and B."""
        return self.to_srgb is not None

    @cached_property
    def is_srgb(self) -> bool:
        """Whether its code values mean what those of sRGB mean, to half a step of 8 bits."""
        if self.to_srgb is None:
            return False
        from any2bokeh.optics.transfer import srgb_encode

        ramp = np.linspace(0, 1, 6, dtype=np.float32)
        colours = np.stack(np.meshgrid(ramp, ramp, ramp, indexing="ij")).reshape(3, -1, 1)
        return bool(np.abs(srgb_encode(self.linear_srgb(colours)) - colours).max() < _HALF_CODE)

    def linear_srgb(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Linear light in the primaries of sRGB, unbounded: colours outside its gamut have values below 0 or above 1.

        Args:
            codes: ``(3, H, W)`` in [0, 1].
        """
        assert self.to_srgb is not None
        assert self.curves is not None
        places = np.rint(np.clip(codes, 0, 1) * (_TABLE_SIZE - 1)).astype(np.uint16)
        light = np.stack([curve[plane] for curve, plane in zip(self.curves, places, strict=True)])
        return np.tensordot(self.to_srgb.astype(np.float32), light, axes=1)


def read_profile(data: bytes) -> IccProfile | None:
    """Understand a profile; None where the bytes are none."""
    if len(data) < 132 or data[36:40] != b"acsp":
        return None
    try:
        tags = _tags(data)
        space = data[16:20].decode("ascii", "replace").strip()
        name = _text(tags.get(b"desc", b"")) or "unnamed"
        matrix, curves = _matrix_and_curves(tags) if space == "RGB" and data[20:24] == b"XYZ " else (None, None)
    except (struct.error, IndexError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return IccProfile(data, name, space, matrix, curves)


def _tags(data: bytes) -> dict[bytes, bytes]:
    count = struct.unpack_from(">I", data, 128)[0]
    entries = (struct.unpack_from(">4sII", data, 132 + 12 * index) for index in range(min(count, 200)))
    return {signature: data[offset : offset + size] for signature, offset, size in entries}


def _matrix_and_curves(tags: dict[bytes, bytes]) -> tuple[NDArray[np.float64] | None, NDArray[np.float32] | None]:
    wanted = [tags.get(name) for name in (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")]
    if None in wanted:
        return None, None
    columns = [[value / 65536 for value in struct.unpack_from(">3i", tag or b"", 8)] for tag in wanted[:3]]
    matrix = np.asarray(np.linalg.inv(_SRGB_TO_D50) @ np.array(columns).T, np.float64)
    curves = np.stack([_curve(tag or b"") for tag in wanted[3:]])
    return (matrix, curves) if np.isfinite(matrix).all() and np.isfinite(curves).all() else (None, None)


def _curve(tag: bytes) -> NDArray[np.float32]:
    codes = np.linspace(0, 1, _TABLE_SIZE)
    if tag[:4] == b"curv":
        count = struct.unpack_from(">I", tag, 8)[0]
        if count == 0:
            return codes.astype(np.float32)
        entries = np.frombuffer(tag, ">u2", count, 12)
        if count == 1:
            return (codes ** (entries[0] / 256)).astype(np.float32)
        return np.interp(codes, np.linspace(0, 1, count), entries / 65535).astype(np.float32)
    if tag[:4] != b"para":
        raise ValueError(tag[:4])
    kind = struct.unpack_from(">H", tag, 8)[0]
    g, *rest = (v / 65536 for v in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12))
    a, b, c, d, e, f = 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if kind in (1, 2):
        a, b = rest[:2]
        e = f = rest[2] if kind == 2 else 0.0
        d = -b / a
    elif kind in (3, 4):
        a, b, c, d = rest[:4]
        e, f = rest[4:] if kind == 4 else (0.0, 0.0)
    above = np.maximum(a * codes + b, 0) ** g + e
    return np.clip(np.where(codes >= d, above, c * codes + f), 0, 1).astype(np.float32)


def _text(tag: bytes) -> str:
    if tag[:4] == b"desc":
        size = struct.unpack_from(">I", tag, 8)[0]
        return tag[12 : 12 + max(size - 1, 0)].decode("ascii", "replace").strip("\0 ")
    if tag[:4] == b"mluc":
        length, offset = struct.unpack_from(">II", tag, 20)
        return tag[offset : offset + length].decode("utf-16-be", "replace").strip("\0 ")
    return ""
