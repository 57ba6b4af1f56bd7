"""Weights of the network as they ship: a safetensors file of 16-bit numbers, read without the package of that name.

The file is a header of JSON, whose length stands before it, and the numbers: nothing in it is run. Its ``__metadata__``
holds the shape of the network, the gates and the card.
"""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.learned.decision import Gates
from any2bokeh.disparity.edges.learned.network import Shape
from any2bokeh.errors import InputError
from any2bokeh.pending_output import writing

PACKAGED = Path(__file__).parent / "edges.safetensors"

_KINDS: dict[str, Any] = {"F16": np.float16, "F32": np.float32}
_MOST_BYTES = 1 << 26


@dataclass(frozen=True, slots=True, eq=False)
class EdgeModel:
    """A network for edges.

    Attributes:
        shape: what it is built of.
        weights: by name; see ``Shape.sizes``.
        gates: where it may change a map.
        is_preferred: whether ``--edges auto`` takes it where its gate opens.
        card: how it came about, for who reads the file.
    """

    shape: Shape
    weights: Mapping[str, NDArray[np.float32]]
    gates: Gates = field(default_factory=Gates)
    is_preferred: bool = False
    card: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def untrained(cls, shape: Shape | None = None) -> "EdgeModel":
        """One that corrects nothing: what it gives is the classical estimator's."""
        shape = shape or Shape()
        return cls(shape, shape.untrained())

    @classmethod
    @lru_cache(maxsize=1)
    def packaged(cls) -> "EdgeModel | None":
        """The one that ships; None where none does."""
        return cls.read(PACKAGED) if PACKAGED.is_file() else None

    @classmethod
    def read(cls, path: Path) -> "EdgeModel":
        """Read a file of weights.

        Raises:
            InputError: not there, truncated, or not of such a network.
        """
        try:
            content = path.read_bytes() if path.stat().st_size <= _MOST_BYTES else b""
            header, body = _parted(content)
            described = json.loads(header.pop("__metadata__")["edges"])
            shape = Shape(
                int(described["shape"]["channels"]),
                tuple(int(each) for each in described["shape"]["dilations"]),
                int(described["shape"]["head"]),
            )
            weights = {name: _tensor(header[name], size, body) for name, size in shape.sizes().items()}
            gates = Gates(**described["gates"])
            return cls(shape, weights, gates, bool(described["is_preferred"]), described["card"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
            raise InputError(
                f"{path} holds no weights of an edge network ({type(error).__name__}: {error}); "
                "export them with any2bokeh train edges --export"
            ) from None

    def write(self, path: Path) -> None:
        """Write them, 16 bits each.

        Raises:
            InputError: the disk is full, or the folder cannot be written.
        """
        described = {
            "shape": asdict(self.shape),
            "gates": asdict(self.gates),
            "is_preferred": self.is_preferred,
            "card": self.card,
        }
        header: dict[str, Any] = {"__metadata__": {"edges": json.dumps(described)}}
        body = b""
        for name in self.shape.sizes():
            values = np.ascontiguousarray(self.weights[name], np.float16)
            header[name] = {
                "dtype": "F16",
                "shape": list(values.shape),
                "data_offsets": [len(body), len(body) + values.nbytes],
            }
            body += values.tobytes()
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def _parted(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and numbers of a safetensors file."""
    [length] = struct.unpack("<Q", content[:8])
    if length > len(content) - 8:
        raise ValueError("its header is cut off")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def _tensor(entry: Mapping[str, Any], size: tuple[int, ...], body: bytes) -> NDArray[np.float32]:
    start, stop = entry["data_offsets"]
    kind = np.dtype(_KINDS[entry["dtype"]])
    if tuple(entry["shape"]) != size or stop - start != math.prod(size) * kind.itemsize or not 0 <= start <= stop:
        raise ValueError(f"it has a tensor of shape {entry['shape']}, not {list(size)}")
    if stop > len(body):
        raise ValueError("its numbers are cut off")
    values = np.frombuffer(body[start:stop], kind).reshape(size).astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError("it has numbers that are not finite")
    return values
