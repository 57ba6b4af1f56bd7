"""float64 throughout."""

import torch
from diffusers.models.embeddings import Timesteps

from any2bokeh.training.float64 import Float64Timesteps, to_float64


def test_sinusoids_are_those_of_diffusers() -> None:
    values = torch.tensor([0.0, 1.0, 6.0, 127.0])
    for flip in (False, True):
        module = Timesteps(32, flip, 0)
        plain = module(values)
        network = torch.nn.Sequential(module)
        to_float64(network)
        assert type(network[0]) is Float64Timesteps
        precise = network(values)
        assert precise.dtype == torch.float64
        # Worst seen 7.2e-6: float32 rounds phases of up to 127.
        torch.testing.assert_close(precise.float(), plain, rtol=0, atol=2e-5)


def test_weights_turn_too() -> None:
    network = torch.nn.Sequential(Timesteps(8, True, 0), torch.nn.Linear(8, 4))
    to_float64(network)
    assert network(torch.ones(2)).dtype == torch.float64
