"""The renders of a clip: several wait, each has a name, and old ones make way."""

import threading
from pathlib import Path

import pytest

from any2bokeh.app.render_job import RenderJob, Report
from any2bokeh.app.render_list import RenderList
from any2bokeh.app.render_queue import RenderQueue
from any2bokeh.errors import InputError
from tests.app.conftest import HANGS_AFTER_S


class Renders:
    """A list of renders that go on when a test lets them."""

    def __init__(self, folder: Path) -> None:
        self.list = RenderList(RenderQueue(at_once=1, most_waiting=8))
        self.folder, self.go, self.number = folder, threading.Semaphore(0), 0

    def ask(self, decisions: object = None) -> int:
        self.number += 1
        result = self.folder / f"result-{self.number}.mp4"

        def work(report: Report) -> Path:
            assert self.go.acquire(timeout=HANGS_AFTER_S)
            report(1, 1)
            result.write_bytes(b"film")
            return result

        job = RenderJob("render", work, name=self.list.name_for("clip", ".mp4"), decisions=decisions)
        self.list.add(self.number, job)
        return self.number

    def rows(self) -> list[tuple[str, str, int]]:
        return [(each["name"], each["state"], each["ahead"]) for each in self.list.snapshot(None)]

    def end(self) -> None:
        for _ in range(20):
            self.go.release()
        self.list.wait(HANGS_AFTER_S)


@pytest.fixture
def renders(tmp_path: Path) -> Renders:
    return Renders(tmp_path)


def test_renders_wait_their_turn_under_names_of_their_own(renders: Renders):
    first, second = renders.ask(), renders.ask()
    third = renders.ask("other decisions")
    assert [name for name, _, _ in renders.rows()] == ["clip-bokeh.mp4", "clip-bokeh-2.mp4", "clip-bokeh-3.mp4"]
    assert renders.rows()[2] == ("clip-bokeh-3.mp4", "waiting", 2)
    with pytest.raises(InputError, match="not rendered yet"):
        renders.list.result(second)
    renders.list.cancel(second)
    renders.end()
    assert [state for _, state, _ in renders.rows()] == ["done", "cancelled", "done"]
    assert [each["is_current"] for each in renders.list.snapshot(None)] == [True, True, False]
    assert renders.list.newest_done is renders.list.result(third)
    renders.list.cancel(first)  # which is over, so that it goes with its result
    assert sorted(each.name for each in renders.folder.iterdir()) == ["result-3.mp4"]


@pytest.mark.slow
def test_one_page_cannot_fill_the_queue_and_old_results_make_way(renders: Renders):
    for _ in range(4):
        renders.ask()
    with pytest.raises(InputError, match="4 renders of yours are under way"):
        renders.ask()
    renders.end()
    for _ in range(5):
        renders.ask()
        renders.end()
    assert len(list(renders.folder.iterdir())) == 7  # the newest, and six before it
    assert len(renders.rows()) == 7
