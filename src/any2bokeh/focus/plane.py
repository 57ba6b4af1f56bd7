"""A focal plane at a distance in metres."""

from dataclasses import dataclass

from any2bokeh.disparity import inverse_metres_per_unit
from any2bokeh.errors import InputError
from any2bokeh.focus.finder import Range
from any2bokeh.focus.script import FocusScript, Keyframe
from any2bokeh.focus.target import DisparityTarget
from any2bokeh.focus.tracked_subjects import TrackedSubjects


@dataclass(frozen=True, slots=True)
class FocusPlane:
    """Everything at one distance is in focus, where disparity is metric.

    Attributes:
        distance_m: from the lens, above 0.
    """

    distance_m: float

    def find(self, subjects: TrackedSubjects, frames: Range) -> FocusScript:
        """A script of one plane; see `FocusFinder.find`.

        Raises:
            InputError: disparity is relative, or nothing in the clip is so near.
        """
        metres = inverse_metres_per_unit(subjects.disparity)
        if metres is None:
            raise InputError(
                f"a focus distance of {self.distance_m:g} m alone needs a metric depth model, such as --depth-model "
                "zoe, or depth in metres (--disparity-kind depth) or millimetres (depth-mm); or say what stands there, "
                "such as --focus-point 0.5,0.5"
            )
        focus_disparity = 1 / (self.distance_m * metres)
        if focus_disparity > 1:
            raise InputError(
                f"focus distance is {self.distance_m:g} m, nearer than anything in the clip; give {1 / metres:.3g} m "
                f"or more"
            )
        return FocusScript(keyframes=(Keyframe(frame=frames.start, target=DisparityTarget(focus_disparity)),))
