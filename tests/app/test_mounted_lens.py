import pytest

from any2bokeh.app.mounted_lens import LENS_SETTINGS, NO_LENS, MountedLens
from any2bokeh.cli.look_options import LookOptions
from any2bokeh.errors import InputError
from any2bokeh.optics.catalogue import find_lens, lenses
from any2bokeh.optics.lens import Lens
from any2bokeh.optics.look import LOOK_SETTINGS, Look


@pytest.mark.parametrize("name", lenses())
def test_a_lens_of_the_catalogue_brings_its_look_and_its_numbers(name: str):
    known = find_lens(name)
    assert MountedLens.of(name).look == known.look
    assert MountedLens.of(name).optics == Lens(known.f_number, known.focal_length_mm, known.sensor_width_mm, 2.0)


def test_no_lens_says_nothing():
    assert MountedLens.of(NO_LENS) == MountedLens()
    assert MountedLens().look == Look()
    assert MountedLens().typed_look() == []


def test_typed_words_are_the_look():
    lens = MountedLens.of("vintage-58-f2-swirl").with_look(blades=7, highlights=4)
    words = lens.typed_look()
    typed = dict(zip(words[::2], words[1::2], strict=True))
    assert typed == {LOOK_SETTINGS[name].option: f"{value:g}" for name, value in lens.look.numbers().items()}
    assert typed["--blades"] == "7"


@pytest.mark.parametrize("highlights", ["auto", 4, 0])
def test_typed_highlights_are_what_the_command_line_takes(highlights: float | str):
    words = MountedLens().with_look(highlights=highlights).typed_look()
    assert words == ([] if highlights == 0 else ["--highlights", str(highlights)])
    typed = LookOptions(highlights=words[1] if words else None).look(None)
    assert typed == Look().changed(highlights=highlights)


@pytest.mark.parametrize(("given", "taken"), [(0, 0), (1, 0), (2, 3), (3, 3), (16, 16)])
def test_a_slider_of_blades_skips_what_no_iris_has(given: int, taken: int):
    assert MountedLens().with_look(blades=given).look.blades == taken


@pytest.mark.parametrize("name", LENS_SETTINGS)
def test_numbers_stay_in_their_ranges(name: str):
    for value in (LENS_SETTINGS[name].slider_low, LENS_SETTINGS[name].slider_high):
        assert getattr(MountedLens().changed(**{name: value}), name) == value
    for value in (0, -1, float("nan"), "1", None, True):
        with pytest.raises(InputError, match=name.replace("_", " ")):
            MountedLens().changed(**{name: value})


def test_other_names_are_refused():
    for name in ("lens", "__class__"):
        with pytest.raises(InputError, match="setting of a look is"):
            MountedLens().with_look(**{name: 1})
    with pytest.raises(InputError, match="no lens"):
        MountedLens.of("../lens")
