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
    """All files of the page, by name; those of the renderer in the browser as ``live/NAME``."""
    found: dict[str, StaticFile] = {}
    root = resources.files("any2bokeh.app").joinpath("static")
    for folder, before in ((root, ""), (root.joinpath("live"), "live/")):
        for each in folder.iterdir():
            kind = each.name.rpartition(".")[2]
            if kind in _TYPES:
                content = each.read_bytes()
                tag = sha256(content).hexdigest()[:24]
                found[before + each.name] = StaticFile(content, f"{_TYPES[kind]}; charset=utf-8", tag)
    return found
