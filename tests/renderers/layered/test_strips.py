"""Large frames, layered strip by strip: with a small limit, the picture of the whole."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.disparity.edges import ClassicalEdges
from any2bokeh.optics.highlights import Highlights
from any2bokeh.optics.vignetting import Vignetting
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer
from tests.renderers.layered import scenes

HEIGHT, WIDTH = 360, 80
LOOKS = [{"highlights": Highlights("auto")}, {"axial_chromatic": 0.1}, {"vignetting": Vignetting(cat_eye=0.6)}]


def tall_frame() -> RenderInput:
    """Cards before a wall, mixed pixels, and lamps: clipped ones, and far ones that the cards cut."""
    pixels, disparity = 0.2 * scenes.noise(HEIGHT, WIDTH), np.full((1, HEIGHT, WIDTH), 0.1, np.float32)
    for top in range(20, HEIGHT - 40, 70):
        disparity[:, top : top + 40, 20:60] = 0.9
        pixels[:, top : top + 40, 20:60] += 0.4
        away = np.hypot(*np.ogrid[-15:55, -9 : WIDTH - 9])[: HEIGHT - top]
        disc = np.clip(3.5 - away, 0, 1).astype(np.float32)
        pixels[:, top : top + 70] += disc * (1 - pixels[:, top : top + 70])
        pixels[:, top + 20 : top + 24, 16:20] = 0.9
    bands = ClassicalEdges(always=True)(disparity, pixels)
    seen = 0.5 * scenes.noise(HEIGHT, WIDTH, seed=1)
    hidden = HiddenBackground(seen, np.full_like(disparity, 0.05), np.full((HEIGHT, WIDTH), 0.8, np.float32))
    blur = scenes.k_for(6, 0.4, HEIGHT, WIDTH)
    return RenderInput(pixels, bands.disparity, 0.5, blur, hidden=hidden, bands=bands)


def small(**look) -> LayeredRenderer:
    renderer = LayeredRenderer(**look)
    renderer.most_px = 150 * WIDTH
    return renderer


def alike(found: NDArray[np.float32], whole: NDArray[np.float32]) -> None:
    # Hidden background is continued from beyond the margin, ever less. Worst seen: 0, in all of these frames.
    np.testing.assert_allclose(found, whole, atol=1e-4)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_strips_make_the_picture_of_the_whole(look):
    frame = tall_frame()
    alike(small(**look).render_frame(frame), LayeredRenderer(**look).render_frame(frame))


def test_clipped_lamps_are_those_of_the_whole():
    frame, look = tall_frame(), LOOKS[0]
    raised = LayeredRenderer(**look).render_frame(frame)
    assert np.abs(raised - LayeredRenderer().render_frame(frame)).max() > 0.05, "there are some"
    alike(small(**look).render_frame(frame), raised)


def test_across_too():
    frame = tall_frame()
    pixels, disparity = (np.ascontiguousarray(each.swapaxes(1, 2)) for each in (frame.pixels, frame.disparity))
    turned = RenderInput(pixels, disparity, 0.5, frame.blur_strength)
    renderer = small()
    renderer.most_px = 70 * HEIGHT
    alike(renderer.render_frame(turned), LayeredRenderer().render_frame(turned))


def test_parts_for_compositing_too():
    frame = tall_frame()
    alike(small().render_separated(frame), LayeredRenderer().render_separated(frame))


def test_with_what_lies_around_the_frame():
    frame, margin = tall_frame(), 12
    around = HiddenBackground(
        np.full((3, HEIGHT + 2 * margin, WIDTH + 2 * margin), 0.7, np.float32),
        np.full((1, HEIGHT + 2 * margin, WIDTH + 2 * margin), 0.1, np.float32),
        np.ones((HEIGHT + 2 * margin, WIDTH + 2 * margin), np.float32),
        margin,
    )
    frame = replace(frame, hidden=around)
    alike(small().render_frame(frame), LayeredRenderer().render_frame(frame))


def test_it_takes_less_memory_and_tells_how_far_it_is():
    renderer, shares = small(), []
    rows = []

    def within(share: float) -> None:
        assert renderer.image is not None
        rows.append(renderer.image.kind.shape[0])
        shares.append(share)

    renderer.within = within
    renderer.render_frame(tall_frame())
    assert max(rows) < HEIGHT
    assert renderer.image is None
    assert len(shares) == 6
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_small_frame_is_not_divided():
    renderer, shares = LayeredRenderer(), []
    renderer.within = shares.append
    renderer.render_frame(tall_frame())
    assert shares == []
    assert renderer.image is not None
    assert renderer.image.kind.shape == (HEIGHT, WIDTH)
