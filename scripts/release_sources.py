"""Make a checkout ready for its release: ``python scripts/release_sources.py ADDRESS TAG``.

ADDRESS is that of the repository, such as ``https://host/owner/any2bokeh``, and TAG the one that is released. The
README's links to files lead into the repository at that tag, because an index shows the README alone; pyproject.toml,
and that of the nodes for ComfyUI, get the addresses of the project. Nothing but these three files is changed.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?://|#|mailto:)([^)\s]+)\)")
_URLS = "[project.urls]\n"


def absolute(markdown: str, address: str, tag: str) -> str:
    """Markdown whose relative links lead into the repository, and whose pictures come from it."""

    def replaced(found: re.Match[str]) -> str:
        mark, text, path = found.groups()
        inner = _LINK.sub(replaced, text)
        return f"{mark}[{inner}]({address}/{'raw' if mark else 'blob'}/{tag}/{path})"

    return _LINK.sub(replaced, markdown)


def with_urls(project: str, address: str) -> str:
    """pyproject.toml with the addresses of the project.

    Raises:
        ValueError: it has no table of addresses.
    """
    if _URLS not in project:
        raise ValueError("pyproject.toml has no [project.urls]")
    urls = {
        "Repository": address,
        "Issues": f"{address}/issues",
        "Changelog": f"{address}/blob/main/CHANGELOG.md",
    }
    lines = "".join(f'{name} = "{url}"\n' for name, url in urls.items())
    return project.replace(_URLS, _URLS + lines)


def main() -> None:
    """Change the files."""
    if len(sys.argv) != 3 or not sys.argv[1].startswith("https://"):
        raise SystemExit("usage: python scripts/release_sources.py https://HOST/OWNER/NAME TAG")
    address, tag = sys.argv[1].rstrip("/"), sys.argv[2]
    readme = ROOT / "README.md"
    readme.write_text(absolute(readme.read_text("utf-8"), address, tag), "utf-8")
    for project in (ROOT / "pyproject.toml", ROOT / "integrations" / "comfyui" / "pyproject.toml"):
        project.write_text(with_urls(project.read_text("utf-8"), address), "utf-8")


if __name__ == "__main__":
    main()
