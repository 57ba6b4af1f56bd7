"""Exponential moving average of trained parameters."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch


class WeightAverage:
    """Average of parameters over the steps.

    The decay grows with the number of updates, ``min(decay, (1 + n) / (10 + n))``, so that a short run is not an
    average with where it started.

    Args:
        parameters: name to parameter; the average starts from their values.
        decay: what remains of the average at each update, in [0, 1); 0 is the parameters themselves.

    Source: tf.train.ExponentialMovingAverage.
    """

    def __init__(self, parameters: Mapping[str, torch.nn.Parameter], decay: float) -> None:
        self._parameters = dict(parameters)
        self.decay = decay
        self.update_count = 0
        self.values = {name: each.detach().clone() for name, each in self._parameters.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take the parameters as they are now into the average."""
        decay = min(self.decay, (1 + self.update_count) / (10 + self.update_count))
        self.update_count += 1
        averages = [self.values[name] for name in self._parameters]
        torch._foreach_lerp_(averages, list(self._parameters.values()), 1.0 - decay)  # pyright: ignore

    @torch.no_grad()
    def restore(self, values: Mapping[str, torch.Tensor], update_count: int) -> None:
        """Go on from a saved average."""
        for name, value in values.items():
            self.values[name].copy_(value)
        self.update_count = update_count

    @torch.no_grad()
    def copy_to_parameters(self) -> None:
        """Set the parameters to the average."""
        for name, parameter in self._parameters.items():
            parameter.copy_(self.values[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The parameters are the average inside the block, and themselves again after it."""
        own = {name: parameter.detach().clone() for name, parameter in self._parameters.items()}
        self.copy_to_parameters()
        try:
            yield
        finally:
            with torch.no_grad():
                for name, parameter in self._parameters.items():
                    parameter.copy_(own[name])
