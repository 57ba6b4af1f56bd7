"""Methods side by side: pictures above, how far they are from the truth below."""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.runner import Sample

ERROR_GAIN = 4
"""By which the absolute error is multiplied to be seen."""
_LABEL_PX = 22


def strip(sample: Sample) -> NDArray[np.float32]:
    """``(3, h, w)`` code values: truth, source and each method, labelled; below each its error times 4.

    Without a truth: source and each method, and below each its slice over time.
    """
    columns = _over_time(sample) if sample.truth is None else _against_truth(sample, sample.truth)
    return np.ascontiguousarray(np.hstack(columns).transpose(2, 0, 1))


def _against_truth(sample: Sample, truth: Picture) -> list[Picture]:
    columns = []
    source = {} if "source" in sample.pictures else {"all in focus": sample.source}
    for name, picture in ({"truth": truth} | source | sample.pictures).items():
        error = np.clip(np.abs(picture - truth) * ERROR_GAIN, 0, 1)
        columns.append(np.vstack([_label(name, picture.shape[1]), picture, error]))
    return columns


def _over_time(sample: Sample) -> list[Picture]:
    pictures, slices = dict(sample.pictures), dict(sample.slices)
    if "source" not in pictures and sample.source_slice is not None:
        pictures, slices = {"all in focus": sample.source} | pictures, {"all in focus": sample.source_slice} | slices
    return [np.vstack([_label(name, one.shape[1]), one, slices[name]]) for name, one in pictures.items()]


def _label(name: str, width: int) -> NDArray[np.float32]:
    bar = np.zeros((_LABEL_PX, width, 3), np.uint8)
    cv2.putText(bar, name, (4, _LABEL_PX - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return bar.astype(np.float32) / np.float32(255)
