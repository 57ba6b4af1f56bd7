"""Tiny detectors put where the published ones would lie."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from any2bokeh.models.onnx_file import OnnxFile
from any2bokeh.subject.detection import faces, people
from tests.subject.detection.tiny_onnx import write_humanseg, write_yunet


@pytest.fixture
def tiny_detectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """YuNet and PP-HumanSeg are in the hub's cache: tiny ones, with checksums of their own."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub-home"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    for module, name, write in ((faces, "YUNET", write_yunet), (people, "HUMANSEG", write_humanseg)):
        content = write(tmp_path / f"{name}.onnx").read_bytes()
        published = replace(getattr(module, name), sha256=sha256(content).hexdigest(), size_bytes=len(content))
        monkeypatch.setattr(module, name, published)
        put_in_cache(tmp_path / "hub-home", published, content)


def put_in_cache(home: Path, published: OnnxFile, content: bytes) -> None:
    """Lay out a snapshot with the file, as the hub's client does."""
    folder = home / "hub" / f"models--{published.hub_id.replace('/', '--')}" / "snapshots" / published.revision
    folder.mkdir(parents=True)
    (folder / published.file).write_bytes(content)
