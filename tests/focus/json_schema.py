"""JSON Schema (draft 2020-12), as much of it as the focus script's schema uses; any other keyword is an error."""

import json
import re
from collections.abc import Callable
from typing import Any

Schema = dict[str, Any] | bool

_ANNOTATIONS = {"$schema", "$id", "$defs", "title", "description", "default"}
_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: _TYPES["number"](value) and value == value // 1,
}


def is_valid(value: Any, schema: Schema, root: dict[str, Any]) -> bool:
    """Whether a value, as ``json.loads`` gives it, is what a schema allows.

    Args:
        value: the value.
        schema: the schema, or a part of it.
        root: the whole schema, which ``$ref`` counts from.
    """
    if isinstance(schema, bool):
        return schema
    return all(_holds(keyword, value, schema, root) for keyword in schema if keyword not in _ANNOTATIONS)


def _holds(keyword: str, value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    given = schema[keyword]
    is_number, is_list, is_object = (_TYPES[name](value) for name in ("number", "array", "object"))
    match keyword:
        case "$ref":
            return is_valid(value, root["$defs"][given.removeprefix("#/$defs/")], root)
        case "type":
            return _TYPES[given](value)
        case "const":
            return json.dumps(value) == json.dumps(given)
        case "enum":
            return value in given
        case "minimum":
            return not is_number or value >= given
        case "maximum":
            return not is_number or value <= given
        case "exclusiveMinimum":
            return not is_number or value > given
        case "minLength":
            return not isinstance(value, str) or len(value) >= given
        case "pattern":
            return not isinstance(value, str) or re.search(given, value) is not None
        case "minItems":
            return not is_list or len(value) >= given
        case "maxItems":
            return not is_list or len(value) <= given
        case "items":
            return not is_list or all(is_valid(each, given, root) for each in value)
        case "contains":
            return not is_list or any(is_valid(each, given, root) for each in value)
        case "required":
            return not is_object or all(name in value for name in given)
        case "properties":
            return not is_object or all(is_valid(value[name], given[name], root) for name in given if name in value)
        case "additionalProperties":
            assert given is False
            return not is_object or set(value) <= set(schema["properties"])
        case "dependentSchemas":
            return not is_object or all(is_valid(value, given[name], root) for name in given if name in value)
        case "anyOf":
            return any(is_valid(value, each, root) for each in given)
        case "if":
            return is_valid(value, schema["then" if is_valid(value, given, root) else "else"], root)
        case "then" | "else":
            return "if" in schema
        case _:
            raise AssertionError(f"the schema has {keyword}, which this check does not know")
