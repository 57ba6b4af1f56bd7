"""Depth models in place of the rough estimate: which are offered, and a download that is a process of its own."""

import threading
from pathlib import Path

import pytest

from any2bokeh.app.depth_download import ModelDownloads, are_usable, offered
from any2bokeh.app.session import Session
from any2bokeh.errors import InputError
from tests.app.conftest import HANGS_AFTER_S

needs_packages = pytest.mark.skipif(not are_usable(), reason="needs torch, transformers and the hub's client")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub's client in a process that is started now; no hub can be reached."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    return tmp_path / "hub" / "hub"


def fetched(name: str) -> tuple[ModelDownloads, list[str]]:
    downloads, ended, done = ModelDownloads(), threading.Event(), list[str]()

    def told() -> None:
        if downloads.newest is not None and downloads.newest.state != "running":
            ended.set()

    downloads.start(name, told=told, done=done.append)
    assert ended.wait(HANGS_AFTER_S)
    return downloads, done


def test_what_is_offered_may_be_used_for_anything():
    models = offered()
    assert "small" in models
    assert all(each.is_permissive and each.size_mb for each in models.values())


@needs_packages
def test_without_a_network_the_reason_is_told(cache: Path):
    downloads, done = fetched("small")
    assert downloads.newest is not None
    assert (downloads.newest.state, done) == ("failed", [])
    assert "Depth-Anything-V2-Small-hf is not on this machine" in downloads.newest.message


@needs_packages
def test_what_is_on_the_machine_is_used_at_once(cache: Path):
    model = cache / f"models--{offered()['small'].hub_id.replace('/', '--')}"
    snapshot = model / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("0" * 40)
    for name in ("config.json", "preprocessor_config.json", "model.safetensors"):
        (snapshot / name).write_text("{}")
    (snapshot / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    downloads, done = fetched("small")
    assert downloads.newest is not None
    assert (downloads.newest.state, done) == ("done", ["small"]), downloads.newest


@pytest.mark.parametrize("name", ["large", "/etc/passwd", "someone/else", "", "rough"])
def test_nothing_else_can_be_asked_for(session: Session, name: str):
    session.open_demo()
    with pytest.raises(InputError, match="depth model is"):
        session.get_depth_model(name)
