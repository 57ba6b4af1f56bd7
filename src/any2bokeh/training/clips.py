"""The clips that a training takes its windows from."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from any2bokeh.synthesis.clip import Clips, SyntheticClip
from any2bokeh.synthesis.maker import ClipConfig, ClipMaker
from any2bokeh.synthesis.shard import ShardFolder

PROCEDURAL = "procedural"
"""In place of a folder of shards: clips made on the way, from nothing."""


@dataclass(frozen=True, slots=True)
class ProceduralClips:
    """Clips that are made on the way.

    Attributes:
        count: how many; then they come again, in another order.
        height_px, width_px: of a frame.
        frames: of a clip.
        lens_samples: rays of a pixel through the lens.
        in_focus_samples: rays of a pixel of the all-in-focus frames.
        blur_strength: least and greatest K.
        seed: of what they show; the sample clip has the next one.
    """

    count: int = 10_000
    height_px: int = 288
    width_px: int = 512
    frames: int = 25
    lens_samples: int = 128
    in_focus_samples: int = 32
    blur_strength: tuple[float, float] = (2.0, 40.0)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrainingClips:
    """Clips to train on, and one to look at.

    Attributes:
        training: the clips.
        samples: of these the first is refocused for the sample strips.
        identity: what tells these clips from others, plain JSON values without a path; a state is resumed on the same.
    """

    training: Clips
    samples: Clips
    identity: Mapping[str, Any]

    def sample(self, frames: int) -> SyntheticClip:
        """The first frames of the sample clip."""
        return self.samples.clip(0, 0, min(frames, self.samples.frame_count))


def open_clips(source: str, procedural: ProceduralClips, samples: Path | None = None) -> TrainingClips:
    """Clips of a folder of shards, or made on the way.

    Args:
        source: the folder, or ``procedural``.
        procedural: how those are made.
        samples: folder of shards for the sample strips; None = a clip made for it, or the first training clip.

    Raises:
        InputError: no such folder, no clips in it.
    """
    if source == PROCEDURAL:
        return TrainingClips(
            training=_made(procedural, procedural.seed),
            samples=ShardFolder(samples) if samples else _made(procedural, procedural.seed + 1),
            identity={"kind": PROCEDURAL, **asdict(procedural)},
        )
    shards = ShardFolder(source)
    names = hashlib.sha256("\n".join(path.name for path in shards.paths).encode()).hexdigest()
    return TrainingClips(
        training=shards,
        samples=ShardFolder(samples) if samples else shards,
        identity={"kind": "shards", "clips": len(shards), "frames": shards.frame_count, "names_sha256": names},
    )


def _made(procedural: ProceduralClips, seed: int) -> ClipMaker:
    config = ClipConfig(
        width=procedural.width_px,
        height=procedural.height_px,
        frame_count=procedural.frames,
        lens_samples=procedural.lens_samples,
        in_focus_samples=procedural.in_focus_samples,
        blur_strength=procedural.blur_strength,
    )
    return ClipMaker(config, seed=seed, count=procedural.count)
