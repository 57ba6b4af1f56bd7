"""Files over HTTP, in whole and in ranges, and after they were removed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from any2bokeh.app.open_file import OpenFileResponse

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(CONTENT)
    return path


def scope(method: str = "GET", **headers: str) -> dict[str, Any]:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "headers": named, "path": "/", "query_string": b""}


def answer_to(asked: dict[str, Any], path: Path, *, then_remove: bool = False) -> tuple[int, dict[str, str], bytes]:
    response = OpenFileResponse(Request(asked), path, media_type="video/mp4", headers={"Cache-Control": "no-store"})
    if then_remove:
        path.unlink()
    told: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def receive() -> Any:
        await asyncio.sleep(60)

    asyncio.run(response(asked, receive, send))
    headers = {name.decode(): value.decode() for name, value in told[0]["headers"]}
    assert headers["content-type"] == "video/mp4"
    assert headers["cache-control"] == "no-store"
    return told[0]["status"], headers, b"".join(each["body"] for each in told[1:])


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-", 0, len(CONTENT)),
        ("bytes=1000-1999", 1000, 2000),
        ("bytes=70000-", 70000, len(CONTENT)),
        ("bytes=-10", len(CONTENT) - 10, len(CONTENT)),
        (f"bytes=5-{len(CONTENT) * 2}", 5, len(CONTENT)),
        (f"bytes=-{len(CONTENT) * 2}", 0, len(CONTENT)),
    ],
)
def test_a_range_is_answered_with_its_bytes(asked: str, start: int, stop: int, file: Path):
    status, headers, body = answer_to(scope(range=asked), file)
    assert (status, body) == (206, CONTENT[start:stop])
    assert headers["content-range"] == f"bytes {start}-{stop - 1}/{len(CONTENT)}"
    assert headers["content-length"] == str(stop - start)


@pytest.mark.parametrize("asked", ["", "bytes=", "bytes=-", "bytes=9-3", "bytes=1-2,5-6", "lines=1-2", "bytes=-1-2"])
def test_other_ranges_are_answered_with_all_bytes(asked: str, file: Path):
    status, headers, body = answer_to(scope(range=asked) if asked else scope(), file)
    assert (status, body) == (200, CONTENT)
    assert headers["content-length"] == str(len(CONTENT))


@pytest.mark.parametrize("asked", [f"bytes={len(CONTENT)}-", f"bytes={len(CONTENT) + 7}-", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused_with_the_size(asked: str, file: Path):
    status, headers, body = answer_to(scope(range=asked), file)
    assert (status, headers["content-range"], body) == (416, f"bytes */{len(CONTENT)}", b"")


def test_a_range_of_another_file_is_answered_with_all_bytes(file: Path):
    tag = answer_to(scope(), file)[1]["etag"]
    assert answer_to(scope(range="bytes=1-2", if_range=tag), file)[0] == 206
    assert answer_to(scope(range="bytes=1-2", if_range='"of another"'), file)[::2] == (200, CONTENT)


@pytest.mark.skipif("sys.platform == 'win32'", reason="Windows removes no file that is open")
def test_a_file_that_is_removed_is_sent_to_its_end(file: Path):
    status, headers, body = answer_to(scope(range="bytes=7-"), file, then_remove=True)
    assert (status, headers["content-length"], body) == (206, str(len(CONTENT) - 7), CONTENT[7:])


def test_the_head_alone_tells_the_size(file: Path):
    status, headers, body = answer_to(scope("HEAD"), file)
    assert (status, headers["content-length"], body) == (200, str(len(CONTENT)), b"")


def test_an_empty_file_has_no_bytes(tmp_path: Path):
    (tmp_path / "empty").touch()
    assert answer_to(scope(), tmp_path / "empty")[::2] == (200, b"")
    assert answer_to(scope(range="bytes=0-"), tmp_path / "empty")[0] == 416
