"""Groups of the group norms."""

import pytest
import torch
from torch import nn

from any2bokeh.errors import InputError
from any2bokeh.renderers.diffusion.network.autoencoder import BokehAutoencoder
from any2bokeh.renderers.diffusion.network.norm_groups import set_norm_groups


def autoencoder(**more: int) -> BokehAutoencoder:
    torch.manual_seed(0)
    return BokehAutoencoder(block_out_channels=(32, 32, 32, 32), layers_per_block=1, **more)  # pyright: ignore


def test_the_weights_stay_and_the_config_remembers() -> None:
    plain, grouped = autoencoder(), autoencoder(norm_num_groups=8)
    assert grouped.config["norm_num_groups"] == 8
    assert {m.num_groups for m in grouped.modules() if isinstance(m, nn.GroupNorm)} == {8}
    assert {m.num_groups for m in plain.modules() if isinstance(m, nn.GroupNorm)} == {32}
    grouped.load_state_dict(plain.state_dict())


def test_a_brightness_of_one_channel_gets_through_a_wide_group() -> None:
    """In a group of its own a channel loses its mean."""
    flat = torch.zeros(1, 32, 4, 4)
    flat[:, 0] = 5.0
    network = nn.Sequential(nn.GroupNorm(32, 32))
    assert float(network(flat).detach()[:, 0].abs().max()) < 1e-3
    set_norm_groups(network, 8)
    assert float(network(flat).detach()[:, 0].min()) > 1


def test_groups_that_do_not_divide_the_widths_are_refused() -> None:
    with pytest.raises(InputError, match="norm_num_groups is 7, into which 32 channels do not divide"):
        autoencoder(norm_num_groups=7)
