"""A model is found on this machine, or fetched, in one way for every engine."""

from pathlib import Path

import pytest

from any2bokeh.errors import InputError
from any2bokeh.models.hub import ModelUnavailable, fetch, find_on_machine, is_hub_id
from any2bokeh.models.model_files import read_json, refuse_file, weight_files

constants = pytest.importorskip("huggingface_hub.constants", reason="needs the depth or diffusion extra")


def _cached(root: Path, hub_id: str) -> Path:
    """A snapshot in a hub's cache, as its client lays it out."""
    repository = root / f"models--{hub_id.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    return snapshot


def test_a_folder_or_a_complete_snapshot_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    snapshot = _cached(tmp_path, "someone/model")
    assert find_on_machine("someone/model", is_complete=lambda folder: folder == snapshot) == snapshot
    assert find_on_machine("someone/model", is_complete=lambda _: False) is None
    assert find_on_machine("someone/else", is_complete=lambda _: True) is None
    assert find_on_machine("../up", is_complete=lambda _: True) is None
    assert find_on_machine(str(snapshot), is_complete=lambda _: False) == snapshot  # the user's own is not asked


def test_what_the_hub_does_not_give_names_the_command_and_another_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    told = r"^depth model a/b is not on this machine .*'hf download a/b', or take another$"
    with pytest.raises(ModelUnavailable, match=told):
        fetch("a/b", noun="depth model", only=("*.json",), instead="take another")


@pytest.mark.parametrize(("name", "expected"), [("owner/name-1.5", True), ("name", False), ("a/b/c", False)])
def test_ids_of_the_hub(name: str, expected: bool):
    assert is_hub_id(name) is expected


def test_only_safetensors_are_weights(tmp_path: Path):
    with pytest.raises(InputError, match=r"has no model\.safetensors; give the folder"):
        weight_files(tmp_path, "model")
    (tmp_path / "model.pth").write_bytes(b"")
    with pytest.raises(InputError, match=r"only as model\.pth, a pickle"):
        weight_files(tmp_path)
    with pytest.raises(InputError, match=r"model\.pth is a pickle"):
        refuse_file(tmp_path / "model.pth", "model")
    for shard in ("a.safetensors", "b.safetensors"):
        (tmp_path / shard).write_bytes(b"")
    index = tmp_path / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"x": "b.safetensors", "y": "a.safetensors", "z": "b.safetensors"}}')
    assert [path.name for path in weight_files(tmp_path, "model")] == ["a.safetensors", "b.safetensors"]
    (tmp_path / "b.safetensors").unlink()
    with pytest.raises(InputError, match=r"lacks b\.safetensors, which model\.safetensors\.index\.json names"):
        weight_files(tmp_path, "model")


def test_a_configuration_is_an_object(tmp_path: Path):
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(InputError, match=r"^model: .*config\.json is not a JSON object"):
        read_json(tmp_path / "config.json", "model")
