"""The first picture after a click does not wait for the disparity of the clip."""

from pathlib import Path

import numpy as np
import pytest

from any2bokeh.app.commands import SetLensNumber
from any2bokeh.app.estimate import FrameEstimates
from any2bokeh.app.frame_reader import FrameReader
from any2bokeh.app.session import Session
from any2bokeh.focus import FocusScript, Keyframe, PointTarget
from any2bokeh.video import open_source
from tests.app.conftest import FAR_POINT, NEAR_POINT, Received, decoded_jpeg, detail_at, ready


@pytest.fixture
def unseen(session: Session, received: Received, demo_clip: Path) -> Session:
    """The clip without its disparity."""
    session.open_video(received(demo_clip / "clip.mp4"), "clip.mp4")
    return session


def test_first_picture_comes_before_the_clip_is_estimated(unseen: Session):
    project = unseen.opened()
    unopened = decoded_jpeg(unseen.picture(0, "result").jpeg)
    with project.follower.paused():  # as by somebody who looks at pictures: the clip waits
        project.focus(0, *NEAR_POINT, is_locked=False)
        first = unseen.picture(0, "result")
        assert project.depth.ready(project.now.script) is None
    assert first.is_provisional
    assert first.focus is not None
    picture = decoded_jpeg(first.jpeg)
    assert detail_at(picture, NEAR_POINT) > 0.9 * detail_at(unopened, NEAR_POINT)
    assert detail_at(picture, FAR_POINT) < 0.6 * detail_at(unopened, FAR_POINT)

    ready(unseen)
    final = unseen.picture(0, "result")
    assert not final.is_provisional
    assert final.focus is not None
    assert abs(final.focus.focus_disparity - first.focus.focus_disparity) < 0.1


def test_another_subject_is_in_front_at_once(unseen: Session):
    project = unseen.opened()
    project.focus(0, *NEAR_POINT, is_locked=False)
    ready(unseen)
    with project.follower.paused():
        project.focus(0, *FAR_POINT, is_locked=False)  # of which another estimate is made
        picture = unseen.picture(0, "result")
    assert picture.is_provisional
    shown = decoded_jpeg(picture.jpeg)
    unblurred = decoded_jpeg(unseen.picture(0, "source").jpeg)
    assert detail_at(shown, FAR_POINT) > 0.9 * detail_at(unblurred, FAR_POINT)
    assert detail_at(shown, NEAR_POINT) < 0.6 * detail_at(unblurred, NEAR_POINT)


def test_disparity_is_shown_before_anything_is_clicked(unseen: Session):
    shown = unseen.picture(0, "depth")
    assert not shown.is_provisional  # nothing better is on its way
    assert np.ptp(decoded_jpeg(shown.jpeg)) > 50


def test_a_lens_waits_for_the_disparity_of_the_clip(unseen: Session):
    project = unseen.opened()
    with project.follower.paused():
        project.focus(0, *NEAR_POINT, is_locked=False)
        SetLensNumber("f_number", 2.0).run(unseen)
        unseen.snapshot()
        assert project.now.lens_gives_blur
    ready(unseen)
    unseen.snapshot()
    assert not project.now.lens_gives_blur


def test_each_frame_has_the_subject_of_its_keyframe(demo_clip: Path):
    with open_source(demo_clip / "clip.mp4") as source:
        estimates = FrameEstimates(FrameReader(source), source.info)
        script = FocusScript(
            keyframes=(Keyframe(0, PointTarget(*NEAR_POINT), blur_strength=9), Keyframe(20, PointTarget(*FAR_POINT)))
        )
        maps = estimates.of(script)
        for frame, (x, y) in ((1, NEAR_POINT), (19, FAR_POINT)):
            disparity = maps.at(frame)[0]
            assert disparity.shape == (108, 192)
            assert disparity[int(y * 108), int(x * 192)] > 0.7
        assert maps.key != estimates.of(None).key
        assert len(list(maps.frames(3, 5))) == 2
