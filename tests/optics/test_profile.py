import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.optics.profile import BokehProfile

RHO = np.sqrt((np.arange(20_000) + 0.5) / 20_000)  # evenly over the disc's area


@pytest.mark.parametrize("spherical", [-1.0, -0.4, 0.7, 1.0])
def test_spherical_aberration_moves_light_and_keeps_it(spherical):
    behind = BokehProfile(spherical=spherical).brightness(RHO, in_front=False)
    front = BokehProfile(spherical=spherical).brightness(RHO, in_front=True)
    assert behind.mean() == pytest.approx(1, abs=1e-6)
    assert front.mean() == pytest.approx(1, abs=1e-6)
    assert (behind[-1] - behind[0]) * spherical > 0, "above 0 the rim is the brighter behind the focal plane"
    np.testing.assert_allclose(behind + front, 2, atol=1e-12)


def test_discs_laid_on_one_another_are_the_profile():
    profile = BokehProfile(spherical=0.6, softness=0.3, onion_rings=0.2)
    radii, brightness = profile.steps(12, in_front=False)
    piled = (brightness[:, None] * (radii[:, None] >= RHO)).sum(axis=0)
    exact = profile.brightness(RHO, in_front=False)
    assert piled.mean() == pytest.approx(exact.mean(), abs=1e-3)
    annuli = np.minimum((RHO**2 * 12).astype(int), 11)
    for annulus in range(12):
        assert piled[annuli == annulus].mean() == pytest.approx(exact[annuli == annulus].mean(), abs=2e-3)


def test_softness_fades_the_rim_over_its_share_of_the_radius():
    bright = BokehProfile(softness=0.5).brightness(np.array([0.0, 0.5, 0.75, 1.0]), in_front=False)
    np.testing.assert_allclose(bright, [1, 1, 0.5, 0])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"spherical": 1.2}, "spherical of the bokeh is 1.2"),
        ({"softness": -0.1}, "softness of the bokeh is -0.1"),
        ({"onion_rings": float("nan")}, "onion rings of the bokeh is nan"),
    ],
)
def test_values_outside_their_range_are_named(arguments, named):
    with pytest.raises(InputError, match=named):
        BokehProfile(**arguments)
