"""The table of a lens's look: ranges, what it builds, and that every surface shows the same."""

import inspect
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.cli.look_options import LookOptions
from any2bokeh.errors import InputError
from any2bokeh.optics.aperture import Disc, Polygon
from any2bokeh.optics.catalogue import find_lens, lenses
from any2bokeh.optics.look import LOOK_SETTINGS, Look

_DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", LOOK_SETTINGS)
def test_ranges_are_kept(name: str):
    each = LOOK_SETTINGS[name]
    assert each.low <= each.slider_low <= each.default <= each.slider_high <= each.high
    for value in (each.low, each.high, each.slider_low, each.slider_high):
        built = Look().changed(**{name: int(value) if each.is_whole else value})
        assert built.aperture().transmission(np.zeros(1), np.zeros(1))[0] >= 0
        assert (built.profile().spherical, built.vignetting().swirl) == (built.spherical, built.swirl)
        assert built.recovery().gain == built.highlights
    for value in (each.low - 1, each.high + 1, float("nan"), "1", None, True):
        with pytest.raises(InputError, match=name.replace("_", " ")):
            Look().changed(**{name: value})


def test_a_plain_look_is_a_disc():
    assert Look().aperture() == Disc()
    assert Look().numbers() == {}
    assert Look().profile().is_flat
    assert Look().vignetting().is_open
    assert Look().recovery().gain == 0


def test_shapes_of_the_opening():
    assert Look(blades=7, blade_curvature=0.3, aperture_rotation_deg=10).aperture() == Polygon(7, 0.3, 10.0)
    oval = Look(anamorphic_ratio=2.0).aperture()
    assert isinstance(oval, Polygon)
    assert (oval.curvature, oval.squeeze) == (1.0, 0.5)
    for blades in (1, 2):
        with pytest.raises(InputError, match="3 to 16"):
            Look(blades=blades)
    with pytest.raises(InputError, match="--blades 6"):
        Look(aperture_image=Path("heart.png"), blades=6)


@pytest.mark.parametrize("name", lenses())
def test_a_named_lens_alone_is_its_look(name: str):
    assert LookOptions().look(find_lens(name)) == find_lens(name).look


def test_what_is_typed_goes_before_the_lens(tmp_path: Path):
    lens = find_lens("vintage-58-f2-swirl")
    assert LookOptions(swirl=0.1).look(lens) == lens.look.changed(swirl=0.1)
    # Other blades are not those of the lens, and straight unless said otherwise.
    assert LookOptions(blades=5).look(lens) == lens.look.changed(blades=5, blade_curvature=0.0)
    picture = tmp_path / "heart.png"
    assert LookOptions(aperture_image=picture).look(lens).blades == 0
    with pytest.raises(InputError, match=r"--blade-curvature 0\.5 needs --blades"):
        LookOptions(blade_curvature=0.5).look(None)


def test_the_command_line_has_an_option_for_every_setting():
    assert {each.name for each in fields(LookOptions)} == {*LOOK_SETTINGS, "aperture_image"}
    hints = inspect.get_annotations(LookOptions)
    for name, each in LOOK_SETTINGS.items():
        typed = hints[name].__metadata__[0]
        assert each.option in (typed.default, *typed.param_decls)
        assert typed.help == each.sentence


def test_the_page_of_lenses_tells_of_every_setting():
    page = (_DOCS / "lenses.md").read_text()
    for each in LOOK_SETTINGS.values():
        [row] = [line for line in page.splitlines() if re.match(rf"\| `{each.option} \w+` \|", line)]
        assert f"{each.low:g} to {each.high:g}" in row, row
        assert row.endswith(f"| {each.default:g} |"), row
