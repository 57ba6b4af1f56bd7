"""SAM 2.1 as a tracker: Ravi et al., SAM 2: Segment Anything in Images and Videos, 2024 (arXiv 2408.00714).

The model is the one of transformers. Its video processor needs torchvision, so that pictures, prompts and the session
are prepared here; and a session keeps every frame that it was given, so that it is trimmed here after each.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, assert_never

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.models.local_model import load_model
from any2bokeh.subject.seed import BoxSeed, MaskSeed, PointSeed, Seed
from any2bokeh.subject.tracker import TrackedFrame, View

if TYPE_CHECKING:
    import torch

DEFAULT_MODEL = "facebook/sam2.1-hiera-tiny"
_OBJECT = 1
# Mean and standard deviation of ImageNet, which the model was trained with.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Labels of a prompt's points: a point of the subject, and the two corners of a box.
_POINT_LABEL, _TOP_LEFT_LABEL, _BOTTOM_RIGHT_LABEL = 1, 2, 3


class Sam2Tracker:
    """SAM 2 or 2.1 video.

    Args:
        model: a ``Sam2VideoModel``, ready to infer.
    """

    name: ClassVar[str] = "SAM 2"

    def __init__(self, model: Any) -> None:
        self._model = model
        self._device = model.device

    @classmethod
    def load(cls, folder: Path, *, device: str = "auto") -> "Sam2Tracker":
        """From weights on this machine.

        Args:
            folder: of the model, as transformers saves it.
            device: ``auto`` (CUDA where there is one), or a device of torch.

        Raises:
            InputError: the folder does not hold such a model, or there is no such device.
        """
        import torch
        from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoModel

        model = load_model(Sam2VideoModel, folder, kinds=("sam2_video", "sam2"), option="--tracker-model")
        chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        try:
            return cls(model.to(chosen))
        except (RuntimeError, AssertionError) as error:
            raise InputError(f"device {device!r} cannot be used ({str(error).splitlines()[0]}); use cpu") from error

    @property
    def runs_on_cpu(self) -> bool:
        """Whether it has no accelerator."""
        return self._device.type == "cpu"

    def track(self, views: Iterable[View], seed: Seed) -> Iterator[TrackedFrame]:
        """See `Tracker.track`."""
        session = self._session(seed)
        for index, view in enumerate(views):
            output = self._model(inference_session=session, frame=self._pixel_values(view), frame_idx=index)
            _trim(session, index, self._model.config)
            yield _tracked_frame(output, view)

    def _pixel_values(self, view: View) -> "torch.Tensor":
        """A picture as the model takes it, ``(1, 3, S, S)``: stretched to a square, normalised."""
        import torch

        size = self._model.image_size
        pixels = torch.from_numpy(view.pixels).to(self._device).permute(2, 0, 1)[None].float()
        square = torch.nn.functional.interpolate(
            pixels, size=(size, size), mode="bilinear", align_corners=False, antialias=True
        )
        mean = torch.tensor(_MEAN, device=self._device).view(1, 3, 1, 1)
        return (square / 255 - mean) / torch.tensor(_STD, device=self._device).view(1, 3, 1, 1)

    def _session(self, seed: Seed) -> Any:
        """A session that knows where the subject is in frame 0."""
        import torch
        from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

        session = Sam2VideoInferenceSession(
            inference_device=self._device, inference_state_device=self._device, video_storage_device=self._device
        )
        session.dtype = torch.float32
        index = session.obj_id_to_idx(_OBJECT)
        size = float(self._model.image_size)
        match seed:
            case PointSeed():
                session.add_point_inputs(index, 0, _prompt([(seed.x, seed.y)], [_POINT_LABEL], size))
            case BoxSeed():
                corners = [(seed.x0, seed.y0), (seed.x1, seed.y1)]
                session.add_point_inputs(index, 0, _prompt(corners, [_TOP_LEFT_LABEL, _BOTTOM_RIGHT_LABEL], size))
            case MaskSeed():
                session.add_mask_inputs(index, 0, _mask_input(seed.mask, int(size)))
            case _:
                assert_never(seed)
        session.obj_with_new_inputs = [_OBJECT]
        return session


def _prompt(points: list[tuple[float, float]], labels: list[int], size: float) -> dict[str, Any]:
    import torch

    coordinates = torch.tensor(points, dtype=torch.float32)[None, None] * size
    return {"point_coords": coordinates, "point_labels": torch.tensor(labels, dtype=torch.int32)[None, None]}


def _mask_input(mask: NDArray[np.generic], size: int) -> "torch.Tensor":
    import torch

    is_on = torch.from_numpy((mask.astype(np.float32) / float(np.max(mask.astype(np.float32))))[None, None])
    square = torch.nn.functional.interpolate(is_on, size=(size, size), mode="bilinear", antialias=True)
    return (square >= 0.5).float()


def _trim(session: Any, index: int, config: Any) -> None:
    """Forget what no later frame asks for.

    A frame looks back ``num_maskmem - 1`` frames for memories and ``max_object_pointers_in_encoder - 1`` for pointers;
    pixels and full-size masks are needed in their own frame only.
    """
    session.processed_frames.clear()
    outputs = session.output_dict_per_obj[0]
    for kept in (*outputs["cond_frame_outputs"].values(), *outputs["non_cond_frame_outputs"].values()):
        kept.pop("high_res_masks", None)
    oldest_memory = index + 1 - (config.num_maskmem - 1)
    oldest_pointer = index + 1 - (config.max_object_pointers_in_encoder - 1)
    tracked = outputs["non_cond_frame_outputs"]
    for frame in [frame for frame in tracked if frame < oldest_memory]:
        if frame < oldest_pointer:
            del tracked[frame]
        else:
            tracked[frame] = {"object_pointer": tracked[frame]["object_pointer"]}
    known = session.frames_tracked_per_obj[0]
    for frame in [frame for frame in known if frame < oldest_pointer]:
        del known[frame]


def _tracked_frame(output: Any, view: View) -> TrackedFrame:
    import torch

    logits = torch.nn.functional.interpolate(
        output.pred_masks.float().reshape(1, 1, *output.pred_masks.shape[-2:]),
        size=view.shape,
        mode="bilinear",
        align_corners=False,
    )
    matte = torch.sigmoid(logits)[0, 0].cpu().numpy().astype(np.float32)
    confidence = float(torch.sigmoid(output.object_score_logits.float().flatten()[0]))
    if confidence > 0.5 and (matte > 0.5).any():
        return TrackedFrame(matte, confidence, True)
    return TrackedFrame(np.zeros_like(matte), confidence, False)
