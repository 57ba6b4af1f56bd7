"""When moves begin, which keyframes give way, and what lies in between."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from any2bokeh.focus import DisparityTarget, Keyframe
from any2bokeh.focus.move import Move, plan_moves, values_over


def planned(*keyframes: Keyframe, cuts: tuple[int, ...] = (), fps: float = 10) -> list[Move[float]]:
    """Moves of the blur strength, which is the simpler of the two quantities."""
    given = [(k.frame, k, float(k.blur_strength)) for k in keyframes if k.blur_strength is not None]
    return plan_moves(given, cuts=cuts, fps=fps)


def values(*keyframes: Keyframe, stop: int, cuts: tuple[int, ...] = (), fps: float = 10) -> list[float]:
    moves = planned(*keyframes, cuts=cuts, fps=fps)
    constant = lambda number, span: np.full(span[1] - span[0], moves[number].value)  # noqa: E731
    return values_over(moves, constant, start=0, stop=stop).round(6).tolist()


def key(frame: int, value: float, easing: str = "linear", **options: object) -> Keyframe:
    return Keyframe(frame, blur_strength=value, easing=easing, **options)  # type: ignore[arg-type]


def test_a_value_is_reached_at_its_keyframe_and_moves_all_the_way_there() -> None:
    assert values(key(0, 0), key(4, 8), stop=7) == [0, 2, 4, 6, 8, 8, 8]


def test_the_first_value_holds_before_its_keyframe() -> None:
    assert values(key(2, 5), key(4, 7), stop=6) == [5, 5, 5, 6, 7, 7]


def test_hold_jumps_at_its_keyframe() -> None:
    assert values(key(0, 1), key(3, 9, "hold"), stop=5) == [1, 1, 1, 9, 9]
    assert values(key(0, 1), key(3, 9, "hold", transition_s=0.2), stop=5) == [1, 1, 1, 9, 9]


def test_smooth_is_the_hermite_step() -> None:
    assert values(key(0, 0), key(4, 32, "smooth"), stop=5) == [0, 5, 16, 27, 32]


def test_a_transition_is_the_last_of_the_way() -> None:
    assert values(key(0, 0), key(6, 8, transition_s=0.4), stop=7) == [0, 0, 0, 2, 4, 6, 8]


def test_a_transition_may_begin_between_two_frames() -> None:
    # 1.5 frames before frame 3: a third of the way is done at frame 2
    assert values(key(0, 0), key(3, 9, transition_s=0.15), stop=4) == [0, 0, 3, 9]


def test_a_transition_of_no_time_jumps() -> None:
    assert values(key(0, 0), key(3, 9, transition_s=0), stop=4) == [0, 0, 0, 9]


def test_a_transition_longer_than_the_way_begins_at_the_keyframe_before() -> None:
    assert values(key(0, 0), key(2, 5), key(4, 9, transition_s=60), stop=5) == [0, 2.5, 5, 7, 9]


def test_a_cut_is_jumped() -> None:
    assert values(key(0, 0), key(4, 8, cut=True), stop=6, cuts=(4,)) == [0, 0, 0, 0, 8, 8]


def test_no_move_reaches_back_over_a_cut() -> None:
    # the cut of another quantity at frame 2 begins the move to frame 4
    assert values(key(0, 0), key(4, 8), stop=6, cuts=(2,)) == [0, 0, 0, 4, 8, 8]
    assert values(key(0, 0), key(4, 8, transition_s=60), stop=6, cuts=(2,)) == [0, 0, 0, 4, 8, 8]


def test_a_weak_keyframe_gives_way_to_a_strong_one_in_its_transition() -> None:
    weak = key(8, 5, strength="weak", transition_s=0.5)
    assert [move.frame for move in planned(key(0, 0), key(4, 1), weak)] == [0, 4]
    # where its transition only just begins at the strong one, it stays
    assert [move.frame for move in planned(key(0, 0), key(3, 1), weak)] == [0, 3, 8]


def test_a_weak_keyframe_gives_way_where_a_strong_one_is_already_on_its_way() -> None:
    weak, strong = key(6, 5, strength="weak"), key(8, 9, transition_s=0.4)
    assert [move.frame for move in planned(key(0, 0), weak, strong)] == [0, 8]
    assert [move.frame for move in planned(key(0, 0), key(4, 5, strength="weak"), strong)] == [0, 4, 8]


def test_weak_keyframes_do_not_give_way_to_each_other_nor_without_a_transition() -> None:
    first, second = key(6, 5, strength="weak"), key(8, 9, strength="weak", transition_s=0.4)
    assert [move.frame for move in planned(key(0, 0), first, second)] == [0, 6, 8]
    assert [move.frame for move in planned(key(0, 0), first, key(8, 9))] == [0, 6, 8]


def test_a_cut_parts_a_weak_keyframe_from_a_strong_one() -> None:
    weak, strong = key(6, 5, strength="weak"), key(8, 9, transition_s=0.4)
    assert [move.frame for move in planned(key(0, 0), weak, strong, cuts=(7,))] == [0, 6, 8]


def test_two_on_one_frame_leave_the_later() -> None:
    early, late = key(3, 1), key(4, 2)
    moves = plan_moves([(2, early, 1.0), (2, late, 2.0)], cuts=(), fps=10)
    assert [(move.frame, move.value) for move in moves] == [(2, 2.0)]


@given(
    st.lists(
        st.tuples(
            st.integers(1, 12),
            st.floats(0, 1),
            st.sampled_from(["hold", "linear", "smooth"]),
            st.none() | st.floats(0, 3),
            st.booleans(),
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 60),
    st.integers(1, 30),
)
def test_values_stay_between_their_keyframes_and_do_not_depend_on_the_part_asked_for(
    steps: list, start: int, length: int
) -> None:
    frames = np.cumsum([step[0] for step in steps]).tolist()
    keyframes = [
        Keyframe(frame, DisparityTarget(value), easing=easing, transition_s=transition_s, cut=cut)
        for frame, (_, value, easing, transition_s, cut) in zip(frames, steps, strict=True)
    ]
    cuts = [keyframe.frame for keyframe in keyframes if keyframe.cut]
    moves = plan_moves([(k.frame, k, step[1]) for k, step in zip(keyframes, steps, strict=True)], cuts=cuts, fps=24)
    asked = lambda number, span: np.full(span[1] - span[0], moves[number].value)  # noqa: E731
    whole = values_over(moves, asked, start=0, stop=100)
    np.testing.assert_array_equal(whole[frames], [step[1] for step in steps])
    for before, after in pairwise(moves):
        low, high = sorted((before.value, after.value))
        between = whole[before.frame : after.frame + 1]
        # rounding of a + t (b - a); worst seen 1.1e-16
        assert between.min() >= low - 1e-12
        assert between.max() <= high + 1e-12
    np.testing.assert_array_equal(
        values_over(moves, asked, start=start, stop=start + length), whole[start : start + length]
    )


def test_a_value_in_motion_is_led_over_to_while_it_moves() -> None:
    moves = [Move(0.0, 0, "still", "linear"), Move(0.0, 4, "moving", "linear")]

    def values_of(number: int, span: tuple[int, int]) -> np.ndarray:
        return np.zeros(span[1] - span[0]) if number == 0 else np.arange(*span, dtype=np.float64)

    # at frame f, f/4 of f
    assert values_over(moves, values_of, start=0, stop=6) == pytest.approx([0, 0.25, 1, 2.25, 4, 5])
