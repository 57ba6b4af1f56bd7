"""Scenes, surfaces, motion and lens schedules: geometry and what the words promise."""

import numpy as np
import pytest

from any2bokeh.optics.aperture import Disc
from any2bokeh.synthesis import lens_schedule, motion, ray_trace
from any2bokeh.synthesis.picture import Picture
from any2bokeh.synthesis.procedural import ProceduralBackgrounds, ProceduralSubjects
from any2bokeh.synthesis.scene import BACKGROUND_DEPTH, SUBJECT_DEPTH, Layer, Scene, SceneConfig, random_scene
from any2bokeh.synthesis.surface import Bend, Plane

H, W, FOCAL_PX = 60, 80, 100.0


def white(height: int = 20, width: int = 30) -> Picture:
    return Picture(np.ones((1, height, width, 3), np.float32), np.ones((1, height, width), np.float32))


def scene_of(*layers: Layer, frame_count: int = 3, camera: motion.Motion | None = None) -> Scene:
    return Scene(layers, range(len(layers)), camera or motion.still(frame_count), FOCAL_PX, H, W)


def card(plane: Plane, bend: Bend | None = None, moving: motion.Motion | None = None, **options) -> Layer:
    return Layer(white(), plane, moving or motion.still(3), bend, **options)


def seen(scene: Scene, frame: int = 0) -> np.ndarray:
    return ray_trace.seen_disparity(scene.view(frame, scene.atlas("none")))[0]


def test_card_is_where_a_pinhole_sees_it():
    scene = scene_of(card(Plane.facing(np.array([0.2, -0.1, 2.0]), (0.6, 0.4))))
    rows, columns = np.nonzero(seen(scene))
    # 100 px * (0.2 - 0.3) / 2 + 40 and so on.
    assert (columns.min(), columns.max() + 1) == (35, 65)
    assert (rows.min(), rows.max() + 1) == (15, 35)
    np.testing.assert_allclose(seen(scene)[rows, columns], 1 / 2, rtol=1e-6)


def test_disparity_of_a_slanted_plane_is_nearest_over_depth_at_every_pixel():
    plane = Plane.facing(np.array([0.0, 0.0, 2.0]), (1.0, 1.0), yaw_deg=50, pitch_deg=-20, roll_deg=30)
    scene = scene_of(card(plane))
    disparity = seen(scene)
    normal = np.cross(plane.across, plane.down)
    for y, x in zip(*np.nonzero(disparity), strict=True):
        ray = np.array([(x + 0.5 - W / 2) / FOCAL_PX, (y + 0.5 - H / 2) / FOCAL_PX, 1])
        depth = normal @ plane.center / (normal @ ray)
        assert disparity[y, x] == pytest.approx(1 / depth, rel=2e-5)


@pytest.mark.parametrize("along_deg", [None, 0.0, 90.0, 30.0])
def test_bent_surface_falls_back_by_its_amount_at_the_rim(along_deg):
    plane = Plane.facing(np.array([0.0, 0.0, 2.0]), (0.8, 0.6))
    scene = scene_of(card(plane, Bend(0.2, along_deg)))
    disparity = seen(scene)
    rows, columns = np.nonzero(disparity)
    off = np.stack([columns + 0.5 - W / 2, rows + 0.5 - H / 2]) / (0.5 * FOCAL_PX / 2)  # half the diagonal is 0.5
    if along_deg is not None:
        turn = np.deg2rad(along_deg)
        off = off[0] * -np.sin(turn) + off[1] * np.cos(turn)
    away = off**2 if along_deg is not None else (off**2).sum(axis=0)
    np.testing.assert_allclose(disparity[rows, columns], 0.5 * (1 - 0.2 * away), rtol=1e-5)


def test_camera_that_moves_shifts_what_is_near_by_more():
    drift = motion.Motion(np.array([[0, 0, 0], [0.1, 0, 0], [0.2, 0, 0]]), np.zeros((3, 3)))
    near = card(Plane.facing(np.array([0.0, -0.1, 1.0]), (0.2, 0.1)))
    far = card(Plane.facing(np.array([0.0, 0.6, 4.0]), (0.8, 0.4)))
    scene = scene_of(near, far, camera=drift)
    centers = []
    for frame in range(3):
        disparity = seen(scene, frame)
        centers.append([np.nonzero(disparity == np.float32(d))[1].mean() for d in (1.0, 0.25)])
    np.testing.assert_allclose(np.diff(centers, axis=0), [[-10, -2.5]] * 2, atol=0.6)


