"""Recipes on the command line."""

from pathlib import Path

import numpy as np
import pytest

from any2bokeh.focus import FocusScript
from any2bokeh.recipe import Recipe
from any2bokeh.recipe_json import save_recipe
from tests import clips
from tests.cli.conftest import RunCli


def test_a_saved_recipe_renders_the_same(cli: RunCli, clip: Path, disparity_folder: Path, results: Path):
    options = ["--disparity", disparity_folder, "--focus", "0.9", "--blur", "12", "--cat-eye", "0.5", "--edges", "off"]
    saved = results / "recipe.json"
    first = cli("refocus", clip, *options, "--save-recipe", saved, "-o", results / "a.mkv", "--json")
    second = cli("refocus", clip, "--recipe", saved, "-o", results / "b.mkv", "--json")
    assert (first.code, second.code) == (0, 0), second.err
    assert first.result["blur_strength"] == second.result["blur_strength"]
    for one, other in zip(clips.decoded(results / "a.mkv"), clips.decoded(results / "b.mkv"), strict=True):
        np.testing.assert_array_equal(one, other)
    shown = cli("preview", clip, "--recipe", saved, "-o", results / "a.png", "--json").result
    assert shown["blur_strength"] == 12


@pytest.mark.parametrize("typed", [["--blur", "3"], ["--edges", "off"], ["--focus", "0.5"], ["--grain", "1"]])
def test_options_beside_a_recipe_are_refused(cli: RunCli, clip: Path, results: Path, typed: list[str]):
    save_recipe(Recipe(FocusScript.constant(0.5, 8)), results / "recipe.json")
    outcome = cli("refocus", clip, "--recipe", results / "recipe.json", *typed, "-o", results / "out.mkv")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert typed[0] in outcome.err
    assert [path.name for path in results.iterdir()] == ["recipe.json"]


def test_a_recipe_replaces_nothing(cli: RunCli, clip: Path, disparity_folder: Path, results: Path):
    kept = results / "kept.json"
    kept.write_text("mine")
    options = ["--disparity", disparity_folder, "--focus", "0.9", "-o", results / "out.mkv"]
    for name, told in (("kept.json", "exists"), ("recipe.txt", ".json")):
        outcome = cli("refocus", clip, *options, "--save-recipe", results / name)
        assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
        assert told in outcome.err
    assert kept.read_text() == "mine"
    assert [path.name for path in results.iterdir()] == ["kept.json"]
