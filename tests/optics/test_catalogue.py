import pytest

from any2bokeh.errors import InputError
from any2bokeh.optics.catalogue import find_lens, lenses
from any2bokeh.optics.lens import Lens
from any2bokeh.optics.sensors import sensor_width_mm


@pytest.mark.parametrize("name", lenses())
def test_every_lens_of_the_package_can_be_built(name):
    lens = find_lens(name)
    Lens(lens.f_number, lens.focal_length_mm, lens.sensor_width_mm)
    assert lens.look.numbers() or name == "phone-main"
    assert lens.about


def test_lenses_of_ones_own_go_before_those_of_the_package(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('["normal-50-f1.8"]\nf_number = 1.7\nfocal_length_mm = 50\nsensor = 24.0\n')
    assert find_lens("normal-50-f1.8", path).f_number == 1.7
    assert find_lens("normal-50-f1.8", path).sensor_width_mm == 24
    assert find_lens("tele-200-f2", path).focal_length_mm == 200


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[a", "is not TOML"),
        ("[a]\nf_number = 2", "lens a of .* has no focal_length_mm"),
        ("[a]\nf_number = 2\nfocal_length_mm = 50\nblade = 7", "unknown keys: blade"),
        ('[a]\nf_number = "2"\nfocal_length_mm = 50', "f_number of lens a of .* is '2'"),
        ('[a]\nf_number = 2\nfocal_length_mm = 50\nsensor = "big"', "sensor is 'big'"),
        ("[a]\nf_number = 2\nfocal_length_mm = 50\nblades = 7.5", "lens a of .*: blades is 7.5"),
        ("[a]\nf_number = 2\nfocal_length_mm = 50\ncat_eye = 2", "lens a of .*: cat eye is 2"),
        ("a = 3", "a of .* is no table"),
    ],
)
def test_faults_of_a_file_are_named(tmp_path, text, named):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=named):
        lenses(path)


def test_unknown_names_are_named(tmp_path):
    with pytest.raises(InputError, match="there is no lens 'nifty'"):
        find_lens("nifty")
    with pytest.raises(InputError, match="there is no file of lenses"):
        lenses(tmp_path / "none.toml")
    with pytest.raises(InputError, match="sensor is 'huge'"):
        sensor_width_mm("huge")
    assert sensor_width_mm("full-frame") == 36
    assert sensor_width_mm("25.4") == 25.4
