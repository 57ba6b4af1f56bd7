"""One message form for choices and for packages that are missing."""

import sys

import pytest

from any2bokeh.errors import InputError, require_choice, require_extra, require_installed


def test_a_choice_names_the_thing_the_value_and_what_is_allowed():
    require_choice("codec", "h264", ("auto", "h264", "hevc"))
    with pytest.raises(InputError, match=r"^codec is 'h266'; allowed is auto, h264 or hevc$"):
        require_choice("codec", "h266", ("auto", "h264", "hevc"))
    with pytest.raises(InputError, match=r"^fade is \[1\]; allowed is cosine$"):
        require_choice("fade", [1], {"cosine": 1})
    with pytest.raises(InputError) as caught:
        require_choice("view", "x" * 1000, ("picture", "depth"))
    assert len(str(caught.value)) < 120


def test_a_missing_package_is_told_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "colorsys", None)
    told = r"^the wheel needs colorsys, which is not installed; pip install 'any2bokeh\[app\]', or leave it out$"
    with pytest.raises(InputError, match=told), require_extra("the wheel", "app", instead="leave it out"):
        import colorsys  # noqa: F401
    with pytest.raises(InputError, match=told):
        require_installed("the wheel", ("json", "colorsys"), "app", instead="leave it out")


def test_a_package_that_lacks_a_name_is_not_called_missing():
    told = r"needs json, which does not load \(cannot import name 'absent' .*\); pip install 'any2bokeh\[app\]'$"
    with pytest.raises(InputError, match=told), require_extra("the wheel", "app"):
        from json import absent  # noqa: F401  # pyright: ignore[reportAttributeAccessIssue]


def test_a_defect_of_ours_is_not_called_a_missing_package():
    with pytest.raises(ModuleNotFoundError), require_extra("the wheel", "app"):
        import any2bokeh.absent  # noqa: F401  # pyright: ignore[reportMissingImports]
