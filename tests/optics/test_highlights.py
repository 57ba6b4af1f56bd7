import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.optics.highlights import Highlights, raised
from any2bokeh.optics.transfer import srgb_decode


def test_light_below_the_threshold_is_left_alone():
    code = np.linspace(0, 0.9, 10).reshape(1, 1, 10).repeat(3, axis=0)
    light = srgb_decode(code)
    np.testing.assert_array_equal(Highlights(gain=20, threshold=0.9).recovered(light, code), light)


def test_white_becomes_as_bright_as_the_gain_says_and_keeps_its_hue():
    code = np.array([1.0, 0.8, 0.5]).reshape(3, 1, 1)
    light = srgb_decode(code)
    raised_light = Highlights(gain=7).recovered(light, code)
    np.testing.assert_allclose(raised_light / light, 8)


def test_the_gain_sets_in_smoothly():
    code = np.linspace(0.85, 1, 301).reshape(1, 1, -1).repeat(3, axis=0)
    light = Highlights(gain=10).recovered(srgb_decode(code), code)[0, 0]
    steps = np.diff(light)
    assert (steps > 0).all()
    assert steps.max() < 12 * steps.min() * 20
    np.testing.assert_allclose(np.diff(steps)[1:-1], np.diff(steps)[:-2], atol=2e-3)


def test_kernels_raise_as_the_definition_does():
    for code in (0.5, 0.9, 0.93, 0.97, 1.0, 1.2):
        picture = np.full((3, 1, 1), code)
        defined = Highlights(gain=5).recovered(np.ones((3, 1, 1)), picture)[0, 0, 0]
        assert raised(np.float32(code), np.float32(5), np.float32(0.9)) == pytest.approx(defined, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "named"), [({"gain": -1}, "gain is -1"), ({"gain": 1, "threshold": 1}, "threshold is 1")]
)
def test_values_outside_their_range_are_named(arguments, named):
    with pytest.raises(InputError, match=named):
        Highlights(**arguments)
