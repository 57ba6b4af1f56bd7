"""Clips with ground truth, from the layouts that the project has, read a few frames at a time."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, tee
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.errors import InputError, require_choice
from any2bokeh.evaluation.treatment import Treatment, named_treatments
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.transfer import Transfer
from any2bokeh.plate.choice import PlateChoice
from any2bokeh.renderers.base import RenderInput
from any2bokeh.source_blur import SourceBlur, SourceLens

if TYPE_CHECKING:
    from any2bokeh.synthesis import SyntheticClip
    from any2bokeh.synthesis.degradation import Degradation
    from any2bokeh.synthesis.perturb import Perturbation

DISPARITY = "disparity"
"""Condition: in which way disparity is wrong."""
EXACT = "exact"
"""Value of ``DISPARITY`` where it is not wrong."""

_FRAMES_AT_ONCE = 8


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationFrame:
    """One frame of a clip.

    Attributes:
        given: what a renderer is told.
        truth: ``(3, H, W)`` float32 code values, what it should make of it; None where nobody knows.
        disparity: ``(1, H, W)`` float32, the true one, or the best that is known; ``given`` has another where disparity
            is perturbed.
        subject: ``(H, W)``, where the subject is that is in focus, or nearest to it; None where nobody knows.
    """

    given: RenderInput
    truth: NDArray[np.float32] | None
    disparity: NDArray[np.float32]
    subject: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationClip:
    """A clip that can be read as often as wanted.

    Attributes:
        name: unique among the clips of a run; a path in a folder of results, so it may have slashes.
        scene: clips of one scene differ only in lens, focus or disparity.
        frame_count, width, height: its size.
        read: opens it: ``read()`` yields its frames in order, as they lie on disk or are made.
        transfer: in which its lens adds light.
        conditions: what sets it apart from other clips of the run, such as ``{"K": 8}`` or ``{"level": "III"}``.
        has_truth: whether its frames have a truth.
        treatment: what becomes of its frames before renderers are told of them; None where ``read`` has done it.
    """

    name: str
    scene: str
    frame_count: int
    width: int
    height: int
    read: Callable[[], Iterator[EvaluationFrame]]
    transfer: Transfer = "srgb"
    conditions: dict[str, float | str] = field(default_factory=dict)
    has_truth: bool = True
    treatment: Treatment | None = field(default_factory=Treatment)

    def frames(self) -> Iterator[EvaluationFrame]:
        """Its frames in order, ``given`` being what ``refocus`` gives a renderer."""
        if self.treatment is None:
            yield from self.read()
            return
        own, others = tee(self.read())
        lens = self._source_lens(self.treatment.source_blur)
        given = self.treatment.applied((frame.given for frame in others), lens)
        for frame, each in zip(own, given, strict=True):
            yield replace(frame, given=each)

    def _source_lens(self, choice: SourceBlur) -> SourceLens | None:
        """What lens it was shot through; to estimate that, it is read as far as the last frame that is looked at."""
        if choice != "auto":
            return choice if isinstance(choice, SourceLens) else None
        from any2bokeh.source_blur.estimate import lens_of_frames, places_looked_at

        places = places_looked_at(range(self.frame_count))
        frames = islice(self.read(), places[-1] + 1)
        looked_at = [(one.given.pixels, one.given.disparity) for at, one in enumerate(frames) if at in places]
        return lens_of_frames(looked_at, self.transfer).lens

    @property
    def reference(self) -> str:
        """What messages call that which results must fit."""
        return "ground truth" if self.has_truth else "source"

    def shortened(self, frame_count: int) -> "EvaluationClip":
        """Only the first frames; the clip itself where it has no more."""
        if frame_count >= self.frame_count:
            return self
        return replace(self, frame_count=frame_count, read=lambda: _first(self.read(), frame_count))


def treated(
    clips: Sequence[EvaluationClip],
    *,
    edges: Sequence[EdgeTreatment],
    plates: Sequence[PlateChoice],
    source_blurs: Sequence[SourceBlur] = ("off",),
) -> list[EvaluationClip]:
    """Each clip once for each treatment of edges, each plate and each source blur, these among its conditions."""
    return [
        replace(
            clip,
            name="/".join((clip.name, *parts)),
            conditions=clip.conditions | treatment.conditions,
            treatment=treatment,
        )
        for clip in clips
        for parts, treatment in named_treatments(edges, plates, source_blurs)
    ]


def open_clips(folder: str | Path) -> list[EvaluationClip]:
    """All clips of a folder.

    Args:
        folder: with shards of ``any2bokeh synth`` (``*.safetensors``), or with a folder for each scene that holds
            ``meta.json``, ``aif/``, ``disparity/`` and a ``gt_<setting>/`` for each setting; or one such scene.

    Raises:
        InputError: missing, empty, or of neither layout.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; give a folder of clips with ground truth")
    scenes = (
        [folder] if (folder / "meta.json").is_file() else sorted(meta.parent for meta in folder.glob("*/meta.json"))
    )
    clips = [clip for scene in scenes for clip in _thin_lens_clips(scene)]
    shards = sorted(path for path in folder.glob("*.safetensors") if not path.name.startswith("."))
    clips += [_shard_clip(path) for path in shards]
    if not clips:
        raise InputError(
            f"{folder} holds no clips with ground truth; give shards (*.safetensors) made by any2bokeh synth, "
            "or scenes with meta.json, aif/, disparity/ and gt_*/"
        )
    return clips


