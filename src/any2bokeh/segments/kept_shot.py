"""What was found by looking along a whole clip, kept beside its segments: disparity, its scale, and the focus."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.clip_disparity import PartDisparity, opened_maps, with_strokes, without_strokes
from any2bokeh.clip_source_blur import opened_source_blur
from any2bokeh.disparity import DisparitySource, EstimatedDisparity, StabilisedDisparity, open_disparity
from any2bokeh.disparity.edges import edge_estimator
from any2bokeh.disparity.reading import Levels
from any2bokeh.disparity.source import FileDisparity, inverse_metres_per_unit
from any2bokeh.disparity.value_scale import DepthScale, DisparityScale
from any2bokeh.focus import FocusTrack, script_json
from any2bokeh.optics.lens import Lens
from any2bokeh.pending_output import linked, writing
from any2bokeh.plate.choice import uses_plate
from any2bokeh.recipe import Recipe
from any2bokeh.segments.marks import write_whole
from any2bokeh.shot import Shot
from any2bokeh.source_blur import SourceLens
from any2bokeh.video import VideoSource

_FACTS, _TRACK, _MAPS = "shot.json", "track.npz", "disparity.npy"


def keep_shot(shot: Shot, folder: Path) -> None:
    """Write a shot into a folder, its facts last, so that ``kept_shot`` finds it whole or not at all.

    Raises:
        InputError: the disk is full.
    """
    with writing(folder):
        facts = {
            "disparity": _kept_maps(shot, folder),
            "warnings": list(shot.track.warnings),
            "script": script_json.dumps(shot.script),
            "root": None if shot.script.root is None else str(shot.script.root.absolute()),
            "has_lens": shot.lens is not None,
            "inverse_metres_per_unit": shot.inverse_metres_per_unit,
            "strongest_blur": shot.strongest_blur,
            "source_lens": asdict(shot.source_blur) if isinstance(shot.source_blur, SourceLens) else None,
        }
        arrays = {
            "focus_disparity": shot.track.focus_disparity,
            "blur_strength": shot.track.blur_strength,
            "zoom": shot.zoom,
        }
        if shot.track.slab is not None:
            arrays["slab"] = shot.track.slab
        with (folder / _TRACK).open("wb") as file:
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
        write_whole(folder / _FACTS, json.dumps(facts))


def is_kept(folder: Path) -> bool:
    """Whether a folder holds a shot."""
    return (folder / _FACTS).exists()


def kept_shot(folder: Path, source: VideoSource, recipe: Recipe, start: int, stop: int) -> Shot | None:
    """The shot that was kept; None where there is none that is whole.

    Args:
        folder: where.
        source: the clip.
        recipe: the one that the shot was found with.
        start, stop: its frames.

    Raises:
        InputError: files of disparity that the recipe names cannot be read any more.
    """
    with suppress(OSError, ValueError, KeyError, TypeError):
        facts: dict[str, Any] = json.loads((folder / _FACTS).read_text())
        with np.load(folder / _TRACK, allow_pickle=False) as arrays:
            found: dict[str, NDArray[np.float64]] = {name: np.asarray(arrays[name]) for name in arrays.files}
        script = replace(
            script_json.loads(facts["script"]), root=None if facts["root"] is None else Path(facts["root"])
        )
        kept = facts["disparity"]
        lens = recipe.blur_strength if facts["has_lens"] and isinstance(recipe.blur_strength, Lens) else None
        track = FocusTrack(
            found["focus_disparity"], found["blur_strength"], tuple(facts["warnings"]), found.get("slab")
        )
        metres, strongest = facts["inverse_metres_per_unit"], float(facts["strongest_blur"])
        maps = _opened_maps(folder, kept, source, recipe, start, stop)
        bare = without_strokes(maps)
        made = bare.part if isinstance(bare, PartDisparity) else bare
        if isinstance(made, KeptDisparity):
            recipe = replace(recipe, disparity=made)
        lens_of_source = facts["source_lens"]
        maps_of_source = opened_source_blur(source, recipe, stop=stop)
        return Shot(
            source=source,
            recipe=recipe,
            disparity=maps,
            start=start,
            stop=stop,
            track=track,
            script=script,
            lens=lens,
            inverse_metres_per_unit=metres,
            zoom=found["zoom"],
            strongest_blur=strongest,
            edges=edge_estimator(recipe.edges),
            plate=uses_plate(recipe.plate) and source.info.frame_count > 1,
            source_blur=maps_of_source if lens_of_source is None else SourceLens(**lens_of_source),
        )
    return None


class KeptDisparity:
    """Disparity of a clip, or of a part of it, as an earlier run has made it: a ``DisparitySource``.

    Args:
        maps: ``.npy`` of ``(T, h, w)`` uint16, disparity times 65535.
        frame_count: T.
        levels: a curve over it.
        inverse_metres_per_unit: 1/metres that disparity 1 stands for, the curve included; None where that is unknown.
        made_by: the depth model, or the files that were stabilised.
    """

    def __init__(
        self, maps: Path, frame_count: int, levels: Levels, inverse_metres_per_unit: float | None, made_by: str
    ) -> None:
        self._maps = open_disparity(maps, clip_frame_count=frame_count)
        self._levels = levels
        self._made_by = made_by
        self.frame_count = frame_count
        self.inverse_metres_per_unit = inverse_metres_per_unit

    def __str__(self) -> str:
        return self._made_by

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """See ``DisparitySource``."""
        for disparity in self._maps.frames(start, stop):
            yield self._levels.applied(disparity)

    def at(self, index: int) -> NDArray[np.float32]:
        """See ``DisparitySource``."""
        return self._levels.applied(self._maps.at(index))


def _kept_maps(shot: Shot, folder: Path) -> dict[str, Any]:
    """What is needed to open the disparity again without looking along the clip."""
    found = without_strokes(shot.disparity)
    is_part = isinstance(found, PartDisparity)
    maps: DisparitySource = found.part if isinstance(found, PartDisparity) else found
    if isinstance(maps, EstimatedDisparity | StabilisedDisparity | KeptDisparity):
        if not isinstance(maps, KeptDisparity):
            entry = maps.estimate() if isinstance(maps, EstimatedDisparity) else maps.steady()
            (folder / _MAPS).unlink(missing_ok=True)
            linked(entry.maps, folder / _MAPS)
        return {
            "kind": "maps",
            "is_part": is_part,
            "frame_count": maps.frame_count,
            "levels": asdict(maps.levels) if isinstance(maps, StabilisedDisparity) else {},
            "inverse_metres_per_unit": inverse_metres_per_unit(maps),
            "made_by": maps.estimator.name if isinstance(maps, EstimatedDisparity) else str(shot.recipe.disparity),
        }
    assert isinstance(maps, FileDisparity), "the recipe names files or a depth model"
    scale = maps.scale
    return {"kind": "files", "is_depth": isinstance(scale, DepthScale), "scale": asdict(scale)}


def _opened_maps(
    folder: Path, kept: Mapping[str, Any], source: VideoSource, recipe: Recipe, start: int, stop: int
) -> DisparitySource:
    if kept["kind"] == "files":
        scale = (DepthScale if kept["is_depth"] else DisparityScale)(**kept["scale"])
        return opened_maps(source, recipe, start=start, stop=stop, scale=scale)
    levels, count = Levels(**kept["levels"]), int(kept["frame_count"])
    maps = KeptDisparity(folder / _MAPS, count, levels, kept["inverse_metres_per_unit"], kept["made_by"])
    return with_strokes(PartDisparity(maps, start) if kept["is_part"] else maps, source, recipe)
