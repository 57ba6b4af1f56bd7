"""Where the disparity of a user's clip comes from."""

import threading
from collections.abc import Callable
from pathlib import Path

from any2bokeh.disparity import DisparitySource, EstimatedDisparity, open_disparity
from any2bokeh.disparity.cache import DisparityCache
from any2bokeh.disparity.estimators import DEFAULT_CHOICE, open_estimator
from any2bokeh.disparity.estimators.base import Device
from any2bokeh.focus import FocusScript
from any2bokeh.subject.seed import ClipSeed
from any2bokeh.video import VideoSource

Report = Callable[[int, int], None]


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
        self._model = model
        self._device: Device = device
        self.folder, self._cache = cache.parent, DisparityCache(cache)
        self._made: dict[ClipSeed, Path] = {}
        self._making = threading.Lock()
        self.caveat: str | None = None
        self.name: str | None = None

    def ready(self, script: FocusScript | None) -> Path | None:
        """The disparity's file for a focus script, where it is there already."""
        return self.given or self._made.get(seed_of(script, self._source))

    def nearest(self, script: FocusScript | None) -> Path | None:
        """The same; or, until it is there, what was estimated last, unless that has another subject in front."""
        found = self.ready(script)
        return found if found is not None or self.name == "rough" else next(reversed(self._made.values()), None)

    def made(self, script: FocusScript | None, report: Report) -> Path:
        """The disparity's file for a focus script; made, if it is not there.

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
                return found
            estimator = open_estimator(self._model, seed=seed, device=self._device)
            self.name, self.caveat = estimator.name, estimator.caveat
            estimated = EstimatedDisparity(self._source, estimator, cache=self._cache, progress=report)
            self._made[seed] = estimated.estimate().maps
            return self._made[seed]

    def opened(self, path: Path) -> DisparitySource:
        """Open a file of ours; each reader opens its own."""
        info = self._source.info
        return open_disparity(path, clip_frame_count=info.frame_count, frame_size=(info.width, info.height))


def seed_of(script: FocusScript | None, source: VideoSource) -> ClipSeed:
    """Where a focus script first says that the subject is; the middle of the picture where it does not."""
    return (script.first_subject(source.info.fps) if script else None) or ClipSeed()


def shown_name(name: str | None) -> str:
    """What the page calls a depth model."""
    return "rough built-in estimate" if name == "rough" else name or "not estimated yet"