def synthetic_clip(
    name: str,
    make: Callable[[int, int], "SyntheticClip"],
    *,
    frame_count: int,
    size: tuple[int, int],
    transfer: Transfer,
    scene: str | None = None,
    conditions: Mapping[str, float | str] | None = None,
    perturbation: "Perturbation | None" = None,
    seed: int = 0,
    degradation: "Degradation | Literal['exact'] | None" = None,
) -> EvaluationClip:
    """A clip of ``any2bokeh.synthesis``.

    Args:
        name, frame_count, transfer, conditions: see ``EvaluationClip``.
        make: gives the frames ``start <= t < stop``.
        size: (width, height).
        scene: the name unless given.
        perturbation: of the disparity that renderers are told.
        seed: of the perturbation.
        degradation: another way in which that disparity is wrong; ``exact`` where it is not, unlike other clips of the
            same truth.
    """

    def read() -> Iterator[EvaluationFrame]:
        from any2bokeh.synthesis.degradation import degraded
        from any2bokeh.synthesis.perturb import perturb

        # Perturbation deforms a clip as a whole, so it needs all frames at once. A degraded clip is one of many with
        # the same truth, whose frames are kept one by one, so that the first few cost no more than themselves.
        at_once = frame_count if perturbation else 1 if degradation is not None else _FRAMES_AT_ONCE
        for start in range(0, frame_count, at_once):
            part = make(start, min(start + at_once, frame_count))
            told = perturb(part.disparity, part.masks, perturbation, seed) if perturbation else part.disparity
            for t in range(part.frame_count):
                focus, strength = float(part.focus_disparity[t]), float(part.blur_strength[t])
                disparity = told[t]
                if degradation is not None and degradation != "exact":
                    disparity = degraded(disparity[0], degradation, start + t)[None]
                given = RenderInput(part.frames[t], disparity, focus, strength)
                subject = _subject_in_focus(part.masks[t], part.disparity[t][0], focus)
                yield EvaluationFrame(given, part.bokeh[t], part.disparity[t], subject)

    return EvaluationClip(name, scene or name, frame_count, *size, read, transfer, dict(conditions or {}))


