"""Where the chroma samples of 4:2:0 lie."""

import io
import re
from typing import Any

import av
import av.error

# Colour of a Matroska track, and in it ChromaSitingHorz and ChromaSitingVert, each one byte.
# Source: RFC 9559, 5.1.4.1.28.
_COLOUR = re.compile(rb"\x55\xb0[\x80-\xc0].{0,40}?\x55\xb7\x81([\x00-\x03])\x55\xb8\x81([\x00-\x03])", re.DOTALL)
# Of those two (1 = on the first luma sample, 2 = half-way, 3 = on the second), the type that H.264 and HEVC number.
# Source: H.265, E.3.1.
_TYPES = {(1, 2): 0, (2, 2): 1, (1, 1): 2, (2, 1): 3, (1, 3): 4, (2, 3): 5}
NAMES = ("left", "center", "top left", "top", "bottom left", "bottom")


def chroma_location_of(stream: Any) -> int | None:
    """``chroma_sample_loc_type`` of an open video stream; None where it is not told.

    PyAV does not show it. The Matroska muxer does: it writes it into the header of a copy of the track.
    """
    header = io.BytesIO()
    try:
        with av.open(header, "w", format="matroska") as trial:
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return None
    found = _COLOUR.search(header.getvalue())
    return _TYPES.get((found[1][0], found[2][0])) if found else None
