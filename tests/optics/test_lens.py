import pytest

from any2bokeh.errors import InputError
from any2bokeh.optics.coc import coc_radius_px
from any2bokeh.optics.lens import Lens


def test_k_gives_the_textbook_circle_of_confusion():
    lens = Lens(f_number=1.4, focal_length_mm=85, sensor_width_mm=36, focus_distance_m=2)
    z_min, z = 1.5, 6.0
    k = lens.blur_strength(focus_disparity=z_min / 2)
    radius = coc_radius_px(z_min / z, z_min / 2, k, long_side_px=3840)
    f = 0.085
    diameter_m = f**2 / 1.4 * (z - 2) / (z * (2 - f))  # Potmesil & Chakravarty 1981
    assert radius == pytest.approx(diameter_m / 2 / 0.036 * 3840, rel=1e-6)


def test_stopping_down_by_two_halves_k():
    wide, narrow = Lens(2, 50).blur_strength(0.5), Lens(4, 50).blur_strength(0.5)
    assert wide == pytest.approx(2 * narrow)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"f_number": 0, "focal_length_mm": 50}, "f number is 0"),
        ({"f_number": 2, "focal_length_mm": -5}, "focal length mm is -5"),
        ({"f_number": 2, "focal_length_mm": 50, "focus_distance_m": 0.04}, "inside the focal length"),
        ({"f_number": float("nan"), "focal_length_mm": 50}, "f number is nan"),
    ],
)
def test_impossible_lenses_are_refused(arguments, named):
    with pytest.raises(InputError, match=named):
        Lens(**arguments)


def test_focus_at_infinity_has_no_scale():
    with pytest.raises(InputError, match="focus disparity is 0"):
        Lens(2, 50).blur_strength(0)


def test_metric_disparity_tells_the_distance():
    lens, z_min = Lens(1.4, 85), 1.5
    assert lens.distance_m(0.5, 1 / z_min) == pytest.approx(3.0)
    assert lens.blur_strength(0.5, 1 / z_min) == pytest.approx(Lens(1.4, 85, focus_distance_m=3.0).blur_strength(0.5))
    assert Lens(1.4, 85, focus_distance_m=2.0).distance_m(0.5, 1 / z_min) == 2.0  # what is stated goes before
    assert lens.distance_m(0.5) == 2.0


def test_metric_focus_within_the_focal_length_is_refused():
    with pytest.raises(InputError, match=r"focus distance is 0\.05 m, inside the focal length of 85 mm"):
        Lens(1.4, 85).blur_strength(0.5, 40)
