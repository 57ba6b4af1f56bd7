"""What is kept on disk, and what is not believed."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.disparity.cache import DisparityCache, Entry, cache_folder
from any2bokeh.errors import InputError

KEY = {"source": ["clip.mp4", 12, 34], "model": "tiny"}


def put(cache: DisparityCache, key: dict = KEY, *, frames: int = 3, shape: tuple[int, int] = (6, 8)) -> Entry:
    with cache.begin(key, frame_count=frames) as entry:
        for index in range(frames):
            entry.raw.write(np.zeros((1, *shape), np.float32))
            entry.maps.write(np.full((1, *shape), index, np.float32))
        return entry.publish((0, frames - 1), {"model": "tiny"})


def test_what_was_put_is_found(tmp_path: Path):
    cache = DisparityCache(tmp_path)
    assert cache.find(KEY) is None
    put(cache)
    found = cache.find(KEY)
    assert found is not None
    assert found.facts == {"model": "tiny"}
    np.testing.assert_array_equal(np.load(found.maps)[:, 0, 0], [0, 32768, 65535])
    assert [path.name for path in found.maps.parent.iterdir()].count("raw.npy") == 0
    assert cache.find({**KEY, "model": "other"}) is None


@pytest.mark.parametrize("damage", ["flip", "cut", "no-entry", "no-maps", "not-json", "other-key", "old-format"])
def test_what_is_damaged_is_removed(tmp_path: Path, damage: str):
    cache = DisparityCache(tmp_path)
    maps = put(cache).maps
    entry = maps.with_name("entry.json")
    said = json.loads(entry.read_text())
    match damage:
        case "flip":
            content = bytearray(maps.read_bytes())
            content[-5] ^= 1
            maps.write_bytes(content)
        case "cut":
            maps.write_bytes(maps.read_bytes()[:-2])
        case "no-entry":
            entry.unlink()
        case "no-maps":
            maps.unlink()
        case "not-json":
            entry.write_text("{")
        case "other-key":
            entry.write_text(json.dumps({**said, "key": {}}))
        case "old-format":
            entry.write_text(json.dumps({**said, "format": 0}))
    told: list[str] = []
    assert cache.find(KEY, told.append) is None
    assert len(told) == 1
    assert str(tmp_path) in told[0]
    assert "damaged" in told[0]
    assert list(tmp_path.iterdir()) == []
    assert cache.find(KEY, told.append) is None
    assert len(told) == 1  # what is not there is not damaged
    put(cache)
    assert cache.find(KEY) is not None


def test_nothing_is_left_of_what_was_not_finished(tmp_path: Path):
    def interrupted() -> None:
        with DisparityCache(tmp_path).begin(KEY, frame_count=3) as entry:
            entry.maps.write(np.zeros((1, 6, 8), np.float32))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_the_same_made_twice_is_one(tmp_path: Path):
    cache = DisparityCache(tmp_path)
    put(cache)
    put(cache)
    assert len(list(tmp_path.iterdir())) == 1


def test_what_was_used_longest_ago_goes_first(tmp_path: Path):
    cache = DisparityCache(tmp_path, limit_bytes=3000)  # an entry takes some 600 bytes
    for number in range(4):
        entry = put(cache, {"number": number})
        old = time.time() - 1000 + number
        os.utime(entry.maps.parent, (old, old))
    assert cache.find({"number": 0}) is not None  # used just now
    for number in (4, 5, 6):
        put(cache, {"number": number})
    assert cache.find({"number": 0}) is not None
    assert cache.find({"number": 6}) is not None
    assert cache.find({"number": 1}) is None
    assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) <= 3000


def test_the_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "any2bokeh" / "disparity"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the standard: to be ignored
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "any2bokeh" / "disparity"


def test_a_place_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cache folder .*file/x cannot be written .*XDG_CACHE_HOME"):
        DisparityCache(tmp_path / "file" / "x").begin(KEY, frame_count=1)