def test_shapes_that_turn_keep_their_area():
    spin = motion.Motion(np.zeros((3, 3)), np.array([[0, 0, 0], [30, 0, 0], [45, 0, 0]]))
    scene = scene_of(card(Plane.facing(np.array([0.0, 0.0, 2.0]), (0.6, 0.4)), moving=spin))
    areas = [np.count_nonzero(seen(scene, frame)) for frame in range(3)]
    np.testing.assert_allclose(areas, 600, rtol=0.05)


def test_nearest_thing_seen_has_disparity_one():
    rng = np.random.default_rng(4)
    for config in (SceneConfig(), SceneConfig.paper()):
        scene = random_scene(rng, (54, 96), 4, config, ProceduralSubjects(), ProceduralBackgrounds())
        atlas = scene.atlas("srgb")
        scene = scene.scaled_to_nearest(atlas)
        largest = max(ray_trace.seen_disparity(scene.view(t, atlas)).max() for t in range(4))
        assert largest == pytest.approx(1, abs=1e-5)


def test_scene_of_the_paper_has_its_depths():
    for seed in range(10):
        scene = random_scene(
            np.random.default_rng(seed), (54, 96), 4, SceneConfig.paper(), ProceduralSubjects(), ProceduralBackgrounds()
        )
        depths = [layer.plane.center[2] for layer in scene.layers]
        assert BACKGROUND_DEPTH[0] <= depths[0] <= BACKGROUND_DEPTH[1]
        assert all(SUBJECT_DEPTH[0] <= depth <= SUBJECT_DEPTH[1] for depth in depths[1:])
        assert all(layer.bend is None for layer in scene.layers)
        assert np.all(scene.camera.shift == 0)


def test_strongest_lens_still_sees_all_of_every_surface():
    """No ray of a lens of K = 64 passes a subject by because the surface turns away from it."""
    config = SceneConfig(slanted=1.0, curved=1.0, near_background=1.0, camera=0.0)
    for seed in range(8):
        scene = random_scene(
            np.random.default_rng(seed), (54, 96), 2, config, ProceduralSubjects(), ProceduralBackgrounds()
        )
        atlas = scene.atlas("srgb")
        scene = scene.scaled_to_nearest(atlas)
        disparity = ray_trace.seen_disparity(scene.view(0, atlas))[0]
        _, shares = ray_trace.trace_in_focus(scene.view(0, atlas), aperture=Disc(), sample_count=4, threads=1)
        lens_px = scene.view(0, atlas).lens_radius_px(64)
        for subject in scene.subjects:
            inside = shares[subject] > 0.99
            both = inside[:, 1:] & inside[:, :-1]
            steps = np.abs(np.diff(disparity, axis=1))[both]
            assert steps.size == 0 or steps.max() * lens_px < 0.9


def test_schedules():
    sweep = lens_schedule.sweep(25, 0.9, 0.1, 12)
    assert sweep.focus_disparity[0] == sweep.focus_disparity[-1] == pytest.approx(0.9)
    assert sweep.focus_disparity[12] == pytest.approx(0.1)
    assert np.all(np.diff(sweep.focus_disparity[:13]) < 0)
    assert np.all(sweep.blur_strength == 12)
    ramp = lens_schedule.ramp(5, 0.4, 0, 16)
    np.testing.assert_allclose(ramp.blur_strength, [0, 4, 8, 12, 16])
    assert len(lens_schedule.sweep(1, 0.9, 0.1, 12).focus_disparity) == 1
    kinds = {
        lens_schedule.random_schedule(
            np.random.default_rng(seed), 5, [0.9, 0.5], 0.1, kinds=("fixed", "ramp", "sweep"), blur_strength=(4, 32)
        ).kind
        for seed in range(30)
    }
    assert kinds == {"fixed", "ramp", "sweep"}


def test_jitter_is_new_in_every_frame_and_smooth_motion_is_smooth():
    rng = np.random.default_rng(0)
    shaky = motion.jitter(rng, 400, shift=0.01, turn_deg=1.0)
    np.testing.assert_allclose(shaky.shift.std(axis=0), [0.01, 0.01, 0.002], rtol=0.15)
    correlation = np.corrcoef(shaky.shift[1:, 0], shaky.shift[:-1, 0])[0, 1]
    assert abs(correlation) < 0.2
    smooth = motion.smooth(rng, 25, shift=0.1, turn_deg=5.0)
    assert np.all(smooth.shift[0] == 0)
    second = np.abs(np.diff(smooth.shift, n=2, axis=0)).max()
    assert second < 0.1 * max(np.ptp(smooth.shift), 1e-9)
