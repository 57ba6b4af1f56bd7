from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.app.depth import ClipDepth
from any2bokeh.app.final_frame import FinalFrames, Superseded
from any2bokeh.app.final_region import Region
from any2bokeh.app.session import Session
from any2bokeh.errors import InputError
from any2bokeh.preview import preview
from any2bokeh.recipe import Recipe
from any2bokeh.video import open_source
from tests.app.conftest import FAR_POINT, FRAMES, HEIGHT, NEAR_POINT, WIDTH, decoded_jpeg, ready


@pytest.fixture
def focused(session: Session) -> Session:
    """The demo, with a move from one subject to the other and a lens."""
    session.open_demo()
    project = session.opened()
    project.clear()
    project.focus(0, *NEAR_POINT, is_locked=False)
    project.focus(15, *FAR_POINT, is_locked=False)
    project.change_look(blades=5, cat_eye=0.5)
    return session


@pytest.mark.parametrize("frame", [0, 11, 23])
def test_a_close_look_is_what_the_render_makes(focused: Session, demo_clip: Path, frame: int):
    ready(focused)
    project = focused.opened()
    script, look = project.now.script, project.now.lens.look
    assert script is not None
    mine = FinalFrames(project.source, project.depth, project.follower).at(frame, script, look)
    with open_source(demo_clip / "clip.mp4") as source:
        disparity = demo_clip / "disparity.mkv"
        recipe = Recipe(focus=script, disparity=disparity, look=look, tracker=focused._settings.tracker)
        theirs = preview(source, frame, recipe).pixels
    np.testing.assert_array_equal(mine, theirs)


def test_a_region_is_cut_at_whole_pixels(focused: Session):
    ready(focused)
    whole, all_of_it, _ = focused.final(0, "source", Region(0, 0, 1, 1))
    assert (all_of_it, decoded_jpeg(whole).shape) == (Region(0, 0, 1, 1), (HEIGHT, WIDTH, 3))
    part, lies, _ = focused.final(0, "source", Region(0.101, 0.2, 0.5, 0.599))
    left, top, right, bottom = 19, 21, 96, 65
    assert lies == Region(left / WIDTH, top / HEIGHT, right / WIDTH, bottom / HEIGHT)
    shown = decoded_jpeg(whole)[top:bottom, left:right]
    # JPEG of fine checks, whose blocks begin elsewhere; worst seen 3.8.
    assert np.abs(decoded_jpeg(part) - shown).mean() < 6
    assert Region(0.5, 0.5, 0.5001, 0.5001).of(np.zeros((3, 10, 10), np.float32))[0].shape == (3, 1, 1)


@pytest.mark.parametrize(
    "ends", [(0, 0, 0, 1), (-0.1, 0, 1, 1), (0, 0, 1, 1.1), (0.5, 0, 0.4, 1), (0, float("nan"), 1, 1)]
)
def test_regions_outside_are_refused(ends: tuple[float, float, float, float]):
    with pytest.raises(InputError, match="region"):
        Region(*ends)


def test_what_is_not_known_is_told(focused: Session, monkeypatch: pytest.MonkeyPatch):
    whole = Region(0, 0, 1, 1)
    with pytest.raises(InputError, match="view"):
        focused.final(0, "depth", whole)
    with pytest.raises(InputError, match="no frame"):
        focused.final(FRAMES, "result", whole)
    ready(focused)
    focused.opened().follower.focus[5] = np.nan
    with pytest.raises(InputError, match="still being found"):
        focused.final(0, "result", whole)
    focused.opened().clear()
    focused.final(0, "result", whole)  # nothing is in focus: the source


def test_the_last_one_is_kept(focused: Session, monkeypatch: pytest.MonkeyPatch):
    ready(focused)
    first = focused.final(3, "result", Region(0, 0, 0.5, 0.5))
    monkeypatch.setattr(ClipDepth, "opened", lambda *_: pytest.fail("read again"))
    monkeypatch.setattr("any2bokeh.app.final_frame.make_renderer", lambda *_: pytest.fail("rendered again"))
    assert focused.final(3, "result", Region(0, 0, 0.5, 0.5)) == first
    focused.final(3, "result", Region(0.5, 0.5, 1, 1))


def test_the_first_answer_is_of_the_frame_by_itself_and_the_next_is_final(focused: Session):
    ready(focused)
    region = Region(0.1, 0.2, 0.5, 0.6)
    first, lies, is_provisional = focused.final(3, "result", region, is_first=True)
    assert is_provisional
    final, same_place, _ = focused.final(3, "result", region)
    assert same_place == lies
    # What the frames around saw makes the difference, and JPEG; worst seen 1.3.
    assert np.abs(decoded_jpeg(first) - decoded_jpeg(final)).mean() < 3
    # Once the final picture is there, nothing else is told.
    assert focused.final(3, "result", region, is_first=True) == (final, lies, False)


@pytest.mark.parametrize("region", [Region(0.1, 0.2, 0.5, 0.6), Region(0, 0, 0.3, 0.3), Region(0.7, 0.5, 1, 1)])
def test_a_region_by_itself_is_cut_from_the_whole(focused: Session, region: Region):
    """It is rendered with no more around it than the blur reaches, and looks as if all had been."""
    ready(focused)
    project = focused.opened()
    project.change_look(blades=0, cat_eye=0)
    project.blur(12)
    ready(focused)
    finals = FinalFrames(project.source, project.depth, project.follower)
    script, look = project.now.script, project.now.lens.look
    part, lies, _ = finals.first(3, region, script, look)
    whole, _, _ = finals.first(3, Region(0, 0, 1, 1), script, look)
    expected, _ = lies.of(whole)
    assert part.shape == expected.shape
    # Sums of long rows begin elsewhere, and edges are looked for in windows; worst seen 0.004.
    assert float(np.abs(part - expected).mean()) < 0.01


def test_frames_around_are_looked_at_once(focused: Session, monkeypatch: pytest.MonkeyPatch):
    ready(focused)
    project = focused.opened()
    finals = FinalFrames(project.source, project.depth, project.follower)
    script = project.now.script
    finals.at(3, script, project.now.lens.look)
    monkeypatch.setattr("any2bokeh.app.final_frame.looked_around", lambda *_, **__: pytest.fail("looked again"))
    other = project.now.lens.look.changed(blades=7)
    finals.at(3, script, other)
    project.blur(35)
    ready(focused)
    finals.at(3, project.now.script, other)


def test_a_frame_that_nobody_looks_at_any_more_is_given_up(focused: Session):
    ready(focused)
    project = focused.opened()
    finals = FinalFrames(project.source, project.depth, project.follower)
    script, look = project.now.script, project.now.lens.look
    looked: list[int] = []

    def looks_elsewhere(*_: object, told: Callable[[], None], **__: object) -> None:
        looked.append(1)
        finals.first(9, Region(0, 0, 0.2, 0.2), script, look)
        told()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("any2bokeh.app.final_frame.looked_around", looks_elsewhere)
        with pytest.raises(Superseded):
            finals.at(3, script, look)
    assert looked == [1]
