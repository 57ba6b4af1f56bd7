"""The door: what is not needed is not there, and what comes from elsewhere is not let in."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "::1")

_EVENT_BYTES = 1 << 18
# Of Gradio's routes the page needs these. Its routes for files, uploads, streams and proxies are among the others:
# files go through routes.py, which knows tokens and no paths.
_OPEN = re.compile(
    r"/|/config/?|/theme\.css|/favicon\.ico|/robots\.txt|/manifest\.json|/(?:assets|static|svelte)/[\w./-]+"
    r"|/studio/.+"
    r"|/gradio_api/(?:queue/join|queue/data|run/predict|startup-events|app_id|info/?|cancel|reset/?|heartbeat/\w+)"
)
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


class Guard:
    """ASGI middleware in front of the whole studio.

    It answers 404 to every path that the page does not need, 403 to requests that another site or another name for
    this machine brought here, and 413 to events of unlikely size; and it tells browsers to load nothing from elsewhere.

    Args:
        app: what it guards.
        host: what the studio is bound to. On this machine's own address only its own names are let in.
    """

    def __init__(self, app: App, *, host: str) -> None:
        self._app = app
        self._is_local = host in LOOPBACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        status = self._refusal(scope)
        if status is not None:
            await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        is_event = scope["method"] == "POST" and scope["path"].startswith("/gradio_api/")
        await self._app(scope, _bounded(receive) if is_event else receive, with_headers)

    def _refusal(self, scope: Scope) -> int | None:
        path = scope["path"]
        if not _OPEN.fullmatch(path) or ".." in path.split("/"):
            return 404
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if self._is_local and urlsplit(f"//{host}").hostname not in LOOPBACK:
            return 403
        origin = headers.get("origin")
        if scope["method"] not in ("GET", "HEAD") and origin and urlsplit(origin).netloc != host:
            return 403
        length = headers.get("content-length", "0")
        is_event = path.startswith("/gradio_api/")
        return 413 if is_event and (not length.isdigit() or int(length) > _EVENT_BYTES) else None


def _bounded(receive: Receive) -> Receive:
    """A body of unknown length, broken off where it grows unlikely."""
    size = 0

    async def bounded() -> MutableMapping[str, Any]:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        return {"type": "http.disconnect"} if size > _EVENT_BYTES else message

    return bounded
