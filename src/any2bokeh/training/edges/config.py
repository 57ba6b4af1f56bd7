"""What a training of the network for edges is."""

from dataclasses import asdict, dataclass, field
from typing import Any

from any2bokeh.disparity.edges.learned.mixed_clues import MIXED_CLUES
from any2bokeh.disparity.edges.learned.mixing import MIXED_CORRECTIONS
from any2bokeh.disparity.edges.learned.network import Shape
from any2bokeh.errors import InputError
from any2bokeh.training.edges.mixed_tiles import MixedTileSource
from any2bokeh.training.edges.tiles import TileSource


@dataclass(frozen=True, slots=True)
class EdgeConfig:
    """One training.

    Attributes:
        seed: of random weights, and of what is drawn from the pool.
        shape: of the network.
        source: of the tiles.
        batch_size: tiles of a step.
        pool_tiles: how many are kept to draw from.
        first_tiles: how many there must be before the first step.
        steps_per_frame: steps that are taken before the next frame is asked for, where training waits for frames.
        learning_rate: after the warm-up.
        warmup_steps: over which it rises from 0, where there is no time to be shared out.
        weight_decay: of AdamW.
        largest_gradient_norm: gradients are scaled down to it.
        average_decay: of the average of the weights, which is what ships.
        held_out_frames: that the curves are made with.
    """

    seed: int = 0
    shape: Shape = field(default_factory=Shape)
    source: TileSource | MixedTileSource = field(default_factory=TileSource)
    batch_size: int = 32
    pool_tiles: int = 2048
    first_tiles: int = 256
    steps_per_frame: int = 1
    learning_rate: float = 2e-3
    warmup_steps: int = 200
    weight_decay: float = 1e-3
    largest_gradient_norm: float = 1.0
    average_decay: float = 0.998
    held_out_frames: int = 24

    def __post_init__(self) -> None:
        for name in ("batch_size", "pool_tiles", "first_tiles", "steps_per_frame", "held_out_frames"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.first_tiles > self.pool_tiles:
            raise InputError(
                f"first_tiles is {self.first_tiles}; it must be at most pool_tiles, which is {self.pool_tiles}"
            )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        values = asdict(self)
        shape = self.shape  # without the numbers of a pixel, which follow from the source
        values["shape"] = {"channels": shape.channels, "dilations": list(shape.dilations), "head": shape.head}
        return values


def on_cpu() -> EdgeConfig:
    """For days of one core: as many steps as frames."""
    return EdgeConfig()


def on_gpu() -> EdgeConfig:
    """For minutes of a large GPU, whose processors cannot make frames as fast as it learns from them."""
    return EdgeConfig(batch_size=256, pool_tiles=98_304, first_tiles=1024, learning_rate=3e-3)


def of_mixed_pixels() -> EdgeConfig:
    """Of the network for mixed pixels, for an hour of one core: it is smaller, and its frames are drawn from often."""
    return EdgeConfig(
        shape=Shape(24, (1, 1, 2, 1), 32, MIXED_CLUES, MIXED_CORRECTIONS),
        source=MixedTileSource(),
        batch_size=16,
        pool_tiles=6144,
        first_tiles=256,
        steps_per_frame=8,
        learning_rate=3e-3,
        warmup_steps=100,
    )
