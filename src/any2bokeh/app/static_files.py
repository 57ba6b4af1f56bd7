"""The page's own files, read once: a request picks one by its name and never reaches the disk."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file of the page.

    Attributes:
        content: all of it.
        media_type: by its extension.
        tag: changes with the content.
    """

    content: bytes
    media_type: str
    tag: str


@cache
def static_files() -> dict[str, StaticFile]:
    """All files of the page, by name."""
    found: dict[str, StaticFile] = {}
    for each in resources.files("any2bokeh.app").joinpath("static").iterdir():
        kind = each.name.rpartition(".")[2]
        if kind in _TYPES:
            content = each.read_bytes()
            found[each.name] = StaticFile(content, f"{_TYPES[kind]}; charset=utf-8", sha256(content).hexdigest()[:24])
    return found
