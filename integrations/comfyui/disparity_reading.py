"""What the values of a grey IMAGE mean: the fields of nodes, and disparity made of them."""

from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
from comfy_api.latest import io
from numpy.typing import NDArray

from any2bokeh.disparity.reading import DisparityKind, DisparityReading, Polarity
from any2bokeh.disparity.value_scale import depth_scale, disparity_scale

# Depth cameras write millimetres into 16 bits.
_FULL_SCALE = 65535.0


def reading_inputs() -> list[Any]:
    """Fields for what a grey picture means. They stand last in a node, and are optional, for workflows without them."""
    return [
        io.Combo.Input(
            "disparity_kind",
            options=list(get_args(DisparityKind)),
            default="disparity",
            optional=True,
            tooltip="What the grey pictures hold: disparity (inverse depth), or depth, in any unit or in millimetres "
            "(16 bits); 0 is unknown depth.",
        ),
        io.Combo.Input(
            "disparity_polarity",
            options=list(get_args(Polarity)),
            default="near-white",
            optional=True,
            tooltip="Of disparity: near-white, or near-black for pictures that are the other way round.",
        ),
    ]


def reading_of(kind: Any, polarity: Any) -> DisparityReading:
    """What two fields say; the default of the second says nothing about depth.

    Raises:
        InputError: both of them contradict each other.
    """
    is_default = kind != "disparity" and polarity == "near-white"
    return DisparityReading(kind, None if is_default else polarity)


def disparity_of(maps: NDArray[np.float32], reading: DisparityReading) -> NDArray[np.float32]:
    """Grey values ``(T, 1, h, w)`` in [0, 1] as disparity of the same shape, 1 = nearest.

    Raises:
        InputError: depth of a frame is 0 throughout.
    """
    grey = _Grey(maps)
    if reading.kind in ("depth", "depth-mm"):
        scale = depth_scale(grey, is_millimetres=reading.kind == "depth-mm")
    else:
        scale = disparity_scale(grey, reading.polarity or "near-white")
    return np.stack([scale.disparity(values)[None] for values in grey.frames(0, len(maps))])


class _Grey:
    """A batch in memory as the files of grey maps are."""

    title = "disparity batch"
    numbers = None
    normalised = True
    full_scale = _FULL_SCALE
    holds_depth = False
    is_cut_out = False

    def __init__(self, maps: NDArray[np.float32]) -> None:
        self._maps = maps
        self.frame_count = len(maps)

    def at(self, index: int) -> NDArray[np.float32]:
        return self._maps[index, 0]

    def frames(self, start: int, stop: int) -> Iterator[NDArray[np.float32]]:
        yield from self._maps[start:stop, 0]

    def label(self, index: int) -> str:
        return f"picture {index}"

    def first_missing(self) -> tuple[int, str]:
        return self.frame_count, f"picture {self.frame_count}"

    def close(self) -> None:
        """Nothing is open."""
