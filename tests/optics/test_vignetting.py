import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.optics.aperture import Disc
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.optics.vignetting import Vignetting, cut, fine_row_opening, row_opening, vignetting_table


def lens_area(distance: float) -> float:
    """Area common to two unit circles. Source: Weisstein, Circle-Circle Intersection, MathWorld."""
    return 2 * np.arccos(distance / 2) - distance / 2 * np.sqrt(4 - distance**2)


@pytest.mark.parametrize("distance", [0.25, 0.6, 1.0])
@pytest.mark.parametrize("angle_deg", [0.0, 37.0, 90.0, 200.0])
def test_a_cat_eye_keeps_what_two_circles_have_in_common(distance, angle_deg):
    table = vignetting_table(Vignetting(cat_eye=0.8), Disc(), BokehProfile(), 601, 801)
    half_diagonal = np.hypot(601, 801) / 2
    y = 300 + distance * half_diagonal * np.sin(np.deg2rad(angle_deg))
    x = 400 + distance * half_diagonal * np.cos(np.deg2rad(angle_deg))
    for signed in (-12.0, 12.0):
        kept = cut(*table, np.float32(signed), y, x)[0]
        assert kept == pytest.approx(lens_area(0.8 * distance) / np.pi, abs=0.005)


@pytest.mark.parametrize(("cat_eye", "swirl"), [(0.7, 0.0), (0.0, 0.6), (0.5, 0.4)])
@pytest.mark.parametrize("signed", [-20.0, 20.0])
def test_rows_open_where_the_definition_does(cat_eye, swirl, signed):
    vignetting = Vignetting(cat_eye=cat_eye, swirl=swirl)
    table = vignetting_table(vignetting, Disc(), BokehProfile(), 201, 301)
    y, x = 20.0, 270.0
    opening = cut(*table, np.float32(signed), y, x)
    across, down = (x - 150) * table.numbers[4], (y - 100) * table.numbers[4]
    fine = np.linspace(-45, 45, 9001)
    for row in range(-18, 19, 4):
        left, right = row_opening(opening, np.float32(row))
        inside = fine[vignetting.opening(fine / 20, np.full_like(fine, row / 20), across, down, in_front=signed > 0)]
        assert (right > left) == (inside.size > 0)
        if inside.size:
            np.testing.assert_allclose((left, right), (inside[0], inside[-1]), atol=0.02)


def test_the_centre_of_the_frame_is_open():
    table = vignetting_table(Vignetting(cat_eye=1.0, swirl=0.5), Disc(), BokehProfile(), 101, 101)
    opening = cut(*table, np.float32(-10), 50, 50)
    assert opening[0] == 1
    left, right = row_opening(opening, np.float32(0))
    assert left < -10
    assert right > 10
    assert fine_row_opening(opening, np.float32(0))[2] == 1


def test_a_row_that_closes_within_its_height_is_open_in_part():
    table = vignetting_table(Vignetting(cat_eye=0.8), Disc(), BokehProfile(), 201, 201)
    opening = cut(*table, np.float32(-3), 170, 100)  # behind, below the centre: cut from below
    shares = [fine_row_opening(opening, np.float32(row))[2] for row in range(-4, 5)]
    assert set(shares) <= {np.float32(part / 3) for part in range(4)}
    assert 0 < min(share for share in shares if share > 0) < 1


@pytest.mark.parametrize(("arguments", "named"), [({"cat_eye": 1.1}, "cat eye"), ({"swirl": 0.95}, "swirl")])
def test_values_outside_their_range_are_named(arguments, named):
    with pytest.raises(InputError, match=named):
        Vignetting(**arguments)
