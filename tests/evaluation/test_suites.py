"""The suites: what they hold, and that they are the same every time."""

import numpy as np
import pytest

from any2bokeh.disparity.edges import edge_estimator
from any2bokeh.errors import InputError
from any2bokeh.evaluation.clips import treated
from any2bokeh.evaluation.suites import BLUR_STRENGTHS, UNPERTURBED, SuiteSize, suite_clips
from any2bokeh.synthesis.degradation import degraded
from any2bokeh.synthesis.maker import ClipMaker

TINY = SuiteSize(width=64, height=48, frame_count=2, short_frame_count=2, rounds=1, scenes=1, lens_samples=4)


def test_layered_is_as_large_as_it_must_be():
    clips = suite_clips("layered")
    assert len(clips) >= 20
    assert {(clip.frame_count, clip.width, clip.height) for clip in clips} == {(25, 512, 288)}
    for strength in BLUR_STRENGTHS:
        assert sum(clip.conditions["K"] == strength for clip in clips) >= 5
    assert {clip.conditions["lens"] for clip in clips} == {"fixed", "ramp", "sweep"}
    assert len({clip.name for clip in clips}) == len(clips)


def test_layered_clips_are_the_same_every_time_and_differ():
    first, again = ([list(clip.read()) for clip in suite_clips("layered", TINY)[:2]] for _ in range(2))
    for one, other in zip(first, again, strict=True):
        for frame, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(frame.truth, same.truth)
            np.testing.assert_array_equal(frame.given.pixels, same.given.pixels)
    assert np.abs(first[0][0].given.pixels - first[1][0].given.pixels).mean() > 0.02
    assert [frames[0].given.blur_strength for frames in first] == [4, 8]


def test_robustness_tells_wrong_disparity_of_one_truth():
    clips = suite_clips("robustness", TINY)
    assert [clip.conditions["level"] for clip in clips] == [UNPERTURBED, "I", "II", "III", "IV"]
    assert len({clip.scene for clip in clips}) == 1
    frames = [list(clip.read()) for clip in clips]
    wrong = []
    for one in frames:
        np.testing.assert_array_equal(one[1].truth, frames[0][1].truth)
        np.testing.assert_array_equal(one[1].disparity, frames[0][1].disparity)
        wrong.append(np.abs(one[1].given.disparity - one[1].disparity).mean())
    assert wrong[0] == 0
    assert wrong[4] > wrong[1]  # level I moves an outline by an eighth of these large pixels


def test_control_changes_the_lens_alone():
    clips = suite_clips("control", TINY)
    assert len({clip.name for clip in clips}) == len(clips)
    first = {(clip.conditions["K"], clip.conditions["focus"]): next(iter(clip.read())) for clip in clips}
    assert sorted(strength for strength, focus in first if focus == 1) == sorted(BLUR_STRENGTHS)
    sweep = [first[16.0, focus].given.focus_disparity for focus in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert sweep == sorted(sweep)
    assert sweep[-1] > sweep[0] + 0.1
    for strength, focus in first:
        assert first[strength, focus].given.blur_strength == strength
        np.testing.assert_array_equal(first[strength, focus].given.pixels, first[4.0, 1.0].given.pixels)


def test_degraded_tells_disparity_in_five_wrong_ways_for_each_treatment():
    clips = treated(suite_clips("degraded", TINY), edges=["off", "classical"], plates=["auto"])
    ways = ["exact", "soft1", "soft2", "grown2", "shrunk2", "model"]
    assert [(clip.conditions["disparity"], clip.conditions["edges"]) for clip in clips] == [
        (way, edges) for way in ways for edges in ("off", "classical")
    ]
    assert len({clip.name for clip in clips}) == len(clips)
    frames = {clip.name: list(clip.frames()) for clip in clips}
    exact = frames["00_exact/off"]
    for name, (first, second) in frames.items():
        np.testing.assert_array_equal(first.truth, exact[0].truth)
        np.testing.assert_array_equal(second.disparity, exact[1].disparity)
        way, edges = name.removeprefix("00_").split("/")
        told = exact[1].disparity[0] if way == "exact" else degraded(exact[1].disparity[0], way, 1)  # type: ignore[arg-type]
        treat = edge_estimator(edges)  # type: ignore[arg-type]
        if treat is not None:
            told = treat(told[None], second.given.pixels).disparity[0]
        np.testing.assert_array_equal(second.given.disparity[0], told)
    assert exact[0].subject is not None
    assert exact[0].subject.any()


def test_the_first_frames_of_degraded_clips_are_traced_alone(monkeypatch):
    made = []
    clip = ClipMaker.clip
    monkeypatch.setattr(
        ClipMaker, "clip", lambda self, index, start, stop: made.append((start, stop)) or clip(self, index, start, stop)
    )
    for one in suite_clips("degraded", TINY)[:3]:
        assert len(list(one.shortened(1).frames())) == 1
    assert made == [(0, 1)]  # once for all of them


def test_an_unknown_suite_is_refused():
    with pytest.raises(InputError, match="layered, robustness, control or degraded"):
        suite_clips("all")  # type: ignore[arg-type]
