from dataclasses import fields

import numpy as np
import pytest

from any2bokeh.app.look import NO_LENS, RANGES, Look
from any2bokeh.cli.look_options import LookOptions
from any2bokeh.errors import InputError
from any2bokeh.optics.aperture import Disc, Polygon
from any2bokeh.optics.catalogue import find_lens, lenses
from any2bokeh.optics.lens import Lens


@pytest.mark.parametrize("name", lenses())
def test_lens_looks_as_it_does_on_the_command_line(name: str):
    mine, theirs = Look.of(name).options().layered(None), LookOptions().layered(find_lens(name))
    assert mine.keys() == theirs.keys()
    for part in mine:
        if isinstance(theirs[part], Polygon):  # ovals of no blades may be of any
            points = np.random.default_rng(1).uniform(-1, 1, (2, 2000))
            np.testing.assert_allclose(mine[part].gauge(*points), theirs[part].gauge(*points), atol=1e-12)
        else:
            assert mine[part] == theirs[part], part
    known = find_lens(name)
    assert Look.of(name).optics == Lens(known.f_number, known.focal_length_mm, known.sensor_width_mm, 2.0)


def test_plain_look_is_a_disc_and_says_nothing():
    assert Look.of(NO_LENS) == Look()
    assert Look().typed() == []
    assert Look().options().layered(None)["aperture"] == Disc()


def test_what_is_typed_gives_the_same_look():
    look = Look.of("vintage-58-f2-swirl").changed(blades=7, highlights=4)
    words = look.typed()
    typed = dict(zip(words[::2], words[1::2], strict=True))
    kinds = {field.name: getattr(look.options(), field.name) for field in fields(LookOptions)}
    assert typed == {f"--{name.replace('_', '-')}": f"{v:g}" for name, v in kinds.items() if v is not None}
    assert typed["--blades"] == "7"


@pytest.mark.parametrize("name", RANGES)
def test_ranges_are_kept(name: str):
    allowed = RANGES[name]
    for value in (allowed.low, allowed.high):
        Look().changed(**{name: value}).options()
    for value in (allowed.low - 1, allowed.high + 1, float("nan"), "1", None, True):
        with pytest.raises(InputError, match=name.split("_")[0]):
            Look().changed(**{name: value})


@pytest.mark.parametrize(("given", "taken"), [(0, 0), (1, 0), (2, 3), (3, 3), (16, 16)])
def test_an_iris_has_three_blades_or_none(given: int, taken: int):
    assert Look().changed(blades=given).blades == taken


def test_other_names_are_refused():
    for name in ("lens", "__class__", "aperture_image"):
        with pytest.raises(InputError):
            Look().changed(**{name: 1})
    with pytest.raises(InputError, match="no lens"):
        Look.of("../lens")
