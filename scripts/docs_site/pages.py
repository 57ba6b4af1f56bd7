"""Hooks of mkdocs: generated pages, and links that lead out of docs/."""

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
_OUTWARD_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(\.\./([^)\s]+)\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made from code."""
    for path, page in GENERATED.items():
        files.append(File.generated(config, path, content=page()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Name files of the repository that a page links to: the site does not hold them."""
    if page.file.src_uri in GENERATED:
        return markdown
    return _OUTWARD_LINK.sub(_named, markdown)


def _named(link: re.Match[str]) -> str:
    text, path = link.groups()
    return f"`{path}`" if text.strip("`") == path else f"{text} (`{path}`)"
