from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from any2bokeh.app import editing
from any2bokeh.app.keyframe_rows import rows
from any2bokeh.errors import InputError
from any2bokeh.focus import DisparityTarget, FocusScript, Keyframe, MaskTarget, PointTarget, resolve

HERE = PointTarget(0.2, 0.4, track=True)
THERE = PointTarget(0.7, 0.5, track=True)


class Nothing:
    """Disparity that is not to be read."""

    frame_count = 100

    def frames(self, start: int = 0, stop: int | None = None):
        raise AssertionError

    def at(self, index: int):
        raise AssertionError


def focused(script: FocusScript | None, frame: int, target: PointTarget = HERE, *, blur: float = 20) -> FocusScript:
    return editing.focused(script, frame, target, strength="weak", blur_strength=blur, fps=24)


def test_first_click_makes_a_script_with_a_strength():
    assert focused(None, 7) == FocusScript(
        keyframes=(Keyframe(7, HERE, 20, transition_s=editing.TRANSITION_S, strength="weak"),), fps=24
    )


def test_click_on_a_keyframe_changes_its_target_alone():
    script = editing.changed(focused(None, 7), 7, {"easing": "linear", "transition_s": 0.3})
    again = focused(script, 7, THERE, blur=99)
    [before], [after] = script.keyframes, again.keyframes
    assert after == replace(before, target=THERE)


def test_later_click_keeps_the_order_and_the_strength():
    script = focused(focused(None, 7), 3, THERE)
    assert [(k.frame, k.target, k.blur_strength) for k in script.keyframes] == [(3, THERE, None), (7, HERE, 20)]


@pytest.mark.parametrize("frame", [1, 5, 14, 30])
def test_a_click_soon_after_a_locked_one_still_counts(frame: int):
    locked = editing.focused(None, 0, HERE, strength="strong", blur_strength=20, fps=24)
    assert [row["gives_way"] for row in rows(focused(locked, frame, THERE), 24)] == [False, False]


def test_a_click_within_the_move_of_a_locked_one_gives_way_and_says_so():
    script = focused(focused(None, 0), 20, THERE)
    script = editing.changed(script, 20, {"strength": "strong"})
    assert [row["gives_way"] for row in rows(focused(script, 12, THERE), 24)] == [False, True, False]
    told = {"disparity": Nothing(), "frame_count": 40, "fps": 24}
    planes = [editing.changed(focused(script, 12, THERE), 12, {"focus_disparity": 0.1})]
    for frame in (0, 20):
        planes.append(editing.changed(planes[-1], frame, {"focus_disparity": 0.9}))
    assert resolve(planes[-1], **told).focus_disparity == pytest.approx(np.full(40, 0.9))


def test_a_strength_changes_where_it_holds_and_no_other_keyframe_does():
    script = editing.blurred(focused(focused(None, 2), 9, THERE), 40, frame=5, begins=True)
    for frame, changed in ((0, 0), (2, 0), (4, 0), (5, 1), (9, 1), (20, 1)):
        told = editing.blurred(script, 30, frame=frame)
        before, after = script.keyframes, told.keyframes
        assert [(k.frame, k.target) for k in after] == [(2, HERE), (5, None), (9, THERE)]
        assert [k.blur_strength for k in after] == [30 if n == changed else before[n].blur_strength for n in range(3)]


def test_another_lens_multiplies_all_strengths():
    script = editing.blurred(focused(focused(None, 2), 9, THERE), 40, frame=5, begins=True)
    assert editing.strengths(editing.scaled(script, 5)) == [(2, 5), (5, 10)]
    nothing = editing.blurred(script, 0, frame=2)
    assert editing.strengths(editing.scaled(nothing, 5)) == [(2, 5), (5, 40)]


def test_strength_from_a_frame_on_is_a_keyframe():
    script = editing.blurred(focused(None, 2), 40, frame=5, begins=True)
    assert [(k.frame, k.target, k.blur_strength) for k in script.keyframes] == [(2, HERE, 20), (5, None, 40)]
    assert [k.blur_strength for k in editing.blurred(script, 50, frame=2).keyframes] == [50, 40]


def test_strength_outlives_the_keyframe_that_gave_it():
    script = editing.deleted(focused(focused(None, 2), 9, THERE), 2)
    assert script is not None
    assert [(k.frame, k.blur_strength) for k in script.keyframes] == [(9, 20)]


def test_deleting_the_last_target_leaves_no_script():
    assert editing.deleted(editing.blurred(focused(None, 2), 40, frame=5, begins=True), 2) is None


