"""The page: its layout, and what its controls do. All that is done lies in ``session.py``."""

from collections.abc import Callable
from importlib import resources
from typing import Any

import gradio as gr

from any2bokeh.app import commands
from any2bokeh.app.commands import opened
from any2bokeh.app.controls import NUMBERS, STRENGTH, BlurControls, LensControls, RenderControls
from any2bokeh.app.session import Session, as_json
from any2bokeh.app.studio import Studio
from any2bokeh.app.user_message import user_message

TITLE = "any2bokeh studio"
HEAD = """
<meta name="description" content="Choose the focus of a video after it was shot.">
<link rel="stylesheet" href="studio/static/studio.css">
"""
_EVENTS_AT_ONCE = 8
_EVENTS_WAITING = 64


def studio_page(studio: Studio) -> gr.Blocks:
    """The page of a studio.

    Args:
        studio: its sessions.
    """
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        _part("header")
        with gr.Row(elem_id="st-columns"):
            with gr.Column(elem_id="st-left", scale=1, min_width=300):
                stage = _part("stage")
            with gr.Column(elem_id="st-right", scale=0, min_width=300), gr.Tabs(elem_id="st-tabs"):
                with gr.Tab("Focus", id="focus"):
                    blur = BlurControls()
                    _part("keyframes")
                with gr.Tab("Lens", id="lens"):
                    lens = LensControls()
                with gr.Tab("Render", id="render"):
                    render = RenderControls(["layered"] + (["diffusion"] if studio.settings.model else []))
                    _part("job")
        _part("help")
        _wire(_Wiring(studio, stage, blur, lens), page, blur, lens, render)
    page.queue(default_concurrency_limit=_EVENTS_AT_ONCE, max_size=_EVENTS_WAITING, api_open=False)
    return page


def _part(name: str) -> gr.HTML:
    """A part of the page that studio.js brings to life; its markup never changes, so Gradio never draws it anew."""
    markup = resources.files("any2bokeh.app").joinpath("static", f"{name}.html").read_text(encoding="utf-8")
    return gr.HTML(
        value="",
        html_template=markup,
        js_on_load=f"window.studio.mount('{name}', element, props, (data) => trigger('edit', data), watch);",
        apply_default_css=False,
        elem_id=f"st-{name}",
        head='<script src="studio/static/studio.js"></script>',
    )


class _Wiring:
    """What happens when something on the page is used."""

    def __init__(self, studio: Studio, stage: gr.HTML, blur: BlurControls, lens: LensControls) -> None:
        self._studio, self._blur, self._lens = studio, blur, lens
        self.stage = stage
        self.everything = [stage, *blur.outputs(), *lens.outputs()]

    def arrive(self, request: gr.Request) -> list[Any]:
        """A page has been opened."""
        session, message = None, ""
        try:
            session = self._studio.arrive(str(request.session_hash))
        except Exception as error:
            message = user_message(error, doing="opening the page")
        return self._all_shown(session, message)

    def leave(self, request: gr.Request) -> None:
        """A page has been closed, or its connection has."""
        self._studio.leave(str(request.session_hash))

    def edit(self, request: gr.Request, event: gr.EventData) -> list[Any]:
        """A command from the picture, the timeline or the list of keyframes; afterwards everything is drawn again."""
        session, message = None, ""
        try:
            session = self._studio.arrive(str(request.session_hash))
            commands.run(session, event._data)
        except Exception as error:
            message = user_message(error, doing="the edit")
        return self._all_shown(session, message)

    def everywhere(self, act: Callable[..., None]) -> Callable[..., list[Any]]:
        """A change of a control that may change others, too."""

        def done(request: gr.Request, *values: Any) -> list[Any]:
            return self._all_shown(*self._done(act, request, values))

        return done

    def here(self, act: Callable[..., None]) -> Callable[..., str]:
        """A change of a control that changes no other: sliders must not be moved while they are dragged."""

        def done(request: gr.Request, *values: Any) -> str:
            return _state(*self._done(act, request, values))

        return done

    def _done(
        self, act: Callable[..., None], request: gr.Request, values: tuple[Any, ...]
    ) -> tuple[Session | None, str]:
        session = None
        try:
            session = self._studio.arrive(str(request.session_hash))
            with session.lock:
                act(session, *values)
        except Exception as error:
            return session, user_message(error, doing="the edit")
        return session, ""

    def _all_shown(self, session: Session | None, message: str) -> list[Any]:
        project = session.project if session is not None else None
        frame = 0 if project is None else project.frame
        return [_state(session, message), *self._blur.shown(project, frame), *self._lens.shown(project)]


def _wire(wiring: _Wiring, page: gr.Blocks, blur: BlurControls, lens: LensControls, render: RenderControls) -> None:
    quick: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    everywhere: dict[str, Any] = quick | {"outputs": wiring.everything}
    dragged: dict[str, Any] = quick | {"outputs": [wiring.stage], "trigger_mode": "always_last"}

    page.load(wiring.arrive, **everywhere)
    page.unload(wiring.leave)
    wiring.stage.edit(wiring.edit, **everywhere)

    blur.by.input(
        lambda by: (gr.update(visible=by == STRENGTH), gr.update(visible=by == NUMBERS)),
        [blur.by],
        [blur.by_strength, blur.by_numbers],
        **quick,
    )
    blur.strength.input(
        wiring.here(
            lambda session, strength, from_here: opened(session).blur(
                strength, frame=opened(session).frame if from_here else None
            )
        ),
        [blur.strength, blur.from_here],
        **dragged,
    )
    for name in ("f_number", "focal_length_mm", "focus_distance_m"):
        slider = getattr(blur, name)
        slider.input(
            wiring.here(lambda session, value, name=name: opened(session).blur_of_lens(**{name: value})),
            [slider],
            **dragged,
        )
    for name, slider in lens.sliders.items():
        slider.input(
            wiring.here(lambda session, value, name=name: opened(session).change_look(**{name: value})),
            [slider],
            **dragged,
        )
    lens.preset.input(
        wiring.everywhere(lambda session, name: opened(session).take_lens(name)), [lens.preset], **everywhere
    )
    render.start.click(
        wiring.here(lambda session, engine, format: session.render(engine=engine, format=format)),
        [render.engine, render.format],
        outputs=[wiring.stage],
        **quick,
    )


def _state(session: Session | None, message: str = "") -> str:
    return as_json(({} if session is None else session.snapshot()) | {"message": message})
