"""Groups of the group norms."""

from torch import nn

from any2bokeh.errors import InputError

NORM_GROUPS = 32
"""Of Stable Video Diffusion, whose norms have four channels in a group or more."""


def set_norm_groups(network: nn.Module, groups: int) -> None:
    """Let the group norms of a network, which diffusers builds with 32 groups, have others; their weights stay.

    A narrow network with 32 groups has one or two channels in a group. Each channel then loses its mean and its spread,
    which are what colour and contrast are, and takes very long to learn to work around that.

    Raises:
        InputError: channels that do not divide into so many groups.
    """
    if groups == NORM_GROUPS:
        return
    for module in network.modules():
        if isinstance(module, nn.GroupNorm) and module.num_groups == NORM_GROUPS:
            if groups < 1 or module.num_channels % groups:
                raise InputError(
                    f"norm_num_groups is {groups}, into which {module.num_channels} channels do not divide; "
                    "give a divisor of all widths"
                )
            module.num_groups = groups
