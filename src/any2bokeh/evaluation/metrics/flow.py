"""Optical flow, by whichever estimator is at hand, which every result names."""

from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.motion.flow import FlowFinder


class FlowEstimator(Protocol):
    """Finds motion between two pictures.

    Attributes:
        name: what results call it; figures of two estimators must not be compared.
    """

    name: str

    def __call__(self, before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(H, W, 2)`` motion in pixels, x then y, of each pixel of ``before``; pictures ``(H, W, 3)`` in [0, 1]."""
        ...


class DisFlow:
    """OpenCV's, which needs no weights; see ``FlowFinder``."""

    name = "DIS"

    def __init__(self) -> None:
        self._flow = FlowFinder()

    def __call__(self, before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
        """See ``FlowEstimator.__call__``."""
        return self._flow(_codes(before), _codes(after))


class RaftFlow:
    """RAFT (large) of torchvision, with weights that the user gives.

    Args:
        weights: a safetensors file with the state of ``torchvision.models.optical_flow.raft_large``.
        device: of torch.

    Raises:
        InputError: torchvision does not load, or the weights are not those of RAFT.

    Source: Teed and Deng, RAFT, ECCV 2020.
    """

    name = "RAFT"
    _MULTIPLE = 8

    def __init__(self, weights: Path, *, device: str = "cpu") -> None:
        try:
            from torchvision.models.optical_flow import raft_large  # type: ignore[import-not-found]
        except (ImportError, RuntimeError) as error:  # the latter where its build is not for this torch
            raise InputError(
                f"flow by RAFT needs torchvision, which does not load here ({str(error).splitlines()[0]}); "
                "pip install torchvision for this torch, or leave --raft out"
            ) from None
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        self._model: Any = raft_large(weights=None).eval().to(device)
        self._device = device
        try:
            self._model.load_state_dict(load_file(weights))
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{weights} has no weights of torchvision's raft_large ({reason}); check --raft") from None

    def __call__(self, before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
        """See ``FlowEstimator.__call__``."""
        import torch
        from torch.nn.functional import pad

        height, width = before.shape[:2]
        # Its correlation pyramid needs 16 cells of 8 px on each side.
        down = max(-height % self._MULTIPLE, 128 - height)
        right = max(-width % self._MULTIPLE, 128 - width)
        pictures = [
            pad(torch.from_numpy(np.ascontiguousarray(one.transpose(2, 0, 1)))[None], (0, right, 0, down), "replicate")
            for one in (before, after)
        ]
        with torch.inference_mode():
            flow = self._model(*(one.to(self._device) * 2 - 1 for one in pictures))[-1][0]
        return np.ascontiguousarray(flow[:, :height, :width].permute(1, 2, 0).cpu().numpy())


class ResultFlow:
    """Flow between two neighbouring pictures of one result, found once however many metrics ask for it."""

    def __init__(self) -> None:
        self._last: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]] | None = None

    def __call__(
        self, before: NDArray[np.float32], after: NDArray[np.float32], estimator: FlowEstimator
    ) -> NDArray[np.float32]:
        """See ``FlowEstimator.__call__``; the pictures are told apart by identity, and must not be written to."""
        if self._last is None or self._last[0] is not before or self._last[1] is not after:
            self._last = before, after, estimator(before, after)
        return self._last[2]


def _codes(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """8-bit grey, all that the search takes."""
    return np.asarray(cv2.cvtColor(np.rint(picture * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY), np.uint8)
