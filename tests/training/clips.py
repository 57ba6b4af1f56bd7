"""Clips for the tests of the training, made in no time; what they show is no light through a lens."""

import cv2
import numpy as np

from any2bokeh.synthesis.clip import SyntheticClip
from any2bokeh.training.clips import TrainingClips


class SoftClips:
    """A near square that moves over a ramp; out of focus it is blurred by a Gaussian of the size of its disc."""

    def __init__(self, count: int = 4, frames: int = 4, height: int = 64, width: int = 128) -> None:
        self.count = count
        self.frame_count = frames
        self.height = height
        self.width = width

    def __len__(self) -> int:
        return self.count

    def clip(self, index: int, start: int = 0, stop: int | None = None) -> SyntheticClip:
        rng = np.random.default_rng(index)
        rows, columns = np.mgrid[: self.height, : self.width].astype(np.float32)
        waves = rng.uniform(0.05, 0.4, (2, 3, 2)).astype(np.float32)
        focus, strength = float(rng.choice([0.3, 0.9])), float(rng.uniform(20, 60))
        taken = range(self.frame_count)[start:stop]
        frames, bokeh, disparity, masks = [], [], [], []
        for t in taken:
            back, front = (
                np.stack([0.5 + 0.4 * np.sin(a * rows + b * (columns + 2 * t)) for a, b in each]) for each in waves
            )
            mask = np.zeros((self.height, self.width), np.float32)
            left = (8 * t + self.width // 8) % (self.width // 2)
            mask[self.height // 4 : 3 * self.height // 4, left : left + self.width // 3] = 1
            back_disparity = 0.2 + 0.2 * rows / self.height
            frame = np.where(mask, front, back).astype(np.float32)
            sharp = np.where(mask, 0.9, back_disparity).astype(np.float32)
            radius = strength * np.abs(sharp - focus).mean() * self.width / 1024
            blurred = cv2.GaussianBlur(frame.transpose(1, 2, 0), (0, 0), float(radius) + 0.8).transpose(2, 0, 1)
            in_focus = np.abs(sharp - focus) < 0.05
            frames.append(frame)
            bokeh.append(np.where(in_focus, frame, blurred).astype(np.float32))
            disparity.append(sharp[None])
            masks.append(mask[None])
        count = len(taken)
        return SyntheticClip(
            frames=np.stack(frames),
            disparity=np.stack(disparity),
            masks=np.stack(masks),
            focus_disparity=np.full(count, focus),
            blur_strength=np.full(count, strength),
            bokeh=np.stack(bokeh),
        )


def soft_clips(count: int = 4, frames: int = 4, height: int = 64, width: int = 128) -> TrainingClips:
    """Soft clips, of which the first is the sample."""
    clips = SoftClips(count, frames, height, width)
    return TrainingClips(clips, clips, {"kind": "soft", "count": count})
