"""The studio over HTTP: commands in, snapshots out, pictures and files beside them.

A request names its session by a token that the studio made, and never a path. What goes wrong is told as
``{"error": sentence}``.

===========================  ================================================================
POST /api/sessions           a new session: ``{"token", "snapshot"}``
GET  /api/controls           ranges, words and choices; see ``controls.py``
GET  /api/TOKEN/snapshot     see ``snapshot.py``
GET  /api/TOKEN/events       snapshots as they change, as server-sent events
POST /api/TOKEN/command      see ``commands.py``; answers with a snapshot
GET  /api/TOKEN/picture      a frame as JPEG; ``frame`` and ``view``; ``quick`` takes what is there
GET  /api/TOKEN/draft        a frame for playing, as JPEG; 204 where it has not been made yet
GET  /api/TOKEN/proxy        the small copy of the clip ``of`` (see ``snapshot.py``), with its sound; 204 without one
GET  /api/TOKEN/strip        thumbnails of the clip in one row, as JPEG
GET  /api/TOKEN/subjects     outlines of a frame: ``followed``, ``offered``, or ``under`` a point x, y
GET  /api/TOKEN/final        a ``region`` of it in full size and final quality; soon with ``first=1``
POST /api/TOKEN/video        the body is a file, which is opened; so for ``disparity``, ``script`` and ``project``
GET  /api/TOKEN/result       the newest render, or that of number ``render``
GET  /api/TOKEN/focus.json   the focus script
GET  /api/TOKEN/project.json the project; see ``project_file.py``
GET  /api/TOKEN/projects     those of this browser that are kept
===========================  ================================================================

Where the page draws itself, it gets the messages of ``live.py``: ``live-engine``, a ``live-frame``, and while it plays
the ``live-disparity`` of ``count`` frames from ``frame`` on, ``every`` so many frames (1 unless given); 204 where their
focus is not known yet.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from any2bokeh import demo
from any2bokeh.app.commands import command_of
from any2bokeh.app.controls import controls
from any2bokeh.app.events import EventStream
from any2bokeh.app.final_frame import Superseded
from any2bokeh.app.final_region import Region
from any2bokeh.app.kept_projects import is_secret, new_secret
from any2bokeh.app.open_file import OpenFileResponse
from any2bokeh.app.picture import encoded
from any2bokeh.app.refusal import Busy, Gone, NotYet, TooLarge
from any2bokeh.app.session import Session
from any2bokeh.app.snapshot import as_json
from any2bokeh.app.studio import Studio
from any2bokeh.app.upload import display_name, receive, require_size
from any2bokeh.app.user_message import user_message
from any2bokeh.errors import InputError, require_choice, shown
from any2bokeh.project_file import MAX_BYTES

_COMMAND_BYTES = 1 << 16
_VIDEO_TYPES = {".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime", ".mkv": "video/x-matroska"}
BROWSER_HEADER = "x-any2bokeh-browser"
"""Brings what a browser finds its projects by."""
_NOT_KEPT = {"Cache-Control": "no-store"}
_BYTES = "application/octet-stream"
_MOST_PLAYED = 8  # frames in one answer: 1.8 MB at the size that is played, and 10 bytes for each mixed pixel


class Api:
    """The routes of a studio.

    Args:
        studio: its sessions.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def routes(self) -> list[Route]:
        mine = "/api/{token}/"
        return [
            Route("/demo.jpg", _demo_picture),
            Route("/demo/{name}", _demo_file),
            Route("/api/controls", self._controls),
            Route("/api/sessions", self._arrive, methods=["POST"]),
            Route(mine + "snapshot", self._snapshot),
            Route(mine + "events", self._events),
            Route(mine + "command", self._command, methods=["POST"]),
            Route(mine + "picture", self._picture),
            Route(mine + "strip", self._strip),
            Route(mine + "subjects", self._subjects),
            Route(mine + "draft", self._draft),
            Route(mine + "proxy", self._proxy),
            Route(mine + "final", self._final),
            Route(mine + "live-engine", self._live_engine),
            Route(mine + "live-frame", self._live_frame),
            Route(mine + "live-disparity", self._live_disparity),
            Route(mine + "video", self._video, methods=["POST"]),
            Route(mine + "disparity", self._disparity, methods=["POST"]),
            Route(mine + "script", self._script, methods=["POST"]),
            Route(mine + "focus.json", self._saved_script),
            Route(mine + "project", self._project, methods=["POST"]),
            Route(mine + "project.json", self._saved_project),
            Route(mine + "projects", self._projects),
            Route(mine + "result", self._result),
        ]

    def _session(self, request: Request) -> Session:
        return self._studio.session(request.path_params["token"])

    def _controls(self, request: Request) -> Response:
        return _json(controls(self._studio.settings.engines))

    def _arrive(self, request: Request) -> Response:
        given = request.headers.get(BROWSER_HEADER, "")
        secret = given if is_secret(given) else new_secret()
        session = self._studio.arrive(secret)
        return _json({"token": session.token, "browser": secret, "snapshot": session.snapshot()}, status=201)

    def _snapshot(self, request: Request) -> Response:
        return _json(self._session(request).snapshot())

    async def _events(self, request: Request) -> Response:
        return EventStream(self._session(request))

    async def _command(self, request: Request) -> Response:
        session = self._session(request)
        body = await _body(request, _COMMAND_BYTES, "the command")
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError):
            raise InputError("the command cannot be read; reload the page") from None
        await run_in_threadpool(session.run, command_of(asked))
        return _json(await run_in_threadpool(session.snapshot))

    def _picture(self, request: Request) -> Response:
        session, frame, view = self._session(request), _frame(request), request.query_params.get("view", "result")
        made = session.quick(frame) if "quick" in request.query_params else session.picture(frame, view)
        headers = _NOT_KEPT | {"X-Provisional": str(int(made.is_provisional))}
        if made.focus is not None:
            headers |= {"X-Focus": f"{made.focus.focus_disparity:.4f}", "X-Blur": f"{made.focus.blur_strength:.7g}"}
        if made.live:
            headers["X-Live"] = made.live
        return Response(made.jpeg, media_type="image/jpeg", headers=headers)

    def _strip(self, request: Request) -> Response:
        try:
            strip = self._session(request).opened().overview.strip()
        except NotYet:  # the clip has been opened anew since the page heard of its thumbnails
            return Response(status_code=204, headers=_NOT_KEPT)
        return Response(strip, media_type="image/jpeg", headers=_NOT_KEPT)

    def _subjects(self, request: Request) -> Response:
        session, frame = self._session(request), _frame(request)
        project, asked = session.opened(), request.query_params.get("which", "followed")
        require_choice("which", asked, ("followed", "offered", "under"))
        if asked == "offered":
            found = project.outlines_offered(frame)
        elif asked == "under":
            found = [project.outline_under(frame, _share(request, "x"), _share(request, "y"))]
        else:
            found = [project.followed(frame)]
        return _json({"subjects": [each for each in found if each is not None]})

    def _draft(self, request: Request) -> Response:
        jpeg = self._session(request).draft(_frame(request))
        if jpeg is None:
            return Response(status_code=204, headers=_NOT_KEPT)
        return Response(jpeg, media_type="image/jpeg", headers=_NOT_KEPT)

    def _live_engine(self, request: Request) -> Response:
        return Response(self._session(request).opened().live_engine(), media_type=_BYTES, headers=_NOT_KEPT)

    def _live_frame(self, request: Request) -> Response:
        try:
            message, known_by = self._session(request).live_frame(_frame(request))
        except NotYet:  # the page asks again when it hears of it
            return Response(status_code=204, headers=_NOT_KEPT)
        return Response(message, media_type=_BYTES, headers=_NOT_KEPT | {"X-Live": known_by})

    def _live_disparity(self, request: Request) -> Response:
        session, first, count = self._session(request), _frame(request), _whole(request, "count")
        if not 1 <= count <= _MOST_PLAYED:
            raise InputError(f"count is {count}; it must be from 1 to {_MOST_PLAYED}")
        every = _whole(request, "every", "1")
        if not 1 <= every <= _MOST_PLAYED:
            raise InputError(f"every is {every}; it must be from 1 to {_MOST_PLAYED}")
        try:
            message = session.live_disparity(range(first, first + (count - 1) * every + 1, every))
        except NotYet:  # the page asks again
            return Response(status_code=204, headers=_NOT_KEPT)
        return Response(message, media_type=_BYTES, headers=_NOT_KEPT)

    def _proxy(self, request: Request) -> Response:
        try:
            copy = self._session(request).proxy(request.query_params.get("of"))
            return OpenFileResponse(request, copy, media_type="video/mp4", headers=_NOT_KEPT)
        except (NotYet, FileNotFoundError):  # the clip has been opened anew since the page heard of its copy
            return Response(status_code=204, headers=_NOT_KEPT)

    def _final(self, request: Request) -> Response:
        asked = request.query_params.get("region", "")
        try:
            region = Region(*(float(each) for each in asked[:100].split(",")))
        except (ValueError, TypeError) as error:
            raise InputError(f"region is {shown(asked)}; it must be x0,y0,x1,y1, all from 0 to 1") from error
        view, is_first = request.query_params.get("view", "result"), request.query_params.get("first") == "1"
        try:
            made = self._session(request).final(_frame(request), view, region, is_first=is_first)
        except (Superseded, NotYet):  # the page asks again when it hears of it
            return Response(status_code=204, headers=_NOT_KEPT)
        jpeg, lies, is_provisional = made
        headers = _NOT_KEPT | {"X-Region": f"{lies.x0:.6f},{lies.y0:.6f},{lies.x1:.6f},{lies.y1:.6f}"}
        headers["X-Provisional"] = str(int(is_provisional))
        return Response(jpeg, media_type="image/jpeg", headers=headers)

    async def _video(self, request: Request) -> Response:
        session = self._session(request)
        return await self._upload(request, session, session.open_video)

    async def _disparity(self, request: Request) -> Response:
        session = self._session(request)
        return await self._upload(request, session, session.give_disparity)

    async def _script(self, request: Request) -> Response:
        session, name = self._session(request), _name(request, "focus.json")
        limit = self._studio.settings.limits.script_bytes
        text = await _text(request, limit, name, "choose a focus script (JSON)")
        await run_in_threadpool(session.load_script, text)
        return _json(await run_in_threadpool(session.snapshot))

    def _saved_script(self, request: Request) -> Response:
        headers = _NOT_KEPT | {"Content-Disposition": 'attachment; filename="focus.json"'}
        return Response(self._session(request).script_text(), media_type="application/json", headers=headers)

    async def _project(self, request: Request) -> Response:
        session, name = self._session(request), _name(request, "project.a2b.json")
        text = await _text(request, MAX_BYTES, name, "choose a project file (.a2b.json)")
        await run_in_threadpool(session.load_project, text, name)
        return _json(await run_in_threadpool(session.snapshot))

    def _saved_project(self, request: Request) -> Response:
        text, name = self._session(request).project_text()
        quoted = quote(name)
        headers = _NOT_KEPT | {"Content-Disposition": f"attachment; filename*=UTF-8''{quoted}"}
        return Response(text, media_type="application/json", headers=headers)

    def _projects(self, request: Request) -> Response:
        shelf = self._session(request).autosave.shelf
        return _json({"kept": [] if shelf is None else [asdict(offer) for offer in shelf.offers()]})

    def _result(self, request: Request) -> Response:
        session, number = self._session(request), request.query_params.get("render", "")
        is_one = number.isascii() and number.isdigit() and len(number) < 10
        job = session.renders.result(int(number)) if is_one else session.result("render")
        assert job.result is not None
        filename = job.name if "download" in request.query_params else None
        try:
            return OpenFileResponse(
                request,
                job.result,
                media_type=_VIDEO_TYPES[job.result.suffix],
                filename=filename,
                headers=_NOT_KEPT,
            )
        except FileNotFoundError:
            raise InputError(f"{job.name} has been removed; render the clip again") from None

    async def _upload(self, request: Request, session: Session, take: Callable[[Path, str], None]) -> Response:
        """Receive the body into the session's folder, under a name of ours."""
        limit, name = self._studio.settings.limits.upload_bytes, _name(request, "clip")
        require_size(request.headers.get("content-length"), limit, name)
        with session.receiving():
            path = session.new_file()
            await receive(request.stream(), path, limit_bytes=limit, name=name)
            await run_in_threadpool(take, path, name)
        return _json(await run_in_threadpool(session.snapshot))


