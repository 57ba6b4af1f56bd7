"""Kernels and their cache: whatever state its folder is in, the function runs."""

import gc
import importlib.util
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core import event

from any2bokeh import compiled
from any2bokeh.errors import KernelCacheWarning

SOURCE = """
from any2bokeh.compiled import compiled

@compiled(nogil=True, fastmath=True)
def twice(value):
    return 2 * value
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module with one kernel, in a process that has told nothing yet."""
    monkeypatch.setattr(compiled, "_told", False)
    monkeypatch.setattr("numba.core.config.CACHE_DIR", "")
    path = tmp_path / "package" / "twice.py"
    path.parent.mkdir()
    path.write_text(SOURCE)
    return path


def imported(source: Path) -> Any:
    """The kernel, as a new process would import it."""
    spec = importlib.util.spec_from_file_location("twice", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.twice


def was_kept(kernel: Any) -> bool:
    return sum(kernel.stats.cache_hits.values()) > 0


def close(folder: Path) -> None:
    """Let nothing be written into a folder, not even by root: a file stands where it would be."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("")


def test_it_is_kept_beside_the_source(source: Path):
    first, second = imported(source), imported(source)
    assert (first(3), was_kept(first)) == (6, False)
    assert (second(3), was_kept(second)) == (6, True)
    assert {path.suffix for path in (source.parent / "__pycache__").iterdir()} >= {".nbi", ".nbc"}
    assert first.nopython_signatures
    assert first.targetoptions["nogil"]
    assert first.targetoptions["fastmath"]


def test_else_in_the_users_cache_folder(source: Path, own_cache: Path):
    close(source.parent / "__pycache__")
    assert imported(source)(3) == 6
    second = imported(source)
    assert (second(3), was_kept(second)) == (6, True)
    assert list(own_cache.rglob("*.nbc"))


def test_else_nowhere_and_that_is_told_once(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    close(source.parent / "__pycache__")
    close(tmp_path / "home")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    with pytest.warns(KernelCacheWarning, match=r"cannot be kept: neither .*; set NUMBA_CACHE_DIR to a folder") as told:
        assert [imported(source)(3), imported(source)(3.5)] == [6, 7.0]
    assert len(told) == 1


def test_a_full_disk_does_not_stop_it(source: Path):
    kernel = imported(source)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.warns(KernelCacheWarning, match=r"__pycache__ cannot be written \(File too large\)") as told:
            assert [kernel(3), kernel(3.5)] == [6, 7.0]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(told) == 1
    assert imported(source)(3) == 6
    second = imported(source)
    assert (second(3), was_kept(second)) == (6, True)


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def nothing(content: bytes) -> bytes:
    return b""


def zeros_in_the_middle(content: bytes) -> bytes:
    """What a file system leaves after a loss of power."""
    start, stop = len(content) // 3, 2 * len(content) // 3
    return content[:start] + bytes(stop - start) + content[stop:]


def text(content: bytes) -> bytes:
    return b"no machine code"


@pytest.mark.parametrize("damage", [half, nothing, zeros_in_the_middle, text])
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_a_damaged_file_is_made_anew(source: Path, suffix: str, damage: Callable[[bytes], bytes]):
    imported(source)(3)
    (file,) = (source.parent / "__pycache__").glob(f"*{suffix}")
    file.write_bytes(damage(file.read_bytes()))
    second, third = imported(source), imported(source)
    assert (second(3), was_kept(second)) == (6, False)
    assert (third(3), was_kept(third)) == (6, True)


def test_a_cache_that_is_removed_meanwhile(source: Path):
    imported(source)(3)
    kernel = imported(source)
    for file in (source.parent / "__pycache__").iterdir():
        file.unlink()
    assert kernel(3) == 6


def test_only_a_missing_folder_is_passed_over(source: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("numba.core.config.CACHE_LOCATOR_CLASSES", "NoSuchLocator")
    with pytest.raises(RuntimeError, match="NoSuchLocator"):
        imported(source)


def test_garbage_is_not_collected_while_it_is_compiled(source: Path):
    collecting: list[bool] = []

    class Watch(event.Listener):
        def on_start(self, event: Any) -> None:
            collecting.append(gc.isenabled())

        def on_end(self, event: Any) -> None:
            collecting.append(gc.isenabled())

    with event.install_listener("numba:compile", Watch()):
        assert imported(source)(3) == 6
    assert collecting == [False, False]
    assert gc.isenabled()


NESTED = (
    SOURCE
    + """
@compiled(nogil=True)
def sum_of_twice(values):
    total = 0.0
    for value in values:
        total += twice(value)
    return total
"""
)


def test_what_a_kernel_calls_may_be_called_too(source: Path):
    """It is compiled without an entry for Python, which a call from there must not miss."""
    source.write_text(NESTED)
    for is_kept in (False, True):
        twice, values = imported(source), np.ones(3)
        sum_of_twice = twice.py_func.__globals__["sum_of_twice"]
        assert sum_of_twice(values) == 6
        assert twice(1.5) == 3
        assert twice(3) == 6
        assert sum_of_twice(values) == 6
        assert was_kept(sum_of_twice) == is_kept
        assert was_kept(twice) == is_kept


def test_whether_code_is_kept_is_known(source: Path):
    kernel = imported(source)
    assert compiled.may_be_kept(kernel)
    kernel(3)
    assert not compiled.may_be_kept(kernel)
    assert not compiled.may_be_kept(imported(source))
