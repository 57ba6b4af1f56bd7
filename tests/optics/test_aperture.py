import cv2
import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.optics.aperture import Disc, ImageAperture, Polygon


@pytest.mark.parametrize("aperture", [Disc(), Polygon(5, rotation_deg=20), Polygon(7, curvature=0.5, squeeze=0.6)])
def test_the_gauge_is_one_on_the_outline(aperture):
    outline = aperture.outline(720) if not isinstance(aperture, Disc) else Disc().outline(100_000)
    np.testing.assert_allclose(aperture.gauge(outline[:, 0], outline[:, 1]), 1, atol=1e-6)
    np.testing.assert_allclose(aperture.gauge(*(0.25 * outline.T)), 0.25, atol=1e-6)


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


class TestImageAperture:
    def write(self, tmp_path, picture):
        path = tmp_path / "aperture.png"
        cv2.imwrite(str(path), picture)
        return path

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_the_brightest_is_one_and_the_longer_side_spans_the_disc(self, tmp_path, dtype):
        picture = np.zeros((20, 40), dtype)
        picture[:, 20:] = np.iinfo(dtype).max // 2
        aperture = ImageAperture.load(self.write(tmp_path, picture))
        assert aperture.mask.max() == pytest.approx(1)
        x, y = np.array([0.99, 0.5, -0.5, 0.5]), np.array([0.0, 0.49, 0.0, 0.51])
        np.testing.assert_allclose(aperture.transmission(x, y), [1, 1, 0, 0])

    def test_alpha_stops_light(self, tmp_path):
        picture = np.full((8, 8, 4), 255, np.uint8)
        picture[:, :4, 3] = 0
        mask = ImageAperture.load(self.write(tmp_path, picture)).mask
        assert (mask[:, :4] == 0).all()
        assert (mask[:, 4:] == 1).all()

    def test_bad_pictures_are_named(self, tmp_path):
        with pytest.raises(InputError, match="lets no light through"):
            ImageAperture.load(self.write(tmp_path, np.zeros((8, 8), np.uint8)))
        with pytest.raises(InputError, match="there is no aperture image"):
            ImageAperture.load(tmp_path / "none.png")
        (tmp_path / "text.png").write_text("not a picture")
        with pytest.raises(InputError, match=r"text\.png is no picture"):
            ImageAperture.load(tmp_path / "text.png")
