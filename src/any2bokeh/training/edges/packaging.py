"""Weights of a training, calibrated and put into the package."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from any2bokeh.disparity.edges.learned.weights import PACKAGED, PACKAGED_MIXING, EdgeModel, MixedModel
from any2bokeh.errors import InputError, shown
from any2bokeh.training.edges.calibration import calibrated
from any2bokeh.training.edges.mixed_tiles import MixedTileSource, light_errors
from any2bokeh.training.edges.tiles import CALIBRATION, TileSource

_FRAMES = 48
# Of a frame's classical error of light, above which a network for mixed pixels is not worth its time. One that is not
# trained has 1; weighing what a network says brings also a good one nearer to 1.
_BETTER = 0.97
_NO_ERROR = 1e-4  # of light: less is not seen

_Source = TypeVar("_Source", TileSource, MixedTileSource)


def install(folder: Path, target: Path = PACKAGED, *, frames: int = _FRAMES, is_preferred: bool = True) -> EdgeModel:
    """Calibrate the gates of a run's weights and put them where ``--edges learned`` finds them.

    Args:
        folder: of a run or a handoff; or the file of weights.
        target: the file to write.
        frames: that the gates are calibrated with.
        is_preferred: whether ``--edges auto`` takes them, too, where colours contradict the map and their gate opens.

    Returns:
        The model as written.

    Raises:
        InputError: no weights there, or a card that does not say how the frames of the training were made.
    """
    path = folder / "edges.safetensors" if folder.is_dir() else folder
    if not path.is_file():
        raise InputError(f"{path} is not there; give the folder of a run or a handoff of train edges")
    model = EdgeModel.read(path)
    source = _source_of(path, model.card, TileSource)
    found = calibrated(model, source, frames)
    if found is None:
        raise _no_edges(path, source)
    gates, calibration = found
    card = {**model.card, "calibration": calibration}
    installed = replace(model, gates=gates, is_preferred=is_preferred, card=card)
    installed.write(target)
    return installed


def install_mixing(folder: Path, target: Path = PACKAGED_MIXING, *, frames: int = _FRAMES) -> MixedModel:
    """Try a run's weights for mixed pixels on frames that no training has seen, and put them where edges are treated.

    Args:
        folder: of a run or a handoff; or the file of weights.
        target: the file to write.
        frames: that they are tried on.

    Returns:
        The model as written, with what was found in its card.

    Raises:
        InputError: no weights there, none that are better than the classical split, or a card that does not say how
            the frames of the training were made.
    """
    path = folder / "mixed.safetensors" if folder.is_dir() else folder
    if not path.is_file():
        raise InputError(f"{path} is not there; give the folder of a run or a handoff of train mixed")
    model = MixedModel.read(path)
    source = _source_of(path, model.card, MixedTileSource)
    tried = [(source.kind(CALIBRATION + n), each) for n in range(frames) if (each := light_errors(source, model, n))]
    if not tried:
        raise _no_edges(path, source)
    kinds, errors = np.array([kind for kind, _ in tried]), np.array([each for _, each in tried])
    ratios = np.log((errors[:, 1] + _NO_ERROR) / (errors[:, 0] + _NO_ERROR))
    ratio, by_kind = float(np.exp(ratios.mean())), {}
    for kind in sorted(set(kinds.tolist())):
        by_kind[kind] = round(float(np.exp(ratios[kinds == kind].mean())), 4)
    if ratio > _BETTER:
        raise InputError(
            f"{path} leaves {ratio:.2f} of the classical error of light in mixed pixels; "
            f"at most {_BETTER:g} is worth its time: train it for longer"
        )
    found = {
        "frames": len(errors),
        "frames_worse": int((errors[:, 1] > errors[:, 0]).sum()),
        "ratio_of_errors": round(ratio, 4),
        "ratio_by_kind": {
            str(kind): round(float(np.exp(ratios[kinds == kind].mean())), 4) for kind in sorted(set(kinds))
        },
        "light_classical": round(float(errors[:, 0].mean()), 5),
        "light_learned": round(float(errors[:, 1].mean()), 5),
    }
    installed = replace(model, card={**model.card, "calibration": found})
    installed.write(target)
    return installed


def _source_of(path: Path, card: Mapping[str, Any], kind: type[_Source]) -> _Source:
    """What made the frames of a training, as its card says; the usual one where there is no card.

    Raises:
        InputError: the card says something else.
    """
    if "config" not in card:
        return kind()
    config = card["config"]
    described = config.get("source") if isinstance(config, Mapping) else None
    try:
        if not isinstance(described, Mapping):
            raise InputError(f"it is {shown(described)}")
        return kind(**described)
    except (TypeError, InputError) as error:
        raise InputError(
            f"the card of {path} does not say how the frames of the training were made (config.source: {error}); "
            f"give the folder of a run or a handoff of train {'mixed' if kind is MixedTileSource else 'edges'}"
        ) from None


def _no_edges(path: Path, source: TileSource | MixedTileSource) -> InputError:
    return InputError(
        f"{path} cannot be tried: none of the frames of {source.width_px}x{source.height_px} px that its card asks for "
        "has an edge that the network looks at; train it with larger frames"
    )
