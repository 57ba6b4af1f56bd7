"""The lens of a clip from the widths of its edges."""

import numpy as np
import pytest

from any2bokeh.optics.source_blur import SourceLens
from any2bokeh.source_blur.estimate import edges_of_frame
from any2bokeh.source_blur.fit import WidthsByDisparity, fitted_lens
from tests.source_blur import scenes

LONG_SIDE_PX = max(scenes.SIZE)


def fitted(picture: tuple[np.ndarray, np.ndarray]) -> SourceLens | None:
    edges = edges_of_frame(*picture, "srgb", long_side_px=LONG_SIDE_PX)
    return fitted_lens(edges, LONG_SIDE_PX / 1024)


@pytest.mark.parametrize(("blur_strength", "focus"), [(8.0, 0.1), (8.0, 0.85), (12.0, 0.35)])
def test_the_lens_that_blurred_a_picture_is_found(blur_strength: float, focus: float):
    lens = fitted(scenes.through(blur_strength, focus))
    assert lens is not None
    # Worst seen: 8% (of K 12), and 0.023.
    assert lens.blur_strength == pytest.approx(blur_strength, rel=0.15)
    assert lens.focus_disparity == pytest.approx(focus, abs=0.05)


def test_a_sharp_picture_has_none():
    assert fitted(scenes.cards({})) is None


def test_what_is_equally_soft_everywhere_has_none():
    assert fitted(scenes.cards(dict.fromkeys(scenes.DISPARITIES, 2.5))) is None


def test_a_picture_without_edges_has_none():
    flat = np.full((3, *scenes.SIZE), 0.5, np.float32)
    assert fitted((flat, np.linspace(0, 1, flat[0].size, dtype=np.float32).reshape(1, *scenes.SIZE))) is None


def test_motion_is_no_defocus():
    moving = scenes.cards({}, motion_px={0.6: 9, 0.85: 15})
    widths = WidthsByDisparity.of(edges_of_frame(*moving, "srgb", long_side_px=LONG_SIDE_PX))
    assert widths.radius.max() < 1.5  # 1.1 seen; those across the motion are 3 px wide
    assert fitted(moving) is None


def test_one_soft_surface_among_sharp_ones_has_none():
    """Clouds, shadows and smoke are no defocus: what is nearer and farther is sharp."""
    assert fitted(scenes.cards({0.35: 4.0})) is None
