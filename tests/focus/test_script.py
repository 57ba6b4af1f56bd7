"""Scripts made in Python."""

import math
from pathlib import Path

import pytest

from any2bokeh.errors import InputError
from any2bokeh.focus import (
    BoxTarget,
    DenseFocus,
    DisparityTarget,
    FocusScript,
    Keyframe,
    MaskTarget,
    PointTarget,
    Target,
)

NEAR = DisparityTarget(0.8)


@pytest.mark.parametrize(
    ("script", "target"),
    [
        (FocusScript.constant(0.4, 16), DisparityTarget(0.4)),
        (FocusScript.at_point(0.3, 0.45, 16), PointTarget(0.3, 0.45)),
        (FocusScript.in_box(0.1, 0.2, 0.3, 0.4, 16), BoxTarget(0.1, 0.2, 0.3, 0.4)),
        (FocusScript.on_mask(Path("masks"), 16), MaskTarget("masks")),
    ],
)
def test_constructors(script: FocusScript, target: Target) -> None:
    assert script.keyframes == (Keyframe(0, target, 16),)


def test_from_dense() -> None:
    script = FocusScript.from_dense([0.1, 0.2], [8, 16])
    assert script.dense == DenseFocus((0.1, 0.2), (8.0, 16.0))


@pytest.mark.parametrize("blur_strength", [-1, math.nan, math.inf, "16", True])
def test_blur_strength_is_finite_and_not_negative(blur_strength: float) -> None:
    with pytest.raises(InputError, match=r"blur_strength is .*; allowed is a finite number from 0 up"):
        FocusScript.constant(0.5, blur_strength)


@pytest.mark.parametrize("frame", [-1, 1.0, True, 10**9 + 1])
def test_frames_are_whole_numbers(frame: int) -> None:
    with pytest.raises(InputError, match=r"frame is .*; allowed is a whole number"):
        Keyframe(frame, NEAR)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"easing": "ease"}, "easing is 'ease'; allowed is hold, linear or smooth"),
        ({"strength": "medium"}, "strength is 'medium'; allowed is weak or strong"),
        ({"transition_s": -0.1}, "transition_s is -0.1"),
        ({"transition_s": math.inf}, "transition_s is inf"),
        ({"cut": 1}, "cut is 1; allowed is true or false"),
        ({"easing": ["hold"]}, "easing is"),
    ],
)
def test_options_are_checked(options: dict, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        Keyframe(0, NEAR, **options)


def test_a_keyframe_says_something() -> None:
    with pytest.raises(InputError, match="no focus_disparity, point, box or mask, and no blur_strength"):
        Keyframe(3, cut=True)


@pytest.mark.parametrize("frames", [(5, 5), (5, 4)])
def test_keyframes_are_in_order(frames: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=f"keyframe at frame {frames[1]} follows the one at frame {frames[0]}"):
        FocusScript(tuple(Keyframe(frame, NEAR) for frame in frames))


def test_a_script_has_a_target() -> None:
    with pytest.raises(InputError, match="no keyframe has a target"):
        FocusScript((Keyframe(0, blur_strength=3),))


def test_a_script_is_of_one_kind() -> None:
    for script in ({}, {"keyframes": (Keyframe(0, NEAR),), "dense": DenseFocus((0.1,), (1,))}):
        with pytest.raises(InputError, match="both or neither"):
            FocusScript(**script)


@pytest.mark.parametrize("fps", [0, -24, math.nan, 10_001])
def test_fps_is_a_rate(fps: float) -> None:
    with pytest.raises(InputError, match="fps is"):
        FocusScript((Keyframe(0, NEAR),), fps=fps)


@pytest.mark.parametrize(
    ("focus", "blur", "complaint"),
    [
        ([0.1], [1, 2], "focus_disparity has 1 values but blur_strength has 2"),
        ([], [], "empty"),
        ([0.1, 1.2], [1, 2], r"focus_disparity\[1\] is 1\.2"),
        ([0.1, 0.2], [1, -2], r"blur_strength\[1\] is -2"),
    ],
)
def test_dense_values_are_checked(focus: list, blur: list, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        FocusScript.from_dense(focus, blur)


def test_the_slab_of_every_frame_is_checked() -> None:
    with pytest.raises(InputError, match="focus_disparity has 2 values but focus_slab has 1"):
        FocusScript.from_dense([0.1, 0.2], [1, 2], [0.1])
    with pytest.raises(InputError, match=r"focus_slab\[1\] is 1\.5"):
        FocusScript.from_dense([0.1, 0.2], [1, 2], [0.1, 1.5])
