"""Weights of the network as they ship: a safetensors file of 16-bit numbers, read without the package of that name.

The file is a header of JSON, whose length stands before it, and the numbers: nothing in it is run. Its ``__metadata__``
holds the shape of the network, the gates and the card.
"""

import json
import math
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.learned.cells import DILATIONS
from any2bokeh.disparity.edges.learned.clues import CLUES
from any2bokeh.disparity.edges.learned.decision import Gates
from any2bokeh.disparity.edges.learned.mixed_clues import MIXED_CLUES
from any2bokeh.disparity.edges.learned.mixing import MIXED_CORRECTIONS
from any2bokeh.disparity.edges.learned.network import CORRECTIONS, Shape
from any2bokeh.errors import InputError
from any2bokeh.pending_output import PendingOutput, writing

PACKAGED = Path(__file__).parent / "edges.safetensors"
PACKAGED_MIXING = Path(__file__).parent / "mixed.safetensors"

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
        with _reading(path, "edges"):
            shape, weights, described = _read(path, "edges", CLUES, CORRECTIONS)
            gates = Gates(**described["gates"])
            for name, value in asdict(gates).items():
                _require(name, value, bool if name == "mixes" else float)
            _require("is_preferred", described["is_preferred"], bool)
            return cls(shape, weights, gates, described["is_preferred"], described["card"])

    def write(self, path: Path) -> None:
        """Write them, 16 bits each.

        Raises:
            InputError: the disk is full, or the folder cannot be written.
        """
        described = {"gates": asdict(self.gates), "is_preferred": self.is_preferred, "card": self.card}
        _write(path, "edges", self.shape, self.weights, described)


@dataclass(frozen=True, slots=True, eq=False)
class MixedModel:
    """A network for mixed pixels; see ``mixing.py``.

    Attributes:
        shape: what it is built of.
        weights: by name; see ``Shape.sizes``.
        least_change: see ``mixing.correct``; chosen on traced clips.
        card: how it came about, for who reads the file.
    """

    shape: Shape
    weights: Mapping[str, NDArray[np.float32]]
    least_change: float = 0.005
    card: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def untrained(cls, shape: Shape) -> "MixedModel":
        """One that corrects nothing: what it gives is the classical estimator's."""
        return cls(shape, shape.untrained())

    @classmethod
    @lru_cache(maxsize=1)
    def packaged(cls) -> "MixedModel | None":
        """The one that ships; None where none does."""
        return cls.read(PACKAGED_MIXING) if PACKAGED_MIXING.is_file() else None

    @classmethod
    def read(cls, path: Path) -> "MixedModel":
        """Read a file of weights.

        Raises:
            InputError: not there, truncated, or not of such a network.
        """
        with _reading(path, "mixed"):
            shape, weights, described = _read(path, "mixed", MIXED_CLUES, MIXED_CORRECTIONS)
            _require("least_change", described["least_change"], float)
            return cls(shape, weights, float(described["least_change"]), described["card"])

    def write(self, path: Path) -> None:
        """Write them, 16 bits each.

        Raises:
            InputError: the disk is full, or the folder cannot be written.
        """
        described = {"least_change": self.least_change, "card": self.card}
        _write(path, "mixed", self.shape, self.weights, described)


@contextmanager
def _reading(path: Path, network: str) -> Iterator[None]:
    """What is wrong with a file becomes one line."""
    try:
        yield
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
        struct.error,
    ) as error:
        raise InputError(
            f"{path} holds no weights of an edge network ({type(error).__name__}: {error}); "
            f"give a file that any2bokeh train {network} wrote"
        ) from None


def _read(
    path: Path, name: str, clues: int, corrections: int
) -> tuple[Shape, dict[str, NDArray[np.float32]], dict[str, Any]]:
    """Shape, weights and what else the file says of a network of that name."""
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it has {path.stat().st_size} bytes, more than such a network takes")
    content = path.read_bytes()
    header, body = _parted(content)
    described = json.loads(header.pop("__metadata__")[name])
    shape = Shape(
        int(described["shape"]["channels"]),
        tuple(int(each) for each in described["shape"]["dilations"]),
        int(described["shape"]["head"]),
        clues,
        corrections,
    )
    if not set(shape.dilations) <= set(DILATIONS):
        raise ValueError(f"its dilations are {shape.dilations}; allowed are {DILATIONS}")
    _require("card", described["card"], dict)
    return shape, {name: _tensor(header[name], size, body) for name, size in shape.sizes().items()}, described


def _require(name: str, value: Any, kind: type) -> None:
    """Refuse what is said of a network where it is of another kind, or a number that is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not (is_number if kind is float else isinstance(value, kind)):
        raise ValueError(f"its {name} is {value!r}")


def _write(
    path: Path, name: str, shape: Shape, weights: Mapping[str, NDArray[np.float32]], described: dict[str, Any]
) -> None:
    header: dict[str, Any] = {"__metadata__": {name: json.dumps({"shape": asdict(shape), **described})}}
    body = b""
    for tensor in shape.sizes():
        values = np.ascontiguousarray(weights[tensor], np.float16)
        header[tensor] = {
            "dtype": "F16",
            "shape": list(values.shape),
            "data_offsets": [len(body), len(body) + values.nbytes],
        }
        body += values.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    pending = PendingOutput.file(path)
    try:
        with writing(path):
            pending.temporary.write_bytes(struct.pack("<Q", len(text)) + text + body)
        pending.publish()
    finally:
        pending.discard()


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
