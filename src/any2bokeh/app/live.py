"""The layered engine for a page: its shaders with the tables of a lens, and a frame, each as one message.

A message is a little-endian uint32, so many bytes of JSON, and arrays. The JSON says of each array its type, its shape,
where it begins after the JSON, and by what its integers are multiplied. ``static/live`` reads it, and draws the frame
with WebGPU.
"""

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics import footprint as footprints
from any2bokeh.optics import profile as profiles
from any2bokeh.optics import radii, vignetting
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.look import LOOK_SETTINGS, Look
from any2bokeh.optics.radii import LINEAR_LIMIT_PX
from any2bokeh.optics.transfer import Transfer, lookup_tables
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import backstop, bins, blocks, layers
from any2bokeh.renderers.layered.gpu import frame_passes, levels, shaders, shapes, unlayered
from any2bokeh.renderers.layered.gpu.params import LayerParams, Params
from any2bokeh.renderers.layered.surround import inner_part, with_surround

STAGES = (
    "prepare", "bounded_means", "around_blocks", "steps", "split", "fill_ring", "backstops", "finish_layers",
    "gather", "reduce", "gather_cells", "gather_level", "take_level", "finish",
)  # fmt: skip
"""The shaders that a frame goes through."""

CUT_STAGES = ("gather", "gather_level")
"""Those that differ where vignetting cuts shapes."""


_CLIPPED: tuple[Transfer, ...] = ("srgb", "none")  # transfers whose highlights may be raised


class Plane(NamedTuple):
    """Samples as they travel.

    Attributes:
        values: of uint8, uint16, uint32 or float32.
        unit: by what they are multiplied to be samples.
    """

    values: NDArray[Any]
    unit: float = 1.0


class PlayedFrame(NamedTuple):
    """What the page needs of a frame to refocus it while the clip plays.

    Attributes:
        number: of the frame.
        focus_disparity: of the focal plane.
        blur_strength: K.
        disparity: ``(H, W)``, from which a thin lens makes the blur.
    """

    number: int
    focus_disparity: float
    blur_strength: float
    disparity: NDArray[np.float32]


def engine_message(look: Look, transfer: Transfer = "srgb") -> bytes:
    """What the engine needs apart from frames.

    Args:
        look: what the lens does to light. Lamps are not raised: ``auto`` highlights are as 0.
        transfer: how code values stand for light.

    Returns:
        A message: the WGSL sources of all stages, by name, and by name and ``/cut`` of those that vignetting cuts;
        names and kinds of the numbers that they take; constants; the lens and its look; and the arrays ``records``
        and ``table`` (see ``Shapes``), ``decode`` and ``encode`` (see ``lookup_tables``).

    Raises:
        InputError: the picture of the aperture cannot be read, or lets no light through.
    """
    aperture, profile, cut = look.aperture(), look.profile(), look.vignetting()
    table = None if cut.is_open else vignetting.vignetting_table(cut, aperture, profile, 1, 1)
    of_lens = shapes.shapes_of(aperture, profile, table)
    decode, (encode, peak) = lookup_tables(transfer)
    recovery = look.recovery()
    header = {
        "shaders": shader_sources(),
        "params": {each.__name__: _kinds_of(each) for each in (Params, LayerParams)},
        "constants": constants(),
        "lens": {
            "cuts": of_lens.cuts,
            "limits": {name: px for name, px in of_lens.limits._asdict().items() if math.isfinite(px)},
            "radii": of_lens.radii,
            "kept_at": of_lens.kept_at,
            "cat_eye": cut.cat_eye,
            "swirl": cut.swirl,
            "axial_chromatic": look.axial_chromatic,
            "gain": recovery.fixed_gain if transfer in _CLIPPED else 0.0,
            "threshold": recovery.threshold,
            "is_picture": look.aperture_image is not None,
        },
        "look": {name: getattr(look, name) for name in LOOK_SETTINGS},
        "transfer": {
            "peak": float(peak),
            "is_linear": transfer == "linear",
            "clips": transfer in _CLIPPED,
        },
    }
    arrays = {"records": of_lens.records, "table": of_lens.table, "decode": decode, "encode": encode}
    return packed_message(header, {name: Plane(values) for name, values in arrays.items()})


def frame_message(frame: RenderInput, transfer: Transfer = "srgb") -> bytes:
    """A frame, whose focal plane and blur strength the page chooses.

    Args:
        frame: its ``focus_disparity`` and ``blur_strength`` are told, for the page to begin with.
        transfer: scene-linear pixels travel as float32, others as 8 bits, of which a screen shows no more.

    Returns:
        A message: ``window``, first and last row and column of the frame in its surround, the ends exclusive;
        ``focus_disparity`` and ``blur_strength``; and the arrays ``pixels`` ``(3, H, W)``, ``disparity`` ``(H, W)``,
        and where they are known ``mixed`` and ``seen`` (see ``Unlayered``). Disparity has 16 bits.
    """
    whole, (_, rows, columns) = with_surround(frame).with_planes(), inner_part(frame)
    arrays = {
        "pixels": Plane(np.asarray(whole.pixels, np.float32)) if transfer == "linear" else quantised(whole.pixels, 8),
        "disparity": quantised(whole.disparity[0], 16),
    }
    if whole.bands is not None and (whole.bands.alpha > 0).any():
        bands = whole.bands
        arrays["mixed"] = _planes(bands.alpha, bands.near, bands.far, bands.background)
    if whole.hidden is not None and (whole.hidden.known > 0).any():
        hidden = whole.hidden
        arrays["seen"] = _planes(hidden.pixels, hidden.disparity, hidden.known)
    header = {
        "window": [rows.start, rows.stop, columns.start, columns.stop],
        "focus_disparity": float(frame.focus_disparity),
        "blur_strength": float(frame.blur_strength),
    }
    return packed_message(header, arrays)


