"""The recipe of one clip of a batch: that of all clips, with what its row says."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from any2bokeh import recipe_json
from any2bokeh.errors import InputError, shown
from any2bokeh.recipe import Recipe

_FILE = "recipe"


def with_fields(recipe: Recipe, fields: Mapping[str, Any], *, title: str, root: Path) -> Recipe:
    """A recipe with other values in some of its fields.

    Args:
        recipe: that of all clips.
        fields: by their keys in a recipe's file; ``look.cat_eye`` is a field within one, ``recipe`` is a file that
            takes the place of the recipe of all clips.
        title: what messages call the place where they are written down.
        root: folder that relative paths in them count from.

    Raises:
        InputError: an unknown field, or a value outside its range.
    """
    if not fields:
        return recipe
    own = dict(fields)
    file = own.pop(_FILE, None)
    if file is not None:
        if not isinstance(file, str):
            raise InputError(f"{title}: recipe is {shown(file)}; give the path of a file")
        recipe = recipe_json.load_recipe(root / file)
    given: dict[str, Any] = json.loads(recipe_json.dumps(recipe))
    # Plain names first, so that ``look.cat_eye`` goes into the ``look`` of the same row.
    for key, value in sorted(own.items(), key=lambda each: each[0].count(".")):
        _put(given, key, value, title)
    return recipe_json.loads(json.dumps(given), title=title, root=root)


def _put(given: dict[str, Any], key: str, value: Any, title: str) -> None:
    *parts, last = key.split(".")
    for part in parts:
        inner = given.setdefault(part, {})
        if not isinstance(inner, dict):
            raise InputError(f"{title}: {key} goes into {part}, which is {shown(inner)} and no object; give all of it")
        given = inner
    given[last] = copy.deepcopy(value)
