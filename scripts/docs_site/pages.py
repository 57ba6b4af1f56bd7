"""The pages of the site: those of docs/, generated ones, and what Python-Markdown takes otherwise than a code host."""

import re
import shutil
from pathlib import Path

from scripts.docs_site.command_reference import command_reference
from scripts.docs_site.example_pages import example_pages
from scripts.docs_site.python_reference import python_reference

GENERATED = {
    "reference/command-line.md": command_reference,
    "reference/python.md": python_reference,
    "reference/examples.md": example_pages,
}
_TABLE_ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]+`")
_OUTWARD_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(\.\./([^)\s]+)\)")


def write_pages(docs: Path, folder: Path) -> None:
    """Write the pages and their pictures into a new folder, ready for the generator of the site."""
    shutil.copytree(docs, folder)
    for path in sorted(folder.rglob("*.md")):
        path.write_text(_OUTWARD_LINK.sub(_named, _with_bars(path.read_text(encoding="utf-8"))), encoding="utf-8")
    for name, page in GENERATED.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_with_bars(page()), encoding="utf-8")


def _with_bars(markdown: str) -> str:
    return _TABLE_ROW.sub(lambda row: _CODE.sub(_unescaped, row[0]), markdown)


def _unescaped(code: re.Match[str]) -> str:
    """A code host wants a bar within code escaped in a table; Python-Markdown shows the backslash."""
    return code[0].replace("\\|", "|")


def _named(link: re.Match[str]) -> str:
    """The name of a file of the repository in place of a link to it: the site does not hold it."""
    text, path = link.groups()
    return f"`{path}`" if text.strip("`") == path else f"{text} (`{path}`)"
