"""Models listed, fetched from a hub on this machine, and tried on the bundled clip."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.disparity.estimators.registry import DEFAULT_MODEL, KNOWN_MODELS
from tests.cli.conftest import Outcome, RunCli
from tests.disparity.estimators.test_choice import hub_home
from tests.subject.detection.at_hand import tiny_detectors

__all__ = ["hub_home", "tiny_detectors"]

pytest.importorskip("transformers", reason="needs the depth extra")
from tests.disparity.estimators.models import write_hub_cache, write_model
from tests.models.hub_stand_in import hub_of


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Depth Anything with a card."""
    folder = write_model(tmp_path_factory.mktemp("model") / "tiny")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    for unwanted in (".gitattributes", "weights.pth"):  # which are never fetched
        (folder / unwanted).write_text("")
    return folder


def run_at(address: str, home: Path, code_or_command: list[str]) -> Outcome:
    """A process whose hub is at an address: the hub's client reads that when it is imported."""
    env = os.environ | {"HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0"}
    done = subprocess.run([sys.executable, *code_or_command], capture_output=True, text=True, check=False, env=env)
    return Outcome(done.returncode, done.stdout, done.stderr)


def test_the_list_has_every_depth_model_and_what_comes_with_the_package(cli: RunCli, hub_home: Path):
    rows = {row["name"]: row for row in cli("models", "--json").result["models"]}
    assert [name for name, row in rows.items() if row["for"] == "depth"] == [each.short_name for each in KNOWN_MODELS]
    assert {name for name, row in rows.items() if row["here"]} == {"compact", "edges"}
    assert rows["compact"]["size_mb"] == pytest.approx(18, rel=0.1)
    assert {row["for"] for row in rows.values()} == {
        "depth", "tracking", "text", "faces", "people", "diffusion", "edges",
    }  # fmt: skip
    write_hub_cache(hub_home, DEFAULT_MODEL.hub_id)
    outcome = cli("models")
    assert (outcome.code, outcome.err) == (0, "")
    lines = {line.split()[0]: line for line in outcome.out.splitlines()}
    assert " yes " in lines["small"]
    assert " no " in lines["base"]
    assert "390 MB" in lines["base"]
    assert "not known" in lines["depth-pro"]


def test_a_model_is_fetched_and_its_licence_told_first(model: Path, tmp_path: Path):
    get = ["-m", "any2bokeh", "models", "get", "small"]
    with hub_of({DEFAULT_MODEL.hub_id: model}) as (address, sent):
        outcome = run_at(address, tmp_path, get)
        assert outcome.code == 0, outcome
        [line] = outcome.err.splitlines()
        for word in (DEFAULT_MODEL.hub_id, "99 MB", "apache-2.0"):
            assert word in line
        assert outcome.out.startswith("small is here: ")
        assert {"config.json", "model.safetensors"} <= set(sent)
        assert not {"weights.pth", ".gitattributes"} & set(sent)
    again = run_at("http://127.0.0.1:9", tmp_path, get)
    assert (again.code, again.out, again.err) == (0, outcome.out, "")


def test_the_first_run_says_once_what_it_fetches(model: Path, tmp_path: Path):
    code = (
        "from any2bokeh.disparity.depth_model import DepthModel; from any2bokeh.video import open_source;"
        "from any2bokeh.demo import CLIP_FOLDER; source = open_source(CLIP_FOLDER / 'clip.mp4');"
        "[print(DepthModel().estimated(source, notice=print).estimator.name) for _ in range(2)]"
    )
    with hub_of({DEFAULT_MODEL.hub_id: model}) as (address, _):
        outcome = run_at(address, tmp_path, ["-c", code])
    told, *names = outcome.out.splitlines()
    assert names == [DEFAULT_MODEL.hub_id] * 2, outcome
    assert told == (
        f"downloading depth model {DEFAULT_MODEL.hub_id} (99 MB) into the hub's cache, once; its licence: apache-2.0; "
        f"--depth-model rough needs none"
    )


