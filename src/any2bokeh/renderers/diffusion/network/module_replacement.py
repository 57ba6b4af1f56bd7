"""Modules of a network replaced by other forms of theirs, through their parents."""

from collections.abc import Callable

from torch import nn


def replace_modules(network: nn.Module, other_form: Callable[[nn.Module], nn.Module | None]) -> None:
    """Put other modules in the place of some of a network's, in place; the network itself is not replaced.

    Args:
        network: whose modules are asked about, each once.
        other_form: what takes a module's place; None leaves it.
    """
    asked: dict[nn.Module, nn.Module | None] = {}
    for parent in list(network.modules()):
        for name, module in list(parent.named_children()):
            if module not in asked:
                asked[module] = other_form(module)
            form = asked[module]
            if form is not None:
                setattr(parent, name, form.train(module.training))
