from pathlib import Path

from any2bokeh.app.drafts import DraftStore


def test_a_draft_is_known_by_its_frame_and_key(tmp_path: Path):
    store = DraftStore(tmp_path / "drafts")
    store.put(3, "a", b"one")
    store.put(3, "b", b"other")
    store.put(3, "a", b"never two of a key")
    assert (store.get(3, "a"), store.get(3, "b"), store.get(4, "a")) == (b"one", b"other", None)
    assert (store.has(3, "a"), store.has(3, "c"), store.frames()) == (True, False, [3])
    store.close()
    assert not (tmp_path / "drafts").exists()
    store.put(5, "a", b"after the end")
    assert store.get(5, "a") is None


def test_what_was_used_longest_ago_gives_way(tmp_path: Path):
    store = DraftStore(tmp_path / "drafts", limit_bytes=100)
    for frame in range(5):
        store.put(frame, "k", bytes(30))
        store.get(0, "k")
    assert store.frames() == [0, 3, 4]
    assert len(list((tmp_path / "drafts").iterdir())) == 3


def test_files_that_somebody_removed_count_as_none(tmp_path: Path):
    store = DraftStore(tmp_path / "drafts")
    store.put(1, "k", b"x")
    for file in (tmp_path / "drafts").iterdir():
        file.unlink()
    assert store.get(1, "k") is None
    assert not store.has(1, "k")
