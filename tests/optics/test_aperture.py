import numpy as np
import pytest

from any2bokeh.optics.aperture import Disc, Polygon, radius_index, span_table, table_radius_px


@pytest.mark.parametrize("aperture", [Disc(), Polygon(blades=5), Polygon(blades=6, curvature=0.5, squeeze=0.6)])
@pytest.mark.parametrize("radius_px", [0.75, 1.0, 2.5, 9.0, 31.0])
def test_spans_cover_the_area_of_the_shape(aperture, radius_px):
    table = span_table(aperture, 32)
    index = radius_index(radius_px)
    fine = (np.arange(1600) + 0.5) / 800 - 1
    area = aperture.contains(fine[None, :], fine[:, None]).mean() * 4 * table_radius_px(index) ** 2
    # Worst seen 0.12 %, at a radius of 0.75 px.
    assert 1 / table.inverse_area[index] == pytest.approx(area, rel=0.002)


def test_disc_is_symmetric_in_both_axes():
    table = span_table(Disc(), 32)
    for index in (radius_index(1.3), radius_index(7.7), radius_index(30)):
        spans = table.spans[table.first[index] : table.first[index] + 2 * table.reach[index] + 1]
        np.testing.assert_allclose(spans, spans[::-1], atol=1e-4)
        np.testing.assert_allclose(spans[:, 0], -spans[:, 1], atol=1e-4)


def test_radius_index_and_table_radius_are_inverse():
    for radius_px in np.linspace(0.5, 200, 997):
        found = table_radius_px(radius_index(radius_px))
        assert abs(found - radius_px) <= max(1 / 64, 0.001 * radius_px) + 1e-9


def test_radius_below_half_a_pixel_is_the_pixel_itself():
    table = span_table(Disc(), 16)
    assert radius_index(0.499) == 0
    assert table.reach[0] == 0
    np.testing.assert_array_equal(table.spans[0], [-0.5, 0.5, 1.0])


def test_polygon_vertex_is_on_top_and_turns_clockwise():
    up = Polygon(blades=3).outline(3)[0]
    np.testing.assert_allclose(up, [0, -1], atol=1e-12)
    right = Polygon(blades=3, rotation_deg=90).outline(3)[0]
    np.testing.assert_allclose(right, [1, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"blades": 2}, "blades is 2"),
        ({"curvature": 1.5}, "curvature is 1.5"),
        ({"squeeze": 0.1}, "squeeze is 0.1"),
        ({"rotation_deg": float("nan")}, "rotation is nan"),
    ],
)
def test_impossible_polygons_are_refused(arguments, named):
    with pytest.raises(ValueError, match=named):
        Polygon(**arguments)
