"""The page's own files over HTTP, which need nothing of what makes pictures."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from any2bokeh.app.guard import LIVE_PATH
from any2bokeh.app.static_files import static_files


def page_routes() -> list[Route]:
    """The routes of the page's own files."""
    return [
        Route("/", _page),
        Route("/static/{name}", _static),
        Route("/static/live/{name}", _static_live),
        Route(LIVE_PATH, _live),
    ]


def is_of_page(path: str) -> bool:
    """Whether one of ``page_routes`` answers a path."""
    return path in ("/", LIVE_PATH) or path.startswith("/static/")


def _page(request: Request) -> Response:
    return _of_the_page(request, "index.html")


def _static(request: Request) -> Response:
    return _of_the_page(request, request.path_params["name"])


def _static_live(request: Request) -> Response:
    return _of_the_page(request, f"live/{request.path_params['name']}")


def _of_the_page(request: Request, name: str) -> Response:
    file = static_files().get(name)
    if file is None:
        return JSONResponse({"error": "There is no such file."}, 404)
    headers = {"Cache-Control": "no-cache", "ETag": f'"{file.tag}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media_type)


def _live(request: Request) -> Response:
    return Response(status_code=204)
