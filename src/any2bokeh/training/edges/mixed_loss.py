"""How much of the light of mixed pixels lands in the wrong blur."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from any2bokeh.disparity.edges.learned.cells import PIXELS
from any2bokeh.disparity.edges.learned.mixed_clues import BASES
from any2bokeh.disparity.edges.learned.mixing import MOST_SHARE
from any2bokeh.training.edges import mixed_tiles as tiles

_SCALES = ((1, 0.3), (2, 1.0), (4, 1.0))  # cells over which errors are averaged before they are squared, and its weight
_PIXEL_SAY, _SHARE_SAY = 0.3, 0.5
_NO_ERROR = 3e-5  # of light, squared: less is not seen
_REGRET = 1.5  # what a tile loses weighs so much more than what another gains: no frame is to become worse
_NO_SHARE = -40.0  # correction of a logit that leaves nothing
_DARKEST = 0.02  # light below which errors are not seen better


@dataclass(frozen=True, slots=True)
class MixedLoss:
    """The loss of a batch, and what it is made of; each a scalar.

    Attributes:
        total: what is minimised: ``ratio``, ``regret`` with a weight, and a little of ``share``. Of the light itself,
            the few tiles of hair that no one can tell would be most, and all others would lose.
        light: squared error of the light that lands in the wrong blur, in code values, of pixels and of means of them.
        ratio: mean over the tiles of the logarithm of ``light`` over that of the better of two pictures: of the
            classical split, and of no split at all.
        regret: the same, where a tile is worse than that; 0 of others.
        share: mean error of the share of the nearer surface.
    """

    total: Tensor
    light: Tensor
    ratio: Tensor
    regret: Tensor
    share: Tensor


def mixed_loss(found: Tensor, targets: Tensor) -> MixedLoss:
    """The loss of corrections.

    The renderer spreads the farther surface's light, which has all of the pixel, in one blur, and puts the nearer
    surface's share before it in another. What each misses is a difference of light, which a wide blur averages.

    Args:
        found: ``(B, rows, columns, 4, MIXED_CORRECTIONS)``.
        targets: ``(B, rows, columns, 4 * MIXED_TARGETS)``.
    """
    light, off = tile_errors(found, targets)
    with torch.no_grad():
        nothing = torch.zeros_like(found)
        unsplit = nothing.clone()
        unsplit[..., 0] = _NO_SHARE
        least = torch.minimum(*(tile_errors(each, targets)[0] for each in (nothing, unsplit)))
    ratio = ((light + _NO_ERROR) / (least + _NO_ERROR)).log()
    regret = ratio.clamp(min=0)
    total = ratio + _REGRET * regret + _SHARE_SAY * off
    return MixedLoss(total.mean(), *(each.mean().detach() for each in (light, ratio, regret, off)))


def tile_errors(found: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Of each tile: ``light`` and ``share`` of :class:`MixedLoss`."""
    wanted = targets.float().unflatten(-1, (PIXELS, tiles.MIXED_TARGETS))
    share, background = split(found.float(), wanted[..., :BASES])
    true_share, true_background = wanted[..., tiles.TRUE_SHARE, None], wanted[..., tiles.TRUE_BACKGROUND]
    here, around = wanted[..., 1:4], wanted[..., tiles.AROUND]
    weight = wanted[..., tiles.WEIGHT, None]
    per_light = around.mean(dim=-1, keepdim=True).clamp(min=_DARKEST) ** -0.55 / 2.2  # slope of the code values
    weight = weight * per_light
    behind = background - true_background
    front = (here - (1 - share) * background) - (here - (1 - true_share) * true_background)
    front = front - (share - true_share) * around
    light = torch.zeros(len(found), device=found.device)
    for error in (behind * weight, front * weight):
        light = light + _PIXEL_SAY * error.square().mean(dim=(1, 2, 3, 4))
        means = error.mean(dim=-2).permute(0, 3, 1, 2)
        for cells, say in _SCALES:
            light = light + say * functional.avg_pool2d(means, cells).square().mean(dim=(1, 2, 3))
    open_share = weight.mean(dim=(1, 2, 3, 4)).clamp(min=1e-3)
    light = light / open_share
    off = ((share - true_share).abs() * weight.clamp(max=1)).mean(dim=(1, 2, 3, 4)) / open_share
    return light, off


def split(found: Tensor, bases: Tensor) -> tuple[Tensor, Tensor]:
    """Share ``(..., 1)`` of the nearer surface, and light ``(..., 3)`` of the farther one; as ``mixing`` has them.

    But for shares below the least, which have a slope here: else no pixel would ever become mixed.

    Args:
        found: ``(..., MIXED_CORRECTIONS)``.
        bases: ``(..., BASES)``.
    """
    here = bases[..., 1:4]
    share = (bases[..., 0:1] + found[..., 0:1]).sigmoid().clamp(max=MOST_SHARE)
    rest = 1 - share
    left = here - share * (bases[..., 4:7] + found[..., 2:5])
    back = bases[..., 7:10] + found[..., 5:8]
    light = back + (-found[..., 1:2]).sigmoid() * (left - rest * back) / rest
    lowest, highest = ((here - share) / rest).clamp(min=0), (here / rest).clamp(max=1)
    return share, torch.minimum(torch.maximum(light, lowest), highest)
