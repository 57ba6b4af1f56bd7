"""Subjects named in words, through tiny models of the real classes."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("transformers", reason="needs the diffusion extra")

import torch
from huggingface_hub import constants

from any2bokeh.errors import InputError
from any2bokeh.focus import BoxTarget, TextSubject, TrackerChoice, text
from any2bokeh.focus.finder import Range
from any2bokeh.focus.text import DEFAULT_MODELS, GroundingModel
from any2bokeh.focus.tracked_subjects import TrackedSubjects
from tests.focus.tiny_grounding import save_tiny_grounding_dino, save_tiny_owlv2
from tests.subject.detection.at_hand import tiny_detectors
from tests.subject.detection.tiny_onnx import FACE_COLOUR, PERSON_COLOUR
from tests.subject.scenes import Scene, SceneDisparity, ScenePictures, across
from tests.subject.test_sam2 import cache_folder

__all__ = ["tiny_detectors"]

SAVE = {"owlv2": save_tiny_owlv2, "grounding-dino": save_tiny_grounding_dino}


@pytest.fixture(scope="module", params=["owlv2", "grounding-dino"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SAVE[request.param](tmp_path_factory.mktemp("grounding") / "tiny")


@pytest.fixture
def believing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights are never sure; take their best guess."""
    monkeypatch.setattr(text, "_THRESHOLD", {"owlv2": 0.0, "grounding-dino": 0.0})


def clip() -> TrackedSubjects:
    scene = Scene(across, 4)
    return TrackedSubjects(ScenePictures(scene), SceneDisparity(scene), TrackerChoice("classical"))


@pytest.mark.usefixtures("believing")
def test_words_become_a_tracked_box_in_the_first_frame(folder: Path):
    script = TextSubject("the ball", model=str(folder)).find(clip(), Range(2, 4, 24))
    [keyframe] = script.keyframes
    assert keyframe.frame == 2
    assert isinstance(keyframe.target, BoxTarget)
    assert keyframe.target.track


@pytest.mark.usefixtures("believing")
def test_the_picture_and_its_shape_matter(folder: Path):
    model = GroundingModel.load(str(folder))
    noise = np.random.default_rng(0).integers(0, 256, (80, 90, 3), dtype=np.uint8)
    wide, tall = (model.best_box(picture, "the dog") for picture in (noise, noise.transpose(1, 0, 2).copy()))
    assert wide is not None
    assert wide != tall


def test_what_is_not_found_is_an_error_and_not_a_guess(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(text, "_THRESHOLD", {"owlv2": 1.0, "grounding-dino": 1.0})
    with pytest.raises(InputError, match="'the dog' is not found in frame 0"):
        TextSubject("the dog", model=str(folder)).find(clip(), Range(0, 4, 24))


def test_boxes_of_owlv2_lie_on_the_square_that_the_picture_was_put_in():
    class Answering:
        config = SimpleNamespace(
            model_type="owlv2",
            vision_config=SimpleNamespace(image_size=8),
            text_config=SimpleNamespace(max_position_embeddings=4),
        )

        def __call__(self, **_: object) -> SimpleNamespace:
            # Middle of the left half of a picture of 100x50, put in a square of 100x100: x 0.25, y 0.25.
            return SimpleNamespace(pred_boxes=torch.tensor([[[0.25, 0.25, 0.5, 0.5]]]), logits=torch.tensor([[[9.0]]]))

    def tokenizer(*_: object, **__: object) -> dict[str, torch.Tensor]:
        return {"input_ids": torch.zeros(1, 4), "attention_mask": torch.ones(1, 4)}

    found = GroundingModel(Answering(), tokenizer).best_box(np.zeros((50, 100, 3), np.uint8), "it")
    assert found == (0.0, 0.0, 0.5, 1.0)


@pytest.mark.usefixtures("believing")
@pytest.mark.parametrize("model_id", DEFAULT_MODELS)
def test_a_model_in_the_hubs_cache_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_id: str):
    kind = "owlv2" if "owl" in model_id else "grounding-dino"
    cache_folder(tmp_path / "hub", SAVE[kind](tmp_path / "tiny"), model_id)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    assert TextSubject("the dog").find(clip(), Range(0, 4, 24)).keyframes


def test_without_a_model_one_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=rf"any2bokeh models get {DEFAULT_MODELS[0]}.*--focus-point") as caught:
        TextSubject("the dog").find(clip(), Range(0, 4, 24))
    assert "\n" not in str(caught.value)


def test_another_kind_of_model_is_refused(tmp_path: Path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "sam2_video"}))
    with pytest.raises(InputError, match=r"of type 'sam2_video'; give one of type grounding-dino or owlv2"):
        GroundingModel.load(str(tmp_path))


def test_no_words_are_refused():
    with pytest.raises(InputError, match="name what"):
        TextSubject("  ")


def with_face(colour: tuple[int, int, int], *, is_shown: bool = True) -> TrackedSubjects:
    class Shown(Scene):
        def pixels(self, index: int) -> np.ndarray:
            picture = super().pixels(index)
            if is_shown:
                picture[10:40, 120:150] = colour
            return picture

    scene = Shown(across, 4)
    return TrackedSubjects(ScenePictures(scene), SceneDisparity(scene), TrackerChoice("classical"))


@pytest.mark.usefixtures("tiny_detectors")
@pytest.mark.parametrize(
    ("words", "colour"), [("face", FACE_COLOUR), ("The face.", FACE_COLOUR), ("a person", PERSON_COLOUR)]
)
def test_detectors_find_faces_and_people(words: str, colour: tuple[int, int, int]):
    [keyframe] = TextSubject(words).find(with_face(colour), Range(0, 4, 24)).keyframes
    assert isinstance(keyframe.target, BoxTarget)
    x, y = (keyframe.target.x0 + keyframe.target.x1) / 2, (keyframe.target.y0 + keyframe.target.y1) / 2
    assert 120 / 192 < x < 150 / 192
    assert 10 / 108 < y < 40 / 108
    with pytest.raises(InputError, match="is not found in frame 0"):
        TextSubject(words).find(with_face(colour, is_shown=False), Range(0, 4, 24))


@pytest.mark.usefixtures("tiny_detectors")
def test_other_words_are_for_the_grounding_model():
    with pytest.raises(InputError, match=DEFAULT_MODELS[0]):
        TextSubject("the face of the clock").find(clip(), Range(0, 4, 24))


def test_without_the_detector_the_message_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"any2bokeh models get faces, or give --focus-point"):
        TextSubject("face").find(clip(), Range(0, 4, 24))
