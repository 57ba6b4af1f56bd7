"""EXR files of the kinds that renderers and compositors write."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """``(H, W, C)`` samples with the names of their channels, as one part of a file."""

    samples: NDArray[np.float32]
    channels: Sequence[str] = ("R", "G", "B")
    name: str = ""
    at: tuple[int, int] = (0, 0)
    kind: str = "half"


def write_parts(
    path: Path,
    *parts: Part,
    display: tuple[int, int, int, int] | None = None,
    header: dict[str, Any] | None = None,
) -> Path:
    """Write parts that share a display window (x, y, width, height), that of the first part unless given."""
    specs = []
    for part in parts:
        height, width, count = part.samples.shape
        spec = oiio.ImageSpec(width, height, count, part.kind)
        spec.channelnames = tuple(part.channels)
        spec.x, spec.y = part.at
        first = parts[0].samples.shape
        spec.full_x, spec.full_y, spec.full_width, spec.full_height = display or (0, 0, first[1], first[0])
        if part.name:
            spec.attribute("oiio:subimagename", part.name)
        for name, value in (header or {}).items():
            spec.attribute(name, *value) if isinstance(value, tuple) else spec.attribute(name, value)
        specs.append(spec)
    output: Any = oiio.ImageOutput.create(str(path))
    opened = output.open(str(path), specs) if len(specs) > 1 else output.open(str(path), specs[0])
    assert opened, output.geterror()
    for index, (spec, part) in enumerate(zip(specs, parts, strict=True)):
        if index:
            assert output.open(str(path), spec, "AppendSubimage"), output.geterror()
        assert output.write_image(np.ascontiguousarray(part.samples, np.float32)), output.geterror()
    assert output.close(), output.geterror()
    return path


def flat(values: Sequence[float], size: tuple[int, int] = (4, 3)) -> NDArray[np.float32]:
    """``(H, W, C)`` with one value a channel; size is width, height."""
    return np.broadcast_to(np.asarray(values, np.float32), (size[1], size[0], len(values))).copy()
