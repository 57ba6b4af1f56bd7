"""What an EXR file holds: parts, layers, channels, and the windows that they fill."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.video.readable_name import readable_name

# What the finished picture is called by Blender, Arnold, V-Ray, RenderMan, Nuke, Houdini and Redshift.
BEAUTY_NAMES = frozenset(
    {"combined", "beauty", "rgba", "rgb", "default", "main", "master", "color", "colour", "c", "ci", "final", "image"}
)
_COLOUR = {"r": "R", "red": "R", "g": "G", "green": "G", "b": "B", "blue": "B", "a": "A", "alpha": "A"}
_GREY = ("Y", "L", "gray", "grey", "luminance")


@dataclass(frozen=True, slots=True)
class ExrLayer:
    """Channels of one part that share the name before their last dot.

    Attributes:
        name: ``ViewLayer.Combined`` of ``ViewLayer.Combined.R``; the part's name where channels have none and the file
            has more than one part; empty for the plain channels of a file with one part.
        part: index of the part that holds it.
        channels: their full names, as the file spells them.
    """

    name: str
    part: int
    channels: tuple[str, ...]

    def channel(self, *suffixes: str) -> str | None:
        """The channel whose last name is one of ``suffixes``, in that order; upper and lower case alike."""
        for suffix in suffixes:
            for channel in self.channels:
                if last_name(channel).lower() == suffix.lower():
                    return channel
        return None

    @property
    def colour_channels(self) -> tuple[str, ...]:
        """The channels that are red, green and blue, or grey three times; empty where it is no picture."""
        by_colour = {_COLOUR.get(last_name(channel).lower()): channel for channel in self.channels}
        if all(colour in by_colour for colour in "RGB"):
            return tuple(by_colour[colour] for colour in "RGB")
        grey = self.channel(*_GREY)
        return () if grey is None else (grey, grey, grey)

    @property
    def is_grey(self) -> bool:
        """Whether its ``colour_channels`` are one."""
        return len(set(self.colour_channels)) == 1

    @property
    def alpha_channel(self) -> str | None:
        """Its coverage."""
        return self.channel("A", "alpha")

    @property
    def title(self) -> str:
        """What messages call it."""
        plain = ", ".join(last_name(channel) for channel in self.channels[:4])
        more = ", ..." if len(self.channels) > 4 else ""
        return f"{self.name or 'plain'} ({plain}{more})"


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of pixels; x to the right, y down."""

    x: int
    y: int
    width: int
    height: int

    def contains(self, other: "Window") -> bool:
        """Whether ``other`` lies within."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.x + other.width <= self.x + self.width
            and other.y + other.height <= self.y + self.height
        )


@dataclass(frozen=True, slots=True, eq=False)
class ExrChannels:
    """Channels brought to the display window.

    Attributes:
        values: ``(H, W, C)`` float32 as stored: unbounded, and NaN and infinities are still in it.
        is_half: whether each was stored in half precision, else in 32 bits.
        display: the display window, which ``values`` fills.
        data: the data window, which the file fills.
        header: attributes of the part.
    """

    values: NDArray[np.float32]
    is_half: bool
    display: Window
    data: Window
    header: dict[str, Any]

    @property
    def has_overscan(self) -> bool:
        """Whether the file holds pixels outside the display window, which are not in ``values``."""
        return not self.display.contains(self.data)

    @property
    def is_cropped(self) -> bool:
        """Whether the file leaves out pixels of the display window, which are filled in ``values``."""
        return not self.data.contains(self.display)


def exr_layers(path: Path) -> list[ExrLayer]:
    """Every layer of every part of a file, in the order of the file.

    Raises:
        InputError: it cannot be read as EXR, or holds deep pixels.
    """
    with _opened(path) as source:
        return _layers(source, path)


def beauty_layer(path: Path, layers: Sequence[ExrLayer], wanted: str | None = None) -> ExrLayer:
    """The layer that is the finished picture.

    Args:
        path: the file, for messages.
        layers: what it holds.
        wanted: its name, or the end of its name, as the user gave it; None = the plain channels, or the only layer
            with colours, or the only one that is called as renderers call the finished picture (``BEAUTY_NAMES``).

    Raises:
        InputError: there is none of that name, or more than one could be meant.
    """
    pictures = [layer for layer in layers if layer.colour_channels]
    if wanted is not None:
        return named_layer(path, pictures, wanted)
    # Beside colours, a grey layer is a mask or a measure.
    pictures = [layer for layer in pictures if not layer.is_grey] or pictures
    if not pictures:
        held = "; ".join(layer.title for layer in layers)
        raise InputError(f"{path} holds no picture, only {held}; give a file with R, G and B (or Y) channels")
    plain = [layer for layer in pictures if not layer.name]
    called_so = [layer for layer in pictures if last_name(layer.name).lower() in BEAUTY_NAMES]
    for candidates in (plain, pictures, called_so):
        if len(candidates) == 1:
            return candidates[0]
    raise InputError(f"{path} holds {len(pictures)} layers with colours; choose one with --layer: {_names(pictures)}")


def named_layer(path: Path, layers: Sequence[ExrLayer], wanted: str) -> ExrLayer:
    """The layer with a name: the whole name, or the end of it after a dot; upper and lower case alike.

    Raises:
        InputError: there is none of that name, or more than one.
    """
    name = wanted.lower()
    exact = [layer for layer in layers if layer.name.lower() == name]
    ending = [layer for layer in layers if f".{layer.name.lower()}".endswith(f".{name}")]
    for candidates in (exact, ending):
        if len(candidates) == 1:
            return candidates[0]
    there = f"{len(ending)} layers" if ending else "no layer"
    raise InputError(f"{path} has {there} called {wanted}; choose one with --layer: {_names(layers)}")


def read_channels(path: Path, layer: ExrLayer, channels: Sequence[str], *, fill: float = 0.0) -> ExrChannels:
    """Read channels of a layer, brought to the display window.

    Args:
        path: the file.
        layer: which part holds them.
        channels: full names; one may be asked for more than once.
        fill: what pixels of the display window become that the file leaves out: 0 for light, for depth infinity.

    Raises:
        InputError: the file is damaged, or has no such channel.
    """
    with _opened(path) as source:
        spec = _part(source, layer.part)
        if spec is None:
            raise InputError(f"{path} has no part {layer.part}; export every frame with the same layers")
        names = list(spec.channelnames)
        missing = [channel for channel in channels if channel not in names]
        if missing:
            raise InputError(f"{path} has no channel {missing[0]}; export every frame with the same layers")
        places = [names.index(channel) for channel in channels]
        # Compressors code channels by themselves: what lies between the first and the last is all that is read.
        first, last = min(places), max(places)
        stored = source.read_image(layer.part, 0, first, last + 1, oiio.FLOAT)
        if stored is None:
            raise InputError(f"{path} is damaged ({_one_line(source.geterror())}); export it again or leave it out")
        stored = stored.reshape(spec.height, spec.width, last + 1 - first)[:, :, [place - first for place in places]]
        formats = spec.channelformats or (spec.format,) * len(names)
        is_half = all(str(formats[place]) == "half" for place in places)
        header = {attribute.name: attribute.value for attribute in spec.extra_attribs}
    data = Window(spec.x, spec.y, spec.width, spec.height)
    display = Window(spec.full_x, spec.full_y, spec.full_width, spec.full_height)
    return ExrChannels(_placed(stored, data, display, fill), is_half, display, data, header)


def last_name(name: str) -> str:
    """What follows the last dot."""
    return name.rpartition(".")[2]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    with readable_name(path) as name:
        source = oiio.ImageInput.open(name)
        if source is None:
            reason = _one_line(oiio.geterror())
            raise InputError(f"{path} cannot be read as EXR ({reason}); export it again or leave it out")
        try:
            yield source
        finally:
            source.close()


def _layers(source: Any, path: Path) -> list[ExrLayer]:
    parts = []
    while (spec := _part(source, len(parts))) is not None:
        if spec.deep:
            raise InputError(f"{path} holds deep pixels, which are not read; flatten it first")
        parts.append((str(spec.getattribute("oiio:subimagename") or ""), tuple(spec.channelnames)))
    found: dict[tuple[int, str], list[str]] = {}
    for part, (part_name, channels) in enumerate(parts):
        for channel in channels:
            name = channel.rpartition(".")[0] or (part_name if len(parts) > 1 else "")
            found.setdefault((part, name), []).append(channel)
    return [ExrLayer(name, part, tuple(channels)) for (part, name), channels in found.items()]


def _part(source: Any, index: int) -> Any:
    spec = source.spec(index, 0)
    source.geterror()  # a part too many is how the last one is found
    return spec if spec.width > 0 else None


def _placed(stored: NDArray[np.float32], data: Window, display: Window, fill: float) -> NDArray[np.float32]:
    if data == display:
        return np.ascontiguousarray(stored)
    placed = np.full((display.height, display.width, stored.shape[2]), fill, np.float32)
    left, top = max(data.x, display.x), max(data.y, display.y)
    right = min(data.x + data.width, display.x + display.width)
    bottom = min(data.y + data.height, display.y + display.height)
    if left < right and top < bottom:
        placed[top - display.y : bottom - display.y, left - display.x : right - display.x] = stored[
            top - data.y : bottom - data.y, left - data.x : right - data.x
        ]
    return placed


def _names(layers: Sequence[ExrLayer]) -> str:
    return ", ".join(layer.name or "plain" for layer in layers)


def _one_line(message: str) -> str:
    return " ".join(message.split())[:120]
