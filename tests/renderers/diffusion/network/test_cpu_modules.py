"""The CPU forms of modules give what the modules give."""

import pytest
import torch
from torch import nn

from any2bokeh.renderers.diffusion.network.cpu_modules import ContiguousGroupNorm, FlatTemporalConv3d, use_cpu_modules


def outcome(module: nn.Module, values: torch.Tensor, weights: torch.Tensor) -> list[torch.Tensor]:
    """Result and gradients, in float64 unless the input is not."""
    module.zero_grad()
    values = values.clone().requires_grad_()
    result = module(values)
    (result * weights).sum().backward()
    gradients = [values.grad, *(parameter.grad for parameter in module.parameters())]
    return [result.detach(), *(gradient.clone() for gradient in gradients if gradient is not None)]


@pytest.mark.parametrize("shape", [(2, 8, 3, 5, 7), (1, 8, 1, 4, 4)])
def test_temporal_convolutions_agree(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    module = nn.Conv3d(8, 6, (3, 1, 1), padding=(1, 0, 0)).double()
    values, weights = torch.randn(shape).double(), torch.randn(shape[0], 6, *shape[2:]).double()
    plain = outcome(module, values, weights)
    network = nn.Sequential(module)
    use_cpu_modules(network)
    assert type(network[0]) is FlatTemporalConv3d
    for fast, slow in zip(outcome(network, values, weights), plain, strict=True):
        torch.testing.assert_close(fast, slow, rtol=1e-12, atol=1e-12)


def test_group_norms_agree_in_any_layout() -> None:
    torch.manual_seed(0)
    module = nn.GroupNorm(4, 8).double()
    nn.init.normal_(module.weight)
    values, weights = torch.randn(2, 8, 5, 7).double(), torch.randn(2, 8, 5, 7).double()
    plain = outcome(module, values, weights)
    network = nn.Sequential(module)
    use_cpu_modules(network)
    assert type(network[0]) is ContiguousGroupNorm
    last = values.contiguous(memory_format=torch.channels_last)
    for fast, slow in zip(outcome(network, last, weights), plain, strict=True):
        torch.testing.assert_close(fast, slow, rtol=1e-12, atol=1e-12)


def test_only_what_they_stand_for_is_replaced() -> None:
    network = nn.Sequential(
        nn.Conv3d(4, 4, 3, padding=1),
        nn.Conv3d(4, 4, (3, 1, 1)),
        nn.Conv3d(4, 4, (3, 1, 1), padding=(1, 0, 0), padding_mode="replicate"),
        nn.GroupNorm(2, 4, affine=False),
    )
    kinds = [type(module) for module in network]
    use_cpu_modules(network)
    assert [type(module) for module in network] == kinds


def test_the_parameters_stay() -> None:
    network = nn.Sequential(nn.Conv3d(4, 4, (3, 1, 1), padding=(1, 0, 0)), nn.GroupNorm(2, 4, eps=1e-3)).eval()
    convolution, norm = network
    names, parameters = list(network.state_dict()), list(network.parameters())
    use_cpu_modules(network)
    assert list(network.state_dict()) == names
    assert all(one is other for one, other in zip(network.parameters(), parameters, strict=True))
    assert (type(convolution), type(norm)) == (nn.Conv3d, nn.GroupNorm), "what was replaced is as it was"
    assert network[1].eps == 1e-3
    assert not any(module.training for module in network.modules())


def test_a_shared_module_is_shared_again() -> None:
    norm = nn.GroupNorm(2, 4)
    network = nn.Sequential(norm, nn.Sequential(norm))
    use_cpu_modules(network)
    inner = network[1]
    assert isinstance(inner, nn.Sequential)
    assert network[0] is inner[0]
    assert type(network[0]) is ContiguousGroupNorm


def test_bfloat16_learns_on_a_cpu() -> None:
    """The backward pass of ``nn.Conv3d`` in bfloat16 ends the process with a corrupted heap, PyTorch 2.13."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv3d(32, 32, (3, 1, 1), padding=(1, 0, 0)), nn.GroupNorm(8, 32))
    use_cpu_modules(network)
    values = torch.randn(2, 32, 3, 32, 32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = network(values)
    result.float().square().mean().backward()
    exact = network(values)
    # Worst seen 0.03: 8 bits of mantissa, values up to 4.
    assert float((result.detach().float() - exact.detach()).abs().max()) < 0.06
    assert all(
        bool(parameter.grad.isfinite().all()) for parameter in network.parameters() if parameter.grad is not None
    )
