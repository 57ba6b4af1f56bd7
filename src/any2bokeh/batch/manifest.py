"""Manifests: tables of clips, each with its output and fields of its recipe."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from any2bokeh import json_file
from any2bokeh.batch.item import Item
from any2bokeh.errors import InputError, shown

SUFFIXES = frozenset({".csv", ".jsonl", ".ndjson"})
_OWN = ("clip", "output", "frames")


def manifest_items(path: Path, output: Path | None, result_name: Callable[[Path], str]) -> list[Item]:
    """The items of a manifest: one on each line of JSON lines, or in each row of a CSV file with a header.

    ``clip`` is needed. ``output`` may be left out where a folder for results is given. ``frames`` is a part, ``A:B``.
    ``recipe`` is a file with a recipe. Every other key is a field of the recipe; ``look.cat_eye`` is a field within
    one. A cell of CSV is JSON where it reads as such and text where not; an empty one says nothing. Relative paths
    count from the manifest's folder, and outputs from ``output`` where that is given.

    Args:
        path: the manifest.
        output: folder for the results.
        result_name: of a clip, where ``output`` is left out.

    Returns:
        The items; a row that is wrong is one with a ``problem``.

    Raises:
        InputError: the file cannot be read, or is no such table.
    """
    text = json_file.read_text(path, "manifest")
    rows = _table(text, path) if path.suffix.lower() == ".csv" else _lines(text)
    items = [_item(row, f"{path} line {line}", path.parent, output, result_name) for line, row in rows]
    if not items:
        raise InputError(f"manifest {path} lists no clip; give one on each line")
    return items


def _item(
    row: Mapping[str, Any] | str, title: str, root: Path, output: Path | None, result_name: Callable[[Path], str]
) -> Item:
    if isinstance(row, str):
        return Item(Path(title), Path(title), title=title, root=root, problem=f"{title}: {row}")
    values = {key: row.get(key) for key in _OWN}
    wrong = next((key for key, value in values.items() if value is not None and not isinstance(value, str)), None)
    clip = root / values["clip"] if isinstance(values["clip"], str) and values["clip"] else None
    problem = None
    if wrong is not None:
        problem = f"{title}: {wrong} is {shown(values[wrong])}; give text"
    elif clip is None:
        problem = f"{title}: clip is missing; give a path"
    elif not values["output"] and output is None:
        problem = f"{title}: output is missing; give it, or a folder for all results with --output"
    if problem is not None or clip is None:
        return Item(clip or Path(title), Path(title), title=title, root=root, problem=problem)
    place = (output or root) / (values["output"] or result_name(clip))
    fields = {key: value for key, value in row.items() if key not in _OWN}
    return Item(clip, place, fields=fields, frames=values["frames"] or None, title=title, root=root)


def _lines(text: str) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json_file.parsed(line)
            yield number, row if isinstance(row, dict) else f"it is {shown(row)}; give an object with clip"
        except InputError as error:
            yield number, str(error).replace("at line 1, column", "at column")


def _table(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    try:
        reader = csv.reader(io.StringIO(text), strict=True)
        header = [name.strip() for name in next(reader, [])]
        if "clip" not in header:
            raise InputError(f"manifest {path} has the columns {', '.join(header) or '(none)'}; one must be clip")
        twice = next((name for name in header if header.count(name) > 1), None)
        if twice is not None:
            raise InputError(f"manifest {path} has two columns {twice}; give each one once")
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(header):
                yield reader.line_num, f"it has {len(cells)} cells, but the header has {len(header)}"
                continue
            row = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()}
            yield reader.line_num, {key: value if key in _OWN else _cell(value) for key, value in row.items()}
    except csv.Error as error:
        raise InputError(f"manifest {path} is no CSV: {error}") from None


def _cell(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
