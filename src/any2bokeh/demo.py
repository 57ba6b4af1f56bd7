"""The main job on the bundled clip, and pictures of what it did."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript
from any2bokeh.pending_output import PendingOutput, named_finally, write_failure
from any2bokeh.picture import write_picture
from any2bokeh.read_paths import ReadPaths
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import Progress, RefocusResult, refocus
from any2bokeh.renderers.base import Renderer
from any2bokeh.video import open_source

CLIP_FOLDER = Path(__file__).parent / "demo_clip"
_SHEET_COLUMNS, _SHEET_ROWS = 3, 4
_TILE_WIDTH = 640
_GAP_PX = 8


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Where the demo's results lie.

    Attributes:
        video: the refocused clip.
        strip: one frame before and after, side by side.
        contact_sheet: the refocused clip over time.
        refocused: what ``refocus`` says of the video.
    """

    video: Path
    strip: Path
    contact_sheet: Path
    refocused: RefocusResult


def demo(
    folder: str | Path, *, renderer: Renderer | None = None, overwrite: bool = False, progress: Progress | None = None
) -> DemoResult:
    """Refocus the bundled clip with its focus script.

    Args:
        folder: where the results go; made if it does not exist.
        renderer: the engine; None = the layered engine.
        overwrite: replace results that are there.
        progress: called before the first frame and after every one.

    Raises:
        InputError: a result exists, or cannot be written.
    """
    folder = Path(folder)
    video, strip, sheet = folder / "refocused.mp4", folder / "before-after.png", folder / "contact-sheet.png"
    for path in (folder, video, strip, sheet):
        ReadPaths([CLIP_FOLDER]).require_kept(path)
    for path in (video, strip, sheet):
        if path.exists() and not overwrite:
            raise InputError(f"{path} exists; choose another folder with -o or pass --overwrite")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_failure(folder, error) from None
    pending = PendingOutput.folder(folder)  # all three, or none of them
    try:
        with named_finally(pending):
            refocused = _made(pending.temporary, video, strip, sheet, renderer, progress)
        pending.publish()
    finally:
        pending.discard()
    return DemoResult(video, strip, sheet, replace(refocused, output=video))


def _made(
    folder: Path, video: Path, strip: Path, sheet: Path, renderer: Renderer | None, progress: Progress | None
) -> RefocusResult:
    """Make everything within a folder, under the final names."""
    video, strip, sheet = (folder / path.name for path in (video, strip, sheet))
    refocused = refocus(
        CLIP_FOLDER / "clip.mp4",
        video,
        Recipe(focus=FocusScript.load(CLIP_FOLDER / "focus.json"), disparity=CLIP_FOLDER / "disparity.mkv"),
        renderer=renderer,
        progress=progress,
    )
    write_picture(strip, _before_after(CLIP_FOLDER / "clip.mp4", video))
    write_picture(sheet, _contact_sheet(video))
    return refocused


def _before_after(before: Path, after: Path) -> NDArray[np.float32]:
    """One frame of two videos side by side, ``(3, H, 2 W + gap)``."""
    with open_source(before) as source:
        index = source.info.frame_count // 8
    left, right = (_frames_of(path, [index])[0] for path in (before, after))
    gap = np.ones((3, left.shape[1], _GAP_PX), np.float32)
    return np.concatenate([_labelled(left, "before"), gap, _labelled(right, "after")], axis=2)


def _contact_sheet(video: Path) -> NDArray[np.float32]:
    """Frames of a video, evenly over its length, labelled with their times; ``(3, H, W)``."""
    with open_source(video) as source:
        count, fps = source.info.frame_count, source.info.fps
    wanted = np.linspace(0, count - 1, _SHEET_COLUMNS * _SHEET_ROWS).round().astype(int).tolist()
    tiles = [
        _labelled(_shrunk(frame, _TILE_WIDTH), f"{float(index / fps):.2f} s")
        for index, frame in zip(wanted, _frames_of(video, wanted), strict=True)
    ]
    step_y, step_x = tiles[0].shape[1] + _GAP_PX, _TILE_WIDTH + _GAP_PX
    sheet = np.ones((3, _SHEET_ROWS * step_y - _GAP_PX, _SHEET_COLUMNS * step_x - _GAP_PX), np.float32)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, _SHEET_COLUMNS)
        sheet[:, row * step_y :, column * step_x :][:, : tile.shape[1], : tile.shape[2]] = tile
    return sheet


def _frames_of(path: Path, wanted: list[int]) -> list[NDArray[np.float32]]:
    with open_source(path) as source:
        frames = source.frames(min(wanted), max(wanted) + 1)
        found = {frame.index: frame.pixels for frame in frames if frame.index in wanted}
    return [found[index] for index in wanted]


def _shrunk(pixels: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    import cv2

    size = (width, round(pixels.shape[1] * width / pixels.shape[2]))
    return np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in pixels])


def _labelled(pixels: NDArray[np.float32], label: str) -> NDArray[np.float32]:
    """White letters with a dark outline, which read on anything."""
    import cv2

    labelled = pixels
    for grey, thickness in ((0.0, 5), (1.0, 2)):
        ink = np.zeros(pixels.shape[1:], np.uint8)
        place = (14, pixels.shape[1] - 16)
        cv2.putText(ink, label, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255,), thickness, cv2.LINE_AA)
        labelled = labelled + (grey - labelled) * (ink / 255)
    return labelled.astype(np.float32)
