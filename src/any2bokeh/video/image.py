"""One still image: exact reading and writing of 8- and 16-bit files and EXR."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Samples as stored, ``(H, W, 3)`` RGB: uint8, uint16 or, scene-linear, float32."""

    samples: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
    bit_depth: int

    @property
    def width(self) -> int:
        return self.samples.shape[1]

    @property
    def height(self) -> int:
        return self.samples.shape[0]

    @property
    def is_float(self) -> bool:
        return self.samples.dtype == np.float32

    def pixels(self) -> NDArray[np.float32]:
        """``(3, H, W)`` float32."""
        pixels = np.empty((3, self.height, self.width), np.float32)
        scale = {"uint8": 1 / 255, "uint16": 1 / 65535, "float32": 1.0}[self.samples.dtype.name]
        for channel, plane in enumerate(cv2.split(self.samples)):
            cv2.multiply(plane, scale, dst=pixels[channel], dtype=cv2.CV_32F)
        return pixels


def read_image(path: Path) -> Image:
    import OpenImageIO as oiio

    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes); export it again or leave it out")
    if path.suffix.lower() in (".png", ".jpg", ".jpeg"):
        found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
        if found is not None and found.ndim == 3 and found.shape[2] == 3:
            return Image(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), 16 if found.dtype == np.uint16 else 8)
    buffer = oiio.ImageBuf(str(path))
    if not buffer.read(convert=oiio.TypeUnknown):
        raise InputError(f"{path} cannot be read as an image: {buffer.geterror()}")
    kind = str(buffer.spec().format)
    depth = {"uint8": 8, "uint16": 16, "half": 16, "float": 32}.get(kind)
    if depth is None:
        raise InputError(f"{path} has {kind} samples; allowed are 8 and 16 bit, half and float")
    samples = np.asarray(buffer.get_pixels(oiio.FLOAT if kind in ("half", "float") else buffer.spec().format))
    if samples.shape[2] < 3:
        samples = np.repeat(samples[:, :, :1], 3, axis=2)
    return Image(np.ascontiguousarray(samples[:, :, :3]), depth)


def write_png(path: Path, samples: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    # Level 1 is half the time of the default and a tenth larger.
    ok, data = cv2.imencode(".png", cv2.cvtColor(samples, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not ok:
        raise RuntimeError(f"PNG encoder refused {samples.shape} {samples.dtype}")
    path.write_bytes(data.tobytes())


def write_exr(path: Path, samples: NDArray[np.float32]) -> None:
    import OpenImageIO as oiio

    height, width, _ = samples.shape
    spec = oiio.ImageSpec(width, height, 3, "half")
    spec.attribute("compression", "zip")
    out = oiio.ImageOutput.create(str(path))
    if not out.open(str(path), spec) or not out.write_image(samples) or not out.close():
        raise OSError(out.geterror())
