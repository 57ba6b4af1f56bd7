"""``python -m scripts.docs_site FOLDER``: build the site into FOLDER/site. A warning is an error."""

import shutil
import subprocess
import sys
from pathlib import Path

from scripts.docs_site.pages import write_pages

ROOT = Path(__file__).resolve().parents[2]


def build(folder: Path) -> int:
    """Write the pages and the configuration into a folder, and build them; returns the generator's exit code."""
    pages, site = folder / "pages", folder / "site"
    for made in (pages, site):
        shutil.rmtree(made, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    write_pages(ROOT / "docs", pages)
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    # Folders within that of the configuration: the generator takes no others.
    moved = {"docs_dir: docs": "docs_dir: pages", "site_dir: build/site": "site_dir: site"}
    for here, there in (moved | {"paths: [src]": f"paths: [{ROOT / 'src'}]"}).items():
        if config.count(here) != 1:
            raise ValueError(f"mkdocs.yml holds {here!r} {config.count(here)} times; it is wanted once")
        config = config.replace(here, there)
    (folder / "mkdocs.yml").write_text(config, encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", "mkdocs.yml"]
    return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()))
