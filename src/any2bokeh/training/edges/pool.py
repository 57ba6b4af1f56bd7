"""Tiles that training draws from: the newest that fit."""

import torch
from torch import Tensor

from any2bokeh.disparity.edges.learned.cells import CELL_PX, PIXELS
from any2bokeh.training.edges.task import EDGES, Task


class TilePool:
    """A ring of tiles on a device.

    Args:
        capacity: how many it holds.
        cells: side of a tile.
        device: where they lie.
        task: what they are for.

    Attributes:
        next: where the next tile goes.
        count: how many there are.
    """

    def __init__(self, capacity: int, cells: int, device: torch.device, task: Task = EDGES) -> None:
        sides = (capacity, cells, cells)
        self._task = task
        self._values = torch.empty((*sides, PIXELS * task.clues), dtype=torch.float16, device=device)
        self._targets = torch.empty((*sides, PIXELS * task.targets), dtype=torch.float16, device=device)
        self.next = 0
        self.count = 0

    def begin_at(self, place: int) -> None:
        """Put the first tile there; an empty pool is filled as another was."""
        self.next = place % len(self._values)

    def add(self, values: Tensor, targets: Tensor) -> None:
        """Put tiles in the place of the oldest."""
        for start in range(0, len(values), len(self._values)):
            part = slice(start, start + len(self._values))
            at = (self.next + torch.arange(len(values[part]), device=self._values.device)) % len(self._values)
            self._values[at] = values[part].to(self._values.device, non_blocking=True)
            self._targets[at] = targets[part].to(self._targets.device, non_blocking=True)
            self.next = (self.next + len(at)) % len(self._values)
            self.count = min(self.count + len(at), len(self._values))

    def batch(self, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Tiles at random, all mirrored and turned in one way, their colours exchanged in one way."""
        drawn = torch.randint(self.count, (size,), generator=generator).to(self._values.device, non_blocking=True)
        turns = torch.randint(2, (3,), generator=generator).tolist()
        colours = torch.randperm(3, generator=generator).tolist()
        task = self._task
        values = _turned(self._values[drawn], task.clues, turns)
        targets = _turned(self._targets[drawn], task.targets, turns)
        return _exchanged(values, task.clues, task.colours_of_clues, colours), _exchanged(
            targets, task.targets, task.colours_of_targets, colours
        )


def _turned(cells: Tensor, size: int, turns: list[int]) -> Tensor:
    """Tiles upside down, mirrored and transposed as pictures: the pixels within each cell too."""
    batch, rows, columns = cells.shape[:3]
    pixels = cells.reshape(batch, rows, columns, CELL_PX, CELL_PX, size)
    if turns[0]:
        pixels = pixels.flip(1, 3)
    if turns[1]:
        pixels = pixels.flip(2, 4)
    if turns[2]:
        pixels = pixels.permute(0, 2, 1, 4, 3, 5)
    return pixels.reshape(batch, rows, columns, -1)


def _exchanged(cells: Tensor, size: int, starts: tuple[int, ...], colours: list[int]) -> Tensor:
    order = list(range(size))
    for start in starts:
        order[start : start + 3] = [start + colour for colour in colours]
    pixels = cells.unflatten(-1, (-1, size))
    return pixels[..., order].flatten(-2)
