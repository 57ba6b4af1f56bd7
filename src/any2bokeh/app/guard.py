"""The door: every request passes it before anything of the studio sees it."""

from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from secrets import compare_digest
from typing import Any
from urllib.parse import parse_qs, urlsplit

from any2bokeh.app.access import Access

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OWN_HEADER = "x-any2bokeh"
"""Browsers let other sites send a header of their own only where it is allowed, and it is nowhere."""

LIVE_PATH = "/live"
"""Answers 204 to anyone who may name the host: whether the studio runs, and nothing of it."""

_METHODS = ("GET", "HEAD", "POST")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors "
)
_LOCKED = (
    b"<!doctype html><html lang=en><meta charset=utf-8><title>any2bokeh studio</title>"
    b"<h1>This studio needs its link</h1><p>Open the link that the studio printed when it was started; it ends in "
    b"?password= and the password."
)


class Guard:
    """ASGI middleware in front of the whole studio.

    It refuses requests under a name that is not the studio's (DNS rebinding), requests that another site brought here,
    commands and uploads that do not come from the studio's own page, and browsers that did not come by the link where
    there is a password; and it tells browsers to load and run nothing but the studio's own files.

    Args:
        app: what it guards.
        access: who is let in.
    """

    def __init__(self, app: App, access: Access) -> None:
        self._app, self._access = app, access
        framed_by = " ".join(access.framed_by) or "'none'"
        self._headers = [
            (b"content-security-policy", (_POLICY + framed_by).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), display-capture=()"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers]
            await send(message)

        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        status = self._refusal(scope, headers)
        if status is not None:
            await _answer(with_headers, status)
        elif scope["path"] == LIVE_PATH or self._has_password(headers):
            await self._app(scope, receive, with_headers)
        elif scope["path"] == "/" and self._brings_password(scope):
            await _answer(with_headers, 303, [(b"location", b"."), (b"set-cookie", self._cookie().encode())])
        else:
            await _answer(with_headers, 401, [(b"content-type", b"text/html; charset=utf-8")], _LOCKED)

    def _refusal(self, scope: Scope, headers: dict[str, list[str]]) -> int | None:
        """The status of what no password would let in."""
        if scope["method"] not in _METHODS:
            return 405
        hosts, origins = headers.get("host", []), headers.get("origin", [])
        if len(hosts) != 1 or not self._access.knows_host(hosts[0]):
            return 403
        if any(_netloc(origin) != hosts[0] for origin in origins):
            return 403
        # Browsers say where a request comes from. Links to the page may be followed from anywhere.
        site = headers.get("sec-fetch-site", ["none"])[0]
        is_visit = scope["path"] == "/" and headers.get("sec-fetch-mode", [""])[0] == "navigate"
        if site not in ("same-origin", "none") and not (is_visit and scope["method"] == "GET"):
            return 403
        if scope["method"] == "POST" and OWN_HEADER not in headers:
            return 403
        return None

    def _has_password(self, headers: dict[str, list[str]]) -> bool:
        if self._access.password is None:
            return True
        try:
            crumbs = SimpleCookie("; ".join(headers.get("cookie", [])))
        except CookieError:
            return False
        crumb = crumbs.get(self._access.cookie_name)
        return crumb is not None and compare_digest(crumb.value.encode(), self._access.cookie.encode())

    def _brings_password(self, scope: Scope) -> bool:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("password", [""])[0]
        return compare_digest(given.encode(), (self._access.password or "").encode())

    def _cookie(self) -> str:
        return f"{self._access.cookie_name}={self._access.cookie}; Path=/; HttpOnly; SameSite=Strict"


def _netloc(origin: str) -> str:
    """Host and port of an origin; nothing of what is none."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return ""
    return parts.netloc if parts.scheme in ("http", "https") else ""


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]] | None = None, body: bytes = b"") -> None:
    told = [*(headers or []), (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body})