def test_a_card_with_a_closed_licence_is_refused_before_the_weights(model: Path, tmp_path: Path):
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    (closed / "model.safetensors").write_bytes(b"weights")
    with hub_of({"facebook/sam2.1-hiera-tiny": closed}) as (address, sent):
        outcome = run_at(address, tmp_path / "home", ["-m", "any2bokeh", "models", "get", "sam2"])
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert "cc-by-nc-4.0" in outcome.err
    assert "--allow-noncommercial" in outcome.err
    assert sent == ["README.md"]


def test_a_detector_is_fetched_at_its_commit_and_its_checksum_compared(tmp_path: Path):
    from any2bokeh.subject.detection.faces import YUNET
    from tests.subject.detection.tiny_onnx import write_yunet

    repository = tmp_path / "yunet"
    repository.mkdir()
    digest = sha256(write_yunet(repository / YUNET.file).read_bytes()).hexdigest()
    (repository / "unwanted.onnx").write_text("")
    (repository / "README.md").write_text("---\nlicense: mit\n---\n")
    tiny = (
        "from dataclasses import replace; from any2bokeh.subject.detection import faces;"
        f"faces.YUNET = replace(faces.YUNET, sha256='{digest}');"
        "from any2bokeh.model_table import get_model; print(get_model('faces', notice=print))"
    )
    with hub_of({YUNET.hub_id: repository}) as (address, sent):
        fetched = run_at(address, tmp_path / "home", ["-c", tiny])
        said, path = fetched.out.splitlines()
        assert said == f"downloading {YUNET.hub_id} (0.233 MB) into the hub's cache, once; its licence: mit", fetched
        assert YUNET.revision in path
        assert sent == ["README.md", YUNET.file]
        again = run_at(address, tmp_path / "home", ["-c", tiny])
        assert (again.out, sent) == (f"{path}\n", ["README.md", YUNET.file])
        other = run_at(address, tmp_path / "another", ["-m", "any2bokeh", "models", "get", "faces", "--quiet"])
    assert (other.code, len(other.err.splitlines())) == (2, 1), other
    assert "SHA-256" in other.err


def test_detectors_are_tried_on_the_bundled_clip(cli: RunCli, tiny_detectors: None):
    for name in ("faces", "people"):
        checked = cli("models", "check", name, "--frames", "2", "--json").result
        assert checked["found"] == [0, 0]
        assert checked["frame_s"] > 0
    rows = {row["name"]: row for row in cli("models", "--json").result["models"]}
    assert rows["faces"]["here"]
    assert rows["people"]["folder"].endswith(".onnx")
    assert "faces, people" in cli("doctor").out


@pytest.mark.parametrize("name", ["small", "sam2", "owlv2", "faces", "someone/depth"])
def test_offline_get_is_one_line(cli: RunCli, hub_home: Path, name: str):
    outcome = cli("models", "get", name)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert "where there is a network with 'any2bokeh models get" in outcome.err


@pytest.mark.parametrize("name", ["small", "sam2", "grounding-dino", "people", "someone/depth"])
def test_what_is_not_here_cannot_be_checked(cli: RunCli, hub_home: Path, name: str):
    outcome = cli("models", "check", name)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert f"any2bokeh models get {name}" in outcome.err


def test_a_depth_model_is_tried_on_the_bundled_clip(cli: RunCli, model: Path, tmp_path: Path):
    import cv2

    picture = tmp_path / "seen.png"
    result = cli("models", "check", model, "--frames", "2", "-o", picture, "--json").result
    low, high = result["disparity_range"]
    assert low < high
    assert (result["frames"], result["licence"], result["estimated_as"]) == (2, "apache-2.0", "relative disparity")
    assert result["frame_s"] > 0
    assert result["first_s"] > 0
    assert -1 <= result["order_agreement"] <= 1
    shown = cv2.imread(str(picture))
    assert shown is not None
    assert shown.shape == (540, 2 * 960, 3)
    right = shown[:, 960:]
    np.testing.assert_array_equal(right[..., 0], right[..., 2])
    assert (right.min(), right.max()) == (0, 255)
    again = cli("models", "check", model, "--frames", "1", "-o", picture)
    assert (again.code, "--overwrite" in again.err) == (2, True)


