"""The floors of the package: imports run down only, and no files import one another in a circle."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1] / "src" / "any2bokeh"

# From the ground up, as docs/architecture.md has them. A floor may import itself and those before it.
_FLOORS = [
    {"errors", "interruption", "compiled", "channel", "claim", "heap", "pending_output", "json_file"},
    {"events", "worker_process"},
    {"optics"},
    {"video"},
    {"picture", "read_paths"},
    {"models"},
    {"motion"},
    {"subject"},
    {"disparity"},
    {"focus", "source_blur"},
    {"mpi", "plate"},
    {"renderers"},
    {"engines"},
    {
        "grain",
        "grain_noise",
        "recipe",
        "recipe_json",
        "clip_disparity",
        "clip_focus",
        "clip_source_blur",
        "shot",
        "frame_shares",
        "frame_treatment",
        "shot_frames",
        "render_inputs",
    },
    {"aov"},
    {"segments"},
    {"project_file"},
    {"refocusing", "remote"},
    {"preview", "track", "demo", "batch", "cluster", "model_table"},
    {"model_check", "doctor"},
    {"synthesis", "evaluation"},
    {"training"},
    {"app", "cli"},
]
# Façades by intent: a class whose loading and saving stand in files of their own, imported when they are called.
_FACADES = {
    ("any2bokeh.focus.script", "any2bokeh.focus.script_json"),
    ("any2bokeh.renderers.diffusion.run.pipeline", "any2bokeh.renderers.diffusion.checkpoints"),
    ("any2bokeh.renderers.diffusion.run.pipeline", "any2bokeh.renderers.diffusion.checkpoints.checkpoint"),
}
# Entries, which import whatever they start.
_ENTRIES = {"any2bokeh", "any2bokeh.__main__"}


def test_every_part_of_the_package_has_a_floor():
    known = set().union(*_FLOORS)
    parts = {_part(module) for module in _modules() if module not in _ENTRIES}
    assert parts - known == set()
    assert known - parts == set(), "a floor that nobody lives on"


def test_no_import_runs_up():
    floor_of = {part: number for number, parts in enumerate(_FLOORS) for part in parts}
    up = [
        f"{module} -> {imported}"
        for module in _modules()
        if module not in _ENTRIES
        for imported in _imports(module)
        if imported not in _ENTRIES and floor_of[_part(imported)] > floor_of[_part(module)]
    ]
    assert up == []


@pytest.mark.parametrize(("one", "other"), [("app", "cli"), ("cli", "app")])
def test_the_studio_and_the_command_line_do_not_know_each_other(one: str, other: str):
    # `any2bokeh app` starts the studio: its one command is the door.
    known = {
        module
        for module in _modules()
        if _part(module) == one and any(_part(imported) == other for imported in _imports(module))
    }
    assert known <= {"any2bokeh.cli.app"}


def test_no_files_import_one_another_in_a_circle():
    assert _circles() == []


def test_a_circle_would_be_found(monkeypatch: pytest.MonkeyPatch):
    graph = {"any2bokeh.a": {"any2bokeh.b"}, "any2bokeh.b": {"any2bokeh.c"}, "any2bokeh.c": {"any2bokeh.a"}}
    assert _circles(graph) == [set(graph)]


@cache
def _modules() -> dict[str, Path]:
    found = {}
    for path in sorted(_ROOT.rglob("*.py")):
        parts = path.relative_to(_ROOT.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _part(module: str) -> str:
    return module.partition(".")[2].partition(".")[0]


@cache
def _imports(module: str) -> frozenset[str]:
    """Modules of the package that a module imports at run time, within functions too."""
    tree = ast.parse(_modules()[module].read_text(encoding="utf-8"))
    hints = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    named = {name for node in ast.walk(tree) if id(node) not in hints for name in _named(node)}
    return frozenset(name for name in named if name in _modules() and name != module)


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            yield full if full in _modules() else node.module


def _circles(graph: dict[str, set[str]] | None = None) -> list[set[str]]:
    """Groups of modules each of which leads back to itself through the others."""
    edges = graph or {
        module: {imported for imported in _imports(module) if (module, imported) not in _FACADES}
        for module in _modules()
    }
    reach = {module: _reached(module, edges) for module in edges}
    found: list[set[str]] = []
    for module in edges:
        circle = {other for other in reach[module] if module in reach.get(other, set())}
        if circle and circle not in found:
            found.append(circle)
    return found


def _reached(module: str, edges: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(edges[module])
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting += edges.get(each, ())
    return seen
