"""The layered engine for a page: its shaders with the tables of a lens, and a frame, each as one message.

A message is a little-endian uint32, so many bytes of JSON, and arrays. The JSON says of each array its type, its shape,
where it begins after the JSON, and by what its integers are multiplied. ``static/live`` reads it, and draws the frame
with WebGPU.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.bands import MixedPixels
from any2bokeh.optics import footprint as footprints
from any2bokeh.optics import profile as profiles
from any2bokeh.optics import radii, vignetting
from any2bokeh.optics.aperture import ImageAperture
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.look import LOOK_SETTINGS, Look
from any2bokeh.optics.radii import LINEAR_LIMIT_PX
from any2bokeh.optics.transfer import Transfer, lookup_tables
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import backstop, bins, blocks, lamps, layers
from any2bokeh.renderers.layered.gpu import frame_passes, levels, shaders, unlayered
from any2bokeh.renderers.layered.gpu.params import LayerParams, Params
from any2bokeh.renderers.layered.gpu.unlayered import raised_by_block
from any2bokeh.renderers.layered.strips import lamps_out_of_focus
from any2bokeh.renderers.layered.surround import inner_part, with_surround

STAGES = (
    "prepare", "raise_lamps", "bounded_means", "around_blocks", "steps", "split", "find_lamps", "order_lamps",
    "take_lamps", "fill_ring", "backstops", "finish_layers", "afford_lamps", "gather", "reduce", "gather_cells",
    "gather_level", "gather_level_cells", "take_level", "shine", "finish",
)  # fmt: skip
"""The shaders that a frame goes through."""

CUT_STAGES = ("gather", "gather_cells", "gather_level_cells", "shine")
"""Those that differ where vignetting cuts shapes."""

_MOST_MASK_PX = 256  # of the longer side of a picture of an aperture; no shape that a page draws is much larger

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
        mixed: pixels that show two surfaces, their disparities on the same scale.
    """

    number: int
    focus_disparity: float
    blur_strength: float
    disparity: NDArray[np.float32]
    mixed: MixedPixels


def engine_message(look: Look, transfer: Transfer = "srgb") -> bytes:
    """What the engine needs apart from frames; tables of the lens the page makes itself.

    Args:
        look: what the lens does to light.
        transfer: how code values stand for light.

    Returns:
        A message: the WGSL sources of all stages, by name, and by name and ``/cut`` of those that vignetting cuts;
        names and kinds of the numbers that they take; constants; the look; and the arrays ``decode`` and ``encode``
        (see ``lookup_tables``), and ``mask``, the picture of the aperture, where it is one.

    Raises:
        InputError: the picture of the aperture cannot be read, or lets no light through.
    """
    aperture = look.aperture()
    decode, (encode, peak) = lookup_tables(transfer)
    header = {
        "shaders": shader_sources(),
        "params": {each.__name__: _kinds_of(each) for each in (Params, LayerParams)},
        "constants": constants(),
        "look": {name: getattr(look, name) for name in LOOK_SETTINGS},
        "transfer": {
            "peak": float(peak),
            "is_linear": transfer == "linear",
            "clips": transfer in _CLIPPED,
            "raises_lamps": transfer == "srgb",
        },
    }
    arrays = {"decode": decode, "encode": encode}
    if isinstance(aperture, ImageAperture):
        arrays["mask"] = _small(aperture.mask)
    return packed_message(header, {name: Plane(values) for name, values in arrays.items()})


