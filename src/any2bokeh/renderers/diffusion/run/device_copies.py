"""Frames between host and device, without making either wait for the other where the device is a GPU."""

import numpy as np
import torch
from numpy.typing import NDArray


def upload(array: NDArray[np.float32], device: torch.device) -> torch.Tensor:
    """A copy of ``array`` on ``device``; through pinned memory, and without waiting, on a CUDA device."""
    tensor = torch.from_numpy(np.ascontiguousarray(array, np.float32))
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


class Download:
    """A copy from device to host that is under way.

    Args:
        tensor: what to copy. On a CUDA device the copy runs beside what the device computes next.
        stream: CUDA stream of the copies; None on any other device.
    """

    def __init__(self, tensor: torch.Tensor, stream: torch.cuda.Stream | None) -> None:
        self._event: torch.cuda.Event | None = None
        if stream is None:
            self._host = tensor.cpu()
            return
        self._host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        stream.wait_stream(torch.cuda.current_stream(tensor.device))
        with torch.cuda.stream(stream):
            self._host.copy_(tensor, non_blocking=True)
            tensor.record_stream(stream)
            self._event = torch.cuda.Event()
            self._event.record(stream)

    def wait(self) -> NDArray[np.float32]:
        """The copied values, once they are there."""
        if self._event is not None:
            self._event.synchronize()
        return self._host.numpy()


def download_stream(device: torch.device) -> torch.cuda.Stream | None:
    """Stream for ``Download``: one of its own on a CUDA device, None elsewhere."""
    return torch.cuda.Stream(device) if device.type == "cuda" else None
