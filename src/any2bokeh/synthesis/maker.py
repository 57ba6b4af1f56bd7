"""Makes synthetic clips from seeds."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from any2bokeh.errors import InputError, require_choice
from any2bokeh.optics import transfer as transfer_functions
from any2bokeh.optics.aperture import ConvexAperture, Disc, Polygon
from any2bokeh.optics.transfer import Transfer
from any2bokeh.synthesis import ray_trace
from any2bokeh.synthesis.clip import FRAME_COUNT, SyntheticClip
from any2bokeh.synthesis.lens_schedule import LensSchedule, ScheduleKind, random_schedule
from any2bokeh.synthesis.picture import Source
from any2bokeh.synthesis.procedural import ProceduralBackgrounds, ProceduralSubjects
from any2bokeh.synthesis.scene import Scene, SceneConfig, random_scene
from any2bokeh.synthesis.texture_atlas import TextureAtlas

Atlas = tuple[TextureAtlas, list[int]]
ClipPlan = tuple[Scene, Atlas, LensSchedule, ConvexAperture]
"""All that a clip is of, before any ray is sent."""


@dataclass(frozen=True, slots=True)
class ClipConfig:
    """What clips are like.

    Attributes:
        width, height: px.
        frame_count: frames of a clip.
        lens_samples: rays of each pixel through the lens.
        in_focus_samples: rays of each pixel of the all-in-focus frames, an antialiasing box.
        transfer: ``srgb`` blurs linear light; ``none`` blurs code values, as the paper's data does.
        blur_strength: least and greatest K, drawn evenly in its logarithm. The least may equal the greatest.
        schedules: kinds of lens schedules, drawn alike.
        round_aperture: probability of a disc; otherwise an iris of straight or rounded blades, at times squeezed.
        scene: what scenes are like.
    """

    width: int = 512
    height: int = 288
    frame_count: int = FRAME_COUNT
    lens_samples: int = 256
    in_focus_samples: int = 64
    transfer: Transfer = "srgb"
    blur_strength: tuple[float, float] = (4.0, 32.0)
    schedules: Sequence[ScheduleKind] = ("fixed", "ramp", "sweep")
    round_aperture: float = 1.0
    scene: SceneConfig = field(default_factory=SceneConfig)

    def __post_init__(self) -> None:
        for name, low in (
            ("width", 16),
            ("height", 16),
            ("frame_count", 1),
            ("lens_samples", 1),
            ("in_focus_samples", 1),
        ):
            if getattr(self, name) < low:
                raise InputError(f"{name.replace('_', ' ')} is {getattr(self, name)}; give {low} or more")
        require_choice("transfer", self.transfer, ("srgb", "none"))
        if not 0 <= self.blur_strength[0] <= self.blur_strength[1]:
            raise InputError(
                f"blur strengths run from {self.blur_strength[0]:g} to {self.blur_strength[1]:g}; swap them"
            )


class ClipMaker:
    """A numbered set of clips that are made when asked for; see :class:`~any2bokeh.synthesis.clip.Clips`.

    Clip ``i`` depends on the configuration, the sources, the seed and ``i`` alone. A part of a clip costs only its own
    frames, and equals that part of the whole.

    Args:
        config: what clips are like.
        seed: of all of them.
        count: how many there are.
        subjects, backgrounds: where pictures come from; None for the procedural sources.
        threads: of the ray tracer; 1 in a data loader's workers, None for one for each processor.
    """

    def __init__(
        self,
        config: ClipConfig | None = None,
        *,
        seed: int = 0,
        count: int = 1,
        subjects: Source | None = None,
        backgrounds: Source | None = None,
        threads: int | None = 1,
    ) -> None:
        self.config = ClipConfig() if config is None else config
        self.seed = seed
        self.count = count
        self.subjects: Source = ProceduralSubjects() if subjects is None else subjects
        self.backgrounds: Source = ProceduralBackgrounds() if backgrounds is None else backgrounds
        self.threads = threads
        self.frame_count = self.config.frame_count

    def __len__(self) -> int:
        return self.count

    def made_from(self, index: int) -> dict[str, Any]:
        """All that clip ``index`` depends on, but for what is in the folders; plain JSON values."""
        sources = [source.description for source in (self.subjects, self.backgrounds)]
        settings = json.loads(json.dumps(asdict(self.config)))
        return {"seed": self.seed, "index": index, "config": settings, "sources": sources}

    def plan(self, index: int) -> ClipPlan:
        """What clip ``index`` is of, before any ray is sent."""
        config = self.config
        rng = np.random.default_rng((self.seed, index))
        scene = random_scene(
            rng, (config.height, config.width), config.frame_count, config.scene, self.subjects, self.backgrounds
        )
        atlas = scene.atlas(config.transfer)
        scene = scene.scaled_to_nearest(atlas)
        schedule = random_schedule(
            rng,
            config.frame_count,
            *scene.focus_places(config.frame_count // 2),
            kinds=config.schedules,
            blur_strength=config.blur_strength,
        )
        return scene, atlas, schedule, Disc() if rng.uniform() < config.round_aperture else _iris(rng)

    def clip(
        self,
        index: int,
        start: int = 0,
        stop: int | None = None,
        *,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> SyntheticClip:
        """Make the frames ``start <= t < stop`` of clip ``index``; ``progress`` hears of frames done and to do."""
        config = self.config
        scene, atlas, schedule, aperture = self.plan(index)
        wanted = range(config.frame_count)[start:stop]
        frames, bokeh, disparity, masks = [], [], [], []
        for done, t in enumerate(wanted):
            view = scene.view(t, atlas)
            seed = self.seed * 1_000_003 + index * 1009 + t
            in_focus, shares = ray_trace.trace_in_focus(
                view, aperture=aperture, sample_count=config.in_focus_samples, seed=seed, threads=self.threads
            )
            blurred = ray_trace.trace(
                view,
                focus_disparity=float(schedule.focus_disparity[t]),
                blur_strength=float(schedule.blur_strength[t]),
                aperture=aperture,
                sample_count=config.lens_samples,
                seed=seed,
                threads=self.threads,
            )
            frames.append(self._encoded(in_focus))
            bokeh.append(self._encoded(blurred))
            disparity.append(ray_trace.seen_disparity(view))
            masks.append(np.clip(shares[list(scene.subjects)], 0, 1))
            progress(done + 1, len(wanted))
        return SyntheticClip(
            frames=np.stack(frames),
            disparity=np.stack(disparity),
            masks=np.stack(masks),
            focus_disparity=schedule.focus_disparity[start:stop],
            blur_strength=schedule.blur_strength[start:stop],
            bokeh=np.stack(bokeh),
            about=self._about(index, scene, schedule, aperture, start),
        )

    def _encoded(self, light: np.ndarray) -> np.ndarray:
        return np.clip(transfer_functions.encode(light, self.config.transfer), 0, 1)

    def _about(
        self, index: int, scene: Scene, schedule: LensSchedule, aperture: ConvexAperture, start: int
    ) -> dict[str, Any]:
        return {
            "made_from": self.made_from(index),
            "first_frame": start,
            "transfer": self.config.transfer,
            "schedule": schedule.kind,
            "aperture": {"shape": type(aperture).__name__.lower(), **asdict(aperture)},  # type: ignore[call-overload]
            "nearest": float(scene.nearest),
            "focal_px": scene.focal_px,
            "pictures": [layer.picture.name for layer in scene.layers],
            "highlights": any(layer.picture.gain is not None for layer in scene.layers),
        }


def _iris(rng: np.random.Generator) -> Polygon:
    return Polygon(
        blades=int(rng.integers(5, 10)),
        curvature=float(rng.choice([0.0, rng.uniform(0, 0.8)])),
        rotation_deg=float(rng.uniform(0, 72)),
        squeeze=float(rng.choice([1.0, 1.0, 0.5, 0.75])),
    )
