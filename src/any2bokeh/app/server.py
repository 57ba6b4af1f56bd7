"""The studio as a server: one process, no outside request, nothing left behind."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from urllib.parse import quote

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from uvicorn.protocols.http.h11_impl import H11Protocol

from any2bokeh.app.access import LOOPBACK, Access, own_address
from any2bokeh.app.guard import App, Guard, Receive, Scope, Send
from any2bokeh.app.page import is_of_page, page_routes
from any2bokeh.app.studio import Studio
from any2bokeh.errors import InputError

_CONNECTIONS = 512
_PATIENCE_S = 15.0
"""How long a connection may ask for nothing."""


def studio_app(studio: Studio, access: Access) -> App:
    """The studio as an ASGI application.

    Args:
        studio: its sessions.
        access: who is let in.
    """
    return Guard(StudioApp(studio), access)


class StudioApp:
    """The page's own files at once, and all else as soon as what makes pictures has been imported.

    Args:
        studio: its sessions.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._page = Starlette(routes=page_routes())
        self._api: Starlette | None = None
        self._importing = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_of_page(scope["path"]):
            await self._page(scope, receive, send)
            return
        api = self._api or await run_in_threadpool(self._imported)
        await api(scope, receive, send)

    def _imported(self) -> Starlette:
        with self._importing:
            if self._api is None:
                from any2bokeh.app.api import Api, told

                handlers = {InputError: told, Exception: told}
                self._api = Starlette(routes=Api(self._studio).routes(), exception_handlers=handlers)
            return self._api


class ImpatientProtocol(H11Protocol):
    """HTTP that closes connections which send no whole request for a while, so that they cannot take all places."""

    patience_s = _PATIENCE_S

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._look_again(None)

    def _look_again(self, seen: object) -> None:
        self.loop.call_later(self.patience_s, self._look, seen)

    def _look(self, seen: object) -> None:
        if self.transport.is_closing():
            return
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle and self.cycle is seen:
            self.transport.close()
        else:
            self._look_again(self.cycle)


class StudioServer(uvicorn.Server):
    """A server of a studio, which ends what its pages are being told before it waits for their connections.

    Args:
        studio: its sessions.
        access: who is let in.
        started: called once pages are answered.
    """

    def __init__(self, studio: Studio, access: Access, started: Callable[[], None] | None = None) -> None:
        self._studio, self._started = studio, started
        super().__init__(
            uvicorn.Config(
                studio_app(studio, access),  # pyright: ignore[reportArgumentType]
                log_level="warning",
                access_log=False,
                server_header=False,
                lifespan="off",
                http=ImpatientProtocol,
                ws="none",
                limit_concurrency=_CONNECTIONS,
                timeout_graceful_shutdown=3,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._started is not None:
            self._started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._studio.end_sessions()
        await super().shutdown(sockets)


def serve(studio: Studio, *, access: Access, port: int, ready: Callable[[list[str]], None] | None = None) -> None:
    """Serve until interrupted.

    Args:
        studio: its sessions.
        access: who is let in, and the address to bind to.
        port: port to bind to; 0 takes a free one.
        ready: told the links of the page when it can be opened, best first.

    Raises:
        InputError: the address or the port cannot be had.
    """
    _stay_at_home()
    bound = bind(access.host, port)
    try:
        warming_up = threading.Thread(target=_warm_up, name="any2bokeh warming up", daemon=True)
        server = StudioServer(studio, access, warming_up.start)
        bound.listen(128)
        if ready is not None:
            ready(links(access, bound.getsockname()[1]))
        with suppress(KeyboardInterrupt):  # how one closes it
            server.run(sockets=[bound])
    finally:
        bound.close()
        studio.close()


def _warm_up() -> None:
    """Import and compile what makes pictures, while the page is being opened."""
    from any2bokeh.renderers.layered.ahead import Ahead

    with closing(Ahead()) as ahead:
        ahead.begin()  # a process of its own compiles the renderer, this one what treats edges
        from any2bokeh.app.api import picture_of_demo

        picture_of_demo()


def bind(host: str, port: int) -> socket.socket:
    """A socket at an address.

    Raises:
        InputError: it is taken, not allowed, or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot listen on {host}, port {port} ({reason}); choose another --port or --host") from None
    return bound


def links(access: Access, port: int) -> list[str]:
    """What to type into a browser: for other machines first, where they are let in."""
    end = "" if access.password is None else f"?password={quote(access.password)}"
    if access.host in ("0.0.0.0", "", "::"):
        hosts = list(dict.fromkeys([*access.names, own_address(), LOOPBACK[0]]))
    else:
        hosts = [access.host]
    return [f"http://{f'[{host}]' if ':' in host else host}:{port}/{end}" for host in hosts]


def _stay_at_home() -> None:
    """Before the model hub's client is imported: no look-ups, no downloads."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["DO_NOT_TRACK"] = "1"
