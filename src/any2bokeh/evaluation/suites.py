"""Benchmark suites: clips that ``synthesis`` makes the same way every time, so nothing need be kept or downloaded."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Literal

from any2bokeh.errors import require_choice
from any2bokeh.evaluation.clips import DISPARITY, EXACT, EvaluationClip, synthetic_clip
from any2bokeh.optics.transfer import Transfer
from any2bokeh.synthesis.clip import SyntheticClip
from any2bokeh.synthesis.lens_schedule import ScheduleKind, fixed
from any2bokeh.synthesis.maker import ClipConfig, ClipMaker, ClipPlan
from any2bokeh.synthesis.perturb import ROBUSTNESS_LEVELS, Level, Perturbation
from any2bokeh.synthesis.scene import SceneConfig

Suite = Literal["layered", "robustness", "control", "degraded"]


@dataclass(frozen=True, slots=True)
class SuiteSize:
    """How large the suites are. The defaults are what figures are reported for; tests make them tiny.

    Attributes:
        width, height: px.
        frame_count: frames of a ``layered`` clip.
        short_frame_count: frames of a clip of the other suites.
        rounds: ``layered`` has this many clips for each K.
        scenes: of the other suites.
        lens_samples: rays of each pixel of the ground truth.
    """

    width: int = 512
    height: int = 288
    frame_count: int = 25
    short_frame_count: int = 9
    rounds: int = 5
    scenes: int = 4
    lens_samples: int = 256


BLUR_STRENGTHS = (4.0, 8.0, 16.0, 32.0)
"""K of ``layered`` and of the sweep of K."""
FOCUS_STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Focus of the sweep of focus, from the background (0) to the nearest subject (1)."""
UNPERTURBED = EXACT
"""Level of the clips of ``robustness`` whose disparity is left alone."""

DEGRADED_LENSES = ((16.0, 1.0), (32.0, 1.0), (16.0, 0.0), (32.0, 0.0))
"""K and focus (as in ``FOCUS_STEPS``) of the scenes of ``degraded``, in turn."""

_SEEDS: dict[Suite, int] = {"layered": 2505, "robustness": 2506, "control": 2507, "degraded": 2508}
_SWEPT_K = 16.0


def suite_clips(suite: Suite, size: SuiteSize | None = None) -> list[EvaluationClip]:
    """The clips of a suite, made when they are read.

    ``layered``: scenes of the paper's kind (several subjects that move before a background far away, code values
    blurred as they are), 5 for each K in 4, 8, 16 and 32, 25 frames; focus and K stay, or K ramps up from or down to 0,
    or focus sweeps from near to far and back. K of a ramp is its greatest.

    ``robustness``: such scenes at K = 16, each with exact disparity and with the perturbation levels I to IV of
    ``synthesis.perturb``. The truth stays the same.

    ``control``: scenes in linear light, beyond the paper's kind, each at every K with focus on the nearest subject, and
    at K = 16 with focus at five places from the background to the nearest subject.

    ``degraded``: scenes as in ``control``, at K = 16 and 32 with focus on the nearest subject and on the background,
    each with exact disparity and with disparity made wrong in the five ways of ``synthesis.degradation``. The truth
    stays the same. It is scored for several treatments of edges (``evaluation.clips.treated``).

    Args:
        suite: which.
        size: how large.

    Raises:
        InputError: no such suite.
    """
    size = size or SuiteSize()
    makers: dict[Suite, Callable[[SuiteSize], list[EvaluationClip]]] = {
        "layered": _layered,
        "robustness": _robustness,
        "control": _control,
        "degraded": _degraded,
    }
    require_choice("suite", suite, makers)
    return makers[suite](size)


def _layered(size: SuiteSize) -> list[EvaluationClip]:
    kinds: tuple[ScheduleKind, ...] = ("fixed", "sweep", "ramp")
    clips = []
    for index, (turn, strength) in enumerate(product(range(size.rounds), BLUR_STRENGTHS)):
        kind = kinds[turn % len(kinds)]
        config = _config(size, size.frame_count, strength, kind, transfer="none", paper=True)
        name = f"{index:02d}_{kind}_k{strength:g}"
        clips.append(_made(name, _SuiteMaker("layered", config, index), config, {"K": strength, "lens": kind}))
    return clips


def _robustness(size: SuiteSize) -> list[EvaluationClip]:
    config = _config(size, size.short_frame_count, _SWEPT_K, "fixed", transfer="none", paper=True)
    levels: dict[Level | str, Perturbation | None] = {UNPERTURBED: None, **ROBUSTNESS_LEVELS}
    clips = []
    for scene in range(size.scenes):
        # The levels of a scene have one truth, which is traced once.
        make = _KeptClip(_SuiteMaker("robustness", config, scene))
        for level, perturbation in levels.items():
            name = f"{scene:02d}_{level}"
            clips.append(_made(name, make, config, {"level": level}, f"{scene:02d}", perturbation, seed=scene))
    return clips


