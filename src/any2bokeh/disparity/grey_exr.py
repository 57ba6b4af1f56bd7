"""Which channel of an EXR holds a map."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError

MapContent = Literal[
    "disparity",
    "depth",
    "disparity or depth",  # whichever the names of its channels say
    "mask",
]

# What renderers and compositors call depth: Z, Depth.Z (Blender), Depth.V (Blender 5), depth.Z (Nuke), ZDepth (V-Ray).
_DEPTH_NAMES = frozenset({"z", "depth", "zdepth", "depthz"})
_DISPARITY_NAMES = frozenset({"disparity"})
_MASK_NAMES = frozenset({"mask", "matte"})
# Blender's mist is a fraction, not a distance, although its channel is called Z.
_NO_DEPTH_LAYERS = frozenset({"mist"})


@dataclass(frozen=True, slots=True)
class MapChannels:
    """Where a map is in every EXR of a sequence.

    Attributes:
        part: index of the part that holds it.
        layer: name of its layer.
        names: its channels: one, or red, green and blue, which must be alike.
        alpha: the channel that says how far its pixels are covered; None without one.
        is_depth: whether its name says that values are distances.
    """

    part: int
    layer: str
    names: tuple[str, ...]
    alpha: str | None
    is_depth: bool

    def read(self, file: Path, names: Sequence[str], *, fill: float) -> NDArray[np.float32]:
        """Channels ``(H, W, C)`` at the size of the display window; ``fill`` where the file leaves pixels out."""
        from any2bokeh.video.exr import ExrLayer, read_channels

        return read_channels(file, ExrLayer(self.layer, self.part, tuple(names)), names, fill=fill).values


def map_channels(file: Path, content: MapContent) -> MapChannels:
    """Find the map in an EXR of one or many layers.

    A file of one channel holds the map in it. Among many, depth is the channel called Z, depth or as renderers call it,
    and disparity the one called so; otherwise the map is the only grey or coloured layer, plain channels first.

    Args:
        file: one of the sequence; the others have the same layers.
        content: what is looked for.

    Raises:
        InputError: it cannot be read, or more than one channel could be meant; the message lists them.
    """
    from any2bokeh.video.exr import exr_layers, last_name

    layers = exr_layers(file)

    def called(names: frozenset[str]) -> list[MapChannels]:
        return [
            MapChannels(layer.part, layer.name, (channel,), None, is_depth=names is _DEPTH_NAMES)
            for layer in layers
            for channel in layer.channels
            if last_name(channel).lower() in names
            or (len(layer.channels) == 1 and last_name(layer.name).lower() in names)
        ]

    by_depth = [
        found
        for found in called(_DEPTH_NAMES)
        if last_name(found.layer).lower() not in _NO_DEPTH_LAYERS and not _is_vector(layers, found)
    ]
    everything = [channel for layer in layers for channel in layer.channels]
    pictures = [
        MapChannels(layer.part, layer.name, _once(layer.colour_channels), layer.alpha_channel, is_depth=False)
        for layer in layers
        if layer.colour_channels
    ]
    pictures = [picture for picture in pictures if not picture.layer] or pictures
    if len(everything) == 1:
        only = layers[0]
        return MapChannels(only.part, only.name, only.channels, None, is_depth=bool(by_depth))
    choices: dict[MapContent, list[list[MapChannels]]] = {
        "disparity": [called(_DISPARITY_NAMES), pictures],
        "depth": [by_depth, pictures],
        "disparity or depth": [called(_DISPARITY_NAMES), by_depth, pictures],
        "mask": [called(_MASK_NAMES), pictures, called(frozenset({"a", "alpha"}))],
    }
    for candidates in choices[content]:
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            names = ", ".join(name for candidate in candidates for name in candidate.names)
            break
    else:
        names = ", ".join(everything[:12])
    remedy = "; give --disparity-kind depth for its depth" if by_depth and content == "disparity" else ""
    noun = "mask" if content == "mask" else "disparity"
    raise InputError(f"{noun} {file} holds the channels {names}: export the one that is meant by itself{remedy}")


def _is_vector(layers: Sequence[object], found: MapChannels) -> bool:
    """Whether a channel called Z is the third of a normal or a position."""
    from any2bokeh.video.exr import ExrLayer

    for layer in layers:
        assert isinstance(layer, ExrLayer)
        if (layer.part, layer.name) == (found.part, found.layer):
            return layer.channel("X") is not None and layer.channel("Y") is not None
    return False


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    return names[:1] if len(set(names)) == 1 else names
