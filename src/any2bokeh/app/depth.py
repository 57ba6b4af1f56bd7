"""Where the disparity of a user's clip comes from."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from any2bokeh.disparity import DisparitySource, EstimatedDisparity, open_disparity
from any2bokeh.disparity.cache import DisparityCache
from any2bokeh.disparity.estimators import DEFAULT_CHOICE, ROUGH, open_estimator
from any2bokeh.disparity.estimators.base import Device
from any2bokeh.disparity.mending import Stroke
from any2bokeh.disparity.mending.carrying import StrokeCarrier
from any2bokeh.disparity.mending.mended import mended
from any2bokeh.focus import FocusScript
from any2bokeh.subject.seed import ClipSeed
from any2bokeh.video import VideoSource

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Maps:
    """Disparity of a clip.

    Attributes:
        path: of its file.
        strokes: that mend it.
    """

    path: Path
    strokes: tuple[Stroke, ...] = ()


class ClipDepth:
    """The disparity of a clip: a file, or estimated once and kept in the session's folder.

    The built-in estimate wants to know where the subject is. It is told as ``any2bokeh refocus`` tells it, from the
    first point or box of the focus script, so that both come to the same disparity.

    Args:
        source: the clip.
        given: the disparity's file; None to estimate it.
        given_name: what the user calls that file.
        model: which depth model; see ``open_estimator``.
        device: where it runs.
        cache: where an estimate is kept, in the session's folder.

    Attributes:
        strokes: of a brush, which mend it.
        model: which depth model estimates it.
        folder: the session's.
    """

    def __init__(
        self,
        source: VideoSource,
        *,
        given: Path | None,
        given_name: str = "",
        model: str = DEFAULT_CHOICE,
        device: Device = "auto",
        cache: Path,
    ) -> None:
        self._source = source
        self.given, self.given_name = given, given_name
        self.model = model
        self._device: Device = device
        self.folder, self._cache = cache.parent, DisparityCache(cache)
        self.strokes: tuple[Stroke, ...] = ()
        self._carrier = StrokeCarrier(source)
        self._made: dict[ClipSeed, Path] = {}
        self._making = threading.Lock()
        self.caveat: str | None = None
        self.name: str | None = None

    def ready(self, script: FocusScript | None) -> Maps | None:
        """The disparity for a focus script, where it is there already."""
        return self._mended(self.given or self._made.get(seed_of(script, self._source)))

    def nearest(self, script: FocusScript | None) -> Maps | None:
        """The same; or, until it is there, what was estimated last, unless that has another subject in front."""
        found = self.ready(script)
        if found is not None or self.name == ROUGH:
            return found
        made = list(self._made.values())  # a copy: another estimate may be done meanwhile
        return self._mended(made[-1] if made else None)

    def made(self, script: FocusScript | None, report: Report) -> Maps:
        """The disparity for a focus script; made, if it is not there.

        Args:
            script: what is in focus.
            report: told the frames done and the frames of the job; what it raises ends the work.

        Raises:
            InputError: the clip or the model cannot be read.
        """
        seed = seed_of(script, self._source)
        with self._making:
            found = self.given or self._made.get(seed)
            if found is not None:
                return Maps(found, self.strokes)
            estimator = open_estimator(self.model, seed=seed, device=self._device)
            self.name, self.caveat = estimator.name, estimator.caveat
            estimated = EstimatedDisparity(self._source, estimator, cache=self._cache, progress=report)
            self._made[seed] = estimated.estimate().maps
            return Maps(self._made[seed], self.strokes)

    def opened(self, maps: Maps) -> DisparitySource:
        """Open files of ours, mended; each reader opens its own."""
        info = self._source.info
        found = open_disparity(maps.path, clip_frame_count=info.frame_count, frame_size=(info.width, info.height))
        return mended(found, self._source, maps.strokes, carrier=self._carrier)

    def _mended(self, path: Path | None) -> Maps | None:
        return None if path is None else Maps(path, self.strokes)


def seed_of(script: FocusScript | None, source: VideoSource) -> ClipSeed:
    """Where a focus script first says that the subject is; the middle of the picture where it does not."""
    return (script.first_subject(source.info.fps) if script else None) or ClipSeed()


def shown_name(name: str | None) -> str:
    """What the page calls a depth model."""
    return "rough built-in estimate" if name == "rough" else name or "not estimated yet"