def _control(size: SuiteSize) -> list[EvaluationClip]:
    clips = []
    for scene in range(size.scenes):
        lenses = [(strength, 1.0) for strength in BLUR_STRENGTHS]
        lenses += [(_SWEPT_K, step) for step in FOCUS_STEPS if step < 1]  # at 1 it is among the K
        for strength, step in lenses:
            config = _config(size, size.short_frame_count, strength, "fixed", transfer="srgb", paper=False)
            name = f"{scene:02d}_k{strength:g}_focus{step:g}"
            make = _SuiteMaker("control", config, scene, focus_step=step)
            clips.append(_made(name, make, config, {"K": strength, "focus": step}, f"{scene:02d}"))
    return clips


def _degraded(size: SuiteSize) -> list[EvaluationClip]:
    from any2bokeh.synthesis.degradation import DEGRADATIONS

    clips = []
    for scene in range(size.scenes):
        strength, step = DEGRADED_LENSES[scene % len(DEGRADED_LENSES)]
        config = _config(size, size.short_frame_count, strength, "fixed", transfer="srgb", paper=False)
        make = _KeptClip(_SuiteMaker("degraded", config, scene, focus_step=step))
        for way in (EXACT, *DEGRADATIONS):
            clips.append(
                synthetic_clip(
                    f"{scene:02d}_{way}",
                    make,
                    frame_count=config.frame_count,
                    size=(config.width, config.height),
                    transfer=config.transfer,
                    scene=f"{scene:02d}",
                    conditions={DISPARITY: way, "K": strength},
                    degradation=way,
                )
            )
    return clips


def _config(
    size: SuiteSize, frame_count: int, strength: float, kind: ScheduleKind, *, transfer: Transfer, paper: bool
) -> ClipConfig:
    return ClipConfig(
        width=size.width,
        height=size.height,
        frame_count=frame_count,
        lens_samples=size.lens_samples,
        transfer=transfer,
        blur_strength=(strength, strength),
        schedules=(kind,),
        scene=SceneConfig.paper() if paper else SceneConfig(),
    )


def _made(
    name: str,
    make: Callable[[int, int], SyntheticClip],
    config: ClipConfig,
    conditions: dict[str, float | str],
    scene: str | None = None,
    perturbation: Perturbation | None = None,
    seed: int = 0,
) -> EvaluationClip:
    return synthetic_clip(
        name,
        make,
        frame_count=config.frame_count,
        size=(config.width, config.height),
        transfer=config.transfer,
        scene=scene,
        conditions=conditions,
        perturbation=perturbation,
        seed=seed,
    )


class _SuiteMaker(ClipMaker):
    """Makes one clip of a suite in parts, and plans it once for all of them.

    Args:
        suite: whose seed is taken.
        config: what the clip is like.
        index: of the clip in its suite.
        focus_step: one of ``FOCUS_STEPS``; None leaves the focus where the clip's own schedule has it.
    """

    def __init__(self, suite: Suite, config: ClipConfig, index: int, *, focus_step: float | None = None) -> None:
        super().__init__(config, seed=_SEEDS[suite], count=index + 1, threads=None)
        self._index = index
        self._focus_step = focus_step
        self._planned: ClipPlan | None = None

    def __call__(self, start: int, stop: int) -> SyntheticClip:
        part = self.clip(self._index, start, stop)
        if stop == self.frame_count:
            self._planned = None  # a plan holds all textures: only the clip that is being read keeps its own
        return part

    def plan(self, index: int) -> ClipPlan:
        if self._planned is None:
            scene, atlas, schedule, aperture = super().plan(index)
            if self._focus_step is not None:
                subjects, far = scene.focus_places(self.frame_count // 2)
                focus = far + self._focus_step * (max(subjects) - far)
                schedule = fixed(self.frame_count, min(max(focus, 0.0), 1.0), self.config.blur_strength[1])
            self._planned = scene, atlas, schedule, aperture
        return self._planned


class _KeptClip:
    """A short clip, kept while it is being read again and again: the clips of one truth follow one another."""

    _owner: "_KeptClip | None" = None  # of all of them, only the last is kept

    def __init__(self, make: Callable[[int, int], SyntheticClip]) -> None:
        self._make = make
        self._parts: dict[tuple[int, int], SyntheticClip] = {}

    def __call__(self, start: int, stop: int) -> SyntheticClip:
        if _KeptClip._owner is not self:
            if _KeptClip._owner is not None:
                _KeptClip._owner._parts.clear()
            _KeptClip._owner = self
        if (start, stop) not in self._parts:
            self._parts[start, stop] = self._make(start, stop)
        return self._parts[start, stop]
