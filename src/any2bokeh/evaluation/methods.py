"""Who is scored: a renderer, or a folder of results that something else made."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError, require_choice
from any2bokeh.evaluation.clips import EvaluationClip
from any2bokeh.optics.transfer import Transfer
from any2bokeh.renderers.base import Renderer, RenderInput


class Method(Protocol):
    """Gives a picture for every frame of a clip.

    Attributes:
        name: what reports call it.
    """

    name: str

    def check(self, clip: EvaluationClip) -> None:
        """Raise InputError where it cannot give this clip; called for all clips before the first is scored."""
        ...

    def pictures(self, clip: EvaluationClip, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        """One ``(3, H, W)`` picture of code values for each input, in order."""
        ...


class RendererMethod:
    """An engine or baseline.

    Args:
        name: what reports call it.
        make: a renderer for clips of a transfer; called once for each transfer.
    """

    def __init__(self, name: str, make: Callable[[Transfer], Renderer]) -> None:
        self.name = name
        self._make = make
        self._renderers: dict[Transfer, Renderer] = {}

    def check(self, clip: EvaluationClip) -> None:
        """Any clip will do."""

    def pictures(self, clip: EvaluationClip, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        """See ``Method.pictures``."""
        if clip.transfer not in self._renderers:
            self._renderers[clip.transfer] = self._make(clip.transfer)
        return self._renderers[clip.transfer].render(inputs)


class FolderMethod:
    """Results that lie in a folder: ``<clip>/00000.png ...``, or ``<clip>.mp4`` or another video.

    Args:
        folder: with one result for each clip; a clip that is called ``A_cards/focus_mid`` lies in two folders.
        name: what reports call it; the folder's name unless given.

    Raises:
        InputError: missing or empty folder.
    """

    def __init__(self, folder: str | Path, name: str | None = None) -> None:
        self.folder = Path(folder)
        self.name = name or self.folder.resolve().name
        if not self.folder.is_dir():
            raise InputError(f"there is no folder of results {folder}; check --results")
        if not any(self.folder.iterdir()):
            raise InputError(f"folder of results {folder} is empty; it needs <clip>/00000.png ... for every clip")

    def check(self, clip: EvaluationClip) -> None:
        """Raise InputError where the result is missing, or of another length or size than the ground truth."""
        from any2bokeh.video import open_source

        path = self._path(clip)
        with open_source(path) as source:
            info = source.info
        if info.frame_count != clip.frame_count:
            raise InputError(
                f"result {path} has {info.frame_count} frames but the {clip.reference} of {clip.name} has "
                f"{clip.frame_count}; render the whole clip, or shorten both with --frames"
            )
        if (info.width, info.height) != (clip.width, clip.height):
            raise InputError(
                f"result {path} is {info.width}x{info.height} but the {clip.reference} of {clip.name} is "
                f"{clip.width}x{clip.height}; render at the size of the clip"
            )

    def pictures(self, clip: EvaluationClip, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        """See ``Method.pictures``."""
        from any2bokeh.video import open_source

        with open_source(self._path(clip)) as source:
            for frame, _ in zip(source.frames(), inputs, strict=False):
                yield frame.pixels

    def _path(self, clip: EvaluationClip) -> Path:
        folder = self.folder / clip.name
        if folder.is_dir():
            if not any(folder.iterdir()):
                raise InputError(f"result folder {folder} is empty; it needs {clip.frame_count} pictures")
            return folder
        videos = sorted(
            path for path in folder.parent.glob(f"{folder.name}.*") if path.suffix in (".mp4", ".mov", ".mkv", ".webm")
        )
        if not videos:
            raise InputError(
                f"{self.folder} has no result of clip {clip.name}; it must be {folder} or {folder.name}.mp4"
            )
        return videos[0]


def plain_method(name: str, *, threads: int | None = None) -> RendererMethod:
    """A method that needs no weights.

    Args:
        name: ``source``, ``gather``, ``scatter`` or ``layered``.
        threads: how many render; all cores unless given, two of gather and scatter.

    Raises:
        InputError: another name.
    """
    from any2bokeh.evaluation.baselines import GatherRenderer, ScatterRenderer, SourceRenderer
    from any2bokeh.renderers.layered import LayeredRenderer

    makers: dict[str, Callable[[Transfer], Renderer]] = {
        "source": lambda transfer: SourceRenderer(),
        "gather": lambda transfer: GatherRenderer(transfer=transfer, threads=threads or 2),
        "scatter": lambda transfer: ScatterRenderer(transfer=transfer, threads=threads or 2),
        "layered": lambda transfer: LayeredRenderer(transfer=transfer, threads=threads),
    }
    require_choice("engine without weights", name, makers)
    return RendererMethod(name, makers[name])
