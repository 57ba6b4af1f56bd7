"""From what a user calls a depth model to the estimator."""

from collections.abc import Callable
from pathlib import Path

from any2bokeh.disparity.estimators.base import DepthEstimator, Device
from any2bokeh.disparity.estimators.model_folder import model_folder
from any2bokeh.disparity.estimators.registry import DEFAULT_MODEL, Family, find_model, is_short_name
from any2bokeh.errors import require_installed
from any2bokeh.models.hub import ModelUnavailable
from any2bokeh.models.model_files import CONFIG_FILE, read_json
from any2bokeh.subject.seed import ClipSeed

ROUGH = "rough"
"""The built-in estimate that needs no weights."""
DEFAULT_CHOICE = "auto"
"""The default model where it can be had, and the built-in estimate otherwise."""

_FALLBACK_CAVEAT = (
    f"depth model {DEFAULT_MODEL.hub_id} is not here and cannot be fetched, so disparity is the built-in rough "
    f"estimate: the subject in front of a plain layout, no measured distances; for better, give --disparity PATH, or "
    f"run where there is a network: any2bokeh models get {DEFAULT_MODEL.short_name}"
)


def open_estimator(
    choice: str = DEFAULT_CHOICE,
    *,
    allow_noncommercial: bool = False,
    seed: ClipSeed | None = None,
    device: Device = "auto",
    notice: Callable[[str], None] | None = None,
) -> DepthEstimator:
    """The estimator that a name stands for; no weights are read yet.

    Args:
        choice: ``auto``, ``rough``, the short name of a known model, a hub id, or a folder. A folder called like one of
            the names is given as a path, ``./rough``.
        allow_noncommercial: take models whose licence does not allow any use.
        seed: where the subject is, for the built-in estimate; the middle of the picture where None.
        device: where a model runs.
        notice: told the licence when a download begins.

    Raises:
        ModelUnavailable: a model that is neither here nor to be had.
        InputError: see ``model_folder``; also another kind of model.
    """
    from any2bokeh.disparity.rough.estimator import RoughEstimator

    is_name = choice in (DEFAULT_CHOICE, ROUGH) or is_short_name(choice)
    if is_name and notice is not None and Path(choice).is_dir():
        notice(f"depth model {choice} is taken by its name; the folder called {choice} would be ./{choice}")
    if choice == ROUGH:
        return RoughEstimator(seed=seed or ClipSeed())
    if choice != DEFAULT_CHOICE:
        return _of_model(choice, allow_noncommercial, device, notice)
    try:
        require_installed(
            f"depth model {DEFAULT_MODEL.hub_id}",
            ("torch", "transformers", "safetensors"),
            "depth",
            error=ModelUnavailable,
        )
        return _of_model(DEFAULT_MODEL.hub_id, allow_noncommercial, device, notice)
    except ModelUnavailable:
        return RoughEstimator(seed=seed or ClipSeed(), caveat=_FALLBACK_CAVEAT)


def _is_folder(choice: str) -> bool:
    return Path(choice).is_dir() and not is_short_name(choice)


def _of_model(
    choice: str, allow_noncommercial: bool, device: Device, notice: Callable[[str], None] | None
) -> DepthEstimator:
    known = None if _is_folder(choice) else find_model(choice)
    folder, licence = model_folder(choice, allow_noncommercial=allow_noncommercial, notice=notice)
    name = known.hub_id if known else choice
    match known.family if known else _family_of(folder):
        case "video-depth-anything":
            from any2bokeh.disparity.estimators.video_depth_anything import VideoDepthAnythingEstimator as Estimator
        case "depth-anything-3":
            from any2bokeh.disparity.estimators.depth_anything_3 import DepthAnything3Estimator as Estimator
        case _:
            from any2bokeh.disparity.estimators.transformers_model import TransformersEstimator as Estimator
    return Estimator(folder=folder, name=name, licence=licence, device=device)


def _family_of(folder: Path) -> Family:
    if not (folder / CONFIG_FILE).is_file() and any(
        "video_depth" in path.name for path in folder.glob("*.safetensors")
    ):
        return "video-depth-anything"
    config = read_json(folder / CONFIG_FILE, "depth model")
    if str(config.get("model_name", "")).startswith("da3"):
        return "depth-anything-3"
    return "transformers"
