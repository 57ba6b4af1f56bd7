"""Faces, by YuNet (Wu, Peng and Yu, Machine Intelligence Research 2023), as the OpenCV zoo publishes it."""

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
YUNET = OnnxFile(
    name="faces",
    hub_id="opencv/face_detection_yunet",
    revision="3cc26e7f1014a5ee5d74a42acee58bafc9d0a310",
    file="face_detection_yunet_2023mar.onnx",
    size_bytes=232_589,
    sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    licence="mit",
)

# The network's input has this size. OpenCV 4 takes others, too, but OpenCV 5 need not: pictures are made to fit.
_SIDE_PX = 640
# Less than the zoo's demonstration asks (0.9), which is for a person before a webcam: its authors' evaluation of small
# and turned faces goes down to 0.02.
_SCORE_FROM = 0.7
_SAME = 0.3
_MOST = 50


class FaceDetector:
    """YuNet. It finds faces of 10 to 300 px in pictures that are made 640 px long.

    Args:
        path: of the ONNX file.

    Raises:
        InputError: it does not load.
    """

    kind: ClassVar[DetectedKind] = "face"

    def __init__(self, path: Path) -> None:
        try:
            self._network = cv2.FaceDetectorYN.create(str(path), "", (_SIDE_PX, _SIDE_PX), _SCORE_FROM, _SAME, _MOST)
        except cv2.error as error:
            raise InputError(f"model faces ({path}) does not load in OpenCV {cv2.__version__} ({error.err})") from None

    def __call__(self, pixels: NDArray[np.uint8]) -> list[Detection]:
        """See `Detector`."""
        scale = _SIDE_PX / max(pixels.shape[:2])
        height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        square = np.zeros((_SIDE_PX, _SIDE_PX, 3), np.uint8)
        square[:height, :width] = cv2.resize(pixels, (width, height), interpolation=how)[..., ::-1]  # to BGR
        _, rows = self._network.detect(square)
        found = [] if rows is None else [_detection(row, width, height) for row in np.asarray(rows)]
        return sorted((each for each in found if each is not None), key=lambda each: -each.area)


def _detection(row: NDArray[np.float32], width: int, height: int) -> Detection | None:
    """A row of what OpenCV tells: left, top, width and height in px, five points of the face, score."""
    left, top, wide, high = (float(value) for value in row[:4])
    corners = np.clip([left / width, top / height, (left + wide) / width, (top + high) / height], 0, 1)
    x0, y0, x1, y1 = (float(value) for value in corners)
    return Detection("face", BoxSeed(x0, y0, x1, y1), float(row[14])) if x0 < x1 and y0 < y1 else None
