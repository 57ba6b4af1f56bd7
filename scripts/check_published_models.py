"""Fetch the published models and try each on the bundled clip; the result is docs/models-checked.md.

Run it once from the root of the repository, on a machine with a network and the extras depth and diffusion:

    python -m scripts.check_published_models [NAME ...] [--allow-noncommercial]
"""

import argparse
import datetime
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from any2bokeh import __version__
from any2bokeh.errors import InputError
from any2bokeh.model_check import check_model
from any2bokeh.model_table import get_model, listed_models

PAGE = Path(__file__).parents[1] / "docs" / "models-checked.md"

_HEAD = """# Published models, checked

`python -m scripts.check_published_models` downloads the published models on a machine with a network, tries each on the
bundled clip as `any2bokeh models check` does, and writes this page.

"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; the exit code is 1 where a model did not work."""
    published = [name for name, model in listed_models().items() if model.hub_id is not None]
    parser = argparse.ArgumentParser(description="Fetch the published models and try each on the bundled clip.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="models of 'any2bokeh models' (default: all)")
    parser.add_argument("--allow-noncommercial", action="store_true", help="models whose licence restricts use, too")
    parser.add_argument("--page", type=Path, default=PAGE, help="file to write")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(published))
    if unknown:
        parser.error(f"there is no published model {', '.join(unknown)}; there are {', '.join(published)}")
    rows, failures = [], 0
    for name in given.names or published:
        try:
            row = _checked(name, allow_noncommercial=given.allow_noncommercial)
        except InputError as error:
            failures += 1
            row = f"| `{name}` | no: {_cell(str(error))} | | |"
        print(row, flush=True)
        rows.append(row)
    given.page.write_text(_page(rows), encoding="utf-8")
    return 1 if failures else 0


def _checked(name: str, *, allow_noncommercial: bool) -> str:
    get_model(name, allow_noncommercial=allow_noncommercial, notice=lambda line: print(line, file=sys.stderr))
    found = check_model(name)
    pace = f"{found.first_s:.1f} s" if found.frame_s is None else f"{found.frame_s:.3g} s a frame"
    return f"| `{name}` | yes: {_cell(found.line)} | {pace} | {found.licence} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _page(rows: list[str]) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "huggingface_hub"))
    when = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    machine = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    head = f"Checked on {when} with any2bokeh {__version__}, {packages}, {machine}.\n\n"
    table = "| model | works | pace here | licence |\n|---|---|---|---|\n"
    return _HEAD + head + table + "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.exit(main())