def disparity_message(frames: Sequence[PlayedFrame]) -> bytes:
    """Frames that the page plays, whose pixels it has in the small copy of the clip.

    Args:
        frames: at least one, all of the same size.

    Returns:
        A message: ``frames``, of each its number as ``frame``, ``focus_disparity`` and ``blur_strength``; and the array
        ``disparity`` ``(N, H, W)`` in 8 bits, steps of which move a radius of 25 px by 0.1 px.
    """
    header = {
        "frames": [
            {"frame": each.number, "focus_disparity": each.focus_disparity, "blur_strength": each.blur_strength}
            for each in frames
        ]
    }
    return packed_message(header, {"disparity": quantised(np.stack([each.disparity for each in frames]), 8)})


def packed_message(header: Mapping[str, Any], arrays: Mapping[str, Plane]) -> bytes:
    """A message of a header and arrays; each array begins at a multiple of four bytes."""
    places, parts, at = {}, [], 0
    for name, (values, unit) in arrays.items():
        data = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
        places[name] = {"type": str(values.dtype), "shape": list(values.shape), "at": at, "unit": unit}
        parts.append(data.ljust(-(-len(data) // 4) * 4, b"\0"))
        at += len(parts[-1])
    text = json.dumps({**header, "arrays": places}).encode()
    text = text.ljust(-(-len(text) // 4) * 4)
    return b"".join([struct.pack("<I", len(text)), text, *parts])


def quantised(values: NDArray[np.floating], bits: int) -> Plane:
    """Samples in [0, 1] as integers of 8 or 16 bits, rounded to the nearest; what lies outside is clipped."""
    most = 2**bits - 1
    return Plane(np.rint(np.clip(values, 0, 1) * most).astype(f"uint{bits}"), 1 / most)


@lru_cache(maxsize=1)
def shader_sources() -> dict[str, str]:
    """The WGSL sources of all stages, and of ``present``, which draws what they made on a canvas."""
    sources = {stage: shaders.shader(stage) for stage in STAGES}
    sources |= {f"{stage}/cut": shaders.shader(stage, cuts=True) for stage in CUT_STAGES}
    present = resources.files("any2bokeh.app").joinpath("static", "live", "present.wgsl")
    return sources | {"present": present.read_text(encoding="utf-8")}


def constants() -> dict[str, float]:
    """The numbers that the engine and its stages share, by the names that they have there."""
    return {
        "TILE": frame_passes.TILE,
        "BLOCK": blocks.BLOCK,
        "CELL": backstop.CELL,
        "CELL_SAMPLES": shaders.CELL_SAMPLES,
        "EXTRA_WORDS": unlayered.EXTRA_WORDS,
        "RADII": shapes.RADII,
        "STEP_PX": float(layers.STEP_PX),
        "REACH_MARGIN_PX": float(layers._REACH_MARGIN_PX),
        "LINEAR_LIMIT_PX": LINEAR_LIMIT_PX,
        "SHARED_FROM_PX": levels.SHARED_FROM_PX,
        "SHARED_LEAST_PX": levels.SHARED_LEAST_PX,
        "RADIUS_STEPS_PER_PX": radii._LINEAR_STEPS_PER_PX,
        "REFERENCE_LONG_SIDE_PX": REFERENCE_LONG_SIDE_PX,
        "BIN_COUNT": bins.BIN_COUNT,
        "FOCUS_BIN": bins.FOCUS_BIN,
        "LINEAR_BINS": bins._LINEAR_BINS,
        "BINS_PER_E_FOLD": bins._BINS_PER_E_FOLD,
        "IDENTITY_RADIUS_PX": radii.IDENTITY_RADIUS_PX,
        "STEPS_PER_E_FOLD": radii._STEPS_PER_E_FOLD,
        "CHORDS": footprints._CHORDS,
        "SUBROWS": footprints._SUBROWS,
        "MOST_DISCS": footprints._MOST_DISCS,
        "RINGS": profiles._RINGS,
        "ANNULUS_SAMPLES": profiles._ANNULUS_SAMPLES,
        "KEPT_ROWS": vignetting._DISTANCES,
        "KEPT_COLUMNS": vignetting._DIRECTIONS,
        "KEPT_GRID": vignetting._GRID,
    }


def _kinds_of(params: type) -> list[tuple[str, str]]:
    """Name of each number, and ``i`` or ``f``."""
    return [(each.name, "f" if each.type is float else "i") for each in fields(params)]


def _planes(*values: NDArray[np.floating]) -> Plane:
    """Planes ``(N, H, W)`` in 16 bits, or as they are where they are not all in [0, 1]."""
    planes = np.concatenate([np.asarray(each, np.float32).reshape(-1, *each.shape[-2:]) for each in values])
    return quantised(planes, 16) if planes.min() >= 0 and planes.max() <= 1 else Plane(planes)
