"""A file over HTTP that is served whole, whatever becomes of its name meanwhile."""

import os
import re
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_CHUNK_BYTES = 1 << 16
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class OpenFileResponse(StreamingResponse):
    """The bytes of a file, or the range of them that is asked for.

    The file is opened here, not when its bytes are sent: until then, another request may have removed it, and then the
    answer would end before the length that it told.

    Args:
        request: which is answered.
        path: of the file.
        media_type: of its content.
        headers: of the response.
        filename: what a browser that saves it calls it; None shows it in place.

    Raises:
        FileNotFoundError: it is not there any more.
    """

    def __init__(
        self, request: Request, path: Path, *, media_type: str, headers: dict[str, str], filename: str | None = None
    ) -> None:
        self._file = path.open("rb")
        status = os.fstat(self._file.fileno())
        size, modified = status.st_size, formatdate(status.st_mtime, usegmt=True)
        tag = f'"{status.st_ino:x}-{status.st_mtime_ns:x}-{size:x}"'
        told = headers | {"Accept-Ranges": "bytes", "Last-Modified": modified, "ETag": tag}
        if filename is not None:
            quoted = quote(filename)
            named = f'filename="{filename}"' if quoted == filename else f"filename*=utf-8''{quoted}"
            told["Content-Disposition"] = f"attachment; {named}"
        code, sent = 200, range(size)
        asked = _asked_range(request.headers.get("range", ""), size)
        if asked is not None and request.headers.get("if-range", tag) in (tag, modified):
            code, sent = (206, asked) if asked else (416, asked)
            told["Content-Range"] = f"bytes {asked.start}-{asked.stop - 1}/{size}" if asked else f"bytes */{size}"
        told["Content-Length"] = str(len(sent))
        super().__init__(self._chunks(range(0) if request.method == "HEAD" else sent), code, told, media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            await super().__call__(scope, receive, send)

    def _chunks(self, sent: range) -> Iterator[bytes]:
        self._file.seek(sent.start)
        left = len(sent)
        while left:
            chunk = self._file.read(min(_CHUNK_BYTES, left))
            if not chunk:
                raise EOFError(f"{self._file.name} became shorter while it was sent")
            left -= len(chunk)
            yield chunk


def _asked_range(asked: str, size: int) -> range | None:
    """The bytes that a header asks for, empty beyond the end; None for what is not one range, which gets all bytes."""
    match = _RANGE.fullmatch(asked.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return range(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1 if last else size, size))