def test_the_order_of_a_map_is_held_against_the_scene():
    from any2bokeh.model_check import _clip, _order_agreement

    [seen] = _clip(1)
    truth = seen.disparity[0]
    assert _order_agreement(truth**3 + 5, seen.disparity) == pytest.approx(1)  # order alone counts
    assert _order_agreement(-truth, seen.disparity) == pytest.approx(-1)
    assert _order_agreement(np.ones_like(truth), seen.disparity) == 0
    noise = np.random.default_rng(0).random(truth.shape, np.float32)
    assert abs(_order_agreement(noise, seen.disparity)) < 0.02


def test_a_map_without_relief_is_damage(cli: RunCli, model: Path, tmp_path: Path):
    import shutil

    from safetensors.torch import load_file, save_file

    flat = shutil.copytree(model, tmp_path / "flat")
    weights = load_file(flat / "model.safetensors")
    save_file({name: 0 * value for name, value in weights.items()}, flat / "model.safetensors", {"format": "pt"})
    outcome = cli("models", "check", flat)
    assert (outcome.code, outcome.out) == (2, "")
    assert "without relief" in outcome.err


def test_trackers_and_grounding_models_are_tried(cli: RunCli, hub_home: Path, tmp_path: Path):
    from any2bokeh.focus.text import DEFAULT_MODELS
    from any2bokeh.subject.sam2 import DEFAULT_MODEL as SAM2
    from tests.focus.tiny_grounding import save_tiny_owlv2
    from tests.subject.tiny_sam2 import save_tiny_sam2

    for hub_id, save in ((SAM2, save_tiny_sam2), (DEFAULT_MODELS[1], save_tiny_owlv2)):
        repository = hub_home / "hub" / f"models--{hub_id.replace('/', '--')}"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text("0" * 40)
        (repository / "snapshots").mkdir()
        save(repository / "snapshots" / ("0" * 40))
    tracked = cli("models", "check", "sam2", "--frames", "2", "--json").result
    assert (tracked["frames"], len(tracked["visible"])) == (2, 2)
    assert all(0 <= share <= 1 for share in tracked["matte_share"])
    named = cli("models", "check", "owlv2", "--frames", "1", "--json").result
    assert (named["frames"], len(named["boxes"]), named["frame_s"]) == (1, 1, None)


@pytest.mark.slow
def test_the_network_for_edges_is_tried(cli: RunCli):
    result = cli("models", "check", "edges", "--frames", "1", "--json").result
    assert 0 < result["moved_share"] < 0.5


@pytest.mark.slow
def test_the_compact_model_is_tried(cli: RunCli):
    result = cli("models", "check", "compact", "--frames", "1", "--json").result
    assert result["size"] == [512, 288]
    assert 0.001 < result["mean_change"] < 0.2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["get"], "needs a model"),
        (["list", "small"], "takes no name"),
        (["check", "nonsense"], "allowed is small"),
        (["get", "small", "--frames", "2"], "--frames is for any2bokeh models check"),
        (["check", "edges", "--allow-noncommercial"], "--allow-noncommercial is for any2bokeh models get"),
        (["check", "edges", "--frames", "10"], "allowed is 1 to 9"),
        (["check", "edges", "--frames", "0"], "allowed is 1 to 9"),
        (["check", "edges", "-o", "x.png"], "is for depth models"),
        (["check", "small", "-o", "x.jpg"], "no PNG file"),
        (["nonsense"], "list"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_one_line(cli: RunCli, arguments: list[str], said: str):
    outcome = cli("models", *arguments)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert said in outcome.err