def frame_message(frame: RenderInput, transfer: Transfer = "srgb") -> bytes:
    """A frame, whose focal plane and blur strength the page chooses.

    Args:
        frame: its ``focus_disparity`` and ``blur_strength`` are told, for the page to begin with.
        transfer: scene-linear pixels travel as float32, others as 8 bits, of which a screen shows no more.

    Returns:
        A message: ``window``, first and last row and column of the frame in its surround, the ends exclusive;
        ``focus_disparity`` and ``blur_strength``; and the arrays ``pixels`` ``(3, H, W)``, ``disparity`` ``(H, W)``,
        and where they are known ``mixed``, see ``_rows_of``, ``mixed_at``, the pixels that these are of, and ``seen``
        (see ``Unlayered``). Disparity has 16 bits. Where the picture has clipped lamps, ``raised`` says what light they
        had (see ``raised_by_block``).
    """
    whole, (_, rows, columns) = with_surround(frame), inner_part(frame)
    arrays = {
        "pixels": Plane(np.asarray(whole.pixels, np.float32)) if transfer == "linear" else quantised(whole.pixels, 8),
        "disparity": quantised(whole.disparity[0], 16),
    }
    mixed = whole.mixed_pixels()
    if mixed is not None:
        arrays |= {"mixed_at": Plane(mixed.at.astype(np.uint32)), "mixed": _in_16_bits(_rows_of(mixed))}
    if whole.hidden is not None and (whole.hidden.known > 0).any():
        hidden = whole.hidden
        arrays["seen"] = _planes(hidden.pixels, hidden.disparity, hidden.known)
    if transfer == "srgb":
        raised = raised_by_block(lamps_out_of_focus(whole), whole.pixels.shape[2], are_mixed=True)
        if len(raised):
            arrays["raised"] = Plane(raised)
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
        A message: ``frames``, of each its number as ``frame``, ``focus_disparity``, ``blur_strength`` and the number of
        its mixed pixels as ``mixed``; and the array ``disparity`` ``(N, H, W)`` in 8 bits, steps of which move a radius
        of 25 px by 0.1 px. Where there are mixed pixels, those of all frames follow one another in ``mixed_at`` and
        ``mixed``, see ``frame_message``, in 8 bits; those whose parts 8 bits do not tell apart are left out.
    """
    told = [_told_in_8_bits(each.mixed) for each in frames]
    header = {
        "frames": [
            {
                "frame": each.number,
                "focus_disparity": each.focus_disparity,
                "blur_strength": each.blur_strength,
                "mixed": len(at),
            }
            for each, (at, _) in zip(frames, told, strict=True)
        ]
    }
    arrays = {"disparity": quantised(np.stack([each.disparity for each in frames]), 8)}
    if any(len(at) for at, _ in told):
        arrays["mixed_at"] = Plane(np.concatenate([at for at, _ in told]))
        arrays["mixed"] = Plane(np.concatenate([rows for _, rows in told]), 1 / 255)
    return packed_message(header, arrays)


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
    """The WGSL sources of all stages, and of those of ``static/live``.

    ``take_picture`` takes a frame from a texture, ``place_mixed`` mixed pixels from a list; ``present`` draws on a
    canvas what all made.
    """
    sources = {stage: shaders.shader(stage) for stage in STAGES}
    sources |= {f"{stage}/cut": shaders.shader(stage, cuts=True) for stage in CUT_STAGES}
    folder = resources.files("any2bokeh.app").joinpath("static", "live")
    names = ("take_picture", "place_mixed", "present")
    own = {name: folder.joinpath(f"{name}.wgsl").read_text(encoding="utf-8") for name in names}
    return sources | own


def constants() -> dict[str, Any]:
    """The numbers that the engine and its stages share, by the names that they have there; and the limits of levels."""
    return {
        "TILE": frame_passes.TILE,
        "BLOCK": blocks.BLOCK,
        "CELL": backstop.CELL,
        "CELL_SAMPLES": shaders.CELL_SAMPLES,
        "EXTRA_WORDS": unlayered.EXTRA_WORDS,
        "LIMITS": {name: each._asdict() for name, each in levels.LIMITS.items()},
        "NARROW": levels.NARROW,
        "ROUND": levels.ROUND,
        "LAMP_BYTES": unlayered.LAMP_BYTES,
        "PIXELS_OF_A_LAMP": unlayered.PIXELS_OF_A_LAMP,
        "MOST_LOOKS": lamps._MOST_LOOKS,
        "LAMP_BLURRED_PX": float(lamps._BLURRED_PX[0]),
        "STEP_PX": float(layers.STEP_PX),
        "REACH_MARGIN_PX": float(layers._REACH_MARGIN_PX),
        "LINEAR_LIMIT_PX": LINEAR_LIMIT_PX,
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
        "RADII_PER_PICTURE": footprints._RADII_PER_PICTURE,
        "LEAST_STEP": footprints._LEAST_STEP,
        "RINGS": profiles._RINGS,
        "ANNULUS_SAMPLES": profiles._ANNULUS_SAMPLES,
        "KEPT_ROWS": vignetting._DISTANCES,
        "KEPT_COLUMNS": vignetting._DIRECTIONS,
        "KEPT_GRID": vignetting._GRID,
    }


def _kinds_of(params: type) -> list[tuple[str, str]]:
    """Name of each number, and ``i`` or ``f``."""
    return [(each.name, "f" if each.type is float else "i") for each in fields(params)]


def _small(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """A picture of an aperture, as small as suffices for a page."""
    height, width = mask.shape
    times = _MOST_MASK_PX / max(height, width)
    if times >= 1:
        return mask
    size = max(round(width * times), 1), max(round(height * times), 1)
    return cv2.resize(mask, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def _rows_of(mixed: MixedPixels) -> NDArray[np.float32]:
    """What is told of mixed pixels, ``(N, 6)``: alpha, near, far, and the code values of the background."""
    return np.stack([mixed.alpha, mixed.near, mixed.far, *mixed.background], axis=1)


def _told_in_8_bits(mixed: MixedPixels) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Which pixels, and their rows; those that are still of two surfaces."""
    rows = quantised(_rows_of(mixed), 8).values
    stays = (rows[:, 0] > 0) & (rows[:, 0] < 255) & (rows[:, 1] > rows[:, 2])
    return mixed.at[stays].astype(np.uint32), rows[stays]


def _planes(*values: NDArray[np.floating]) -> Plane:
    """Planes ``(N, H, W)`` in 16 bits, or as they are where they are not all in [0, 1]."""
    return _in_16_bits(np.concatenate([np.asarray(each, np.float32).reshape(-1, *each.shape[-2:]) for each in values]))


def _in_16_bits(values: NDArray[np.float32]) -> Plane:
    """Samples in 16 bits, or as they are where they are not all in [0, 1]."""
    return quantised(values, 16) if values.min() >= 0 and values.max() <= 1 else Plane(values)
