"""Tiny networks in ONNX's own format, with the inputs and outputs of the published detectors.

The format is protocol buffers: fields of a number, a kind and a value (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
has the numbers). Written here, because nothing else in the project needs the package.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FACE_COLOUR = (200, 0, 200)
"""What the tiny YuNet takes for a face, RGB: a square of 32 px that lies on its grid, in a picture made 640 px long."""
PERSON_COLOUR = (0, 200, 0)
"""What the tiny PP-HumanSeg takes for a person."""

_FLOAT, _INT64 = 1, 7
_STRIDES = (8, 16, 32)


def write_yunet(path: Path, *, side_px: float = 64.0, colours: tuple[int, int, int] = (1, -2, 1)) -> Path:
    """A network of YuNet's interface: a face is where a cell of 32 px is full of `FACE_COLOUR`.

    Args:
        path: of the file.
        side_px: of the boxes that it tells, in a picture of 640 px.
        colours: weights of blue, green and red.
    """
    nodes, weights, outputs = [], [], []
    shape = _tensor("shape", np.array([1, -1, 1], np.int64))
    wide = {1: "shape"}
    weights.append(shape)
    for channels in (4, 10):
        wide[channels] = f"shape_{channels}"
        weights.append(_tensor(wide[channels], np.array([1, -1, channels], np.int64)))
    for stride in _STRIDES:
        # Blue and red of BGR, against green: 1 where all of a cell has the colour.
        kernel = np.array(colours, np.float32).reshape(1, 3, 1, 1) / np.float32(400 * stride**2)
        face = np.broadcast_to(kernel, (1, 3, stride, stride)) * np.float32(stride == _STRIDES[-1])
        nothing = np.zeros((1, 3, stride, stride), np.float32)
        size = np.log(side_px / stride)
        for name, kernels, bias in (
            ("cls", face, [0]),
            ("obj", face, [0]),
            ("bbox", nothing.repeat(4, 0), [0.5, 0.5, size, size]),
            ("kps", nothing.repeat(10, 0), [0.5] * 10),
        ):
            out = f"{name}_{stride}"
            weights += [_tensor(f"{out}_w", kernels), _tensor(f"{out}_b", np.array(bias, np.float32))]
            nodes.append(
                _node(
                    "Conv",
                    ["input", f"{out}_w", f"{out}_b"],
                    f"{out}_c",
                    strides=[stride] * 2,
                    kernel_shape=[stride] * 2,
                )
            )
            nodes.append(_node("Transpose", [f"{out}_c"], f"{out}_t", perm=[0, 2, 3, 1]))
            nodes.append(_node("Reshape", [f"{out}_t", wide[len(bias)]], out))
            cells = (640 // stride) ** 2
            outputs.append(_value(out, (1, cells, len(bias))))
    path.write_bytes(_model(nodes, weights, _value("input", (1, 3, 640, 640)), outputs))
    return path


def write_humanseg(path: Path) -> Path:
    """A network of PP-HumanSeg's interface: a person is what has `PERSON_COLOUR`."""
    kernels = np.zeros((2, 3, 1, 1), np.float32)
    kernels[1, :, 0, 0] = (-4, 4, -4)  # of RGB in -1..1
    weights = [_tensor("w", kernels), _tensor("b", np.array([0, -4], np.float32))]
    out = "save_infer_model/scale_0.tmp_1"
    nodes = [_node("Conv", ["x", "w", "b"], "c", kernel_shape=[1, 1]), _node("Softmax", ["c"], out, axis=1)]
    path.write_bytes(_model(nodes, weights, _value("x", (1, 3, 192, 192)), [_value(out, (1, 2, 192, 192))]))
    return path


def _model(nodes: list[bytes], weights: list[bytes], given: bytes, outputs: list[bytes]) -> bytes:
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, b"tiny")
    graph += b"".join(_bytes(5, weight) for weight in weights) + _bytes(11, given)
    graph += b"".join(_bytes(12, output) for output in outputs)
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, b"") + _number(2, 13))


def _node(kind: str, inputs: list[str], output: str, **attributes: int | list[int]) -> bytes:
    made = b"".join(_bytes(1, name.encode()) for name in inputs) + _bytes(2, output.encode())
    made += _bytes(3, output.encode()) + _bytes(4, kind.encode())
    return made + b"".join(_bytes(5, _attribute(name, value)) for name, value in attributes.items())


def _attribute(name: str, value: int | list[int]) -> bytes:
    if isinstance(value, int):
        return _bytes(1, name.encode()) + _number(3, value) + _number(20, 2)
    return _bytes(1, name.encode()) + b"".join(_number(8, each) for each in value) + _number(20, 7)


def _tensor(name: str, values: NDArray[np.float32] | NDArray[np.int64]) -> bytes:
    kind = _INT64 if values.dtype == np.int64 else _FLOAT
    made = b"".join(_number(1, size) for size in values.shape) + _number(2, kind) + _bytes(8, name.encode())
    return made + _bytes(9, np.ascontiguousarray(values).tobytes())


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    sizes = b"".join(_bytes(1, _number(1, size)) for size in shape)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, _number(1, _FLOAT) + _bytes(2, sizes)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])
