"""Pages as a test reads them: fenced blocks, links and the anchors of headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pymdownx.slugs import slugify

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "integrations/**/*.md", "examples/**/*.md", "scripts/**/*.md")
    for path in ROOT.glob(pattern)
)

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>[\w-]*)\n(?P<text>.*?)^(?P=indent)```\s*$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"(?P<image>!?)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        page: path within the repository.
        line: of the page, where its text begins.
        language: as the fence says, or nothing.
        text: what it holds.
    """

    page: str
    line: int
    language: str
    text: str


def name_of(path: Path) -> str:
    """A page's path within the repository."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path) -> Iterator[Block]:
    """The fenced blocks of a page."""
    text = path.read_text()
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start("text")) + 1
        yield Block(name_of(path), line, match["language"], match["text"])


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", path.read_text())


def links(path: Path) -> list[str]:
    """Where the links and images of a page lead; what stands in code is none."""
    return [match["target"] for match in _LINK.finditer(_CODE.sub("", prose(path)))]


def code_spans(path: Path) -> list[str]:
    """What a page sets as code within a line."""
    return [span.replace("\\|", "|") for span in _CODE.findall(prose(path))]


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors of a page's headings, which code hosts and the site make alike."""
    slug = slugify(case="lower")
    return frozenset(slug(re.sub(r"[`*]", "", heading), "-") for heading in _HEADING.findall(prose(path)))
