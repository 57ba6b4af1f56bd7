"""Gates of a network, from whole frames that its training never saw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.classical import FirstLook
from any2bokeh.disparity.edges.learned.clues import Clues
from any2bokeh.disparity.edges.learned.decision import Gates, Judgement, confirmed, decided
from any2bokeh.disparity.edges.learned.network import corrections
from any2bokeh.disparity.edges.learned.weights import EdgeModel
from any2bokeh.optics.transfer import srgb_decode
from any2bokeh.training.edges.tiles import (
    CALIBRATION,
    SHARE,
    SHARE_WEIGHT,
    WRONG,
    WRONG_WEIGHT,
    TileSource,
    is_wrong,
    targets_of,
)

_RIGHT = 0.02  # weighted share of a band that is wrong, up to which a map counts as right
_PIXEL_GATES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
_BETTER = 0.9  # of the error of the classical shares and colours, below which those of the network are taken
_CLASSICAL = 0.4  # weight of the classical estimator's log odds; chosen on traced clips
_DOUBT = 0.011  # chosen with the next: exact frames with hair that pass it are few, and the network leaves those alone
_EDGE_DOUBT = 0.028  # exact traced clips reach 0.030, but for one, and begin at 0.032 in their maps of level I
_ABOVE = 1.05  # how far above the largest of the right maps that it is asked of the gate of a frame stands
_LEAST_GATE = 0.03


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """A frame, whether the network is asked of it and what it says, and how much of its bands is wrong."""

    truth: Any
    look: FirstLook
    clues: Clues
    is_asked: bool
    judgement: Judgement
    targets: NDArray[np.float32]
    wrong: float


def calibrated(model: EdgeModel, source: TileSource, frames: int) -> tuple[Gates, dict[str, Any]] | None:
    """Gates, and how they came about; None where no frame has an edge that the network looks at.

    The gate of a frame stands above what the network says of every right map that it is asked of (each frame has a
    right one), and a lower one above what it says of those where colours confirm it; that of a pixel where least of the
    bands is wrong afterwards. The gate of doubt and the weight of the classical estimator are not chosen with these
    frames: they are made as those of the training were, with more hair than most have, and the network needs no second
    opinion of them.

    Args:
        model: the network.
        source: of the frames.
        frames: how many, from ``CALIBRATION`` on.
    """
    truths = [source.frame(CALIBRATION + number) for number in range(frames)]
    judged = [each for truth in truths if (each := _judged(model, truth))]
    if not judged:
        return None
    exact = [each for truth in truths if (each := _judged(model, _with_exact_map(truth)))]
    right = [each for each in (*exact, *judged) if each.wrong <= _RIGHT]
    asked = [each for each in right if each.is_asked]
    gate = _above([each.judgement.frame_wrong for each in asked])
    confirmed_gate = _above([each.judgement.frame_wrong for each in asked if _is_confirmed(each, gate)])
    left = {pixel: _left_wrong(judged, Gates(gate, pixel, classical=_CLASSICAL)) for pixel in _PIXEL_GATES}
    best = min(left, key=lambda pixel: left[pixel][0])
    of_network, of_classical = (_mixing_error(judged, Gates(gate, best, mixes, _CLASSICAL)) for mixes in (True, False))
    gates = Gates(gate, best, of_network < _BETTER * of_classical, _CLASSICAL, _DOUBT, confirmed_gate, _EDGE_DOUBT)
    opened = [each for each in judged if each.is_asked and each.judgement.frame_wrong >= gate]
    off, classical = left[best]
    return gates, {
        "frames": len(judged),
        "right_frames": len(right),
        "asked_right_frames": len(asked),
        "opened_frames": len(opened),
        "wrong_given": round(float(np.mean([each.wrong for each in judged])), 4),
        "wrong_classical": round(classical, 4),
        "wrong_learned": round(off, 4),
        "light_classical": round(of_classical, 5),
        "light_learned": round(of_network, 5),
    }


def _above(of_right: Sequence[float]) -> float:
    """A gate above what the network says of right maps."""
    return round(min(max(_ABOVE * max(of_right, default=0.0), _LEAST_GATE), 0.9), 4)


def _is_confirmed(each: _Judged, gate: float) -> bool:
    gates = Gates(gate, pixel=0.0, classical=_CLASSICAL, confirmed=0.0)
    truth, judgement = each.truth, each.judgement
    return confirmed(truth.given, truth.pixels, each.look, each.clues, judgement, gates).is_confirmed


def _with_exact_map(truth: Any) -> Any:
    return replace(truth, given=truth.disparity, enlarged=False)


def _judged(model: EdgeModel, truth: Any) -> _Judged | None:
    look = FirstLook.of(truth.given, truth.pixels, truth.enlarged)
    if look is None:
        return None
    clues = Clues.of_look(truth.given, look, enlarged=truth.enlarged)
    judgement = Judgement.of(clues, corrections(model.shape, model.weights, clues.cells, clues.values))
    targets = targets_of(truth, clues)
    weight = targets[..., WRONG_WEIGHT]
    wrong = float((targets[..., WRONG] * weight).sum() / max(weight.sum(), 1))
    say = 1.0 if look.is_off else Gates(doubt=_DOUBT, edge_doubt=_EDGE_DOUBT).say(look)
    return _Judged(truth, look, clues, say > 0, judgement, targets, wrong)


def _left_wrong(judged: Sequence[_Judged], gates: Gates) -> tuple[float, float]:
    """Mean weighted share of bands that is wrong: of what ``learned`` makes of frames, and of classical maps."""
    shares: list[tuple[float, float]] = []
    for each in judged:
        if each.is_asked and each.judgement.frame_wrong >= gates.frame:
            found = decided(each.truth.given, each.truth.pixels, each.clues, each.judgement, gates).disparity[0]
        else:
            found = each.clues.classical.disparity[0]
        shares.append((_wrong(found, each), _wrong(each.clues.classical.disparity[0], each)))
    learned, classical = np.mean(shares, axis=0)
    return float(learned), float(classical)


def _mixing_error(judged: Sequence[_Judged], gates: Gates) -> float:
    """Mean error, over the bands, of the light that the nearer surface adds to each pixel."""
    errors: list[float] = []
    for each in judged:
        band = each.clues.band & (each.targets[..., SHARE_WEIGHT] > 0)
        if not band.any():
            continue
        found = decided(each.truth.given, each.truth.pixels, each.clues, each.judgement, gates)
        light = srgb_decode(each.truth.pixels[:, band])
        is_near = 2 * found.disparity[0][band] > each.clues.near[band] + each.clues.far[band]
        alpha = found.alpha[band]
        added = np.where(alpha > 0, alpha * srgb_decode(found.foreground[:, band]), is_near * light)
        share = each.targets[..., SHARE][band]
        true = np.where((share > 0) & (share < 1), share * srgb_decode(each.truth.foreground[:, band]), share * light)
        errors.append(float(np.abs(added - true).mean()))
    return float(np.mean(errors)) if errors else 0.0


def _wrong(disparity: NDArray[np.float32], of: _Judged) -> float:
    weight = of.targets[..., SHARE_WEIGHT]
    return float((is_wrong(disparity, of.truth, of.clues) * weight).sum() / max(weight.sum(), 1))
