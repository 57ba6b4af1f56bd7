"""People, by PP-HumanSeg (Chu et al., arXiv 2112.07146), as the OpenCV zoo publishes it."""

from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.models.onnx_file import OnnxFile
from any2bokeh.subject.detection.detector import DetectedKind, Detection
from any2bokeh.subject.seed import BoxSeed

# The checksum is that of the file in OpenCV's own repository of the zoo.
HUMANSEG = OnnxFile(
    name="people",
    hub_id="opencv/human_segmentation_pphumanseg",
    revision="e876e63603f6c65c1a22576bfd5fc7c07ecf9eb9",
    file="human_segmentation_pphumanseg_2023mar.onnx",
    size_bytes=6_163_938,
    sha256="552d8a984054e59b5d773d24b9b12022b22046ceb2bbc4c9aaeaceb36a9ddf24",
    licence="apache-2.0",
)

_SIDE_PX = 192
# A group of pixels that covers less than this share of the picture is no person.
_AREA_FROM = 0.004


class PersonSegmenter:
    """PP-HumanSeg. It separates people from what is around them; people that touch one another are one.

    Args:
        path: of the ONNX file.

    Raises:
        InputError: it does not load.
    """

    kind: ClassVar[DetectedKind] = "person"

    def __init__(self, path: Path) -> None:
        try:
            self._network = cv2.dnn.readNet(str(path))
        except cv2.error as error:
            raise InputError(f"model people ({path}) does not load in OpenCV {cv2.__version__} ({error.err})") from None

    def __call__(self, pixels: NDArray[np.uint8]) -> list[Detection]:
        """See `Detector`."""
        height, width = pixels.shape[:2]
        small = cv2.resize(pixels, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
        self._network.setInput(cv2.dnn.blobFromImage((small / 255 - 0.5) / 0.5))
        shares = np.asarray(self._network.forward(), np.float32)[0, 1]  # (192, 192), of being a person
        likely = np.asarray(cv2.resize(shares, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        count, labels, figures, _ = cv2.connectedComponentsWithStats((likely > 0.5).astype(np.uint8))
        found: list[Detection] = []
        for label in range(1, count):
            left, top, wide, high, area = (int(value) for value in figures[label])
            if area < _AREA_FROM * height * width:
                continue
            box = BoxSeed(left / width, top / height, (left + wide) / width, (top + high) / height)
            mask = labels == label
            found.append(Detection("person", box, float(likely[mask].mean()), mask))
        return sorted(found, key=lambda each: -each.area)
