"""What goes onto an index: one source of the version, links that work there, notes beside what is bundled."""

import re
import tomllib
from pathlib import Path

import any2bokeh
from scripts.release_sources import absolute, with_urls

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = "https://example.org/owner/any2bokeh"


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "any2bokeh.__version__"}
    assert f'__version__ = "{any2bokeh.__version__}"' in (ROOT / "src/any2bokeh/__init__.py").read_text()


def test_links_of_the_readme_work_on_an_index_page() -> None:
    readme = absolute((ROOT / "README.md").read_text(), ADDRESS, "v1.2.3")
    targets = re.findall(r"\]\(([^)\s]+)\)", readme)
    assert len(targets) > 20
    for target in targets:
        assert target.startswith(("https://", "#")), target
    inside = [target for target in targets if target.startswith(ADDRESS)]
    for target in inside:
        path = re.sub(r"^.*/(?:blob|raw)/v1\.2\.3/", "", target).split("#")[0]
        assert (ROOT / path).exists(), target


def test_pictures_are_taken_raw_and_linked_pictures_keep_both() -> None:
    assert absolute("![a](docs/a.jpg)", ADDRESS, "v1") == f"![a]({ADDRESS}/raw/v1/docs/a.jpg)"
    assert absolute("[![a](b.png)](c.md#d)", ADDRESS, "v1") == (
        f"[![a]({ADDRESS}/raw/v1/b.png)]({ADDRESS}/blob/v1/c.md#d)"
    )
    kept = "[a](https://arxiv.org) [b](#part) `x[0](y)`"
    assert absolute(kept.split("`")[0], ADDRESS, "v1") == kept.split("`")[0]


def test_a_release_names_where_the_project_is() -> None:
    project = tomllib.loads(with_urls((ROOT / "pyproject.toml").read_text(), ADDRESS))["project"]
    assert project["urls"]["Repository"] == ADDRESS
    assert {"Paper", "Issues", "Changelog"} <= set(project["urls"])


def test_bundled_weights_and_clip_name_licence_and_origin() -> None:
    for name in ("compact_model/README.md", "demo_clip/ORIGIN.md"):
        assert "Apache-2.0" in (ROOT / "src/any2bokeh" / name).read_text()


def test_the_citation_is_that_of_the_paper() -> None:
    citation = (ROOT / "CITATION.cff").read_text()
    assert "arXiv:2505.21593" in citation
    assert citation.count("family-names") == 9
