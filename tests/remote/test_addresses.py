"""Inputs and results at addresses, on the command line; ``memory://`` and ``file://`` need no server."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from any2bokeh.cli.main import run
from any2bokeh.remote.address import Address, address_of
from tests import clips

fsspec: Any = pytest.importorskip(
    "fsspec", reason="the package fsspec is not installed: pip install 'any2bokeh[remote]'"
)

OPTIONS = ["--focus", "0.9", "--blur", "8"]
FRAMES = 16


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A store with a clip and its disparity, and a folder for copies, which is empty again in the end."""
    files = fsspec.filesystem("memory")
    clips.write_clip(tmp_path / "clip.mp4", frames=FRAMES)
    clips.write_disparity(tmp_path / "maps", stop=FRAMES)
    files.put(str(tmp_path / "clip.mp4"), "/store/clip.mp4")
    files.put(str(tmp_path / "maps"), "/store/maps", recursive=True)
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    yield files
    assert [each.name for each in copies.iterdir() if each.name.startswith("a2b-stage")] == []
    files.rm("/store", recursive=True)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("s3://bucket/a/b.mp4", "s3://bucket/a/b.mp4"),
        (Path("s3://bucket/a/b.mp4"), "s3://bucket/a/b.mp4"),
        (Path("file:///tmp/a.mp4"), "file:///tmp/a.mp4"),
        (Path("sftp://host:22/a.mp4"), "sftp://host:22/a.mp4"),
        ("C:\\clips\\a.mp4", None),
        ("C:/clips/a.mp4", None),
        ("clips/a.mp4", None),
        ("/clips/a:/b.mp4", None),
    ],
)
def test_what_is_an_address(given: str | Path, address: str | None):
    assert address_of(given) == address


@pytest.mark.parametrize("more", [[], ["--resume", "--segment-frames", "8"]])
def test_clip_disparity_and_result_at_addresses(
    store: Any, tmp_path: Path, more: list[str], capsys: pytest.CaptureFixture[str]
):
    here = [str(tmp_path / "clip.mp4"), "--disparity", str(tmp_path / "maps"), "-o", str(tmp_path / "out.mp4")]
    assert run(["refocus", *here, *OPTIONS, *more]) == 0
    capsys.readouterr()
    there = ["memory://store/clip.mp4", "--disparity", "memory://store/maps", "-o", "memory://store/out.mp4"]
    assert run(["refocus", *there, *OPTIONS, *more, "--json"]) == 0
    assert store.cat("/store/out.mp4") == (tmp_path / "out.mp4").read_bytes()
    assert sorted(store.ls("/store", detail=False)) == ["/store/clip.mp4", "/store/maps", "/store/out.mp4"]
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert "memory://store/out.mp4" in json.dumps(told)
    assert "a2b-stage" not in json.dumps(told)
    assert run(["refocus", *there, *OPTIONS]) == 2
    assert "output memory://store/out.mp4 exists; pass --overwrite" in capsys.readouterr().err


def test_images_and_what_is_beside_them_are_sent_to_a_folder(store: Any, tmp_path: Path):
    out = (tmp_path / "results" / "frames").as_uri()
    there = ["memory://store/clip.mp4", "--disparity", "memory://store/maps", "-o", out, "--aov", "coc"]
    assert run(["refocus", *there, *OPTIONS]) == 0
    assert len(list((tmp_path / "results" / "frames").glob("*.png"))) == FRAMES
    assert len(list((tmp_path / "results" / "frames-aov").rglob("*.exr"))) == FRAMES
    assert sorted(each.name for each in (tmp_path / "results").iterdir()) == ["frames", "frames-aov"]


def test_a_failed_render_leaves_nothing_and_names_addresses(store: Any, capsys: pytest.CaptureFixture[str]):
    good = store.cat("/store/maps/00012.png")
    store.pipe("/store/maps/00012.png", good[:-40])
    there = ["memory://store/clip.mp4", "--disparity", "memory://store/maps", "-o", "memory://store/out.mp4", *OPTIONS]
    for more in ([], ["--resume"]):
        assert run(["refocus", *there, *more]) == 2
        told = capsys.readouterr().err
        assert "memory://store/maps" in told
        assert "a2b-stage" not in told
    assert sorted(store.ls("/store", detail=False)) == ["/store/clip.mp4", "/store/maps"]


def test_segments_that_were_kept_are_fetched_and_gone_in_the_end(store: Any, monkeypatch: pytest.MonkeyPatch):
    from any2bokeh import refocusing

    there = ["memory://store/clip.mp4", "--disparity", "memory://store/maps", "-o", "memory://store/out.mp4", *OPTIONS]
    more = ["--resume", "--segment-frames", "8"]
    render, rendered = refocusing.SegmentedSink.write, []

    def interrupted(self: Any, frame: Any, pixels: Any) -> None:
        rendered.append(frame.index)
        if len(rendered) == 12:
            raise KeyboardInterrupt
        render(self, frame, pixels)

    monkeypatch.setattr(refocusing.SegmentedSink, "write", interrupted)
    assert run(["refocus", *there, *more]) == 130
    assert "segment-00000000" in {Path(name).name for name in store.ls("/store/out.mp4.parts", detail=False)}
    assert run(["refocus", *there, *more]) == 0
    assert rendered == [*range(12), *range(8, 16)]
    assert sorted(store.ls("/store", detail=False)) == ["/store/clip.mp4", "/store/maps", "/store/out.mp4"]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("memory://store/none.mp4", "memory://store/none.mp4 cannot be read"),
        ("nothing://store/clip.mp4", "nothing://store/clip.mp4 is no address that can be reached"),
    ],
)
def test_an_address_with_nothing_is_told_in_one_line(
    store: Any, address: str, told: str, capsys: pytest.CaptureFixture[str]
):
    code = run(["refocus", address, "--disparity", "memory://store/maps", "-o", "memory://store/out.mp4", *OPTIONS])
    error = capsys.readouterr().err
    assert code == 2
    assert told in error
    assert error.count("\n") == 1


def test_files_of_an_address_are_known_by_their_names(store: Any):
    assert len(Address("memory://store/maps").files()) == FRAMES
    assert list(Address("memory://store/clip.mp4").files()) == [""]
    assert Address("memory://store/nothing").files() == {}
