"""SAM 2 through a tiny model of the real class, with random weights."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("transformers", reason="needs the diffusion extra")

from huggingface_hub import constants
from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoModel

from any2bokeh.errors import InputError
from any2bokeh.focus.target import BoxTarget, PointTarget
from any2bokeh.subject import ClassicalTracker, MaskSeed, Sam2Tracker, TrackerChoice, View, sam2
from tests.subject.tiny_sam2 import save_tiny_sam2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_sam2(tmp_path_factory.mktemp("sam2") / "tiny")


def views(count: int) -> list[View]:
    noise = np.random.default_rng(0)
    return [View(noise.integers(0, 256, (36, 64, 3), dtype=np.uint8)) for _ in range(count)]


SEEDS = (PointTarget(0.4, 0.5), BoxTarget(0.2, 0.2, 0.7, 0.8), MaskSeed(np.eye(36, 64) > 0))


@pytest.mark.parametrize("seed", SEEDS, ids=["point", "box", "mask"])
def test_every_frame_has_a_sighting(folder: Path, seed):
    sightings = list(Sam2Tracker.load(folder, device="cpu").track(views(5), seed))
    assert len(sightings) == 5
    for sighting in sightings:
        assert sighting.matte.shape == (36, 64)
        assert sighting.matte.dtype == np.float32
        assert 0 <= sighting.matte.min() <= sighting.matte.max() <= 1
        assert 0 <= sighting.confidence <= 1


def test_a_painted_mask_is_the_first_matte(folder: Path):
    mask = np.zeros((36, 64), np.uint8)
    mask[8:30, 16:50] = 255
    first = next(iter(Sam2Tracker.load(folder, device="cpu").track(views(1), MaskSeed(mask))))
    assert ((first.matte > 0.5) == (mask > 0)).mean() > 0.97  # one pixel of the model is half of ours


def test_the_place_of_the_prompt_matters(folder: Path):
    tracker = Sam2Tracker.load(folder, device="cpu")
    mattes = [
        next(iter(tracker.track(views(1), seed))).matte for seed in (PointTarget(0.1, 0.1), PointTarget(0.9, 0.8))
    ]
    assert np.abs(mattes[0] - mattes[1]).max() > 1e-6


def raw_logits(tracker: Sam2Tracker, count: int) -> tuple[list[np.ndarray], object]:
    """What the model answers while the session is trimmed as the tracker does it."""
    session = tracker._session(SEEDS[2])
    answers = []
    for index, view in enumerate(views(count)):
        output = tracker._model(inference_session=session, frame=tracker._pixel_values(view), frame_idx=index)
        sam2._trim(session, index, tracker._model.config)
        answers.append(output.pred_masks.numpy().copy())
    return answers, session


@pytest.mark.slow
def test_forgetting_changes_no_answer(folder: Path, monkeypatch: pytest.MonkeyPatch):
    tracker = Sam2Tracker.load(folder, device="cpu")
    real_trim = sam2._trim
    trimmed, _ = raw_logits(tracker, 24)
    monkeypatch.setattr(sam2, "_trim", lambda *_: None)
    untrimmed, _ = raw_logits(tracker, 24)
    for first, second in zip(trimmed, untrimmed, strict=True):
        np.testing.assert_array_equal(first, second)
    # That the test can tell: to forget more is another answer.
    short = type("Short", (), {"num_maskmem": 3, "max_object_pointers_in_encoder": 3})
    monkeypatch.setattr(sam2, "_trim", lambda session, index, _: real_trim(session, index, short))
    forgetful, _ = raw_logits(tracker, 24)
    assert np.abs(forgetful[-1] - untrimmed[-1]).max() > 0


def test_memory_is_flat(folder: Path):
    tracker = Sam2Tracker.load(folder, device="cpu")

    def kept(count: int) -> int:
        _, session = raw_logits(tracker, count)
        outputs = session.output_dict_per_obj[0]  # type: ignore[attr-defined]
        tensors = [
            value
            for kind in outputs.values()
            for entry in kind.values()
            for value in entry.values()
            if hasattr(value, "numel")
        ]
        assert not session.processed_frames  # type: ignore[attr-defined]
        return sum(tensor.numel() for tensor in tensors)

    assert kept(20) == kept(28)


def test_a_model_in_the_hubs_cache_is_loaded_by_its_id(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cache_folder(tmp_path, folder, sam2.DEFAULT_MODEL)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    tracker, remark = TrackerChoice(device="cpu").load()
    assert isinstance(tracker, Sam2Tracker)
    assert remark is not None
    assert "--tracker classical is faster" in remark


def test_without_a_cached_model_auto_takes_the_classical_tracker_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    tracker, remark = TrackerChoice().load()
    assert isinstance(tracker, ClassicalTracker)
    assert remark is not None
    assert "classical" in remark
    assert "any2bokeh models get sam2" in remark
    assert "\n" not in remark
    assert TrackerChoice("classical").load() == (ClassicalTracker(), None)


def test_a_snapshot_without_weights_is_not_a_model(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    snapshot = cache_folder(tmp_path, folder, sam2.DEFAULT_MODEL)
    (snapshot / "model.safetensors").unlink()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert isinstance(TrackerChoice().load()[0], ClassicalTracker)


def test_asked_for_by_name_a_missing_model_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"any2bokeh models get facebook/sam2.1-hiera-tiny.*classical"):
        TrackerChoice("sam2").load()
    with pytest.raises(InputError, match="hf download someone/else"):  # not in the list of models
        TrackerChoice(model="someone/else").load()
    # A path can be fetched from nowhere.
    with pytest.raises(InputError, match="is neither a folder nor a hub id such as owner/name"):
        TrackerChoice(model=str(tmp_path / "nowhere")).load()


def test_another_kind_of_model_is_refused(folder: Path, tmp_path: Path):
    other = copy_folder(folder, tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"model_type": "clip"}))
    with pytest.raises(InputError, match=r"other holds a model of type 'clip'; give one of type sam2_video"):
        Sam2Tracker.load(other)
    (other / "config.json").write_text("{}")
    with pytest.raises(InputError, match=r"other holds no model of transformers; give one of type sam2_video"):
        Sam2Tracker.load(other)


def test_weights_that_are_missing_damaged_or_a_pickle_are_refused(folder: Path, tmp_path: Path):
    from safetensors.torch import load_file, save_file

    lacking = copy_folder(folder, tmp_path / "lacking")
    weights = load_file(lacking / "model.safetensors")
    save_file(
        {k: v for k, v in weights.items() if "memory_attention" not in k},
        lacking / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(InputError, match=r"lacking lacks \d+ weights of Sam2VideoModel"):
        Sam2Tracker.load(lacking)

    damaged = copy_folder(folder, tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(InputError, match="damaged"):
        Sam2Tracker.load(damaged)

    pickled = copy_folder(folder, tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"has weights only as pytorch_model\.bin, a pickle"):
        Sam2Tracker.load(pickled)

    with pytest.raises(InputError, match=r"no readable config\.json"):
        Sam2Tracker.load(tmp_path)


def test_a_device_that_is_not_there_is_refused(folder: Path):
    with pytest.raises(InputError, match="device 'warp'"):
        Sam2Tracker.load(folder, device="warp")


def test_the_model_is_the_real_class(folder: Path):
    assert type(Sam2Tracker.load(folder)._model) is Sam2VideoModel


def copy_folder(source: Path, target: Path) -> Path:
    target.mkdir(parents=True)
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


def cache_folder(hub: Path, source: Path, model_id: str) -> Path:
    """Put a model where the hub's client would have put it."""
    repository = hub / ("models--" + model_id.replace("/", "--"))
    commit = "0123456789abcdef0123456789abcdef01234567"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    return copy_folder(source, repository / "snapshots" / commit)
