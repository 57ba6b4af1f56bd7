"""What the frames around a frame know of its hidden background."""

import numpy as np
import pytest

from any2bokeh.disparity.edges import EdgeBands
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.plate.silhouette import REACH
from any2bokeh.plate.stream import AHEAD, BACK, PlateStream
from tests.plate import scenes

# A clip, and how much of what it hides within the frame is known at least. Of the square's background the rest is never
# seen: it moves by 22 px in 11 frames.
CLIPS: dict[str, tuple[scenes.HidingClip, float]] = {
    "a pan behind a fence": (scenes.clip(12, way=scenes.pan), 0.85),
    "a slow pan": (scenes.clip(12, way=lambda t: (-1.3 * t, 0.0, 0.0)), 0.85),
    "a pan and a zoom": (scenes.clip(12, way=lambda t: (2.0 * t, 0.3 * t, 0.01 * t)), 0.85),
    "a square before a still wall": (scenes.clip(12, cover=lambda t: scenes.square(30 + 2.0 * t)), 0.4),
    "both": (
        scenes.clip(12, way=lambda t: (1.5 * t, 0.2 * t, 0.0), cover=lambda t: scenes.square(70 - 1.5 * t)),
        0.4,
    ),
}


def error(hidden: HiddenBackground, clip: scenes.HidingClip, index: int) -> tuple[float, float]:
    """Root mean square of what is known, against what is there; and how much of what is hidden is known."""
    inner = np.zeros((scenes.HEIGHT, scenes.WIDTH), bool)
    inner[6:-6, 6:-6] = True
    near = (clip.maps[index][0] > 0.5) & inner
    known = near & (hidden.known > 0.5)
    off = (hidden.pixels - clip.behind[index])[:, known]
    return float(np.sqrt((off**2).mean())), float(known.sum() / near.sum())


@pytest.mark.parametrize("name", CLIPS)
def test_hidden_samples_have_the_true_colour(name: str):
    clip, least = CLIPS[name]
    hidden = scenes.within(clip.hidden()[6])
    miss, share = error(hidden, clip, 6)
    # Beside it: the background itself varies by 0.14. Worst seen 0.026, a pan and a zoom.
    assert miss < 0.045
    assert share > least
    known = hidden.known > 0.5
    np.testing.assert_allclose(hidden.disparity[0][known], scenes.FAR, atol=0.01)
    assert hidden.known.min() >= 0
    assert hidden.known.max() <= 1


def _assert_same(one: HiddenBackground | None, other: HiddenBackground | None) -> None:
    assert one is not None
    assert other is not None
    assert one.known.any()
    np.testing.assert_array_equal(one.pixels, other.pixels)
    np.testing.assert_array_equal(one.disparity, other.disparity)
    np.testing.assert_array_equal(one.known, other.known)


def test_nothing_crosses_a_cut():
    before, after = scenes.clip(8, way=scenes.pan, seed=1), scenes.clip(8, way=scenes.pan, seed=2)
    joined = (before + after).hidden()
    apart, begun_at_the_cut = before.hidden(), (before + after).hidden(first=8)
    for index, other in ((5, apart[5]), (7, apart[7]), (9, begun_at_the_cut[9])):
        _assert_same(joined[index], other)


def test_a_frame_gets_the_same_wherever_a_run_begins():
    clip = scenes.clip(BACK + AHEAD + 8, way=scenes.pan)
    whole, part = clip.hidden(), clip.hidden(first=5)
    for index in (5 + BACK, 7 + BACK):
        _assert_same(whole[index], part[index])


@pytest.mark.parametrize("light", [lambda t: 1 - 0.04 * t, lambda t: 0.8 if t == 6 else 1.0], ids=["a fade", "a flash"])
def test_light_that_changes_is_not_smeared(light):
    clip = scenes.clip(12, way=scenes.pan, light=light)
    miss, share = error(scenes.within(clip.hidden()[6]), clip, 6)
    assert miss < 0.045  # worst seen 0.02, the flash
    assert share > 0.5


def test_a_background_that_changes_is_not_believed():
    """A screen behind a fence that shows something else in every frame."""
    clips = [scenes.clip(12, seed=t) for t in range(12)]
    clip = scenes.HidingClip([c.frames[t] for t, c in enumerate(clips)], clips[0].maps, clips[0].behind)
    hidden = scenes.within(clip.hidden()[6])
    assert float(hidden.known[clip.maps[6][0] > 0.5].mean()) < 0.1


def test_what_left_the_frame_is_known_at_its_border():
    """A wall of which 3 px a frame go out to the right: 30 px have been seen by frame 10, no more are to come."""
    margin = 12
    clip = scenes.clip(11, way=scenes.pan, cover=scenes.nothing_near, margin=margin)
    hidden = clip.hidden(focus_disparity=0.8)[10]
    assert hidden is not None
    assert hidden.margin_px == margin  # the radius of all of it
    inside = np.s_[margin:-margin, margin:-margin]
    assert not hidden.known[inside].any()
    right = hidden.known[margin:-margin, -margin:]
    assert (right > 0.5).mean() > 0.8
    miss = (hidden.pixels - clip.behind[10])[:, hidden.known > 0.5]
    assert float(np.sqrt((miss**2).mean())) < 0.045  # worst seen 0.02
    assert not (hidden.known[margin:-margin, :margin] > 0.02).any(), "nobody has seen what comes in on the left"


def test_what_is_never_seen_is_not_known():
    clip = scenes.clip(12)
    assert not scenes.within(clip.hidden()[6]).known.any()


def test_a_scene_of_one_surface_hides_nothing():
    clip = scenes.clip(3, cover=scenes.nothing_near)
    assert all(hidden is None for hidden in clip.hidden().values())


def test_memory_does_not_grow():
    clip = scenes.clip(2, way=scenes.pan)
    stream = PlateStream()
    for index in range(3 * (BACK + AHEAD)):
        stream.add(index, clip.frames[index % 2], EdgeBands.none(clip.maps[index % 2]))
        stream.hidden(max(index - AHEAD, 0), clip.maps[0], scenes.FAR, scenes.PX_PER_DISPARITY)
    assert len(stream._views) <= BACK + AHEAD + REACH + 1
    assert len(stream._steps) <= BACK + AHEAD + REACH + 1
    assert len(stream._silhouettes) <= 2 * REACH + 1


def test_light_without_a_bound_is_kept():
    clip = scenes.clip(12, way=scenes.pan, light=lambda t: 6.0)
    miss, _ = error(scenes.within(clip.hidden()[6]), clip, 6)
    assert miss / 6 < 0.045
