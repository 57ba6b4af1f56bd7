"""ICC profiles of a matrix and curves, as cameras and screens have them, and others."""

import struct

import numpy as np

from any2bokeh.video.icc import _SRGB_TO_D50

# Columns are the XYZ of R, G and B for a white of D50. Source: the profiles that Apple and Adobe publish.
DISPLAY_P3 = ((0.5151, 0.2919, 0.1572), (0.2412, 0.6922, 0.0666), (-0.0011, 0.0419, 0.7841))
ADOBE_RGB = ((0.60974, 0.20528, 0.14919), (0.31111, 0.62567, 0.06322), (0.01947, 0.06087, 0.74457))
SRGB = tuple(map(tuple, _SRGB_TO_D50))
SRGB_CURVE = (3, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))


def s15(*values: float) -> bytes:
    """Signed fixed-point numbers."""
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def gamma_curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))


def table_curve(values: np.ndarray) -> bytes:
    codes = np.rint(values * 65535).astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", len(codes)) + codes.tobytes()


def parametric_curve(kind: int, parameters: tuple[float, ...]) -> bytes:
    return b"para" + bytes(4) + struct.pack(">HH", kind, 0) + s15(*parameters)


def profile_of(tags: dict[bytes, bytes], *, space: bytes = b"RGB ", name: str = "test") -> bytes:
    """A profile with these tags."""
    text = name.encode() + b"\0"
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text} | tags
    table, body = struct.pack(">I", len(tags)), b""
    for signature, unpadded in tags.items():
        content = unpadded + bytes(-len(unpadded) % 4)
        table += struct.pack(">4sII", signature, 132 + 12 * len(tags) + len(body), len(content))
        body += content
    size = 128 + len(table) + len(body)
    head = struct.pack(">I", size) + bytes(4) + b"\2\x10\0\0mntr" + space + b"XYZ " + bytes(12) + b"acsp" + bytes(28)
    head += s15(0.9642, 1, 0.8249) + bytes(48)
    return head + table + body


def matrix_profile(columns: tuple, curve: bytes, *, name: str = "test") -> bytes:
    """A profile of three colourants and one curve."""
    matrix = np.array(columns)
    tags = {b"rgb"[i : i + 1] + b"XYZ": b"XYZ " + bytes(4) + s15(*matrix[:, i]) for i in range(3)}
    return profile_of(tags | {c + b"TRC": curve for c in (b"r", b"g", b"b")}, name=name)
