"""Links within the repository, and what must not stand in its pages."""

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docs.markdown import PAGES, ROOT, anchors, code_spans, links, name_of

_MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(?:home|root|Users|work|tmp|mnt|data|opt)/\S+")
_OWN_FILE = re.compile(r"(?<![\w/.-])(?:tests|src|scripts|docs|examples|integrations|benchmarks|locks)/[\w/.-]*[\w/]")
_REGISTRY = re.compile(
    r"\b(?:index-url|extra-index|simple/|artifactory|nexus|jfrog|pypi\.[a-z]+|files\.pythonhosted)", re.I
)
# Paths inside a container's or a Space's own file system, which are the same everywhere.
_OWN_FILE_SYSTEMS = {"docs/integrations.md"}


def test_there_are_pages():
    names = {name_of(path) for path in PAGES}
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/index.md", "docs/focus-script.md"} <= names


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_lead_somewhere(path: Path):
    wrong = []
    for target in links(path):
        parts = urlsplit(target)
        if parts.scheme:
            if parts.scheme != "https":
                wrong.append(f"{target} is no https link")
            continue
        place = (path.parent / parts.path).resolve() if parts.path else path
        if not place.is_relative_to(ROOT):
            wrong.append(f"{target} leads out of the repository")
        elif not place.exists():
            wrong.append(f"{target} is not there")
        elif parts.fragment and parts.fragment not in anchors(place):
            wrong.append(f"{target}: no such heading; there are {', '.join(sorted(anchors(place)))}")
    assert wrong == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_no_machine_and_no_registry_is_named(path: Path):
    text = path.read_text()
    assert _REGISTRY.findall(text) == []
    if name_of(path) not in _OWN_FILE_SYSTEMS:
        assert _MACHINE_PATH.findall(text) == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_files_that_are_named_exist(path: Path):
    named = [span.split("::")[0] for text in code_spans(path) for span in _OWN_FILE.findall(text)]
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_targets_and_extras_that_are_named_exist(path: Path):
    text = path.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    said = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    assert said - targets == set()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for group in re.findall(r"(?:any2bokeh|[' ]\.)\[([a-z,]+)\]", text):
        assert set(group.split(",")) <= set(extras), group


def test_every_image_of_the_docs_is_shown():
    shown = {(path.parent / target).resolve() for path in PAGES for target in links(path)}
    images = {path.resolve() for path in (ROOT / "docs" / "images").iterdir()}
    assert images - shown == set()
