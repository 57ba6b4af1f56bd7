"""The lock files: every package has one version and the hashes of its files, and is what the project asks for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
ENTRY = re.compile(r"^([\w.-]+)==([^\s\\]+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)
LOCKS = ("run", "dev")


def locked(name: str) -> dict[str, str]:
    """Versions by the names of packages."""
    text = (ROOT / "locks" / f"{name}.txt").read_text()
    assert ENTRY.sub("", text) == ""  # there is nothing that has no hash
    return {str(canonicalize_name(name)): version for name, version, _ in ENTRY.findall(text)}


def asked(*extras: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = project["dependencies"] + [text for extra in extras for text in project["optional-dependencies"][extra]]
    return [each for each in map(Requirement, texts) if each.name != "any2bokeh"]


@pytest.mark.parametrize("name", LOCKS)
def test_everything_is_hashed_and_pinned_once(name: str):
    found = [name for name, _, _ in ENTRY.findall((ROOT / "locks" / f"{name}.txt").read_text())]
    assert len(found) == len(set(found)) == len(locked(name)) >= 18


@pytest.mark.parametrize(("name", "extras"), [("run", ()), ("dev", ("app", "diffusion", "docs", "gpu", "dev"))])
def test_lock_holds_what_the_project_asks_for(name: str, extras: tuple[str, ...]):
    versions = locked(name)
    pinned = (ROOT / "locks" / "constraints.txt").read_text()
    torch = re.search(r"^torch==(\S+)$", pinned, re.MULTILINE)
    assert torch is not None  # its files differ between indexes: a pin, and no hash
    assert "torch" not in versions
    for each in asked(*extras):
        assert (versions | {"torch": torch[1]})[str(canonicalize_name(each.name))] in each.specifier, each


def test_a_run_takes_what_development_takes():
    development = locked("dev")
    assert {name: development[name] for name in locked("run")} == locked("run")
