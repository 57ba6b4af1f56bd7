"""How large a frame may be."""

from any2bokeh.errors import InputError

MAX_SIDE_PX = 65535
"""Rows and columns are kept in 16 bits each where edges are treated and hidden background is continued."""


def require_frame_size(what: str, width: int, height: int) -> None:
    """Refuse a frame with a side above ``MAX_SIDE_PX``.

    Args:
        what: what messages call it.
        width, height: in pixels.

    Raises:
        InputError: a side is longer.
    """
    if max(width, height) > MAX_SIDE_PX:
        raise InputError(
            f"{what} is {width}x{height} px; a side may have {MAX_SIDE_PX} px at most, so reduce it or cut it in parts"
        )
