"""The studio as a server: one process, no outside request, nothing left behind."""

import os
import socket
import threading
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from any2bokeh.app.studio import Studio
from any2bokeh.errors import InputError


def studio_app(studio: Studio, *, host: str = "127.0.0.1") -> Any:
    """The studio as an ASGI application; its files are removed when it shuts down.

    Args:
        studio: its sessions.
        host: what it will be bound to; see ``Guard``.
    """
    _stay_at_home()
    import gradio as gr
    from fastapi import FastAPI
    from fastapi.exceptions import RequestValidationError

    from any2bokeh.app.guard import Guard
    from any2bokeh.app.page import HEAD, studio_page
    from any2bokeh.app.routes import studio_routes, told, unreadable
    from any2bokeh.app.theme import studio_theme

    @asynccontextmanager
    async def lifespan(app: FastAPI):
        try:
            yield
        finally:
            studio.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(studio_routes(studio))
    app.add_exception_handler(InputError, told)  # pyright: ignore[reportArgumentType]
    app.add_exception_handler(Exception, told)
    app.add_exception_handler(RequestValidationError, unreadable)  # pyright: ignore[reportArgumentType]
    gr.mount_gradio_app(
        app,
        studio_page(studio),
        path="/",
        theme=studio_theme(),
        head=HEAD,
        allowed_paths=[],
        blocked_paths=["/"],
        max_file_size=1,
        show_error=False,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
    )
    return Guard(app, host=host)


def serve(studio: Studio, *, host: str, port: int, ready: Callable[[str], None] | None = None) -> None:
    """Serve until interrupted.

    Args:
        studio: its sessions.
        host: address to bind to.
        port: port to bind to; 0 takes a free one.
        ready: told the address of the page when it can be opened.

    Raises:
        InputError: the address or the port cannot be had.
    """
    bound = bind(host, port)
    try:
        app = studio_app(studio, host=host)
        import uvicorn

        from any2bokeh.app.routes import picture_of_demo

        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=3, lifespan="on", server_header=False
        )
        server = uvicorn.Server(config)
        bound.listen(128)
        threading.Thread(target=picture_of_demo, name="any2bokeh warming up", daemon=True).start()
        if ready is not None:
            ready(address(host, bound.getsockname()[1]))
        with suppress(KeyboardInterrupt):  # how one closes it
            server.run(sockets=[bound])
    finally:
        bound.close()
        studio.close()


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


def address(host: str, port: int) -> str:
    """What to type into a browser."""
    shown = (
        "127.0.0.1" if host in ("0.0.0.0", "") else "[::1]" if host == "::" else f"[{host}]" if ":" in host else host
    )
    return f"http://{shown}:{port}"


def _stay_at_home() -> None:
    """Before Gradio and the model hub's client are imported: no analytics, no look-ups, no downloads."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["DO_NOT_TRACK"] = "1"
