"""Recipes: one object for everything that decides the pictures, and its file."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from any2bokeh import recipe_json
from any2bokeh.disparity import DepthModel, DisparityReading, Levels
from any2bokeh.disparity.mending import Stroke
from any2bokeh.engines import EngineSettings
from any2bokeh.errors import InputError
from any2bokeh.focus import Autofocus, FocusScript, TextSubject, TrackerChoice
from any2bokeh.focus.plane import FocusPlane
from any2bokeh.optics.breathing import Breathing
from any2bokeh.optics.focus_range import FocusRange
from any2bokeh.optics.lens import Lens
from any2bokeh.optics.look import Look
from any2bokeh.recipe import Recipe
from any2bokeh.recipe_json import load_recipe, save_recipe
from any2bokeh.source_blur import SourceLens

FULL = Recipe(
    focus=FocusScript.at_point(0.25, 0.5, 20),
    disparity=Path("/maps"),
    disparity_reading=DisparityReading("disparity", "near-black", Levels(0.1, 0.9, 1.5), "whole-clip"),
    strokes=(Stroke(3, "front", ((0.1, 0.2), (0.5, 1.0)), 0.1, 0.25, 0.0),),
    edges="classical",
    source_blur=Path("/radii"),
    tracker=TrackerChoice("classical"),
    blur_strength=Lens(1.4, 85, focus_distance_m=3),
    focus_range=FocusRange(slab=0.1, max_radius_px=30),
    breathing=Breathing(0.1),
    look=Look(cat_eye=0.5, aperture_image=Path("/iris.png")),
    grain=0.5,
    engine=EngineSettings(threads=2, render_quality="draft"),
)


@pytest.mark.parametrize(
    "recipe",
    [
        FULL,
        Recipe(Autofocus(min_hold_s=1)),
        Recipe(TextSubject("the dog", frame=3), blur_strength=0.0),
        Recipe(FocusPlane(4.0), disparity=DepthModel("small", scale_alignment="blend")),
        Recipe(FocusScript.from_dense([0.5, 0.6], [1, 2]), plate="off", source_blur=SourceLens(8, 0.4)),
        Recipe(FocusPlane(4.0), source_blur="auto"),
    ],
    ids=["everything", "autofocus", "text", "plane", "dense", "estimated source blur"],
)
def test_a_recipe_comes_back_equal(recipe: Recipe, tmp_path: Path):
    save_recipe(recipe, tmp_path / "recipe.json")
    assert load_recipe(tmp_path / "recipe.json") == recipe


def test_a_default_is_not_written():
    assert set(json.loads(recipe_json.dumps(Recipe(FocusPlane(2.0))))) == {"version", "focus"}


def test_relative_paths_count_from_the_folder_of_the_file(tmp_path: Path):
    script = {"version": 1, "keyframes": [{"frame": 0, "mask": "masks"}]}
    (tmp_path / "recipe.json").write_text(
        json.dumps(
            {
                "version": 1,
                "focus": {"script": script},
                "disparity": "maps",
                "look": {"aperture_image": "a.png"},
                "source_blur": "radii",
            }
        )
    )
    read = load_recipe(tmp_path / "recipe.json")
    assert read.read_paths() == [tmp_path / "maps", tmp_path / "masks", tmp_path / "a.png", tmp_path / "radii"]
    save_recipe(read, tmp_path / "again.json")
    assert load_recipe(tmp_path / "again.json").read_paths() == read.read_paths()


FOCUS = '"focus": {"auto": {}}'


def given(more: str) -> str:
    return '{"version": 1, ' + FOCUS + ", " + more + "}"


FAULTS = {
    "not json": ("{", "line 1, column 2"),
    "a list": ("[]", "an object with version and focus"),
    "no version": ("{" + FOCUS + "}", "version is missing"),
    "another version": ('{"version": 2, ' + FOCUS + "}", "reads version 1"),
    "no focus": ('{"version": 1}', "focus is missing"),
    "two focuses": ('{"version": 1, "focus": {"auto": {}, "plane": {"distance_m": 1}}}', "auto and plane"),
    "an unknown key": (given('"blurr": 3'), "blurr"),
    "a key twice": (given('"blur": 3, "blur": 4'), "given twice"),
    "text for a number": (given('"blur": "much"'), "blur: it is 'much'; give a finite number"),
    "a negative blur": (given('"blur": -1'), "blur: it is -1; give 0 or more"),
    "an unknown word": (given('"edges": "hard"'), "edges: it is 'hard'; allowed is auto"),
    "no source blur": (given('"source_blur": 8'), "source_blur: it is 8; give auto, off, a path, or blur_strength"),
    "no path of radii": (given('"source_blur": ""'), "source_blur: it is an empty path"),
    "no path of disparity": (given('"disparity": ""'), "disparity: it is an empty path"),
    "no path of an aperture": (given('"look": {"aperture_image": ""}'), "aperture_image: it is an empty path"),
    "half a source lens": (given('"source_blur": {"blur_strength": 8}'), "source_blur: focus_disparity is missing"),
    "too much grain": (given('"grain": 9'), "grain is 9"),
    "half a lens": (given('"blur": {"lens": {"f_number": 2}}'), "focal_length_mm is missing"),
    "no such setting": (given('"look": {"cateye": 1}'), "look: unknown key 'cateye'"),
    "a setting out of range": (given('"look": {"cat_eye": 2}'), "look: cat eye is 2"),
    "half a blade": (given('"look": {"blades": 5.5}'), "blades: it is 5.5; give a whole number"),
    "a script with a fault": (
        '{"version": 1, "focus": {"script": {"version": 1, "keyframes": []}}}', "focus: script: keyframes is"),
    "a nested value": (
        given('"disparity_reading": {"levels": {"low": true}}'),
        "disparity_reading: levels: low: it is True",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_in_one_line_that_says_where(fault: str, tmp_path: Path):
    text, told = FAULTS[fault]
    (tmp_path / "recipe.json").write_text(text)
    with pytest.raises(InputError) as refused:
        load_recipe(tmp_path / "recipe.json")
    assert told in str(refused.value)
    assert str(tmp_path / "recipe.json") in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_is_in_memory_cannot_be_written(tmp_path: Path):
    class Maps:
        frame_count = 1

        def frames(self, start: int = 0, stop: int | None = None):
            yield self.at(0)

        def at(self, index: int):
            return np.zeros((1, 2, 2), np.float32)

    class Finder:
        def find(self, subjects, frames):
            return FocusScript.constant(0.5, 1)

    for recipe in (replace(FULL, disparity=Maps()), Recipe(Finder())):
        with pytest.raises(InputError, match="cannot be written"):
            save_recipe(recipe, tmp_path / "recipe.json")
    assert list(tmp_path.iterdir()) == []
