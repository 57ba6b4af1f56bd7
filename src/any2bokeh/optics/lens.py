"""Lens numbers to blur strength."""

from dataclasses import dataclass

from any2bokeh.errors import InputError
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX

UNSTATED_DISTANCE_M = 2.0
"""How far away a subject stands where neither the lens nor the disparity tells."""


@dataclass(frozen=True, slots=True)
class Lens:
    """A thin lens in front of a sensor whose width is the frame's longer side.

    Attributes:
        f_number: focal length over the diameter of the aperture, above 0.
        focal_length_mm: above 0.
        sensor_width_mm: above 0; 36 is full frame.
        focus_distance_m: from the lens to the focal plane, beyond the focal length; ``UNSTATED_DISTANCE_M`` unless
            stated, or known from metric disparity.
    """

    f_number: float
    focal_length_mm: float
    sensor_width_mm: float = 36.0
    focus_distance_m: float | None = None

    def __post_init__(self) -> None:
        for name in ("f_number", "focal_length_mm", "sensor_width_mm", "focus_distance_m"):
            value = getattr(self, name)
            if value is None:
                continue
            if not 0 < value < float("inf"):
                raise InputError(f"{name.replace('_', ' ')} is {value:g}; give a finite number above 0")
        if self.focus_distance_m is not None:
            self._require_focusable(self.focus_distance_m)

    def distance_m(self, focus_disparity: float, inverse_metres_per_unit: float | None = None) -> float:
        """How far away the focal plane is: as stated, else as metric disparity says, else ``UNSTATED_DISTANCE_M``.

        Args:
            focus_disparity: d_f, in (0, 1].
            inverse_metres_per_unit: 1/metres that disparity 1 stands for; None of relative disparity.

        Raises:
            InputError: a focus disparity outside its range, or a distance within the focal length.
        """
        if not 0 < focus_disparity <= 1:
            raise InputError(
                f"focus disparity is {focus_disparity:g}; lens numbers need the focus on something nearer than "
                "infinity (above 0, at most 1); give --blur instead"
            )
        if self.focus_distance_m is not None:
            return self.focus_distance_m
        if inverse_metres_per_unit is None:
            return UNSTATED_DISTANCE_M
        distance_m = 1 / (focus_disparity * inverse_metres_per_unit)
        self._require_focusable(distance_m)
        return distance_m

    def blur_strength(self, focus_disparity: float, inverse_metres_per_unit: float | None = None) -> float:
        """K of this lens where disparity is ``z_min / z``; arguments as for ``distance_m``.

        The radius of the circle of confusion on the sensor is ``f^2 / (2 N) * z_f / (z_f - f) * |1/z_f - 1/z|``; with
        ``d = z_min / z`` and ``z_min = d_f * z_f`` that is ``K |d - d_f|``. For metric disparity this is exact. For
        relative disparity it is an approximation: that disparity 0 is infinitely far, and the subject in focus
        stands at the focus distance.

        Raises:
            InputError: see ``distance_m``.

        Source: thin-lens equation; e.g. Hecht, Optics, 5.2.3, and Potmesil & Chakravarty, SIGGRAPH 1981.
        """
        distance_m = self.distance_m(focus_disparity, inverse_metres_per_unit)
        focal_m, sensor_m = self.focal_length_mm / 1000, self.sensor_width_mm / 1000
        aperture_radius_m = focal_m / (2 * self.f_number)
        image_distance_m = focal_m * distance_m / (distance_m - focal_m)
        nearest_m = focus_disparity * distance_m
        return aperture_radius_m * image_distance_m / nearest_m / sensor_m * REFERENCE_LONG_SIDE_PX

    def _require_focusable(self, distance_m: float) -> None:
        if distance_m * 1000 <= self.focal_length_mm:
            raise InputError(
                f"focus distance is {distance_m:g} m, inside the focal length of {self.focal_length_mm:g} mm; a lens "
                "focuses beyond it"
            )
