"""Hooks of mkdocs: generated pages, and what a code host takes that Python-Markdown takes otherwise."""

import re
from typing import Any

from mkdocs.structure.files import File, Files

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


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made from code."""
    for path, page in GENERATED.items():
        files.append(File.generated(config, path, content=page()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Make the pages ready for the site, whose tables and links differ from those of a code host."""
    markdown = _TABLE_ROW.sub(lambda row: _CODE.sub(_unescaped, row[0]), markdown)
    return markdown if page.file.src_uri in GENERATED else _OUTWARD_LINK.sub(_named, markdown)


def _unescaped(code: re.Match[str]) -> str:
    """A code host wants a bar within code escaped in a table; Python-Markdown shows the backslash."""
    return code[0].replace("\\|", "|")


def _named(link: re.Match[str]) -> str:
    """The name of a file of the repository in place of a link to it: the site does not hold it."""
    text, path = link.groups()
    return f"`{path}`" if text.strip("`") == path else f"{text} (`{path}`)"
