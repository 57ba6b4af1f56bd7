"""Disparity that holds still: one scale for a shot, no flicker, no gaps, nothing carried across a cut.

In the order in which a clip meets it: `missing` (gaps and sky), `relation` (scale and shift between two maps), `links`
(relations of a frame to earlier ones), `placement` (scale and shift of every frame), `windows` and `anchors` (other
ways to them), `smoothing`, and `stream`, which joins them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from any2bokeh.disparity.stabilise.stream import stabilised
    from any2bokeh.disparity.stabilise.windows import DisparityWindow

__all__ = ["DisparityWindow", "stabilised"]


def __getattr__(name: str) -> Any:
    if name == "stabilised":  # late: OpenCV and numba take a second to import
        from any2bokeh.disparity.stabilise import stream

        return getattr(stream, name)
    if name == "DisparityWindow":
        from any2bokeh.disparity.stabilise.windows import DisparityWindow

        return DisparityWindow
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
