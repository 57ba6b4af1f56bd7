"""The controls beside the picture: blur, lens and render; Gradio's own, each with its unit and a word of help."""

from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from any2bokeh.app.mounted_lens import LENS_SETTINGS, NO_LENS, MountedLens
from any2bokeh.app.project import DEFAULT_BLUR, Project
from any2bokeh.app.render_work import FORMATS
from any2bokeh.optics.catalogue import lenses
from any2bokeh.optics.look import LOOK_SETTINGS
from any2bokeh.optics.setting import Setting

STRENGTH, NUMBERS = "Strength", "Lens data"
_MOST_BLUR = 100.0

_FORMAT_NAMES = {"mp4": "MP4 (H.264, HEVC)", "mov": "MOV (ProRes)", "webm": "WebM (VP9)", "mkv": "MKV (FFV1, lossless)"}
_ENGINE_NAMES = {"layered": "Layered", "diffusion": "Diffusion"}

_APERTURE = ("blades", "blade_curvature", "aperture_rotation_deg", "anamorphic_ratio")
_ABERRATIONS = ("cat_eye", "swirl", "spherical", "softness", "onion_rings", "axial_chromatic", "highlights")


@dataclass(slots=True)
class BlurControls:
    """The blur strength, as K or as lens data."""

    by: gr.Radio = field(init=False)
    strength: gr.Slider = field(init=False)
    from_here: gr.Checkbox = field(init=False)
    f_number: gr.Slider = field(init=False)
    focal_length_mm: gr.Slider = field(init=False)
    focus_distance_m: gr.Slider = field(init=False)
    by_strength: gr.Column = field(init=False)
    by_numbers: gr.Column = field(init=False)

    def __post_init__(self) -> None:
        self.by = gr.Radio([STRENGTH, NUMBERS], value=STRENGTH, label="Blur", elem_id="blur-by")
        with gr.Column(elem_classes="st-stack") as self.by_strength:
            self.strength = gr.Slider(
                0,
                _MOST_BLUR,
                value=DEFAULT_BLUR,
                step=0.5,
                label="Blur strength K (px)",
                info="Radius of the bokeh discs per unit of disparity, in a frame of 1024 px",
                elem_id="blur-strength",
            )
            self.from_here = gr.Checkbox(False, label="Only from this frame on", elem_id="blur-from-here")
        with gr.Column(visible=False, elem_classes="st-stack") as self.by_numbers:
            self.f_number = _slider(LENS_SETTINGS["f_number"])
            self.focal_length_mm = _slider(LENS_SETTINGS["focal_length_mm"])
            self.focus_distance_m = _slider(LENS_SETTINGS["focus_distance_m"])

    def outputs(self) -> list[Any]:
        return [self.strength, self.f_number, self.focal_length_mm, self.focus_distance_m]

    def shown(self, project: Project | None, frame: int) -> list[Any]:
        """Updates that bring the controls to what is decided."""
        lens = MountedLens() if project is None else project.now.lens
        strength = DEFAULT_BLUR if project is None else project.blur_at(frame)
        most = max(_MOST_BLUR, strength)
        return [
            gr.update(value=strength, maximum=most),
            *(gr.update(value=each.on_slider(getattr(lens, name))) for name, each in LENS_SETTINGS.items()),
        ]


@dataclass(slots=True)
class LensControls:
    """The look of the lens."""

    preset: gr.Dropdown = field(init=False)
    sliders: dict[str, gr.Slider] = field(init=False)

    def __post_init__(self) -> None:
        choices = [("Plain thin lens with a round aperture", NO_LENS)]
        choices += [(f"{name}: {lens.about}" if lens.about else name, name) for name, lens in lenses().items()]
        self.preset = gr.Dropdown(
            choices,
            value=NO_LENS,
            label="Lens",
            info="Sets the look of the blur, and the focal length and f-number under Lens data",
            filterable=False,
            elem_id="lens",
        )
        self.sliders = {}
        with gr.Accordion("Aperture", open=True, elem_classes="st-fold"):
            for name in _APERTURE:
                self.sliders[name] = _slider(LOOK_SETTINGS[name])
        with gr.Accordion("Aberrations and highlights", open=False, elem_classes="st-fold"):
            for name in _ABERRATIONS:
                self.sliders[name] = _slider(LOOK_SETTINGS[name])

    def outputs(self) -> list[Any]:
        return [self.preset, *self.sliders.values()]

    def shown(self, project: Project | None) -> list[Any]:
        """Updates that bring the controls to what is decided."""
        lens = MountedLens() if project is None else project.now.lens
        return [gr.update(value=lens.name)] + [
            gr.update(value=LOOK_SETTINGS[name].on_slider(getattr(lens.look, name))) for name in self.sliders
        ]


@dataclass(slots=True)
class RenderControls:
    """The engine and the format of the result."""

    engines: list[str]
    engine: gr.Radio = field(init=False)
    format: gr.Dropdown = field(init=False)
    start: gr.Button = field(init=False)

    def __post_init__(self) -> None:
        has_diffusion = "diffusion" in self.engines
        self.engine = gr.Radio(
            [(_ENGINE_NAMES[name], name) for name in self.engines],
            value="layered",
            label="Engine",
            info=None if has_diffusion else "The diffusion engine needs pip install 'any2bokeh[diffusion]'",
            elem_id="engine",
        )
        self.format = gr.Dropdown(
            [(_FORMAT_NAMES[name], name) for name in FORMATS],
            value="mp4",
            label="Format",
            filterable=False,
            elem_id="format",
        )
        self.start = gr.Button("Render the clip", variant="primary", elem_id="render")


def _slider(setting: Setting) -> gr.Slider:
    return gr.Slider(
        setting.slider_low,
        setting.slider_high,
        value=setting.on_slider(setting.default),
        step=setting.step,
        label=setting.label,
        info=setting.help,
        elem_id=setting.name.replace("_", "-"),
    )
