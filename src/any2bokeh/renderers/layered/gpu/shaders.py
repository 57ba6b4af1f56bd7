"""The shaders: files in ``wgsl/``, before each the constants that it shares with the kernels of the CPU."""

import math
from functools import lru_cache
from pathlib import Path

from any2bokeh.optics import highlights, radii, vignetting
from any2bokeh.renderers.layered import backstop, bins, blocks, border, cpu, lamps, layers, lit_edges, surroundings

FOLDER = Path(__file__).parent / "wgsl"

CELL_SAMPLES = 4
"""Of a cell of a level: surfaces that are kept apart."""


def constants(*, parts: int = 1, cuts: bool = False, codes_16: bool = False) -> str:
    """Constants of the shaders as WGSL, from those of the kernels.

    Args:
        parts: 1 for the picture, 3 where what is near, in focus and far is kept apart.
        cuts: whether vignetting cuts shapes.
        codes_16: whether what is uploaded, and the picture, have 16 bits a sample, not 32.
    """
    integers = {
        "BIN_COUNT": bins.BIN_COUNT,
        "FOCUS_BIN": bins.FOCUS_BIN,
        "BLOCK": blocks.BLOCK,
        "CELL_SAMPLES": CELL_SAMPLES,
        "KEPT_ROWS": vignetting._DISTANCES,
        "KEPT_COLUMNS": vignetting._DIRECTIONS,
        "CELL": backstop.CELL,
        "MIX_RADIUS": layers.MIX_RADIUS,
        "STENCIL": layers._STENCIL,
        "SPOT_PX": border._SPOT_PX,
        "PARTS": parts,
    }
    flags = {
        "SPLIT": layers.SPLIT,
        "HIDDEN": layers.HIDDEN,
        "BESIDE_STEP": layers.BESIDE_STEP,
        "LIT": layers.LIT,
        "USES_CUT": int(cuts),
        "CODES_16": int(codes_16),
    }
    numbers = {
        "LINEAR_BINS": bins._LINEAR_BINS,
        "BINS_PER_E_FOLD": bins._BINS_PER_E_FOLD,
        "IDENTITY_RADIUS_PX": radii.IDENTITY_RADIUS_PX,
        "RADIUS_STEPS_PER_PX": radii._LINEAR_STEPS_PER_PX,
        "LEAST_COVERAGE": cpu.LEAST_COVERAGE,
        "LEAST_TO_FILL": cpu.LEAST_TO_FILL,
        "UNTOUCHED": cpu.UNTOUCHED,
        "LEAST_SURROUNDINGS": surroundings.LEAST_SURROUNDINGS,
        "AT_BORDER": border._AT_BORDER,
        "FAR_OUT": border._FAR_OUT,
        "OUT_PX": border._OUT_PX,
        "LAMP": border._LAMP,
        "SURELY_LAMP": border._SURELY_LAMP,
        "FIRST_REPEATED": border._FIRST_REPEATED,
        "SECOND_REPEATED": border._SECOND_REPEATED,
        "TEXTURE": border._TEXTURE,
        "MOST_MISSING": border._MOST_MISSING,
        "CUT_FROM_PX": vignetting._CUT_FROM_PX,
        "CUT_WHOLLY_PX": vignetting._CUT_WHOLLY_PX,
        "FINE_UP_TO_PX": vignetting.FINE_UP_TO_PX,
        "SHARP_PX": highlights._SHARP_PX,
        "SPREAD_PX": highlights._SPREAD_PX,
        "MOST_OF_MEAN": surroundings._MOST_OF_MEAN,
        "TIMES_SURROUNDINGS": surroundings.TIMES_SURROUNDINGS,
        "FADE_OVER_RADIUS": border._OVER_RADIUS,
        "FADE_MOST_PX": border._MOST_PX,
        "STEP_PX": layers.STEP_PX,
        "MIX_RANGE_MARGIN": layers._MIX_RANGE_MARGIN,
        "MIX_GRAIN": layers._MIX_GRAIN,
        "MIX_LEAST_CONTRAST": layers._MIX_LEAST_CONTRAST,
        "MIX_MOST_FOREGROUND": layers._MIX_MOST_FOREGROUND,
        "REACH_MARGIN_PX": layers._REACH_MARGIN_PX,
        "SAME_SURFACE": layers._SAME_SURFACE,
        "MOST_HIDDEN": layers._MOST_HIDDEN,
        "STILL_WHITE": layers._STILL_WHITE,
        "STENCIL_GROWTH": layers._STENCIL_GROWTH,
        "BACKSTOP_MARGIN_PX": backstop.MARGIN_PX,
        "LEAST_SLACK_PX": backstop._LEAST_SLACK_PX,
        "SLACK": backstop._SLACK,
        "ALIKE_PX": backstop._ALIKE_PX,
        "PI": math.pi,
        "LINEAR_LIMIT_PX": radii.LINEAR_LIMIT_PX,
        "STEPS_PER_E_FOLD": radii._STEPS_PER_E_FOLD,
        "LAMP_BLURRED_PX": lamps._BLURRED_PX[0],
        "LAMP_SURELY_BLURRED_PX": lamps._BLURRED_PX[1],
        "LAMP_LEAST_BRIGHTNESS": lamps._LEAST_BRIGHTNESS * math.pi,
        "LIT_LEAST_FOREGROUND": lit_edges._LEAST_FOREGROUND,
        "LIT_MOST_FOREGROUND": lit_edges._MOST_FOREGROUND,
        "LEAST_VISIBLE": lamps.LEAST_VISIBLE,
        "ALIKE": lamps._ALIKE,
        "IN_FOCUS_PX": lamps.IN_FOCUS_PX,
    }
    lines = [f"const {name} = {value};" for name, value in integers.items()]
    lines += [f"const {name} = {value}u;" for name, value in flags.items()]
    lines += [f"const {name} = f32({float(value)!r});" for name, value in numbers.items()]
    return "\n".join(lines) + "\n"


@lru_cache(maxsize=64)
def shader(stage: str, *, parts: int = 1, cuts: bool = False, codes_16: bool = False) -> str:
    """The whole source of a stage: what its line ``// uses:`` names comes before it."""
    text = (FOLDER / f"{stage}.wgsl").read_text(encoding="utf-8")
    uses = next(line for line in text.splitlines() if line.startswith("// uses: ")).removeprefix("// uses: ")
    sources = [
        constants(parts=parts, cuts=cuts, codes_16=codes_16)
        if name == "constants"
        else (FOLDER / f"{name}.wgsl").read_text("utf-8")
        for name in uses.split(", ")
    ]
    return "\n".join([*sources, text])
