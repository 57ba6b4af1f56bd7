"""The average of the weights."""

import pytest
import torch
from torch import nn

from any2bokeh.training.weight_average import WeightAverage


def test_it_is_the_exponential_average_with_a_decay_that_grows() -> None:
    parameter = nn.Parameter(torch.tensor([1.0]))
    average = WeightAverage({"p": parameter}, 0.25)
    by_hand = 1.0
    for step, value in enumerate([2.0, -1.0, 4.0, 0.5]):
        parameter.data.fill_(value)
        average.update()
        decay = min(0.25, (1 + step) / (10 + step))
        by_hand = decay * by_hand + (1 - decay) * value
    assert float(average.values["p"]) == pytest.approx(by_hand, rel=1e-6)


def test_applied_gives_the_parameters_back() -> None:
    parameter = nn.Parameter(torch.tensor([1.0]))
    average = WeightAverage({"p": parameter}, 0.5)
    parameter.data.fill_(3.0)
    with average.applied():
        assert parameter.item() == 1.0
    assert parameter.item() == 3.0
    average.copy_to_parameters()
    assert parameter.item() == 1.0
