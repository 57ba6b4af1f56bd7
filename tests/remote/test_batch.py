"""A batch whose clips, maps and results lie at addresses."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from any2bokeh.cli.main import run
from tests import clips

fsspec: Any = pytest.importorskip(
    "fsspec", reason="the package fsspec is not installed: pip install 'any2bokeh[remote]'"
)

OPTIONS = ["--focus", "0.9", "--blur", "8", "--disparity", "memory://store/maps/{folder}/{stem}", "--json"]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two clips and one that is none, with maps of their own; no copy is left in the end."""
    files = fsspec.filesystem("memory")
    clip = clips.write_clip(tmp_path / "clip.mp4", frames=8)
    maps = clips.write_disparity(tmp_path / "maps", stop=8)
    for place in ("rushes/a", "rushes/day/b"):
        files.put(str(clip), f"/store/{place}.mp4")
        files.put(str(maps), f"/store/maps/{place.removeprefix('rushes/')}", recursive=True)
    files.pipe("/store/rushes/bad.mp4", b"no video")
    monkeypatch.setenv("ANY2BOKEH_ONE_PROCESS", "1")  # another process has another memory://
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    yield files
    assert [each.name for each in copies.iterdir() if each.name.startswith("a2b-stage")] == []
    files.rm("/store", recursive=True)


def results(store: Any) -> dict[str, bytes]:
    return {name: store.cat(name) for name in store.find("/store/out")}


def test_a_tree_at_an_address(store: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    given = ["batch", "memory://store/rushes", "-o", "memory://store/out", *OPTIONS]
    assert run(given) == 3
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    told = told["result"]
    assert "a2b-stage" not in json.dumps(told)
    assert {each["clip"]: each["state"] for each in told["clips"]} == {
        "memory://store/rushes/a.mp4": "rendered",
        "memory://store/rushes/bad.mp4": "failed",
        "memory://store/rushes/day/b.mp4": "rendered",
    }
    first = results(store)
    names = ["a.mp4", "a.mp4.made.json", "day/b.mp4", "day/b.mp4.made.json", "report.json"]
    assert list(first) == [f"/store/out/{name}" for name in names]
    assert b"a2b-stage" not in first["/store/out/report.json"]
    here = ["refocus", str(tmp_path / "clip.mp4"), "--disparity", str(tmp_path / "maps"), "--focus", "0.9"]
    assert run([*here, "--blur", "8", "-o", str(tmp_path / "a.mp4"), "--resume"]) == 0
    assert first["/store/out/a.mp4"] == (tmp_path / "a.mp4").read_bytes()

    assert run(given) == 3
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    assert (told["rendered"], told["kept"], told["failed"]) == (0, 2, 1)

    store.pipe("/store/out/a.mp4", b"somebody else's")
    assert run(given) == 3
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    assert (told["rendered"], told["kept"], told["failed"]) == (0, 1, 2)
    assert "memory://store/out/a.mp4 exists already, and no batch has made it" in json.dumps(told)
    assert store.cat("/store/out/a.mp4") == b"somebody else's"


def test_a_pattern_at_an_address_and_results_here(store: Any, tmp_path: Path):
    assert run(["batch", "memory://store/rushes/*/*.mp4", "-o", str(tmp_path / "out"), *OPTIONS]) == 0
    assert (tmp_path / "out" / "day" / "b.mp4").is_file()
