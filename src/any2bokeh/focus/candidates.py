"""Which subjects a frame offers, best first."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.focus.target import BoxTarget, PointTarget
from any2bokeh.subject.detection.detector import DetectedKind, Detection, Detector
from any2bokeh.subject.seeding import seed_matte
from any2bokeh.subject.tracker import View

_PEAKS = 3
# Distance between two peaks, over the longer side.
_APART = 0.12
# A subject covers at least this share of the picture, and at most that; beyond, it is a speck, or the scene itself.
_AREA_FROM, _AREA_TO = 0.003, 0.5
# Saliency of a part counts less the smaller it is than this share of the picture.
_FULL_AREA = 0.02
# What a face and a person count beside saliency, which is at most about 1: a face comes before a person, and a person
# before what only draws the eye.
_PREFERRED: dict[DetectedKind, float] = {"face": 1.0, "person": 0.5}
# A face whose box is lower than this share of the picture's longer side is one of a crowd.
_FACE_FROM = 0.04
# Share of a matte that a box leaves out on each side.
_TRIM = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A subject that might be chosen.

    Attributes:
        box: around it.
        matte: ``(h, w)`` float32 in [0, 1].
        score: how much it draws the eye, 0 to about 1, with what a face or a person counts.
        kind: what a detector has found; None where none has.
    """

    box: BoxTarget
    matte: NDArray[np.float32]
    score: float
    kind: DetectedKind | None = None


def candidates(view: View, salient: NDArray[np.float32], detectors: Sequence[Detector] = ()) -> list[Candidate]:
    """Subjects of a frame.

    Args:
        view: the frame.
        salient: its saliency, of any size.
        detectors: of what comes before all else.

    Returns:
        Faces, people, and at most three others, best first; none where nothing in the frame has the size of a subject.
    """
    found = [each for each in (_detected(view, one, salient) for one in detections(view, detectors)) if each]
    for peak in _peaks(salient):
        matte = seed_matte(view, peak)
        is_on = matte > 0.5
        if not _AREA_FROM <= is_on.mean() <= _AREA_TO:
            continue
        if any(overlap(matte, other.matte) > 0.5 for other in found):
            continue
        found.append(Candidate(box_around(matte), matte, score(matte, salient)))
    return sorted(found, key=lambda candidate: -candidate.score)


def detections(view: View, detectors: Sequence[Detector]) -> list[Detection]:
    """What detectors find in a frame that can be a subject: faces first, the largest of each kind first."""
    longer = max(view.shape)
    return [
        found
        for detector in detectors
        for found in detector(view.pixels)
        if found.kind != "face" or (found.box.y1 - found.box.y0) * view.shape[0] >= _FACE_FROM * longer
    ]


def preference(kind: DetectedKind | None) -> float:
    """What a kind of subject counts beside its saliency."""
    return 0.0 if kind is None else _PREFERRED[kind]


def _detected(view: View, found: Detection, salient: NDArray[np.float32]) -> Candidate | None:
    box = found.box
    matte = seed_matte(view, box)
    if (matte > 0.5).mean() > _AREA_TO:
        return None
    target = BoxTarget(*(round(corner, 4) for corner in (box.x0, box.y0, box.x1, box.y1)), track=True)
    return Candidate(target, matte, preference(found.kind) + score(matte, salient), found.kind)


def score(matte: NDArray[np.float32], salient: NDArray[np.float32]) -> float:
    """Mean saliency under a matte, less for a very small one."""
    height, width = salient.shape
    small = cv2.resize(matte, (width, height), interpolation=cv2.INTER_AREA)
    total = float(small.sum())
    if total <= 0:
        return 0.0
    return float((small * salient).sum()) / total * min(1.0, total / small.size / _FULL_AREA) ** 0.5


def highest_outside(matte: NDArray[np.float32], salient: NDArray[np.float32]) -> float:
    """Highest saliency outside a matte."""
    height, width = salient.shape
    small = cv2.resize(matte, (width, height), interpolation=cv2.INTER_AREA)
    return float(np.where(small < 0.5, salient, 0).max())


def share_within(inner: NDArray[np.float32], outer: NDArray[np.float32]) -> float:
    """Share of a matte that lies within another."""
    return float(np.minimum(inner, outer).sum()) / max(float(inner.sum()), 1e-6)


def overlap(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Intersection over union of two mattes."""
    both = float(np.minimum(first, second).sum())
    return both / max(float(np.maximum(first, second).sum()), 1e-6)


def box_around(matte: NDArray[np.float32]) -> BoxTarget:
    """The box around nearly all of a matte, which covers at least one pixel; a thin streak counts for little."""
    height, width = matte.shape
    x0, x1 = _middle_share(matte.sum(axis=0))
    y0, y1 = _middle_share(matte.sum(axis=1))
    corners = (x0 / width, y0 / height, min(x1, width) / width, min(y1, height) / height)
    return BoxTarget(*(round(corner, 4) for corner in corners), track=True)


def _middle_share(weights: NDArray[np.float32]) -> tuple[int, int]:
    passed = np.cumsum(weights) / weights.sum()
    return int(np.searchsorted(passed, _TRIM)), int(np.searchsorted(passed, 1 - _TRIM)) + 1


def _peaks(salient: NDArray[np.float32]) -> list[PointTarget]:
    left = salient.copy()
    height, width = left.shape
    rows, columns = np.mgrid[:height, :width]
    points = []
    for _ in range(_PEAKS):
        row, column = np.unravel_index(int(left.argmax()), left.shape)
        if left[row, column] <= 0:
            break
        points.append(PointTarget((float(column) + 0.5) / width, (float(row) + 0.5) / height))
        left[np.hypot(rows - row, columns - column) < _APART * max(height, width)] = 0
    return points
