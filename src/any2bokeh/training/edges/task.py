"""What the two networks for edges differ in, for the one trainer of both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from any2bokeh.disparity.edges.learned.clues import CLUES
from any2bokeh.disparity.edges.learned.mixed_clues import BASES, MIXED_CLUES
from any2bokeh.disparity.edges.learned.mixing import MIXED_CORRECTIONS
from any2bokeh.disparity.edges.learned.network import CORRECTIONS, Shape
from any2bokeh.disparity.edges.learned.weights import EdgeModel, MixedModel
from any2bokeh.training.edges import mixed_tiles, tiles
from any2bokeh.training.edges.config import EdgeConfig
from any2bokeh.training.edges.loss import EdgeLoss, edge_loss
from any2bokeh.training.edges.mixed_loss import MixedLoss, mixed_loss
from any2bokeh.training.edges.mixed_tiles import MixedTileSource


@dataclass(frozen=True, slots=True)
class Task:
    """What a network is told, what it ought to say, and how it is kept.

    Attributes:
        name: of the file of its weights.
        clues, targets, corrections: numbers of a pixel.
        colours_of_clues, colours_of_targets: where three of these are red, green and blue.
        figures: names of what the loss is made of.
        loss: of what the network says, what it was told, and the targets.
        model: weights as they ship.
    """

    name: str
    clues: int
    targets: int
    corrections: int
    colours_of_clues: tuple[int, ...]
    colours_of_targets: tuple[int, ...]
    figures: tuple[str, ...]
    loss: Callable[[Tensor, Tensor, Tensor], EdgeLoss | MixedLoss]
    model: Callable[[Shape, Mapping[str, NDArray[np.float32]], dict[str, Any]], EdgeModel | MixedModel]

    def shape_of(self, described: Mapping[str, Any]) -> Shape:
        """The shape of a network of this task, of plain JSON values."""
        return Shape(
            described["channels"], tuple(described["dilations"]), described["head"], self.clues, self.corrections
        )


EDGES = Task(
    "edges", CLUES, tiles.TARGETS, CORRECTIONS,
    (0, 7, 10), (tiles.LIGHT.start, tiles.BACKGROUND_BASE.start, tiles.BACKGROUND.start),
    ("share", "mixed", "light", "third", "wrong", "misplaced"), edge_loss,
    lambda shape, weights, card: EdgeModel(shape, weights, card=card),
)  # fmt: skip
"""Which surface the pixels of wrong maps show; see ``learned.decision``."""

MIXED = Task(
    "mixed", MIXED_CLUES, mixed_tiles.MIXED_TARGETS, MIXED_CORRECTIONS,
    (0, 3, 6, 15), (1, 4, 7, BASES + 1, BASES + 5),
    ("light", "ratio", "regret", "share"), lambda found, _, targets: mixed_loss(found, targets),
    lambda shape, weights, card: MixedModel(shape, weights, card=card),
)  # fmt: skip
"""Shares and colours of the mixed pixels of right maps; see ``learned.mixing``."""


def task_of(config: EdgeConfig) -> Task:
    """The task that the tiles of a training are of."""
    return MIXED if isinstance(config.source, MixedTileSource) else EDGES
