"""Pictures, files and state for the page. A request names a user by their token, and never a path."""

from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from any2bokeh import demo
from any2bokeh.app.picture import encoded
from any2bokeh.app.session import Session
from any2bokeh.app.studio import Studio
from any2bokeh.app.upload import display_name, receive
from any2bokeh.app.user_message import user_message
from any2bokeh.errors import InputError

OWN_HEADER = "x-any2bokeh"
"""Browsers let other sites send a header of their own only where it is allowed, and it is nowhere."""

_STATIC = {"studio.js": "text/javascript", "studio.css": "text/css"}
_VIDEO_TYPES = {".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime", ".mkv": "video/x-matroska"}


def studio_routes(studio: Studio) -> APIRouter:
    """The routes of a studio, below ``/studio``."""
    router = APIRouter(prefix="/studio")

    @router.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in _STATIC:
            return Response(status_code=404)
        text = resources.files("any2bokeh.app").joinpath("static", name).read_text(encoding="utf-8")
        return Response(text, media_type=_STATIC[name], headers={"Cache-Control": "no-cache"})

    @router.get("/demo.jpg")
    def demo_picture() -> Response:
        return Response(picture_of_demo(), media_type="image/jpeg", headers={"Cache-Control": "max-age=3600"})

    @router.get("/{token}/state")
    def state(token: str) -> JSONResponse:
        return JSONResponse(studio.session(token).snapshot())

    @router.get("/{token}/alive")
    def alive(token: str) -> Response:
        studio.session(token)
        return Response(status_code=204)

    @router.get("/{token}/picture")
    def picture(token: str, frame: int, view: str = "result") -> Response:
        made = studio.session(token).picture(frame, view)
        headers = {"Cache-Control": "no-store", "X-Provisional": str(int(made.is_provisional))}
        if made.focus is not None:
            headers |= {"X-Focus": f"{made.focus.focus_disparity:.4f}", "X-Blur": f"{made.focus.blur_strength:.4g}"}
        return Response(made.jpeg, media_type="image/jpeg", headers=headers)

    @router.get("/{token}/result")
    def result(token: str, download: bool = False) -> Response:
        return _video(studio.session(token), "render", download)

    @router.get("/{token}/loop")
    def loop(token: str) -> Response:
        return _video(studio.session(token), "loop", False)

    @router.get("/{token}/focus.json")
    def script(token: str) -> Response:
        headers = {"Content-Disposition": 'attachment; filename="focus.json"', "Cache-Control": "no-store"}
        return Response(studio.session(token).script_text(), media_type="application/json", headers=headers)

    @router.post("/{token}/video")
    async def video(token: str, request: Request, name: str = "clip") -> JSONResponse:
        session = studio.session(token)
        return await _uploaded(request, session, display_name(name), session.open_video)

    @router.post("/{token}/disparity")
    async def disparity(token: str, request: Request, name: str = "disparity") -> JSONResponse:
        session = studio.session(token)
        return await _uploaded(request, session, display_name(name), session.give_disparity)

    @router.post("/{token}/script")
    async def load_script(token: str, request: Request, name: str = "focus.json") -> JSONResponse:
        _require_own(request)
        session, limit = studio.session(token), studio.settings.limits.script_bytes
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise InputError(f"{display_name(name)} is larger than {limit >> 10} KiB; choose a focus script (JSON)")
        try:
            text = bytes(body).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InputError(f"{display_name(name)} is not UTF-8 text; choose a focus script (JSON)") from None
        await run_in_threadpool(session.load_script, text)
        return JSONResponse({})

    async def _uploaded(
        request: Request, session: Session, name: str, take: Callable[[Path, str], None]
    ) -> JSONResponse:
        _require_own(request)
        limit = studio.settings.limits.upload_bytes
        declared = request.headers.get("content-length", "")
        with session.receiving():
            path = session.new_file()
            if declared.isdigit() and int(declared) > limit:
                raise InputError(f"{name} is larger than {limit / (1 << 30):.3g} GiB; shorten or compress it")
            await receive(request.stream(), path, limit_bytes=limit, name=name)
            await run_in_threadpool(take, path, name)
        return JSONResponse({})

    return router


def told(request: Request, error: Exception) -> JSONResponse:
    """What went wrong with a request, as a sentence; for ``FastAPI.add_exception_handler``."""
    status = 400 if isinstance(error, InputError) else 500
    return JSONResponse({"error": user_message(error, doing="the request")}, status_code=status)


def _require_own(request: Request) -> None:
    if OWN_HEADER not in request.headers:
        raise InputError("files can only be uploaded from the studio's own page")


def _video(session: Session, kind: Any, download: bool) -> Response:
    job = session.result(kind)
    assert job.result is not None
    return FileResponse(
        job.result,
        media_type=_VIDEO_TYPES[job.result.suffix],
        filename=job.name if download else None,
        headers={"Cache-Control": "no-store"},
    )


@cache
def picture_of_demo() -> bytes:
    """A frame of the demo, refocused, for the first screen."""
    from any2bokeh.disparity import open_disparity
    from any2bokeh.render_inputs import render_inputs
    from any2bokeh.renderers.base import RenderInput
    from any2bokeh.renderers.layered.reduced import layered_renderer
    from any2bokeh.video import open_source

    with open_source(demo.CLIP_FOLDER / "clip.mp4") as source:
        disparity = open_disparity(demo.CLIP_FOLDER / "disparity.mkv", clip_frame_count=source.info.frame_count)
        [frame] = source.frames(0, 1)
        given = RenderInput(frame.pixels, disparity.at(0), float(disparity.at(0).max()) * 0.9, 26.0)
        [given] = render_inputs([given])
        [pixels] = layered_renderer("draft", transfer=source.info.transfer).render([given])
    return encoded(pixels)


def unreadable(request: Request, error: Exception) -> JSONResponse:
    """A request with values that cannot be read."""
    return JSONResponse({"error": "The page asked for something that cannot be read; reload it."}, status_code=400)
