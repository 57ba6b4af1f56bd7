"""Snapshots of a session as they change, sent to its pages as server-sent events."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

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


class EventStream(StreamingResponse):
    """All snapshots of a session from now on; the session counts as looked at while it lasts.

    Args:
        session: whose.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session
        super().__init__(_events(session), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._session.join()
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._session.leave()


async def _events(session: "Session") -> AsyncIterator[bytes]:
    sent = -1
    while not session.is_closed:
        count = session.changes.count
        snapshot = await run_in_threadpool(session.snapshot)
        if snapshot["number"] > sent:
            sent = snapshot["number"]
            yield b"data: " + as_json(snapshot).encode() + b"\n\n"
        else:
            yield b": still here\n\n"
        await session.changes.after(count, _WHILE_BUSY_S if session.is_busy else _HEARTBEAT_S)
        await asyncio.sleep(_AT_MOST_EVERY_S)
