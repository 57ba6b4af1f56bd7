"""What the lens did in each frame, in numbers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from any2bokeh.pending_output import PendingOutput, write_failure
from any2bokeh.shot import Shot

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class FocusMetadata:
    """Numbers of a shot, frame by frame.

    Attributes:
        shot: whose they are.
        blades: of the iris; None where it is round or a picture.
    """

    shot: Shot
    blades: int | None = None

    def clip(self) -> dict[str, Any]:
        """What holds for the whole clip. Lens numbers are None where K was given instead."""
        shot, lens = self.shot, self.shot.lens
        return {
            "version": FORMAT_VERSION,
            "source": shot.source.info.path.name,
            "fps": str(shot.source.info.fps),
            "width": shot.source.info.width,
            "height": shot.source.info.height,
            "f_number": None if lens is None else lens.f_number,
            "focal_length_mm": None if lens is None else lens.focal_length_mm,
            "sensor_width_mm": None if lens is None else lens.sensor_width_mm,
            "blades": self.blades,
            "inverse_metres_per_unit": shot.inverse_metres_per_unit,
        }

    def frame(self, index: int) -> dict[str, Any]:
        """Numbers of one frame.

        Args:
            index: of the frame in the source.

        Returns:
            Among them ``focus_distance_m``: None where nothing tells how far disparity is, and at infinity.
        """
        shot, at = self.shot, index - self.shot.start
        focus_disparity = float(shot.track.focus_disparity[at])
        metres = shot.inverse_metres_per_unit
        known = metres is not None and focus_disparity > 0
        return {
            "frame": index,
            "focus_disparity": focus_disparity,
            "focus_distance_m": 1 / (focus_disparity * metres) if known else None,  # type: ignore[operator]
            "blur_strength": float(shot.track.blur_strength[at]),
            "zoom": float(shot.zoom[at]),
        }

    def header(self, index: int) -> dict[str, float | int | str]:
        """The numbers of a frame as attributes of an EXR.

        ``focus`` (metres), ``aperture`` (f-number) and ``nominalFocalLength`` (mm) are OpenEXR's standard attributes;
        the rest is ours.
        """
        clip, frame = self.clip(), self.frame(index)
        standard = {
            "focus": frame["focus_distance_m"],
            "aperture": clip["f_number"],
            "nominalFocalLength": clip["focal_length_mm"],
        }
        own = {
            f"any2bokeh:{name}": value
            for name, value in (clip | frame).items()
            if name in ("sensor_width_mm", "blades", "focus_disparity", "blur_strength", "zoom", "frame")
        }
        return {name: value for name, value in (standard | own).items() if value is not None}

    def all(self) -> dict[str, Any]:
        """The clip with all frames, as JSON holds it."""
        frames = [self.frame(index) for index in range(self.shot.start, self.shot.stop)]
        return self.clip() | {"frames": frames}


def write_metadata(path: Path, metadata: FocusMetadata, *, more: Mapping[str, Any] | None = None) -> None:
    """Write the numbers of a shot as JSON.

    Args:
        path: the file, replaced.
        metadata: the numbers.
        more: added to what holds for the whole clip.

    Raises:
        InputError: the disk is full, or the file cannot be written.
    """
    pending = PendingOutput.file(path)
    try:
        pending.temporary.write_text(json.dumps(metadata.all() | dict(more or {}), indent=1) + "\n", encoding="utf-8")
        pending.publish()
    except OSError as error:
        raise write_failure(path, error) from None
    finally:
        pending.discard()
