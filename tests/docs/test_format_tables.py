"""The tables of docs/formats.md: every row names the tests that hold it, and they exist."""

import ast
import re
from functools import cache

import pytest

from tests.docs.markdown import ROOT

_PAGE = ROOT / "docs" / "formats.md"
_TESTS = ROOT / "tests"


def rows() -> list[tuple[int, list[str]]]:
    """Line number and last cell's code spans of every row, without the heads of the tables."""
    lines = _PAGE.read_text().split("\n")
    found = []
    for number, line in enumerate(lines, 1):
        is_head = number < len(lines) and lines[number].startswith("|---")
        if line.startswith("|") and not line.startswith("|---") and not is_head:
            found.append((number, re.findall(r"`([^`]+)`", line.rstrip().rstrip("|").split("|")[-1])))
    return found


@cache
def defined() -> dict[str, set[str]]:
    """Names of the test functions of each test file, by its path from the root."""
    return {
        path.relative_to(ROOT).as_posix(): {
            node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)
        }
        for path in _TESTS.rglob("test_*.py")
    }


def test_page_has_tables() -> None:
    assert len(rows()) > 60


@pytest.mark.parametrize(("line", "names"), rows(), ids=lambda value: str(value) if isinstance(value, int) else "")
def test_each_row_names_tests_that_exist(line: int, names: list[str]) -> None:
    assert names, f"{_PAGE.name}:{line} names no test"
    files = defined()
    for name in names:
        path, _, function = name.rpartition("::") if name.startswith("test_") or "::" in name else (name, "", "")
        places = [file for file in files if file.endswith(path)]
        assert places, f"{_PAGE.name}:{line}: there is no {path}"
        if function:
            assert any(function in files[place] for place in places), f"{_PAGE.name}:{line}: there is no {name}"


def test_a_name_stands_for_one_test() -> None:
    """A bare name that stands in two files would say little about where it is held."""
    every = [name for names in defined().values() for name in names]
    bare = {name for _, names in rows() for name in names if "::" not in name and "/" not in name}
    assert {name for name in bare if every.count(name) > 1} == set()
