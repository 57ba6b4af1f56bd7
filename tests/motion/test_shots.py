"""Cuts found, and what is no cut."""

import cv2
import numpy as np

from any2bokeh.motion.shots import ShotDetector, shot_starts
from any2bokeh.motion.thumbnail import thumbnail
from tests.motion.moving_scene import HEIGHT, WIDTH, MovingScene
from tests.subject.scenes import Scene, across


def starts(frames: list[np.ndarray]) -> list[int]:
    return [index for index, begins in enumerate(shot_starts(map(thumbnail, frames))) if begins]


def test_cuts_are_found_where_they_are() -> None:
    frames = [frame for seed in range(6) for frame in MovingScene(4 + seed, seed=seed).frames]
    assert starts(frames) == [0, 4, 9, 15, 22, 30]


def test_cuts_in_the_dark_are_found() -> None:
    frames = [frame * np.float32(0.15) for seed in range(3) for frame in MovingScene(4, seed=seed).frames]
    assert starts(frames) == [0, 4, 8]


def test_a_shot_of_one_frame() -> None:
    scenes = [MovingScene(5, seed=seed).frames for seed in range(2)]
    assert starts(scenes[0] + scenes[1][:1] + MovingScene(5, seed=3).frames) == [0, 5, 6]


def test_motion_noise_flashes_and_fades_are_no_cuts() -> None:
    rng = np.random.default_rng(0)
    still = MovingScene(10).frames
    assert starts(still) == [0]
    assert starts([np.clip(one + 0.08 * rng.standard_normal(one.shape), 0, 1).astype(np.float32) for one in still]) == [
        0
    ]
    flash = [np.clip(one * (1.8 if index == 5 else 1), 0, 1).astype(np.float32) for index, one in enumerate(still)]
    assert starts(flash) == [0]
    assert starts([one * np.float32(1 - index / 12) for index, one in enumerate(still)]) == [0]


def test_a_fast_pan_is_no_cut() -> None:
    rng = np.random.default_rng(1)
    rough = rng.random((HEIGHT // 6, 1600 // 6, 3)).astype(np.float32)
    canvas = np.clip(cv2.resize(rough, (1600, HEIGHT), interpolation=cv2.INTER_CUBIC), 0, 1).transpose(2, 0, 1)
    # an eighth of the width from frame to frame
    frames = [np.ascontiguousarray(canvas[:, :, 24 * index : 24 * index + WIDTH]) for index in range(12)]
    assert starts(frames) == [0]


def test_blank_frames_are_one_shot() -> None:
    assert starts([np.full((3, HEIGHT, WIDTH), grey, np.float32) for grey in (0, 0.01, 0.02, 0)]) == [0]


def test_nothing_is_nothing() -> None:
    assert starts([]) == []


def seen_while_read(scene: Scene) -> list[int]:
    detector = ShotDetector(scene.pixels(0))
    return [index for index in range(1, scene.frame_count) if detector.begins_shot(scene.pixels(index))]


def test_a_cut_is_seen_once_while_a_clip_is_read() -> None:
    assert seen_while_read(Scene(across, 20, cut_at=12)) == [12]


def test_a_moving_subject_is_no_cut() -> None:
    assert seen_while_read(Scene(across, 30)) == []


def test_a_change_of_light_is_no_cut() -> None:
    scene = Scene(across, 2)
    detector = ShotDetector(scene.pixels(0))
    assert not detector.begins_shot((scene.pixels(1) * 0.8).astype(np.uint8))
