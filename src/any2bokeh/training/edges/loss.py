"""What the network ought to say, and how much each error counts.

The renderer puts ``share`` of a pixel in front and the rest behind it, so errors count by how much of the light they
misplace: shares by the step and by the contrast of its surfaces, colours by the share that shows them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from any2bokeh.disparity.edges.learned.cells import PIXELS
from any2bokeh.disparity.edges.learned.clues import CLUES
from any2bokeh.disparity.edges.learned.decision import THIRD_LOGIT, WRONG_LOGIT
from any2bokeh.training.edges import tiles

_MIXED_SAY, _LIGHT_SAY, _THIRD_SAY, _WRONG_SAY = 0.5, 4.0, 0.3, 0.3
_MOVED, _OTHER = 23, 16  # of the clues: whether classical has moved edges, and whether there is a third surface
_LEAST_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class EdgeLoss:
    """The loss of a batch, and what it is made of; each a scalar.

    Attributes:
        total: what is minimised.
        share: cross entropy of the share of the nearer surface.
        mixed: mean error of that share in mixed pixels.
        light: mean error of the farther surface's light in mixed pixels, and of what it adds to them.
        third: cross entropy of a third surface.
        wrong: cross entropy of a wrong map.
        misplaced: weighted share of pixels that are given to the wrong one of their two surfaces.
    """

    total: Tensor
    share: Tensor
    mixed: Tensor
    light: Tensor
    third: Tensor
    wrong: Tensor
    misplaced: Tensor


def edge_loss(found: Tensor, values: Tensor, targets: Tensor) -> EdgeLoss:
    """The loss of corrections.

    Args:
        found: ``(..., 4, CORRECTIONS)``.
        values: ``(..., 4 * CLUES)``.
        targets: ``(..., 4 * TARGETS)``.
    """
    found = found.float()
    wanted = targets.float().unflatten(-1, (PIXELS, tiles.TARGETS))
    told = values.unflatten(-1, (PIXELS, CLUES))
    weight, mixed_weight = wanted[..., tiles.SHARE_WEIGHT], wanted[..., tiles.MIXED_WEIGHT]
    logit = wanted[..., tiles.SHARE_BASE] + found[..., 0]
    truth = wanted[..., tiles.SHARE]
    cover = logit.sigmoid()
    share = _mean(functional.binary_cross_entropy_with_logits(logit, truth, reduction="none"), weight)
    mixed = _mean((cover - truth).abs(), mixed_weight)
    light = _light(found[..., 3:6], cover, wanted, mixed_weight)
    there = told[..., _OTHER].float() * (weight + 0.2 * wanted[..., tiles.THIRD])
    third = _mean(_entropy(found[..., 1] + float(THIRD_LOGIT), wanted[..., tiles.THIRD]), there)
    base = torch.where(told[..., _MOVED] > 0, float(WRONG_LOGIT), -float(WRONG_LOGIT))
    wrong = _mean(_entropy(found[..., 2] + base, wanted[..., tiles.WRONG]), wanted[..., tiles.WRONG_WEIGHT])
    total = share + _MIXED_SAY * mixed + _LIGHT_SAY * light + _THIRD_SAY * third + _WRONG_SAY * wrong
    misplaced = _mean(((cover > 0.5) != (truth > 0.5)).float(), weight)
    return EdgeLoss(total, *(each.detach() for each in (share, mixed, light, third, wrong, misplaced)))


def _light(change: Tensor, cover: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """Error of the farther surface's light, and of what it adds to the pixel with the share that was found."""
    here, truth = wanted[..., tiles.LIGHT], wanted[..., tiles.BACKGROUND]
    share = cover.clamp(_LEAST_SHARE, 1 - _LEAST_SHARE)[..., None]
    rest, true_rest = 1 - share, 1 - wanted[..., tiles.SHARE, None]
    lowest, highest = ((here - share) / rest).clamp(min=0), (here / rest).clamp(max=1)
    behind = wanted[..., tiles.BACKGROUND_BASE] + change
    behind = torch.minimum(torch.maximum(behind, lowest.detach()), highest.detach())
    error = (behind - truth).abs() * true_rest + (rest * behind - true_rest * truth).abs()
    return _mean(error.mean(dim=-1), weight)


def _entropy(logit: Tensor, truth: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logit, truth, reduction="none")


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp(min=1e-3)
