import numpy as np

from any2bokeh.optics.coc import coc_radius_px, defocus_px


def test_convention_in_front_of_the_focal_plane_is_positive():
    assert defocus_px(0.8, 0.5, 10, 1024) > 0 > defocus_px(0.2, 0.5, 10, 1024)


def test_convention_k_is_the_radius_per_disparity_at_1024_px_of_the_longer_side():
    np.testing.assert_allclose(coc_radius_px(np.array([0.0, 1.0]), 0.5, 20, 1024), [10, 10])
    np.testing.assert_allclose(coc_radius_px(np.array([0.0, 1.0]), 0.5, 20, 4096), [40, 40])
