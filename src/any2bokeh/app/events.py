"""Snapshots of a session as they change, sent to its pages as server-sent events."""

import asyncio
import threading
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from any2bokeh.app.snapshot import as_json

if TYPE_CHECKING:
    from any2bokeh.app.session import Session

_AT_MOST_EVERY_S = 0.15
# The time left of a render passes without anything being told.
_WHILE_BUSY_S = 1.0
# Something must be sent for a broken connection to be noticed, and for proxies to keep it.
_HEARTBEAT_S = 15.0


class Changes:
    """Counts what happens in any thread, so that coroutines can wait for the next."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def tell(self) -> None:
        """Something has changed."""
        with self._lock:
            self.count += 1
            for loop, event in self._waiting:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(event.set)

    async def after(self, count: int, timeout_s: float) -> None:
        """Wait until more than ``count`` changes have been told, or so long."""
        mine = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            if self.count > count:
                return
            self._waiting.add(mine)
        try:
            await asyncio.wait_for(mine[1].wait(), timeout_s)
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiting.discard(mine)


class EventStream(Response):
    """All snapshots of a session from now on; the session counts as looked at while it lasts.

    Args:
        session: whose.
    """

    media_type = "text/event-stream"

    def __init__(self, session: "Session") -> None:
        self._session = session
        super().__init__(headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._session.join()
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            tasks = [asyncio.ensure_future(each) for each in (_tell(self._session, send), _has_gone(receive))]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
            for error in ended:
                if isinstance(error, Exception) and not isinstance(error, OSError):
                    raise error
        finally:
            self._session.leave()
        await send({"type": "http.response.body", "body": b""})


async def _has_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _tell(session: "Session", send: Send) -> None:
    sent = -1
    while not session.is_closed:
        count = session.changes.count
        snapshot = await run_in_threadpool(session.snapshot)
        is_new = snapshot["number"] > sent
        sent = snapshot["number"]
        line = b"data: " + as_json(snapshot).encode() if is_new else b": still here"
        await send({"type": "http.response.body", "body": line + b"\n\n", "more_body": True})
        await session.changes.after(count, _WHILE_BUSY_S if session.is_busy else _HEARTBEAT_S)
        await asyncio.sleep(_AT_MOST_EVERY_S)
