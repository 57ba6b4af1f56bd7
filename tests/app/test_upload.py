import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from any2bokeh.app.settings import Limits
from any2bokeh.app.upload import display_name, open_video, receive, suffix_of
from any2bokeh.errors import InputError
from tests.app.conftest import write_video


async def in_chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def test_file_arrives_whole(tmp_path: Path):
    asyncio.run(receive(in_chunks(b"ab", b"cd"), tmp_path / "file", limit_bytes=4, name="x"))
    assert (tmp_path / "file").read_bytes() == b"abcd"


@pytest.mark.parametrize(("chunks", "named"), [((b"ab", b"cde"), "larger than 4 bytes"), ((), "empty")])
def test_nothing_stays_of_a_file_that_is_refused(tmp_path: Path, chunks: tuple[bytes, ...], named: str):
    with pytest.raises(InputError, match=named):
        asyncio.run(receive(in_chunks(*chunks), tmp_path / "file", limit_bytes=4, name="x"))
    assert list(tmp_path.iterdir()) == []


def test_nothing_stays_of_a_file_that_breaks_off(tmp_path: Path):
    async def broken() -> AsyncIterator[bytes]:
        yield b"ab"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(receive(broken(), tmp_path / "file", limit_bytes=4, name="x"))
    assert list(tmp_path.iterdir()) == []


def test_no_file_is_overwritten(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        asyncio.run(receive(in_chunks(b"ab"), tmp_path / "file", limit_bytes=4, name="x"))


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAYLIST,
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<?xml version='1.0'?><MPD></MPD>",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
        b"#!/bin/sh\n",
        b"\x89PNG\r\n\x1a\n" + bytes(16),
        b"PK\x03\x04" + bytes(16),
        b"RIFF\x00\x00\x00\x00WAVE" + bytes(8),
        b"\x00" * 32,
        b"ftyp" + bytes(28),
        b"",
    ],
    ids=lambda content: repr(content[:8]),
)
@pytest.mark.parametrize("kind", ["video", "disparity"])
def test_only_containers_that_hold_pictures_reach_ffmpeg(tmp_path: Path, content: bytes, kind):
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"notes\.mp4"):
        suffix_of(path, kind=kind, name="notes.mp4")


def test_containers_are_known_by_their_first_bytes(tmp_path: Path):
    for suffix in (".mp4", ".mkv", ".avi"):
        write_video(tmp_path / f"clip{suffix}", frames=2)
        path = (tmp_path / f"clip{suffix}").rename(tmp_path / "upload")
        assert suffix_of(path, kind="video", name="x") == suffix


def test_messages_name_the_file_and_not_its_place(tmp_path: Path):
    path = tmp_path / "upload-1.mp4"
    path.write_bytes(write_video(tmp_path / "clip.mp4").read_bytes()[:3000])
    with pytest.raises(InputError, match=r"holiday\.mp4") as caught:
        open_video(path, Limits(), name="holiday.mp4")
    assert str(tmp_path) not in str(caught.value)
    assert "upload-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("limits", "named"), [(Limits(frame_count=5), "6 frames"), (Limits(long_side_px=100), "192x108")]
)
def test_large_videos_are_refused(tmp_path: Path, limits: Limits, named: str):
    with pytest.raises(InputError, match=named):
        open_video(write_video(tmp_path / "clip.mp4", frames=6), limits, name="x")


@given(st.text())
def test_names_are_shown_and_nothing_else(name: str):
    shown = display_name(name)
    assert shown
    assert len(shown) <= 80
    assert not set(shown) & set("/\\<>\"'\0\n\r;&")
    assert not shown.startswith(".")


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\clips\\a b.mov", "a b.mov"),
        ("<img src=x>.mp4", "img srcx.mp4"),
        ("..", "clip"),
        ("Über-Clip (2).mp4", "Über-Clip (2).mp4"),
    ],
)
def test_names_for_people(given_name: str, shown: str):
    assert display_name(given_name) == shown
