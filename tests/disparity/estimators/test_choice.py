"""Which estimator a name stands for: folders, the hub's cache, licences, and what happens where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.disparity.estimators import open_estimator
from any2bokeh.disparity.estimators.registry import DEFAULT_MODEL, KNOWN_MODELS, find_model
from any2bokeh.disparity.rough.estimator import RoughEstimator
from any2bokeh.errors import InputError
from any2bokeh.models.hub import ModelUnavailable
from any2bokeh.models.licence import is_permissive, stated_licence
from any2bokeh.subject.seed import ClipSeed
from tests.disparity.estimators.models import write_hub_cache

Frames = list[NDArray[np.float32]]


@pytest.fixture
def hub_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HF_HOME of the test's own."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    return tmp_path / "hf"


def test_the_default_is_permissive_and_names_are_unique():
    assert DEFAULT_MODEL.is_permissive
    names = [name for model in KNOWN_MODELS for name in (model.short_name, model.hub_id.lower())]
    assert len(names) == len(set(names))
    assert not {"auto", "rough"} & set(names)


def test_a_recorded_folder_loads_by_id_offline(hub_home: Path, frames: Frames):
    snapshot = write_hub_cache(hub_home, "someone/tiny-depth", card="---\nlicense: mit\n---\n")
    estimator = open_estimator("someone/tiny-depth")
    assert (estimator.name, estimator.licence) == ("someone/tiny-depth", "mit")
    assert len(list(estimator.maps(frames))) == 3
    assert snapshot.is_dir()


@pytest.mark.parametrize("choice", ["auto", "small", "Small", DEFAULT_MODEL.hub_id])
def test_the_default_model_is_found_in_the_cache(hub_home: Path, frames: Frames, choice: str):
    write_hub_cache(hub_home, DEFAULT_MODEL.hub_id)
    estimator = open_estimator(choice)
    assert (estimator.name, estimator.licence, estimator.caveat) == (DEFAULT_MODEL.hub_id, "apache-2.0", None)


def test_auto_without_a_model_is_rough_and_says_so(hub_home: Path):
    estimator = open_estimator("auto", seed=ClipSeed(point=(0.2, 0.3)))
    assert isinstance(estimator, RoughEstimator)
    assert estimator.seed == ClipSeed(point=(0.2, 0.3))
    assert estimator.caveat is not None
    assert "\n" not in estimator.caveat
    for word in ("rough", DEFAULT_MODEL.hub_id, "any2bokeh models get small", "--disparity"):
        assert word in estimator.caveat


@pytest.mark.parametrize("name", ["rough", "auto", "small"])
def test_a_folder_called_like_a_name_does_not_hide_it(
    hub_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    if name == "small":
        with pytest.raises(ModelUnavailable, match=DEFAULT_MODEL.hub_id):
            open_estimator(name, notice=told.append)
    else:
        assert isinstance(open_estimator(name, notice=told.append), RoughEstimator)
    assert told == [f"depth model {name} is taken by its name; the folder called {name} would be ./{name}"]
    with pytest.raises(InputError, match=r"config\.json"):  # it holds no model
        open_estimator(f"./{name}")


def test_rough_by_name_says_that_it_is_rough():
    assert "rough" in (open_estimator("rough").caveat or "")


def test_a_model_that_is_not_to_be_had_names_every_remedy(hub_home: Path):
    with pytest.raises(ModelUnavailable) as caught:
        open_estimator("someone/tiny-depth")
    message = str(caught.value)
    assert "\n" not in message
    for word in ("someone/tiny-depth", "any2bokeh models get someone/tiny-depth", "--disparity", "--depth-model rough"):
        assert word in message


def test_a_cache_entry_without_weights_counts_as_none(hub_home: Path):
    snapshot = write_hub_cache(hub_home, "someone/tiny-depth", card="---\nlicense: mit\n---\n")
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match="no safetensors of depth model someone/tiny-depth are here"):
        open_estimator("someone/tiny-depth")


@pytest.mark.parametrize("name", ["nonsense", "a/b/c", "../up", "http://x/y", ""])
def test_what_is_no_id(name: str):
    with pytest.raises(InputError):
        open_estimator(name if name else "/")


def test_a_file_is_no_model(tmp_path: Path):
    (tmp_path / "weights.pth").write_bytes(b"")
    with pytest.raises(InputError, match="is a pickle; only safetensors"):
        open_estimator(str(tmp_path / "weights.pth"))


@pytest.mark.parametrize("card", ["---\nlicense: cc-by-nc-4.0\n---\n", "# no head\n", None])
def test_a_licence_that_does_not_allow_any_use_needs_a_word(hub_home: Path, card: str | None):
    write_hub_cache(hub_home, "someone/tiny-depth", card=card)
    with pytest.raises(InputError, match=r"has the licence (cc-by-nc-4\.0|not stated), .*--allow-noncommercial"):
        open_estimator("someone/tiny-depth")
    assert open_estimator("someone/tiny-depth", allow_noncommercial=True).name == "someone/tiny-depth"


def test_a_known_model_under_a_closed_licence_is_refused_before_any_download(hub_home: Path):
    with pytest.raises(InputError, match=r"Depth-Anything-V2-Large-hf has the licence cc-by-nc-4\.0"):
        open_estimator("large")


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("---\nlicense: apache-2.0\ntags:\n- depth\n---\n# Model\nlicense: wrong\n", "apache-2.0"),
        ("---\nlicense: other\nlicense_name: apple-amlr\n---\n", "apple-amlr"),
        ("---\ntags: x\n---\nlicense: mit\n", None),
    ],
)
def test_licence_of_a_card(tmp_path: Path, card: str, expected: str | None):
    (tmp_path / "README.md").write_text(card)
    assert stated_licence(tmp_path) == expected


def test_permissive_licences():
    assert is_permissive("Apache-2.0")
    assert not is_permissive("apple-amlr")
    assert not is_permissive("not stated")
    assert find_model("DEPTH-ANYTHING/depth-anything-v2-small-HF") is DEFAULT_MODEL


def test_no_network_is_told(tmp_path: Path):
    """A hub that refuses connections; HF_HUB_OFFLINE is not set."""
    code = "from any2bokeh.disparity.estimators import open_estimator; open_estimator('someone/tiny')"
    env = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=300)
    assert "ModelUnavailable: depth model someone/tiny is not on this machine" in done.stderr