def told(request: Request, error: Exception) -> Response:
    """What went wrong with a request, as a sentence."""
    statuses: dict[type[Exception], int] = {Gone: 404, TooLarge: 413, Busy: 429, InputError: 400}
    status = next((status for kind, status in statuses.items() if isinstance(error, kind)), 500)
    return _json({"error": user_message(error, doing="the request")}, status=status)


def _frame(request: Request) -> int:
    return _whole(request, "frame")


def _whole(request: Request, name: str, otherwise: str = "") -> int:
    asked = request.query_params.get(name, otherwise)
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        raise InputError(f"{name} is {shown(asked)}; it must be a whole number")
    return int(asked)


def _share(request: Request, name: str) -> float:
    asked = request.query_params.get(name, "")
    try:
        share = float(asked[:30])
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise InputError(f"{name} is {shown(asked)}; it must be a number from 0 to 1")
    return share


def _name(request: Request, otherwise: str) -> str:
    return display_name(request.query_params.get("name", otherwise))


async def _body(request: Request, limit_bytes: int, name: str, remedy: str = "reload the page") -> bytes:
    """A small body.

    Raises:
        TooLarge: more than the limit, whatever was told before.
    """
    body = bytearray()
    require_size(request.headers.get("content-length"), limit_bytes, name, remedy)
    async for chunk in request.stream():
        body += chunk
        require_size(str(len(body)), limit_bytes, name, remedy)
    return bytes(body)


async def _text(request: Request, limit_bytes: int, name: str, remedy: str) -> str:
    """A small file of text.

    Raises:
        TooLarge: more than the limit.
        InputError: it is no UTF-8.
    """
    body = await _body(request, limit_bytes, name, remedy)
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name} is not UTF-8 text; {remedy}") from None


def _json(content: Any, *, status: int = 200) -> Response:
    return Response(as_json(content), status, _NOT_KEPT, "application/json")


def _demo_picture(request: Request) -> Response:
    return Response(picture_of_demo(), media_type="image/jpeg", headers={"Cache-Control": "max-age=3600"})


def _demo_file(request: Request) -> Response:
    """The bundled clip and its disparity, under the names that the shown command line gives them."""
    file = {"demo.mp4": "clip.mp4", "disparity.mkv": "disparity.mkv"}.get(request.path_params["name"])
    if file is None:
        return JSONResponse({"error": "There is no such file."}, 404)
    return FileResponse(demo.CLIP_FOLDER / file, filename=request.path_params["name"])


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
