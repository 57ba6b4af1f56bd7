"""A hub on this machine: what its client asks over HTTP of a repository, answered from a folder."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
"""What the newest commit is called; every other one has the same files."""

_REVISION = "(?:main|[0-9a-f]{40})"


@contextmanager
def hub_of(repositories: dict[str, Path]) -> Iterator[tuple[str, list[str]]]:
    """Serve folders as repositories under their ids; gives the address, and the names of files that were sent."""
    sent: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _answer(self, *, with_body: bool) -> None:
            listing = re.fullmatch(rf"/api/models/([^/]+/[^/]+?)(?:/revision/{_REVISION})?(\?.*)?", self.path)
            tree = re.fullmatch(rf"/api/models/([^/]+/[^/]+)/tree/{_REVISION}/?(\?.*)?", self.path)
            file = re.fullmatch(rf"/([^/]+/[^/]+)/resolve/{_REVISION}/([\w.-]+)", self.path)
            asked = re.search(r"[0-9a-f]{40}", self.path)
            self._commit = asked[0] if asked else COMMIT
            if listing and listing[1] in repositories:
                files = [{"rfilename": each.name} for each in sorted(repositories[listing[1]].iterdir())]
                self._send(json.dumps({"id": listing[1], "sha": self._commit, "siblings": files}).encode(), with_body)
            elif tree and tree[1] in repositories:
                files = [_entry(each) for each in sorted(repositories[tree[1]].iterdir())]
                self._send(json.dumps(files).encode(), with_body)
            elif file and file[1] in repositories and (repositories[file[1]] / file[2]).is_file():
                if with_body:
                    sent.append(file[2])
                self._send((repositories[file[1]] / file[2]).read_bytes(), with_body)
            else:
                self.send_error(404)

        def _send(self, body: bytes, with_body: bool) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json" if self.path.startswith("/api/") else "text/plain")
            self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
            self.send_header("X-Repo-Commit", self._commit)
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    def _entry(file: Path) -> dict[str, object]:
        content = file.read_bytes()
        return {"type": "file", "path": file.name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", sent
    finally:
        server.shutdown()
        server.server_close()
