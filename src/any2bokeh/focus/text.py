"""A subject that is named in words: a grounding model or a detector finds its box, the tracker follows it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.focus.finder import Range
from any2bokeh.focus.script import FocusScript, Keyframe
from any2bokeh.focus.target import BoxTarget
from any2bokeh.focus.tracked_subjects import TrackedSubjects
from any2bokeh.models.local_model import find_model_folder, load_model, require_model_folder
from any2bokeh.subject.detection.at_hand import detector_of
from any2bokeh.subject.detection.detector import DetectedKind, Detection

if TYPE_CHECKING:
    import torch

DEFAULT_MODELS = ("IDEA-Research/grounding-dino-tiny", "google/owlv2-base-patch16-ensemble")
"""Apache-2.0 both; the first that is on this machine is used."""

# Words that a detector knows, without the articles before them.
_DETECTED: dict[str, DetectedKind] = {
    "face": "face", "faces": "face",
    "person": "person", "people": "person", "human": "person",
}  # fmt: skip
_ARTICLES = ("the ", "a ")
_MODEL_NAMES: dict[DetectedKind, str] = {"face": "faces", "person": "people"}
_OPTION = "--text-model"
_INSTEAD = "give --focus-point X,Y or --focus-box X0,Y0,X1,Y1"
_KINDS = ("grounding-dino", "owlv2")
# Scores from which a box is believed, as in the papers' own demonstrations.
_THRESHOLD = {"grounding-dino": 0.25, "owlv2": 0.1}
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
# Grounding DINO takes pictures of this shorter side, and at most that longer one.
_SHORT_SIDE_PX, _LONG_SIDE_PX = 800, 1333


@dataclass(frozen=True, slots=True)
class TextSubject:
    """What words name in one frame.

    Attributes:
        text: such as "the dog".
        model: folder or hub id of a Grounding DINO or OWLv2 model; where None, the detector of faces or people for
            "face" or "person" where it is on this machine, and otherwise one of `DEFAULT_MODELS`.
        track: whether the subject is followed; else its disparity in that frame is held.
        frame: number of the frame in the video; the first of the clip where None.

    Raises:
        InputError: no words.
    """

    text: str
    model: str | None = None
    track: bool = True
    frame: int | None = None

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise InputError(f"--focus-text is {self.text!r}; name what should be in focus, such as 'the dog'")

    def find(self, subjects: TrackedSubjects, frames: Range) -> FocusScript:
        """A script with one box; see `FocusFinder.find`."""
        at = frames.start if self.frame is None else self.frame - frames.first
        if not frames.start <= at < frames.stop:
            raise InputError(
                f"--focus-text {self.text!r} refers to frame {at + frames.first}, but there is disparity only for "
                f"frames {frames.start + frames.first}:{frames.stop + frames.first}; choose one of these"
            )
        finder = self._finder()
        picture = next(iter(subjects.pictures.frames(at, at + 1)))
        found = finder(picture)
        if found is None:
            raise InputError(f"--focus-text {self.text!r} is not found in frame {at + frames.first}; {_INSTEAD}")
        x0, y0, x1, y1 = found
        return FocusScript(keyframes=(Keyframe(at, BoxTarget(x0, y0, x1, y1, track=self.track)),))

    def _finder(self) -> Callable[[NDArray[np.uint8]], tuple[float, float, float, float] | None]:
        """What finds the box of the words in a picture: a detector where it knows the word and is at hand."""
        kind = _detected_kind(self.text) if self.model is None else None
        if kind is None:
            grounding = GroundingModel.load(self.model)
        else:
            detector = detector_of(kind)
            if detector is not None:
                return lambda pixels: _largest_box(detector(pixels))
            grounding = GroundingModel.load(instead=f"run any2bokeh models get {_MODEL_NAMES[kind]}, or {_INSTEAD}")
        return lambda pixels: grounding.best_box(pixels, self.text)


def _detected_kind(text: str) -> DetectedKind | None:
    words = text.strip().lower().rstrip(".")
    return _DETECTED.get(next((words.removeprefix(each) for each in _ARTICLES if words.startswith(each)), words))


def _largest_box(found: list[Detection]) -> tuple[float, float, float, float] | None:
    if not found:
        return None
    x0, y0, x1, y1 = (round(each, 4) for each in (found[0].box.x0, found[0].box.y0, found[0].box.x1, found[0].box.y1))
    return x0, y0, x1, y1


class GroundingModel:
    """Finds what words name in a picture.

    Grounding DINO: Liu et al., ECCV 2024 (arXiv 2303.05499). OWLv2: Minderer et al., NeurIPS 2023 (arXiv 2306.09683).
    Pictures are prepared here, because the processors of transformers need torchvision or SciPy.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._kind: str = model.config.model_type

    @classmethod
    def load(cls, model: str | None = None, *, instead: str = _INSTEAD) -> "GroundingModel":
        """Load a model that is on this machine; see `TextSubject.model`.

        Args:
            model: see there.
            instead: what else can be done, for the message.

        Raises:
            InputError: it is not, or it is another kind of model.
        """
        folders = [find_model_folder(known) for known in DEFAULT_MODELS] if model is None else []
        folder = next((one for one in folders if one is not None), None)
        if folder is None:
            wanted = model or DEFAULT_MODELS[0]
            listed = wanted in DEFAULT_MODELS
            folder = require_model_folder(wanted, option=_OPTION, instead=instead, is_listed=listed)
        from transformers import AutoModelForZeroShotObjectDetection, AutoTokenizer

        detector = load_model(AutoModelForZeroShotObjectDetection, folder, kinds=_KINDS, option=_OPTION)
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            raise InputError(f"{_OPTION} {folder} has no readable tokenizer; fetch the whole repository") from error
        return cls(detector, tokenizer)

    def best_box(self, pixels: NDArray[np.uint8], text: str) -> tuple[float, float, float, float] | None:
        """The box that fits the words best.

        Args:
            pixels: ``(h, w, 3)`` uint8 RGB.
            text: the words.

        Returns:
            Corners in 0..1, or None where no box is believed.
        """
        import torch

        with torch.inference_mode():
            boxes, scores = self._owlv2(pixels, text) if self._kind == "owlv2" else self._grounding_dino(pixels, text)
        best = int(scores.argmax())
        if not float(scores[best]) >= _THRESHOLD[self._kind]:
            return None
        x, y, width, height = (float(value) for value in boxes[best])
        corners = np.clip([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 0, 1)
        x0, y0, x1, y1 = (round(float(value), 4) for value in corners)
        return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None

    def _grounding_dino(self, pixels: NDArray[np.uint8], text: str) -> "tuple[torch.Tensor, torch.Tensor]":
        height, width = pixels.shape[:2]
        scale = min(_SHORT_SIDE_PX / min(height, width), _LONG_SIDE_PX / max(height, width))
        values = _resized(pixels, (round(height * scale), round(width * scale)))
        words = self._tokenizer([text.strip().lower().rstrip(".") + "."], return_tensors="pt")
        output = self._model(pixel_values=_normalised(values, *_IMAGENET), **words)
        return output.pred_boxes[0], output.logits[0].sigmoid().amax(dim=-1)

    def _owlv2(self, pixels: NDArray[np.uint8], text: str) -> "tuple[torch.Tensor, torch.Tensor]":
        import torch

        height, width = pixels.shape[:2]
        side, size = max(height, width), self._model.config.vision_config.image_size
        square = np.full((side, side, 3), 128, np.uint8)  # grey below and beside the picture
        square[:height, :width] = pixels
        length = self._model.config.text_config.max_position_embeddings
        words = self._tokenizer(
            [f"a photo of {text.strip()}"],
            padding="max_length",
            truncation=True,
            max_length=length,
            return_tensors="pt",
        )
        output = self._model(
            pixel_values=_normalised(_resized(square, (size, size)), *_CLIP),
            input_ids=words["input_ids"],
            attention_mask=words["attention_mask"],
        )
        stretch = torch.tensor([side / width, side / height] * 2)
        return output.pred_boxes[0] * stretch, output.logits[0].sigmoid().amax(dim=-1)


def _resized(pixels: NDArray[np.uint8], size: tuple[int, int]) -> "torch.Tensor":
    import torch

    values = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    return torch.nn.functional.interpolate(values, size=size, mode="bilinear", align_corners=False, antialias=True)


def _normalised(values: "torch.Tensor", mean: tuple[float, ...], std: tuple[float, ...]) -> "torch.Tensor":
    import torch

    return (values - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)
