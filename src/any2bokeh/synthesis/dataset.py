"""Clips as items for training, each a pure function of the seed and its index."""

from typing import TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from any2bokeh.errors import InputError
from any2bokeh.synthesis.clip import Clips
from any2bokeh.synthesis.perturb import Perturbation, perturb


class ClipItem(TypedDict):
    """One training item of ``T`` frames; every tensor is float32. Items of one dataset have one shape."""

    frames: Tensor  # (T, 3, H, W) all-in-focus, [0, 1]
    disparity: Tensor  # (T, 1, H, W), perturbed where the item is
    mask: Tensor  # (T, 1, H, W), share of the pixel in which any subject is seen
    focus_disparity: Tensor  # (T,)
    blur_strength: Tensor  # (T,) K
    bokeh: Tensor  # (T, 3, H, W) ground truth


class ClipDataset(Dataset[ClipItem]):
    """Windows of clips.

    Item ``i`` is a window of clip ``order(i)``: passes over all clips, each in an order of its own. Which clip, which
    window and what perturbation depend on ``(seed, i)`` alone, not on workers, batches or what was asked before, so
    that a training run resumes at item ``i`` as if it had never stopped.

    Args:
        clips: a :class:`~any2bokeh.synthesis.shard.ShardFolder`, or a
            :class:`~any2bokeh.synthesis.maker.ClipMaker` that makes them in the workers.
        frame_count: frames of a window; None for whole clips.
        length: items; None for one pass over the clips. May exceed the number of clips: then passes follow one another.
        seed: of order, windows and perturbation.
        perturbation: of the disparity (stage 2); None leaves it exact.
        shuffle: False takes the clips in their own order, and the first window of each.

    Raises:
        InputError: a window longer than the clips.
    """

    def __init__(
        self,
        clips: Clips,
        *,
        frame_count: int | None = None,
        length: int | None = None,
        seed: int = 0,
        perturbation: Perturbation | None = None,
        shuffle: bool = True,
    ) -> None:
        self.clips = clips
        self.frame_count = clips.frame_count if frame_count is None else frame_count
        self.length = len(clips) if length is None else length
        self.seed = seed
        self.perturbation = perturbation
        self.shuffle = shuffle
        if not 1 <= self.frame_count <= clips.frame_count:
            raise InputError(
                f"training windows have {self.frame_count} frames but the clips have {clips.frame_count}; "
                "make longer clips or train on shorter windows"
            )

    def __len__(self) -> int:
        return self.length

    def clip_index(self, index: int) -> int:
        """Which clip item ``index`` is a window of."""
        pass_, place = divmod(index, len(self.clips))
        if not self.shuffle:
            return place
        return int(np.random.default_rng((self.seed, _ORDER, pass_)).permutation(len(self.clips))[place])

    def __getitem__(self, index: int) -> ClipItem:
        if not 0 <= index < self.length:
            raise IndexError(index)
        rng = np.random.default_rng((self.seed, _ITEM, index))
        first = int(rng.integers(self.clips.frame_count - self.frame_count + 1)) if self.shuffle else 0
        clip = self.clips.clip(self.clip_index(index), first, first + self.frame_count)
        disparity = clip.disparity
        if self.perturbation is not None:
            disparity = perturb(disparity, clip.masks, self.perturbation, rng)
        mask = np.minimum(clip.masks.sum(axis=1, keepdims=True), 1)
        return ClipItem(
            frames=torch.from_numpy(clip.frames),
            disparity=torch.from_numpy(np.ascontiguousarray(disparity)),
            mask=torch.from_numpy(mask),
            focus_disparity=torch.from_numpy(clip.focus_disparity).float(),
            blur_strength=torch.from_numpy(clip.blur_strength).float(),
            bokeh=torch.from_numpy(clip.bokeh),
        )


# Streams of random numbers that must not be the same ones.
_ORDER, _ITEM = 0, 1
