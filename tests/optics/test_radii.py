import numpy as np

from any2bokeh.optics.radii import indexed_radius_px, radius_index


def test_index_and_radius_are_inverse():
    for radius_px in np.linspace(0.5, 200, 997):
        found = indexed_radius_px(radius_index(radius_px))
        assert abs(found - radius_px) <= max(1 / 64, 0.001 * radius_px) + 1e-9


def test_all_radii_below_half_a_pixel_are_one():
    assert radius_index(0.499) == 0
    assert radius_index(0.5) > 0