@pytest.mark.parametrize(
    ("deed", "named"),
    [
        (lambda script: editing.moved(script, 2, 9), "keyframe at frame 9"),
        (lambda script: editing.moved(script, 3, 4), "keyframe at frame 3 no longer exists"),
        (lambda script: editing.deleted(script, 3), "keyframe at frame 3 no longer exists"),
        (lambda script: editing.changed(script, 2, {"colour": 1}), "colour"),
        (lambda script: editing.changed(script, 2, {"easing": "bouncy"}), "bouncy"),
        (lambda script: editing.changed(script, 2, {"transition_s": -1}), "transition_s"),
        (lambda script: editing.changed(script, 2, {"blur_strength": None}), "the only keyframe"),
        (lambda script: editing.blurred(script, -1), "blur_strength"),
        (lambda script: editing.blurred(script, float("nan")), "blur_strength"),
    ],
)
def test_what_cannot_be_done_is_told(deed, named: str):
    script = focused(focused(None, 2), 9, THERE)
    with pytest.raises(InputError, match=named):
        deed(script)


def test_disparity_cannot_be_followed():
    script = FocusScript.constant(0.5, 10)
    with pytest.raises(InputError, match="followed"):
        editing.changed(script, 0, {"track": True})
    assert editing.changed(script, 0, {"focus_disparity": 0.7}).keyframes[0].target == DisparityTarget(0.7)


def test_masks_are_refused_because_they_are_paths():
    with pytest.raises(InputError, match="names a mask by its path"):
        editing.in_frames_of(FocusScript.on_mask("/etc", 10), 24, 100)
    mixed = FocusScript(keyframes=(Keyframe(0, HERE, 10), Keyframe(4, MaskTarget("../x"))))
    with pytest.raises(InputError, match="names a mask by its path"):
        editing.in_frames_of(mixed, 24, 100)


def test_scripts_of_other_clips_are_refused():
    with pytest.raises(InputError, match="frame 50"):
        editing.in_frames_of(FocusScript(keyframes=(Keyframe(50, HERE, 10),)), 24, 50)
    with pytest.raises(InputError, match="for 3 frames"):
        editing.in_frames_of(FocusScript.from_dense([0.1] * 3, [1] * 3), 24, 50)


def test_dense_scripts_are_shown_but_not_edited():
    script = editing.in_frames_of(FocusScript.from_dense([0.1] * 3, [1] * 3), 24, 3)
    with pytest.raises(InputError, match="every frame"):
        focused(script, 1)


@given(
    frames=st.lists(st.integers(0, 90), min_size=1, max_size=8, unique=True).map(sorted),
    script_fps=st.sampled_from([12.0, 23.976, 24.0, 25.0, 30.0, 60.0]),
    seed=st.integers(0, 2**16),
)
def test_script_of_another_rate_means_the_same_in_the_clips_own_frames(frames: list[int], script_fps: float, seed: int):
    values = np.random.default_rng(seed).uniform(0, 1, len(frames))
    script = FocusScript(
        keyframes=tuple(
            Keyframe(frame, DisparityTarget(float(v)), 10 + 10 * float(v), transition_s=0.2)
            for frame, v in zip(frames, values, strict=True)
        ),
        fps=script_fps,
    )
    count = 400
    told = {"disparity": Nothing(), "frame_count": count, "fps": 30}
    before, after = resolve(script, **told), resolve(editing.in_frames_of(script, 30, count), **told)
    np.testing.assert_array_equal(before.focus_disparity, after.focus_disparity)
    np.testing.assert_array_equal(before.blur_strength, after.blur_strength)


commands = st.lists(
    st.tuples(
        st.sampled_from(["focus", "blur", "blur here", "delete", "move", "lock"]), st.integers(0, 9), st.integers(0, 9)
    ),
    max_size=30,
)


def done_to(script: FocusScript, what: str, frame: int, other: int) -> FocusScript | None:
    match what:
        case "blur":
            return editing.blurred(script, other)
        case "blur here":
            return editing.blurred(script, other, frame=frame, begins=True)
        case "delete":
            return editing.deleted(script, frame)
        case "move":
            return editing.moved(script, frame, other)
        case _:
            return editing.changed(script, frame, {"strength": "strong", "easing": "hold"})


@given(commands)
def test_whatever_is_done_the_script_saves_and_loads(done: list[tuple[str, int, int]]):
    script: FocusScript | None = None
    for what, frame, other in done:
        if what == "focus":
            script = focused(script, frame, PointTarget(other / 10, frame / 10, track=True))
        elif script is not None:
            with suppress(InputError):  # no keyframe there, or one in the way
                script = done_to(script, what, frame, other)
        if script is not None:
            assert FocusScript.loads(script.dumps()) == script
            assert any(k.blur_strength is not None for k in script.keyframes)