def _subject_in_focus(
    masks: NDArray[np.float32], disparity: NDArray[np.float32], focus_disparity: float
) -> NDArray[np.bool_] | None:
    """``(H, W)``: of the subjects that are seen, the one nearest to the focal plane; None where none is seen."""
    seen = [mask >= 0.5 for mask in masks if (mask >= 0.5).any()]
    return min(seen, key=lambda mask: abs(float(np.median(disparity[mask])) - focus_disparity), default=None)


def _shard_clip(path: Path) -> EvaluationClip:
    from any2bokeh.synthesis import shard

    first = shard.read(path, 0, 1)
    return synthetic_clip(
        path.stem,
        lambda start, stop: shard.read(path, start, stop),
        frame_count=shard.frame_count(path),
        size=(first.width, first.height),
        transfer=transfer_of(first.about, path.name),
        scene=str(first.about.get("scene", path.stem)),
    )


def transfer_of(about: Mapping[str, Any], name: str) -> Transfer:
    """The transfer that a synthetic clip was made with; ``srgb`` where it does not say.

    Raises:
        InputError: a transfer that is not known here.
    """
    transfer = about.get("transfer", "srgb")
    require_choice(f"transfer of {name}", transfer, get_args(Transfer))
    return cast(Transfer, transfer)


def _thin_lens_clips(folder: Path) -> Iterator[EvaluationClip]:
    about = json.loads((folder / "meta.json").read_text())
    try:
        size, settings = (int(about["width"]), int(about["height"])), dict(about["settings"])
        lenses = {name: (list(lens["K"]), list(lens["focus_disparity"])) for name, lens in settings.items()}
    except (KeyError, TypeError, AttributeError):
        raise InputError(
            f"{folder / 'meta.json'} lacks width, height or settings with K and focus_disparity; see docs/evaluation.md"
        ) from None
    for setting, (strengths, focus) in lenses.items():
        if len(strengths) != len(focus):
            raise InputError(f"{folder.name}/{setting} has {len(strengths)} K but {len(focus)} focus_disparity")
        kinds = ("aif", "disparity", f"gt_{setting}")
        for kind in kinds:
            _check_count(folder / kind, len(strengths))
        yield EvaluationClip(
            f"{folder.name}/{setting}",
            folder.name,
            len(strengths),
            *size,
            _ThinLensReader(folder, kinds, strengths, focus, size),
        )


@dataclass(frozen=True, slots=True)
class _ThinLensReader:
    folder: Path
    kinds: tuple[str, str, str]
    strengths: list[float]
    focus: list[float]
    size: tuple[int, int]

    def __call__(self) -> Iterator[EvaluationFrame]:
        for index, (strength, focus) in enumerate(zip(self.strengths, self.focus, strict=True)):
            source, disparity, truth = (self._picture(kind, index) for kind in self.kinds)
            # Their K is in pixels of their own frames.
            strength *= REFERENCE_LONG_SIDE_PX / max(self.size)
            disparity = np.ascontiguousarray(disparity[:1])
            yield EvaluationFrame(RenderInput(source, disparity, float(focus), strength), truth, disparity)

    def _picture(self, kind: str, index: int) -> NDArray[np.float32]:
        from any2bokeh.video.image import read_image

        path = self.folder / kind / f"{index:05d}.png"
        pixels = read_image(path).pixels()
        if pixels.shape[:0:-1] != self.size:
            raise InputError(
                f"{path} is {pixels.shape[2]}x{pixels.shape[1]} but meta.json says {self.size[0]}x{self.size[1]}; "
                "export it again"
            )
        return pixels


def _check_count(folder: Path, wanted: int) -> None:
    found = len(list(folder.glob("*.png")))
    if found == 0:
        raise InputError(f"{folder} holds no pictures; the clip needs {wanted} (00000.png ...)")
    if found != wanted:
        raise InputError(f"{folder} has {found} pictures but meta.json has {wanted} frames; export the clip again")


def _first(frames: Iterator[EvaluationFrame], count: int) -> Iterator[EvaluationFrame]:
    for _, frame in zip(range(count), frames, strict=False):
        yield frame
