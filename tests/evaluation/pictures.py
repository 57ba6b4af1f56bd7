"""Pictures and result folders for tests of the evaluation."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics import TruthFrame

WIDTH, HEIGHT, FRAMES = 48, 40, 3


def picture(seed: int, *, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.float32]:
    """``(H, W, 3)`` of soft noise, 8-bit code values."""
    noise = np.random.default_rng(seed).uniform(0, 1, (height // 4, width // 4, 3)).astype(np.float32)
    soft = np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.rint(np.clip(soft, 0, 1) * 255).astype(np.float32) / np.float32(255)


def disparity_map(*, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.float32]:
    """``(H, W)``: a near square on a far plane."""
    disparity = np.full((height, width), 0.2, np.float32)
    disparity[height // 4 : height // 2, width // 4 : width // 2] = 0.8
    return disparity


def truth_frame(
    truth: NDArray[np.float32],
    before: NDArray[np.float32] | None = None,
    *,
    source: NDArray[np.float32] | None = None,
    source_before: NDArray[np.float32] | None = None,
    disparity: NDArray[np.float32] | None = None,
    subject: NDArray[np.bool_] | None = None,
) -> TruthFrame:
    """A frame at d_f 0.5 and K 8; its source is its truth, and its disparity 0, unless given."""
    return TruthFrame(
        truth=truth,
        before=before,
        source=truth if source is None else source,
        source_before=source_before,
        disparity=np.zeros(truth.shape[:2], np.float32) if disparity is None else disparity,
        focus_disparity=0.5,
        blur_strength=8.0,
        subject=subject,
    )


def write_result(folder: Path, pictures: list[NDArray[np.float32]]) -> None:
    """Pictures ``(H, W, 3)`` as a folder of PNG files."""
    folder.mkdir(parents=True)
    for t, one in enumerate(pictures):
        write_png(folder / f"{t:05d}.png", one)


def write_png(path: Path, one: NDArray[np.float32]) -> None:
    codes = np.rint(np.clip(one, 0, 1) * 255).astype(np.uint8)
    cv2.imwrite(str(path), cv2.cvtColor(codes, cv2.COLOR_RGB2BGR))
