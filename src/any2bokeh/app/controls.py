"""What the page draws its sliders and lists from: the tables that the command line is made from, too."""

from typing import Any

from any2bokeh.app.depth_download import are_usable, is_here, offered
from any2bokeh.app.mounted_lens import LENS_SETTINGS, NO_LENS
from any2bokeh.app.project import DEFAULT_BLUR
from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.disparity.edges.choice import offered_treatments
from any2bokeh.optics.catalogue import lenses
from any2bokeh.optics.look import LOOK_SETTINGS
from any2bokeh.optics.setting import Setting
from any2bokeh.project_file import FORMATS

_MOST_BLUR = 100.0

_FORMAT_NAMES = {"mp4": "MP4 (H.264, HEVC)", "mov": "MOV (ProRes)", "webm": "WebM (VP9)", "mkv": "MKV (FFV1, lossless)"}
_ENGINE_NAMES = {"layered": "Layered", "diffusion": "Diffusion"}
_EDGE_NAMES: dict[EdgeTreatment, str] = {
    "auto": "Automatic",
    "classical": "Classical",
    "learned": "Learned",
    "off": "Off (disparity as it is)",
}

_LAMPS_BY_HAND = 8.0
"""The gain that a choice by hand begins with."""

_APERTURE = ("blades", "blade_curvature", "aperture_rotation_deg", "anamorphic_ratio")


def controls(engines: list[str]) -> dict[str, Any]:
    """Ranges, words and choices of everything that can be set beside the picture.

    Args:
        engines: that this studio has.
    """
    others = [name for name in LOOK_SETTINGS if name not in (*_APERTURE, "highlight_threshold")]
    return {
        "blur": {
            "name": "blur_strength",
            "label": "Blur strength K (px)",
            "help": "Radius of the bokeh discs per unit of disparity, in a frame of 1024 px",
            "low": 0,
            "high": _MOST_BLUR,
            "step": 0.5,
            "default": DEFAULT_BLUR,
        },
        "numbers": [_slider(each) for each in LENS_SETTINGS.values()],
        "looks": [
            {
                "title": "Aperture",
                "is_open": True,
                "sliders": [_slider(LOOK_SETTINGS[name]) for name in _APERTURE],
            },
            {
                "title": "Aberrations and highlights",
                "is_open": False,
                "sliders": [_slider(LOOK_SETTINGS[name]) for name in others],
            },
        ],
        "lenses": [
            {"name": NO_LENS, "label": "Plain thin lens with a round aperture"},
            *(
                {"name": name, "label": f"{name}: {each.about}" if each.about else name}
                for name, each in lenses().items()
            ),
        ],
        "edges": [{"name": name, "label": _EDGE_NAMES[name]} for name in offered_treatments()],
        "formats": [{"name": name, "label": _FORMAT_NAMES[name]} for name in FORMATS],
        "depth_is_usable": are_usable(),
        "depth_models": [
            {
                "name": name,
                "hub_id": model.hub_id,
                "size": _size(model.size_mb or 0),
                "licence": model.licence,
                "output": model.output,
                "is_here": is_here(model),
            }
            for name, model in offered().items()
        ],
        "engines": [{"name": name, "label": _ENGINE_NAMES[name]} for name in engines],
    }


def _size(size_mb: int) -> str:
    return f"{size_mb} MB" if size_mb < 1000 else f"{size_mb / 1000:.1f} GB"


def _slider(setting: Setting) -> dict[str, Any]:
    return {
        "name": setting.name,
        "label": setting.label,
        "help": setting.help,
        "low": setting.slider_low,
        "high": setting.slider_high,
        "step": setting.step,
        "default": setting.on_slider(setting.default),
        **({"choice": _lamps(setting.word)} if setting.word else {}),
    }


def _lamps(automatic: str) -> dict[str, Any]:
    """The choice beside a slider of which a word may take the place. The last stands for every other number."""
    return {
        "label": "Lamps",
        "options": [
            {"value": 0, "label": "As recorded"},
            {"value": automatic, "label": "Automatic"},
            {"value": _LAMPS_BY_HAND, "label": "By hand"},
        ],
    }
