"""Training windows: a few frames of a clip as the networks take them, each a pure function of seed and number."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from any2bokeh.errors import InputError
from any2bokeh.mpi import disparity_difference, region_index
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.renderers.diffusion.run.processing_size import MULTIPLE_PX
from any2bokeh.synthesis.clip import Clips
from any2bokeh.synthesis.dataset import ClipDataset
from any2bokeh.synthesis.perturb import Perturbation

_CROP_STREAM = 7


class WindowBatch(TypedDict):
    """``B`` windows of ``T`` frames; float32 unless said otherwise."""

    number: Tensor  # (B,) int64, which window of the run each is
    frames: Tensor  # (B, T, 3, H, W) all-in-focus, [0, 1]
    bokeh: Tensor  # (B, T, 3, H, W), [0, 1]
    difference: Tensor  # (B, T, 1, H, W) V_D
    regions: Tensor  # (B, T, H, W) uint8
    blur_strength: Tensor  # (B, T) K in pixels of the whole clip's frames


@dataclass(frozen=True, slots=True)
class Cut:
    """What is cut out of a clip.

    Attributes:
        height_px, width_px: of the cut, multiples of 64; None = the whole frame.
        flip: mirror every second window, left to right.
    """

    height_px: int | None = None
    width_px: int | None = None
    flip: bool = False

    def __post_init__(self) -> None:
        for name in ("height_px", "width_px"):
            value = getattr(self, name)
            if value is not None and (value < MULTIPLE_PX or value % MULTIPLE_PX):
                raise InputError(f"{name} of the cut is {value}; it must be a multiple of {MULTIPLE_PX}")


class TrainingWindows(Dataset[WindowBatch]):
    """Windows of clips, cut, mirrored and turned into what the networks take.

    Args:
        clips: where the windows come from.
        frames: of a window.
        seed: of order, windows, cuts and perturbation.
        perturbation: probability that the disparity of a frame is perturbed, each frame by itself.
        alpha: exponent of the MPI regions.
        cut: see ``Cut``.
        shuffle: False takes the clips in order, each from its start, neither moved nor mirrored.

    Raises:
        InputError: clips shorter than a window. On reading: frames smaller than the cut, or whose sides are no
            multiples of 64 where there is none.
    """

    def __init__(
        self,
        clips: Clips,
        *,
        frames: int,
        seed: int,
        perturbation: float = 0.0,
        alpha: float,
        cut: Cut | None = None,
        shuffle: bool = True,
    ) -> None:
        self.alpha = alpha
        self.cut = cut or Cut()
        self.seed = seed
        self.shuffle = shuffle
        self.items = ClipDataset(
            clips,
            frame_count=frames,
            length=2**62,
            seed=seed,
            perturbation=Perturbation(perturbation, frames_alone=True) if perturbation > 0 else None,
            shuffle=shuffle,
        )

    def __getitem__(self, index: int) -> WindowBatch:
        item = self.items[index]
        height, width = item["frames"].shape[-2:]
        rows, columns, mirrored = self._place(index, height, width)

        def taken(values: Tensor) -> Tensor:
            part = values[..., rows, columns]
            return part.flip(-1) if mirrored else part

        disparity = taken(item["disparity"]).numpy()
        focus = item["focus_disparity"].tolist()
        differences = [disparity_difference(each, d_f) for each, d_f in zip(disparity, focus, strict=True)]
        regions = [region_index(each[0], d_f, alpha=self.alpha) for each, d_f in zip(disparity, focus, strict=True)]
        return WindowBatch(
            number=torch.tensor(index),
            frames=taken(item["frames"]).contiguous(),
            bokeh=taken(item["bokeh"]).contiguous(),
            difference=torch.from_numpy(np.stack(differences)),
            regions=torch.from_numpy(np.stack(regions)),
            blur_strength=item["blur_strength"] * (max(height, width) / REFERENCE_LONG_SIDE_PX),
        )

    def _place(self, index: int, height: int, width: int) -> tuple[slice, slice, bool]:
        cut_height, cut_width = self.cut.height_px or height, self.cut.width_px or width
        if cut_height > height or cut_width > width or cut_height % MULTIPLE_PX or cut_width % MULTIPLE_PX:
            raise InputError(
                f"training clips are {width}x{height}, cut to {cut_width}x{cut_height}; the cut must fit into the clip "
                f"and be a multiple of {MULTIPLE_PX} px: change [cut] of the config, or make clips of another size"
            )
        if not self.shuffle:
            return slice(0, cut_height), slice(0, cut_width), False
        rng = np.random.default_rng((self.seed, _CROP_STREAM, index))
        top, left = int(rng.integers(height - cut_height + 1)), int(rng.integers(width - cut_width + 1))
        mirrored = self.cut.flip and bool(rng.integers(2))
        return slice(top, top + cut_height), slice(left, left + cut_width), mirrored


class _OwnWindows(Sampler[list[int]]):
    """Numbers of the windows of this process's forward passes, from one step of the stage to its end.

    A step takes ``accumulation`` times ``process_count`` times ``batch_size`` windows, one after the other: with half
    the batch and twice the processes it takes the same ones.
    """

    def __init__(
        self, first_step: int, steps: int, accumulation: int, batch_size: int, process: int, process_count: int
    ) -> None:
        self.passes = range(first_step * accumulation, steps * accumulation)
        self.batch_size = batch_size
        self.process = process
        self.process_count = process_count

    def __len__(self) -> int:
        return len(self.passes)

    def __iter__(self) -> Iterator[list[int]]:
        for forward_pass in self.passes:
            start = (forward_pass * self.process_count + self.process) * self.batch_size
            yield list(range(start, start + self.batch_size))


def window_loader(
    windows: TrainingWindows,
    *,
    first_step: int,
    steps: int,
    accumulation: int,
    batch_size: int,
    process: int,
    process_count: int,
    workers: int,
    pinned: bool,
) -> DataLoader[WindowBatch]:
    """Batches of this process from step ``first_step`` on; the same whatever the number of workers."""
    return DataLoader(
        windows,
        batch_sampler=_OwnWindows(first_step, steps, accumulation, batch_size, process, process_count),
        num_workers=workers,
        pin_memory=pinned,
        prefetch_factor=4 if workers else None,
        # A fork of a process with threads and a CUDA context is asking for a deadlock.
        multiprocessing_context="spawn" if workers else None,
    )
