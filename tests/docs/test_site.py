"""The site that `make docs` builds: without a warning, whole, and without a request to another host."""

import functools
import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest

import any2bokeh
from scripts.docs_site.command_reference import command_reference, commands
from scripts.docs_site.pages import GENERATED
from scripts.docs_site.python_reference import GROUPS, PARTS, python_reference
from tests.docs.markdown import ROOT

CHROMIUM = Path("/usr/bin/chromium")

_ASSETS = {
    "script": "src",
    "img": "src",
    "link": "href",
    "source": "src",
    "iframe": "src",
    "video": "src",
    "use": "href",
}
_STYLE_URL = re.compile(r"url\(\s*[\"']?((?:https?:)?//[^)\"']+)|@import\s+[\"']([^\"']+)")


def test_every_page_stands_in_the_navigation_once():
    nav = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    pages = re.findall(r": ([\w/-]+\.md)$", nav, re.MULTILINE)
    assert sorted(pages) == sorted([*(path.name for path in (ROOT / "docs").glob("*.md")), *GENERATED])


def test_every_public_name_has_a_group():
    grouped = [name for names in GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {name for name in any2bokeh.__all__ if not name.startswith("__")}


def test_python_reference_names_places_that_exist():
    places = re.findall(r"^::: (\S+)$", python_reference(), re.MULTILINE)
    assert len(places) == len(set(places)) == len(any2bokeh.__all__) - 1 + sum(map(len, PARTS.values()))
    assert "any2bokeh.refocusing.refocus" in places
    for place in places:
        module, _, name = place.rpartition(".")
        assert getattr(import_module(module), name).__doc__, place


def test_command_reference_tells_every_option_once_with_its_default():
    sections = dict(
        re.findall(r"^## any2bokeh ([\w -]+)\n(.*?)(?=^## |\Z)", command_reference(), re.MULTILINE | re.DOTALL)
    )
    assert sections.keys() == commands().keys()
    for name, command in commands().items():
        rows = re.findall(r"^\| `(--[^`]+)` \| (.*) \| (.*) \|$", sections[name], re.MULTILINE)
        told = {spelling.split(",")[0].split(" ")[0]: default for spelling, _, default in rows}
        options = [each for each in command.params if each.param_type_name == "option" and each.opts[0] != "--help-all"]
        assert len(rows) == len(told)
        assert set(told) == {each.opts[0] for each in options if not each.hidden}
        for each in options:
            if each.required:
                assert told[each.opts[0]] == "required"
                assert f"{each.opts[0]} {each.metavar}" in sections[name]
    assert "any2bokeh refocus [INPUT] [OPTIONS]" in sections["refocus"]  # a project stands for both
    assert "any2bokeh evaluate [CLIPS] --output OUT [OPTIONS]" in sections["evaluate"]
    assert re.search(
        r"^\| `--tracker auto\\\|sam2\\\|classical` \| .* \| `auto` \|$", sections["refocus"], re.MULTILINE
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("zensical", reason="needs zensical, of the extra docs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "scripts.docs_site", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    return folder / "site"


class _Assets(HTMLParser):
    """What a browser fetches for a page, besides the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        # A link to the page before or after is not fetched.
        if tag == "link" and told.get("rel") in ("prev", "next", "canonical"):
            return
        value = told.get(_ASSETS.get(tag, ""))
        if value:
            self.found.append(value)


@pytest.mark.slow
def test_pages_and_styles_fetch_nothing_from_elsewhere(site: Path):
    pages, styles = sorted(site.rglob("*.html")), sorted(site.rglob("*.css"))
    assert len(pages) >= 20
    assert styles
    for page in pages:
        parser = _Assets()
        parser.feed(page.read_text())
        assert parser.found
        assert [asset for asset in parser.found if re.match(r"(https?:)?//", asset)] == [], page
    for style in styles:
        assert _STYLE_URL.findall(style.read_text()) == [], style


@pytest.mark.slow
def test_references_hold_every_command_and_every_public_name(site: Path):
    command_line = (site / "reference" / "command-line.html").read_text()
    for name, command in commands().items():
        assert f'id="any2bokeh-{name.replace(" ", "-")}"' in command_line
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.opts[0] != "--help-all":
                assert parameter.opts[0] in command_line, (name, parameter.opts)
    python = (site / "reference" / "python.html").read_text()
    for name in any2bokeh.__all__:
        if not name.startswith("__"):
            assert re.search(rf'id="any2bokeh\.[\w.]*\b{name}"', python), name


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_browser_asks_no_other_host_and_finds_every_asset(site: Path, served: str):
    if not CHROMIUM.exists():
        pytest.skip(f"needs {CHROMIUM}, the system's browser")
    from playwright.sync_api import sync_playwright

    requests: list[str] = []
    failures: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("response", lambda response: failures.append(response.url) if response.status >= 400 else None)
        page.on("console", lambda line: failures.append(line.text) if line.type == "error" else None)
        for path in sorted(site.rglob("*.html")):
            if path.name != "404.html":
                page.goto(served + path.relative_to(site).as_posix(), wait_until="networkidle")
        page.goto(served + "index.html", wait_until="networkidle")
        page.keyboard.press("Control+k")
        page.wait_for_timeout(100)
        page.keyboard.type("swirl")  # a search loads the index in a worker
        page.get_by_role("link", name="Lenses").first.wait_for()
        browser.close()
    assert len(requests) > 40
    assert [url for url in requests if not url.startswith((served, "data:", "blob:"))] == []
    assert failures == []
