"""How much of a large frame is done: one share for its edges and its picture."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.disparity.edges import sized
from any2bokeh.events import Event, FrameEvents, FramesDone
from any2bokeh.focus import FocusScript
from any2bokeh.frame_shares import FrameShares
from any2bokeh.preview import preview
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.video import open_source
from tests.disparity.edges.test_classical_edges import blob, textured, two_surfaces


@pytest.fixture
def still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Recipe]:
    """A picture that counts as large, and what is wanted of it."""
    monkeypatch.setattr(sized, "LARGE_PX", 100)
    is_near = blob(3)
    picture, disparity = textured(3, is_near), cv2.GaussianBlur(two_surfaces(is_near), (0, 0), 2.5)
    cv2.imwrite(str(tmp_path / "map.png"), np.round(255 * disparity))
    cv2.imwrite(str(tmp_path / "still.png"), np.round(255 * picture.transpose(1, 2, 0)[..., ::-1]))
    recipe = Recipe(focus=FocusScript.constant(0.7, 16), disparity=tmp_path / "map.png", edges="classical")
    return tmp_path / "still.png", recipe


def in_strips() -> LayeredRenderer:
    renderer = LayeredRenderer(threads=1)
    renderer.most_px = 1
    return renderer


def test_a_still_is_told_from_its_edges_on(still: tuple[Path, Recipe], tmp_path: Path):
    path, recipe = still
    told: list[float] = []
    refocus(path, tmp_path / "out", recipe, renderer=in_strips(), within=told.append)
    assert told == sorted(told)
    assert 0 < told[0] < 0.3
    assert told[-1] == 1
    of_refocus, told = told, []
    with open_source(path) as source:
        preview(source, 0, recipe, renderer=in_strips(), within=told.append)
    assert told == of_refocus


@pytest.mark.parametrize("after", [0.0, 0.5], ids=["edges", "picture"])
def test_an_interruption_within_a_frame_leaves_nothing(still: tuple[Path, Recipe], tmp_path: Path, after: float):
    path, recipe = still
    told: list[float] = []

    def interrupt(share: float) -> None:
        told.append(share)
        if share > after:
            raise KeyboardInterrupt

    before = sorted(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        refocus(path, tmp_path / "out", recipe, renderer=in_strips(), within=interrupt)
    assert max(told) < 1
    assert sorted(tmp_path.iterdir()) == before


def test_events_tell_the_share_of_the_next_frame():
    told: list[FramesDone] = []

    def watch(event: Event) -> None:
        assert isinstance(event, FramesDone)
        told.append(event)

    events = FrameEvents(watch, "rendering")
    events.within(0.1)  # before the frames are counted
    events(0, 2)
    events.within(0.25)
    events(1, 2)
    events.within(1.0)
    assert [(each.done, each.total, each.within) for each in told] == [(0, 2, None), (0, 2, 0.25), (1, 2, None)]


def test_the_share_of_the_first_frame_rises_from_its_edges_to_its_picture():
    told: list[float] = []
    shares = FrameShares(told.append)
    for share in (0.5, 1.0):
        shares.treated(share)
    for share in (0.25, 1.0):
        shares.rendered(share)
    assert told == sorted(told)
    assert 0 < told[0] < told[1] < 0.5
    assert told[-1] == 1


def test_edges_of_the_next_frame_are_not_told_while_one_is_rendered():
    told: list[float] = []
    shares = FrameShares(told.append)
    shares.rendered(0.5)
    shares.treated(0.5)
    assert told == [0.5]


def test_a_frame_whose_edges_are_not_told_is_all_picture():
    told: list[float] = []
    shares = FrameShares(told.append)
    shares.treated(1.0)
    for share in (0.5, 1.0, 0.5):
        shares.rendered(share)
    assert told[-2:] == [1.0, 0.5]
