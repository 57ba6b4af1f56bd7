"""Weights in memory as the networks' own arithmetic wants them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

ALIGNMENT_BYTES = 64
"""What torch gives its own tensors: a line of the cache, and the longest vector of a processor."""


def aligned(tensor: "Tensor") -> "Tensor":
    """The tensor, or a copy where its storage starts between two boundaries.

    safetensors gives views of the file, which start where the file's header ends. Matrix products sum such views in
    another order than the same numbers at a boundary, so that a model differs from the one that it was saved from.
    """
    return tensor.clone() if tensor.data_ptr() % ALIGNMENT_BYTES else tensor


def align_weights(network: "nn.Module") -> None:
    """Give a network that another library has loaded aligned parameters and buffers, in place."""
    for module in network.modules():
        for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
            tensor.data = aligned(tensor.data)
