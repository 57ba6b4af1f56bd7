"""Python, JSON and TOML in the pages: what they name exists, and what they hold is taken."""

import ast
import json
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from any2bokeh import recipe_json
from any2bokeh.batch.manifest import manifest_items
from any2bokeh.batch.recipes import with_fields
from any2bokeh.focus import Autofocus, FocusScript
from any2bokeh.optics.catalogue import lenses
from any2bokeh.recipe import Recipe
from any2bokeh.training.registry import find_config
from tests.docs.markdown import PAGES, Block, blocks

# Why a block is not run, by the page that it stands on and words in it.
NOT_RUN = {
    ("docs/disparity.md", "open_estimator"): "needs a depth model",
    ("docs/depth-models.md", "torch.load"): "needs published weights",
    ("docs/evaluation.md", "open_clips"): "needs a folder of clips",
    ("docs/evaluation.md", "lpips"): "needs another package",
    ("docs/focus-script.md", "clip_frame_count=84"): "of a clip of 84 frames",
    ("docs/models.md", "diffusers_names"): "a sketch; tests/renderers/diffusion/checkpoints/test_diffusers.py runs it",
    ("docs/synthesis.md", "ShardFolder"): "a sketch",
    ("docs/synthesis.md", "layer_frames"): "writes nothing; tests/synthesis/test_layer_frames.py makes such frames",
    ("docs/tracking.md", "ClassicalTracker"): "a sketch",
}

ALL = [block for path in PAGES for block in blocks(path)]


def shown(block: Block) -> str:
    return f"{block.page}:{block.line}"


def of(language: str) -> list[Block]:
    return [block for block in ALL if block.language == language]


@pytest.mark.parametrize("block", of("python"), ids=shown)
def test_python_names_what_exists(block: Block):
    tree = ast.parse(block.text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "any2bokeh":
            module = import_module(node.module or "")
            for alias in node.names:
                assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"


def is_run(block: Block) -> bool:
    return not any(block.page == page and words in block.text for page, words in NOT_RUN)


@pytest.mark.parametrize("block", [block for block in of("python") if is_run(block)], ids=shown)
def test_python_runs_as_shown(block: Block, folder_of_a_user: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder_of_a_user)
    before = set(folder_of_a_user.iterdir())
    exec(compile(block.text, shown(block), "exec"), {"__name__": "snippet"})
    written = set(folder_of_a_user.iterdir()) - before
    assert {path.name for path in written} == set(re.findall(r'"((?:out|auto)\.mp4|recipe\.json)"', block.text))
    assert written


@pytest.mark.parametrize("block", of("json"), ids=shown)
def test_focus_scripts_recipes_and_manifests_are_taken(block: Block, tmp_path: Path):
    given = json.loads(block.text)
    if "clip" in given:
        (tmp_path / "clips.jsonl").write_text(json.dumps(given))
        [item] = manifest_items(tmp_path / "clips.jsonl", tmp_path, lambda clip: clip.name)
        assert item.problem is None
        with_fields(Recipe(Autofocus()), item.fields, title=item.title, root=item.root)
    elif "focus" in given:
        recipe = recipe_json.loads(block.text, root=Path("/clips"))
        assert recipe_json.loads(recipe_json.dumps(recipe)) == recipe
    else:
        script = FocusScript.loads(block.text)
        assert FocusScript.loads(script.dumps()) == script


@pytest.mark.parametrize("block", of("toml"), ids=shown)
def test_files_in_toml_are_taken(block: Block, tmp_path: Path):
    path = tmp_path / "file.toml"
    path.write_text(block.text)
    table = tomllib.loads(block.text)
    if "base" in table:
        assert find_config(str(path)).stages
    else:
        assert set(table) <= set(lenses(path))


def test_there_are_some_of_each():
    assert len(of("python")) >= 8
    assert len(of("json")) >= 3
    assert len(of("toml")) >= 2
    assert all(json.loads(block.text)["version"] == 1 for block in of("json") if '"clip"' not in block.text)
