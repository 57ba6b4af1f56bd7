"""The picture in three parts."""

import numpy as np
import pytest

from any2bokeh.optics.highlights import Highlights
from any2bokeh.optics.transfer import srgb_decode
from any2bokeh.optics.vignetting import Vignetting
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered.renderer import LayeredRenderer
from any2bokeh.renderers.layered.separation import ALPHA, FAR, FOCUS, NEAR
from tests.renderers.layered import scenes

SIZE = (70, 300)  # several tiles


def frame(*, focus: float = 0.5, k: float = 60.0) -> RenderInput:
    disparity = scenes.slope(*SIZE)
    disparity[:, 20:50, 100:160] = 0.95
    return RenderInput(scenes.noise(*SIZE), disparity, focus, k)


@pytest.mark.parametrize(
    "look", [{}, {"axial_chromatic": 0.02}, {"vignetting": Vignetting(0.7)}, {"transfer": "none"}], ids=str
)
def test_parts_add_up_to_the_picture(look):
    given = frame()
    renderer = LayeredRenderer(threads=2, **look)
    whole = renderer.render_frame(given)
    parts = renderer.render_separated(given)
    np.testing.assert_allclose(parts[:, ALPHA].sum(axis=0), 1, atol=1e-4)
    light = whole if look.get("transfer") == "none" else srgb_decode(whole)
    # In focus the picture has the source's own samples, whose light is looked up: 3e-7 apart at worst.
    np.testing.assert_allclose(parts[:, :ALPHA].sum(axis=0), light, atol=2e-5)


def test_a_part_has_what_is_on_its_side_of_the_focal_plane():
    given = frame()
    alphas = LayeredRenderer(threads=1).render_separated(given)[:, ALPHA]
    rows = given.disparity[0, :, 0]
    for part, away in ((NEAR, rows > 0.7), (FAR, rows < 0.3), (FOCUS, np.abs(rows - 0.5) < 0.01)):
        assert alphas[part][away][:, :60].min() > 0.98
    assert alphas[NEAR][30:40, 112:148].min() > 0.99  # its discs are 8 px wide


def test_raised_highlights_are_whole_in_their_part():
    pixels = np.full((3, *SIZE), 0.1, np.float32)
    pixels[:, 30:34, 200:204] = 1
    given = RenderInput(pixels, np.full((1, *SIZE), 0.2, np.float32), 0.8, 30.0)
    lamp = {}
    for gain in (0.0, 8.0):
        renderer = LayeredRenderer(highlights=Highlights(gain), threads=1)
        lamp[gain] = renderer.render_separated(given)[FAR, 0, 10:54, 180:224].sum()
    background = float(srgb_decode(np.array([0.1]))[0]) * 44 * 44
    assert (lamp[8.0] - background) / (lamp[0.0] - background) > 5


def test_nothing_is_blurred_at_strength_0():
    given = frame(k=0.0)
    parts = LayeredRenderer(threads=1).render_separated(given)
    np.testing.assert_allclose(parts[FOCUS, ALPHA], 1)
    np.testing.assert_allclose(parts[FOCUS, :ALPHA], srgb_decode(given.pixels), atol=1e-5)
