import subprocess
import sys
from pathlib import Path
from types import FunctionType

import numpy as np
import pytest

import any2bokeh
from any2bokeh.recipe import Recipe
from tests import clips


def in_a_new_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_import_takes_no_numerical_library():
    heavy = ("numpy", "av", "cv2", "numba", "torch", "typer")
    assert in_a_new_process(f"import sys, any2bokeh; print([m for m in {heavy} if m in sys.modules])") == "[]"


@pytest.mark.parametrize("name", any2bokeh.__all__)
def test_every_public_name_is_there_and_documented(name: str):
    public = getattr(any2bokeh, name)
    assert name == "__version__" or public.__doc__


def test_refocus_is_the_function_once_its_module_is_imported():
    # Python sets a module as an attribute of its package, which would hide a function of the same name.
    assert isinstance(any2bokeh.refocus, FunctionType)
    code = "import any2bokeh.refocusing, any2bokeh.cli.refocus, any2bokeh; print(type(any2bokeh.refocus).__name__)"
    assert in_a_new_process(code) == "function"


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'refocuss'"):
        _ = any2bokeh.refocuss  # type: ignore[attr-defined]


def test_three_lines_refocus_a_clip(clip: Path, disparity_folder: Path, tmp_path: Path):
    from any2bokeh import FocusScript, refocus

    focus = FocusScript.at_point(0.5, 0.5, blur_strength=16)
    result = refocus(clip, tmp_path / "out.mp4", Recipe(focus=focus, disparity=disparity_folder))

    assert result.output == tmp_path / "out.mp4"
    assert len(clips.decoded(result.output)) == result.frame_count == clips.FRAMES
    assert np.all(result.track.blur_strength == 16)
