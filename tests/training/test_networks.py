"""What a training draws at random is the same on every processor."""

import torch

from any2bokeh.training.networks import named_parameters, start_networks
from any2bokeh.training.objective import _noise
from any2bokeh.training.registry import debug

# Drawn in float32, both differ in the last bit between plain kernels and fused ones, and a training in float64 then
# differs by 1e-5 within eight steps. Seen here under AVX-512, AVX2 and default kernels: the same to the bit.
WEIGHTS_SUM = 178.6676241349441
NOISE_SUM = -212.56737512285054


def test_random_weights_are_the_same_on_every_processor() -> None:
    parameters = named_parameters(start_networks(debug().start, seed=0)).values()
    assert all(parameter.dtype == torch.float32 for parameter in parameters)
    weights = torch.cat([parameter.detach().double().flatten() for parameter in parameters])
    # Weighted by their places, so that an error does not cancel another; one last bit of one weight is 1e-9 or more.
    assert abs(float((weights * places(weights)).sum()) - WEIGHTS_SUM) < 1e-9


def test_noise_is_the_same_on_every_processor() -> None:
    noise = _noise(torch.tensor([3, 8]), torch.zeros(12, 4, 8, 16, dtype=torch.float64))
    assert abs(float((noise.flatten() * places(noise.flatten())).sum()) - NOISE_SUM) < 1e-9
    assert _noise(torch.tensor([3]), torch.zeros(3, 4, 8, 16, dtype=torch.bfloat16)).dtype == torch.float32


def places(values: torch.Tensor) -> torch.Tensor:
    return torch.arange(len(values), dtype=torch.float64) % 7 - 3
