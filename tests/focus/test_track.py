"""The focus of every frame."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.focus import (
    BoxTarget,
    DisparityTarget,
    FocusScript,
    FocusTrack,
    Keyframe,
    MaskTarget,
    PointTarget,
    resolve,
)

FRAMES, HEIGHT, WIDTH, FPS = 48, 36, 64, 24


def subject_at(frame: int) -> float:
    return 0.5 + 0.3 * frame / FRAMES


class MemoryDisparity:
    """A near square that comes nearer, in the left half, over 0.2; counts what is read."""

    frame_count = FRAMES

    def __init__(self) -> None:
        self.read: list[int] = []

    def at(self, index: int) -> np.ndarray:
        self.read.append(index)
        disparity = np.full((1, HEIGHT, WIDTH), 0.2, np.float32)
        disparity[:, 8:28, 8:28] = subject_at(index)
        return disparity

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[np.ndarray]:
        return (self.at(index) for index in range(start, self.frame_count if stop is None else stop))


def write_masks(path: Path, *, empty: range = range(0), frames: int = FRAMES, scale: int = 1) -> Path:
    path.mkdir(parents=True)
    for frame in range(frames):
        mask = np.zeros((HEIGHT * scale, WIDTH * scale), np.uint8)
        if frame not in empty:
            mask[8 * scale : 28 * scale, 8 * scale : 28 * scale] = 255
        assert cv2.imwrite(str(path / f"{frame:05}.png"), mask)
    return path


def resolved(script: FocusScript, **options: object) -> FocusTrack:
    settings = {"disparity": MemoryDisparity(), "frame_count": FRAMES, "fps": FPS} | options
    return resolve(script, **settings)  # type: ignore[arg-type]


def keyframes(*frames: Keyframe, fps: float | None = None) -> FocusScript:
    return FocusScript(frames, fps=fps)


def test_a_constant_reads_no_disparity() -> None:
    disparity = MemoryDisparity()
    track = resolved(FocusScript.constant(0.4, 16), disparity=disparity)
    assert track.focus_disparity.dtype == track.blur_strength.dtype == np.float64
    np.testing.assert_array_equal(track.focus_disparity, np.full(FRAMES, 0.4))
    np.testing.assert_array_equal(track.blur_strength, np.full(FRAMES, 16.0))
    assert disparity.read == []
    assert track.warnings == ()


def test_a_point_is_read_at_its_keyframe_and_held() -> None:
    disparity = MemoryDisparity()
    script = keyframes(Keyframe(12, PointTarget(18 / WIDTH, 18 / HEIGHT), 8))
    track = resolved(script, disparity=disparity)
    np.testing.assert_allclose(track.focus_disparity, subject_at(12), rtol=1e-6)
    assert disparity.read == [12]


def test_a_box_is_read_at_its_keyframe_and_held() -> None:
    track = resolved(keyframes(Keyframe(24, BoxTarget(8 / WIDTH, 8 / HEIGHT, 28 / WIDTH, 28 / HEIGHT), 8)))
    np.testing.assert_allclose(track.focus_disparity, subject_at(24), rtol=1e-6)


def test_a_rack_between_two_points() -> None:
    script = keyframes(
        Keyframe(0, PointTarget(0.9, 0.5), 10),
        Keyframe(30, PointTarget(18 / WIDTH, 0.5), 20, easing="linear", transition_s=0.5),
    )
    track = resolved(script)
    np.testing.assert_allclose(track.focus_disparity[:19], 0.2, rtol=1e-6)
    np.testing.assert_allclose(track.focus_disparity[24], (0.2 + subject_at(30)) / 2, rtol=1e-6)
    np.testing.assert_allclose(track.focus_disparity[30:], subject_at(30), rtol=1e-6)
    np.testing.assert_allclose(track.blur_strength[[18, 24, 30]], [10, 15, 20])


def test_a_blur_strength_alone_leaves_the_focus() -> None:
    script = keyframes(
        Keyframe(0, DisparityTarget(0.2), 10, easing="linear"),
        Keyframe(10, blur_strength=20, easing="linear"),
        Keyframe(20, DisparityTarget(0.6), easing="linear"),
        Keyframe(40, blur_strength=50, easing="linear"),
    )
    track = resolved(script)
    np.testing.assert_allclose(track.focus_disparity[[0, 10, 20, 47]], [0.2, 0.4, 0.6, 0.6])
    np.testing.assert_allclose(track.blur_strength[[0, 5, 10, 20, 25, 40]], [10, 15, 20, 30, 35, 50])


def test_a_cut_of_the_blur_strength_alone_is_a_cut_of_the_focus_too() -> None:
    script = keyframes(
        Keyframe(0, DisparityTarget(0.2), 10),
        Keyframe(10, blur_strength=20, cut=True),
        Keyframe(20, DisparityTarget(0.6)),
    )
    track = resolved(script)
    np.testing.assert_allclose(track.focus_disparity[:11], 0.2)
    assert track.blur_strength[[9, 10]].tolist() == [10, 20]
    assert 0.2 < track.focus_disparity[15] < 0.6


def test_a_mask_is_followed(tmp_path: Path) -> None:
    track = resolved(FocusScript.on_mask(write_masks(tmp_path / "mask"), 24))
    truth = np.array([subject_at(frame) for frame in range(FRAMES)])
    # exact but at the ends, where the smoothing has one side only; worst seen 0.0077
    np.testing.assert_allclose(track.focus_disparity[6:-6], truth[6:-6], rtol=1e-6)
    np.testing.assert_allclose(track.focus_disparity, truth, atol=0.009)


@pytest.mark.parametrize(("start", "stop"), [(0, 10), (20, 21), (30, 48)])
@pytest.mark.parametrize("empty", [range(0), range(12, 25), range(5)])
def test_a_part_is_the_same_as_in_the_whole(tmp_path: Path, start: int, stop: int, empty: range) -> None:
    script = keyframes(
        Keyframe(2, DisparityTarget(0.3), 24),
        Keyframe(8, MaskTarget(str(write_masks(tmp_path / "mask", empty=empty)))),
        Keyframe(40, PointTarget(0.9, 0.5), 8, transition_s=0.5),
    )
    whole, part = resolved(script), resolved(script, start=start, stop=stop)
    np.testing.assert_array_equal(part.focus_disparity, whole.focus_disparity[start:stop])
    np.testing.assert_array_equal(part.blur_strength, whole.blur_strength[start:stop])


def test_one_frame_reads_only_its_neighbourhood(tmp_path: Path) -> None:
    disparity = MemoryDisparity()
    resolved(FocusScript.on_mask(write_masks(tmp_path / "mask"), 24), disparity=disparity, start=40, stop=41)
    # frame 0 tells the size; 23 before and 6 after matter to the smoothing and to a return of the subject
    assert sorted(set(disparity.read)) == [0, *range(17, 47)]
    assert len(disparity.read) <= 32


def test_an_empty_mask_holds_and_drops_no_frame(tmp_path: Path) -> None:
    track = resolved(FocusScript.on_mask(write_masks(tmp_path / "mask", empty=range(20, 30)), 24))
    assert len(track.focus_disparity) == FRAMES
    assert np.ptp(track.focus_disparity[19:30]) == 0
    # 1.5 times the mean of the 0.4 s that it takes to come back; seen 0.0197
    assert np.abs(np.diff(track.focus_disparity)).max() < 0.0205


def test_a_move_leads_over_to_a_mask_while_it_moves(tmp_path: Path) -> None:
    script = keyframes(
        Keyframe(0, DisparityTarget(0.2), 8),
        Keyframe(24, MaskTarget(str(write_masks(tmp_path / "mask"))), easing="linear", transition_s=0.5),
    )
    focus = resolved(script).focus_disparity
    np.testing.assert_allclose(focus[:13], 0.2)
    # half way, with the subject of that frame, not of the keyframe's; the smoothing begins at 13: seen 3e-5 off
    assert focus[18] == pytest.approx((0.2 + subject_at(18)) / 2, abs=0.0002)
    np.testing.assert_allclose(focus[24:42], [subject_at(frame) for frame in range(24, 42)], rtol=1e-6)


def test_the_first_keyframe_holds_before_it(tmp_path: Path) -> None:
    focus = resolved(keyframes(Keyframe(12, MaskTarget(str(write_masks(tmp_path / "m"))), 8))).focus_disparity
    np.testing.assert_array_equal(focus[:12], np.full(12, focus[12]))
    assert focus[20] > focus[12]


def test_mask_paths_count_from_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_masks(tmp_path / "masks" / "dancer")
    FocusScript.on_mask("masks/dancer", 8).save(tmp_path / "rack.json")
    loaded = FocusScript.load(tmp_path / "rack.json")
    expected = resolved(loaded).focus_disparity
    np.testing.assert_array_equal(
        resolved(FocusScript.on_mask("dancer", 8), mask_root=tmp_path / "masks").focus_disparity, expected
    )
    monkeypatch.chdir(tmp_path / "masks")
    np.testing.assert_array_equal(resolved(FocusScript.on_mask("dancer", 8)).focus_disparity, expected)
    with pytest.raises(InputError, match=r"mask .*dancer does not exist"):
        resolved(loaded, mask_root=tmp_path / "elsewhere")


def test_a_mask_video_is_followed(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "mask.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"g": "10"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"  # type: ignore[attr-defined]
        for _ in range(FRAMES):
            picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            picture[8:28, 8:28] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))  # type: ignore[attr-defined]
        container.mux(stream.encode(None))  # type: ignore[attr-defined]
    folder = resolved(FocusScript.on_mask(write_masks(tmp_path / "folder"), 8)).focus_disparity
    video = resolved(FocusScript.on_mask(tmp_path / "mask.mp4", 8)).focus_disparity
    # the subject's disparity is one value in each frame, so that a frayed outline does not change it
    np.testing.assert_allclose(video, folder, rtol=1e-9)


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    script = FocusScript.on_mask(write_masks(tmp_path / "mask", scale=2), 8)
    assert len(resolved(script, frame_size=(2 * WIDTH, 2 * HEIGHT)).focus_disparity) == FRAMES
    assert len(resolved(script).focus_disparity) == FRAMES
    with pytest.raises(InputError, match=r"mask folder .* is 128x72 but the clip is 256x144"):
        resolved(script, frame_size=(4 * WIDTH, 4 * HEIGHT))


def test_a_mask_of_another_aspect_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mask").mkdir()
    for frame in range(FRAMES):
        cv2.imwrite(str(tmp_path / "mask" / f"{frame}.png"), np.full((40, 40), 255, np.uint8))
    with pytest.raises(InputError, match="mask is 40x40 but the disparity is 64x36"):
        resolved(FocusScript.on_mask(tmp_path / "mask", 8))


def test_a_mask_with_missing_frames_is_refused(tmp_path: Path) -> None:
    write_masks(tmp_path / "mask")
    (tmp_path / "mask" / "00031.png").unlink()
    script = FocusScript.on_mask(tmp_path / "mask", 8)
    with pytest.raises(InputError, match=r"mask folder has 47 frames but the clip has 48 \(first missing: 00031\)"):
        resolved(script)
    assert len(resolved(script, stop=31).focus_disparity) == 31


def test_a_mask_that_never_shows_its_subject_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mask folder .*mask is empty in all frames from 0 to 47"):
        resolved(FocusScript.on_mask(write_masks(tmp_path / "mask", empty=range(FRAMES)), 8))


def test_a_subject_behind_its_surround_is_remarked_on(tmp_path: Path) -> None:
    class TurnedOver(MemoryDisparity):
        def at(self, index: int) -> np.ndarray:
            return 1 - super().at(index)

    script = FocusScript.on_mask(write_masks(tmp_path / "mask"), 8)
    assert resolved(script).warnings == ()
    (warning,) = resolved(script, disparity=TurnedOver()).warnings
    assert "lies behind what surrounds it in 48 of 48 frames" in warning
    assert "--disparity-polarity" in warning


def test_keyframes_count_by_time_at_another_rate() -> None:
    script = keyframes(
        Keyframe(0, DisparityTarget(0.1), 8, easing="hold"),
        Keyframe(15, DisparityTarget(0.9), easing="hold"),
        fps=12,
    )
    focus = resolved(script).focus_disparity
    assert focus[[29, 30]].tolist() == [0.1, 0.9]


@pytest.mark.parametrize("fps", [29.97, Fraction(30000, 1001)])
def test_one_rate_written_in_two_ways_is_one_rate(fps: Fraction | float) -> None:
    script = keyframes(
        Keyframe(0, DisparityTarget(0.1), 8), Keyframe(47, DisparityTarget(0.9), easing="hold"), fps=29.97
    )
    assert resolved(script, fps=fps).focus_disparity[[46, 47]].tolist() == [0.1, 0.9]


def test_keyframes_that_meet_on_one_frame_leave_the_later() -> None:
    script = keyframes(
        Keyframe(0, DisparityTarget(0.1), 8),
        Keyframe(20, DisparityTarget(0.5), 9, easing="hold"),
        Keyframe(21, DisparityTarget(0.9), easing="hold"),
        fps=120,
    )
    track = resolved(script)
    assert track.focus_disparity[[3, 4]].tolist() == [0.1, 0.9]
    assert track.blur_strength[[3, 4]].tolist() == [8, 9]


def test_a_keyframe_past_the_end_is_refused() -> None:
    with pytest.raises(InputError, match="keyframe at frame 48 lies past the clip's end; the clip has 48 frames"):
        resolved(keyframes(Keyframe(48, DisparityTarget(0.5), 8)))
    with pytest.raises(
        InputError, match=r"keyframe at frame 30 at 12 fps \(frame 60 of the clip, at 24 fps\) lies past"
    ):
        resolved(keyframes(Keyframe(30, DisparityTarget(0.5), 8), fps=12))


def test_dense_values_come_as_they_are() -> None:
    focus, blur = np.linspace(0, 1, FRAMES), np.linspace(0, 30, FRAMES)
    script = FocusScript.from_dense(focus.tolist(), blur.tolist())
    np.testing.assert_array_equal(resolved(script).focus_disparity, focus)
    part = resolved(script, start=10, stop=13)
    np.testing.assert_array_equal(part.focus_disparity, focus[10:13])
    np.testing.assert_array_equal(part.blur_strength, blur[10:13])


def test_dense_slabs_come_as_they_are_where_they_are_asked_for() -> None:
    slab = np.linspace(0, 0.2, 48)
    script = FocusScript.from_dense([0.5] * 48, [8] * 48, slab.tolist())
    np.testing.assert_array_equal(resolved(script, finds_slab=True).slab, slab)
    np.testing.assert_array_equal(resolved(script, start=10, stop=12, finds_slab=True).slab, slab[10:12])
    assert resolved(script).slab is None
    np.testing.assert_array_equal(resolved(FocusScript.from_dense([0.5] * 48, [8] * 48), finds_slab=True).slab, 0)


def test_dense_values_match_the_clip() -> None:
    with pytest.raises(InputError, match="has 47 values but the clip has 48 frames"):
        resolved(FocusScript.from_dense([0.5] * 47, [8] * 47))
    with pytest.raises(InputError, match="is for 30 fps but the clip has 24"):
        resolved(FocusScript.loads('{"version": 1, "fps": 30, "focus_disparity": [0.5], "blur_strength": [1]}'))


def test_a_blur_strength_from_outside_fills_in_where_there_is_none() -> None:
    bare = keyframes(Keyframe(0, DisparityTarget(0.5)))
    assert set(resolved(bare, blur_strength=12.5).blur_strength) == {12.5}
    assert set(resolved(FocusScript.constant(0.5, 3), blur_strength=12.5).blur_strength) == {3}
    with pytest.raises(InputError, match="gives no blur_strength"):
        resolved(bare)
    with pytest.raises(InputError, match="blur_strength is -1"):
        resolved(bare, blur_strength=-1.0)


@pytest.mark.parametrize(("start", "stop"), [(-1, 4), (4, 4), (5, 4), (0, 49)])
def test_frames_outside_the_clip_are_refused(start: int, stop: int) -> None:
    with pytest.raises(InputError, match="are asked for but the clip has 48"):
        resolved(FocusScript.constant(0.5, 3), start=start, stop=stop)


def test_disparity_may_end_where_nothing_more_is_asked_for(tmp_path: Path) -> None:
    class Short(MemoryDisparity):
        frame_count = 20

        def at(self, index: int) -> np.ndarray:
            assert index < 20
            return super().at(index)

    mask = FocusScript.on_mask(write_masks(tmp_path / "mask"), 8)
    assert len(resolved(mask, disparity=Short(), stop=20).focus_disparity) == 20
    rack = keyframes(Keyframe(0, DisparityTarget(0.5), 8), Keyframe(40, PointTarget(0.5, 0.5), easing="linear"))
    with pytest.raises(InputError, match="keyframe at frame 40 needs disparity, which ends after frame 19"):
        resolved(rack, disparity=Short(), stop=20)
    later = keyframes(Keyframe(0, DisparityTarget(0.5), 8), Keyframe(40, PointTarget(0.5, 0.5), transition_s=0.5))
    assert set(resolved(later, disparity=Short(), stop=20).focus_disparity) == {0.5}


def test_a_constant_disparity_map_has_a_focus(tmp_path: Path) -> None:
    class Flat(MemoryDisparity):
        def at(self, index: int) -> np.ndarray:
            return np.full((1, HEIGHT, WIDTH), 0.5, np.float32)

    for script in (FocusScript.at_point(0.5, 0.5, 8), FocusScript.on_mask(write_masks(tmp_path / "mask"), 8)):
        track = resolved(script, disparity=Flat())
        np.testing.assert_allclose(track.focus_disparity, 0.5)
        assert track.warnings == ()
