"""Weights of a training, calibrated and put into the package."""

from dataclasses import replace
from pathlib import Path

from any2bokeh.disparity.edges.learned.weights import PACKAGED, EdgeModel
from any2bokeh.errors import InputError
from any2bokeh.training.edges.calibration import calibrated
from any2bokeh.training.edges.tiles import TileSource

_FRAMES = 48


def install(folder: Path, target: Path = PACKAGED, *, frames: int = _FRAMES, is_preferred: bool = True) -> EdgeModel:
    """Calibrate the gates of a run's weights and put them where ``--edges learned`` finds them.

    Args:
        folder: of a run or a handoff; or the file of weights.
        target: the file to write.
        frames: that the gates are calibrated with.
        is_preferred: whether ``--edges auto`` takes them, too, where colours contradict the map and their gate opens.

    Returns:
        The model as written.

    Raises:
        InputError: no weights there.
    """
    path = folder / "edges.safetensors" if folder.is_dir() else folder
    if not path.is_file():
        raise InputError(f"{path} is not there; give the folder of a run or a handoff of train edges")
    model = EdgeModel.read(path)
    source = TileSource(**{**model.card["config"]["source"]}) if "config" in model.card else TileSource()
    gates, calibration = calibrated(model, source, frames)
    card = {**model.card, "calibration": calibration}
    installed = replace(model, gates=gates, is_preferred=is_preferred, card=card)
    installed.write(target)
    return installed
