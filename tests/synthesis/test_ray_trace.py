"""The ray tracer against physics: cases with a closed form, an integral of another kind, the layered reference."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from any2bokeh.optics.aperture import Disc, Polygon
from any2bokeh.renderers.layered import layers, reference
from any2bokeh.renderers.layered.layered_image import Samples
from any2bokeh.synthesis import ray_trace, ray_trace_torch
from any2bokeh.synthesis.maker import ClipConfig, ClipMaker
from any2bokeh.synthesis.scene import SceneConfig
from any2bokeh.synthesis.view import View
from tests.synthesis import views
from tests.synthesis.views import Card

H, W = 48, 64


def trace(view: View, focus_disparity: float, blur_strength: float, sample_count: int = 1024, **options):
    options = {"aperture": Disc(), "threads": 1, **options}
    return ray_trace.trace(
        view, focus_disparity=focus_disparity, blur_strength=blur_strength, sample_count=sample_count, **options
    )


def segment_share(away_px: NDArray[np.floating], radius_px: float) -> NDArray[np.floating]:
    """Share of a disc that lies on one side of a line, ``away_px`` from its centre towards the other."""
    t = np.clip(away_px / radius_px, -1, 1)
    return 0.5 + (t * np.sqrt(1 - t * t) + np.arcsin(t)) / np.pi


def averaged(function, at: NDArray[np.floating]) -> NDArray[np.float64]:
    """A function of the place averaged over a pixel, and over the texel in which a matte's edge falls off."""
    fine = (np.arange(32) + 0.5) / 32 - 0.5
    return np.mean([function(at + a + b) for a in fine for b in fine], axis=0)


@pytest.mark.parametrize("focus_disparity", [0.9, 0.2])
def test_edge_of_a_half_plane_is_the_integral_of_circular_segments(focus_disparity):
    """A white half plane in front of black, seen when it is out of focus, and when what is behind it is."""
    white, black = views.even(4 * H, W), views.even(8, 8, (0, 0, 0))
    scene = views.view(H, W, [Card(black, 0.2, endless=True), Card(white, 0.7, left_px=-W / 2, top_px=-H)])
    radius_px = 9.0
    picture = trace(scene, focus_disparity, views.strength(radius_px, abs(0.7 - focus_disparity), H, W))[0]
    wanted = averaged(lambda x: segment_share(W / 2 - x, radius_px), np.arange(W) + 0.5)
    # Worst seen 0.0036 of a pixel and 0.0007 of a column's mean, at 1024 samples.
    assert np.abs(picture - wanted).max() < 0.008
    assert np.abs(picture.mean(axis=0) - wanted).max() < 0.0015


@pytest.mark.parametrize(("near", "far"), [(0.5, 0.1), (0.5, 0.9)])
def test_point_light_is_an_even_disc_that_keeps_its_energy(near, far):
    light = np.zeros((3, 3, 4), np.float32)
    light[1, 1] = [100, 50, 25, 1]
    black = views.even(8, 8, (0, 0, 0))
    radius_px = 10.0
    scene = views.view(H, W, [Card(black, 0.05, endless=True), Card(light, far, left_px=31, top_px=23)])
    picture = trace(scene, near, views.strength(radius_px, abs(near - far), H, W), 4096)
    np.testing.assert_allclose(picture.sum(axis=(1, 2)), [100, 50, 25], rtol=0.004)
    y, x = np.mgrid[:H, :W] + 0.5
    away = np.hypot(y - 24.5, x - 32.5)
    # One texel of light spreads over two pixels around the disc's edge. Noise of a texel seen by few rays: 4 %.
    assert np.all(picture[:, away > radius_px + 2] == 0)
    inside = picture[0][away < radius_px - 2]
    assert abs(inside.mean() / (100 / (np.pi * radius_px**2)) - 1) < 0.01
    assert inside.std() / inside.mean() < 0.12


def test_two_occluders_cover_what_another_integral_says():
    """Perpendicular edges at two depths before a wall, against the integral over the lens of what each ray sees."""
    red, green, blue = (views.even(3 * H, 3 * W, np.eye(3)[c]) for c in range(3))
    near, middle, wall = 0.9, 0.55, 0.15
    focus = 0.35
    scene = views.view(H, W, [
        Card(blue, wall, endless=True),
        Card(red, near, left_px=30 - 3 * W, top_px=-H),
        Card(green, middle, left_px=-W, top_px=26 - 3 * H),
    ])  # fmt: skip
    blur = views.strength(12, near - focus, H, W)
    picture = trace(scene, focus, blur)
    lens_px = blur * W / 1024
    step = (np.arange(160) + 0.5) / 80 - 1
    lens = np.array([(u, v) for u in step for v in step if u * u + v * v <= 1])

    def over_pixel(edge_px: float, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of a pixel left of an edge that falls off over one texel: a quadratic step two pixels wide."""
        t = np.clip(edge_px - at, -1, 1)
        return 0.5 + t - np.sign(t) * t * t / 2

    for y, x in [(10, 20), (24, 28), (26, 31), (30, 33), (22, 36), (27, 40), (33, 27)]:
        covers_red = over_pixel(30, x + 0.5 + lens_px * lens[:, 0] * (near - focus))
        covers_green = over_pixel(26, y + 0.5 + lens_px * lens[:, 1] * (middle - focus))
        wanted = [
            covers_red.mean(),
            (covers_green * (1 - covers_red)).mean(),
            ((1 - covers_green) * (1 - covers_red)).mean(),
        ]
        # Worst seen 0.0041 at 1024 samples.
        np.testing.assert_allclose(picture[:, y, x], wanted, atol=0.008)


def test_triangle_is_upright_behind_the_focal_plane_and_mirrored_in_front():
    light = np.zeros((3, 3, 4), np.float32)
    light[1, 1] = 100
    black = views.even(8, 8, (0, 0, 0))
    behind, front = (
        trace(
            views.view(61, 61, [Card(black, 0.05, endless=True), Card(light, d, left_px=29, top_px=29)]),
            0.5, views.strength(12, 0.25, 61, 61), aperture=Polygon(3),
        )[0]
        for d in (0.25, 0.75)
    )  # fmt: skip
    rows = np.arange(61) - 30
    # 4/9 of a triangle's area lie between its vertex, here on top, and the centre of the circle around it.
    above, below = behind[rows < 0].sum(), behind[rows > 0].sum()
    assert 1.15 < below / above < 1.35
    np.testing.assert_allclose(front.sum(axis=1)[::-1], behind.sum(axis=1), atol=1.0)
    np.testing.assert_allclose(front.sum(axis=0)[::-1], behind.sum(axis=0), atol=1.0)


@pytest.mark.parametrize(
    ("wall", "focus", "most"),
    [
        # Worst seen 0.010 and 0.025: the reference spreads each pixel's light from its centre, a ray hits any place.
        (views.noise(H + 64, W + 64), 0.1, 0.02),
        (views.noise(H + 64, W + 64), 0.9, 0.035),
        # An even wall, for the reference mixes a wall that is out of focus behind a card that is too from the whole
        # lens; which part of it the card leaves free makes no difference then. Worst seen 0.010.
        (views.even(8, 8, (0.2, 0.5, 0.9)), 0.5, 0.016),
    ],
)
def test_card_and_wall_equal_the_layered_reference(wall, focus, most):
    """The reference gets both layers whole, so that nothing is guessed: two methods, one physics."""
    wall = Card(wall, 0.1, left_px=-32, top_px=-32, endless=True)
    card = Card(views.noise(24, 28, seed=1), 0.9, left_px=20, top_px=12)
    both = views.view(H, W, [wall, card])
    options = {"aperture": Disc(), "threads": 1, "sample_count": 1024}
    wall_light, _ = ray_trace.trace_in_focus(views.view(H, W, [wall]), **options)
    both_light, shares = ray_trace.trace_in_focus(both, **options)
    disparity = ray_trace.seen_disparity(both)[0]
    blur = views.strength(7, 0.8, H, W)
    scale = both.lens_radius_px(blur)
    light, defocus = np.zeros((3, H, W, 4), np.float32), np.zeros((3, H, W), np.float32)
    light[layers.FRONT] = light[layers.BEHIND] = 1
    light[layers.FRONT, ..., :3] = both_light.transpose(1, 2, 0)
    light[layers.BEHIND, ..., :3] = wall_light.transpose(1, 2, 0)
    defocus[layers.FRONT] = scale * (disparity - focus)
    defocus[layers.BEHIND] = scale * (0.1 - focus)
    defocus[layers.PATCH] = scale * (0.9 - focus)
    kind = np.where(disparity > 0.5, layers.HIDDEN, 0).astype(np.uint8)
    # The matte falls off over a texel: pixels there are part card, part wall.
    mixed = (shares[1] > 0.001) & (shares[1] < 0.999)
    card_light = both_light - (1 - shares[1]) * wall_light
    light[layers.PATCH][mixed] = np.concatenate([card_light, shares[1:]]).transpose(1, 2, 0)[mixed]
    kind[mixed] = layers.SPLIT | layers.HIDDEN
    wanted = reference.render(Samples.of(light, defocus, kind), Disc())
    # Not where the reference repeats the frame's border and the scene goes on.
    difference = np.abs(trace(both, focus, blur) - wanted)[:, 8:-8, 8:-8]
    assert difference.max() < most
    assert np.sqrt((difference**2).mean()) < most / 5


def test_slope_equals_the_layered_reference():
    slope = (0.1, 0.0, 0.8 / H, 0.0, 0.0, 0.0)
    y, x = np.mgrid[: H + 64, : W + 64].astype(np.float32)
    waves = np.stack([0.5 + 0.5 * np.sin(0.4 * x + 0.1 * c * y + c) for c in range(3)] + [np.ones_like(x)], axis=-1)
    scene = views.view(H, W, [Card(waves, 0, left_px=-32, top_px=-32, endless=True, surface=slope)])
    blur = views.strength(8, 1.0, H, W)
    in_focus, _ = ray_trace.trace_in_focus(scene, aperture=Disc(), threads=1)
    light, defocus = np.zeros((3, H, W, 4), np.float32), np.zeros((3, H, W), np.float32)
    light[layers.FRONT, ..., :3] = in_focus.transpose(1, 2, 0)
    light[layers.FRONT, ..., 3] = 1
    defocus[layers.FRONT] = scene.lens_radius_px(blur) * (ray_trace.seen_disparity(scene)[0] - 0.4)
    wanted = reference.render(Samples.of(light, defocus, np.zeros((H, W), np.uint8)), Disc())
    difference = np.abs(trace(scene, 0.4, blur) - wanted)[:, 8:-8, 8:-8]
    # Worst seen 0.0106, mean 0.0028.
    assert difference.max() < 0.015
    assert difference.mean() < 0.004


def test_in_focus_nothing_is_blurred():
    scene = views.view(H, W, [Card(views.noise(H, W), 0.4, endless=True)])
    in_focus, _ = ray_trace.trace_in_focus(scene, aperture=Disc(), threads=1)
    np.testing.assert_allclose(trace(scene, 0.4, 200.0), in_focus, atol=0.02)


def test_ray_meets_a_curved_surface_where_marching_finds_it():
    """The closed form against a search along the ray."""
    surface = (0.9, -0.001, 0.002, -1e-4, 2e-5, -2e-4)
    scene = views.view(H, W, [Card(views.noise(H, W), 0, endless=True, surface=surface)])
    a, bx, by, xx, xy, yy = surface
    rng = np.random.default_rng(0)
    for _ in range(50):
        x, y = rng.uniform([0, 0], [W, H])
        shift_x, shift_y = rng.uniform(-20, 20, 2)
        fine = np.linspace(-1, 2, 300_001)
        at_x, at_y = x + shift_x * fine, y + shift_y * fine
        apart = a + bx * at_x + by * at_y + xx * at_x**2 + xy * at_x * at_y + yy * at_y**2 - fine
        crossings = fine[:-1][np.sign(apart[:-1]) != np.sign(apart[1:])]
        arguments = (np.float32(v) for v in (x, y, shift_x, shift_y))
        hit = ray_trace._hit_disparity(scene.surface, 0, *arguments)
        assert np.abs(crossings - hit).min() < 1e-4


def test_error_falls_faster_than_by_independent_samples():
    """Noise, edges and two depths, of which one is in focus nowhere."""
    wall = Card(views.noise(H + 64, W + 64), 0.1, left_px=-32, top_px=-32, endless=True)
    card = Card(views.noise(24, 28, seed=1), 0.9, left_px=20, top_px=12)
    scene = views.view(H, W, [wall, card])
    blur = views.strength(10, 0.5, H, W)
    truth = np.mean([trace(scene, 0.5, blur, 4096, seed=s) for s in range(2)], axis=0)
    counts = [8, 32, 128, 512]
    error = [np.sqrt(((trace(scene, 0.5, blur, n, seed=9) - truth) ** 2).mean()) for n in counts]
    slope = np.polyfit(np.log(counts), np.log(error), 1)[0]
    # Independent samples give -0.5; seen -0.72, and 0.0032 at 512.
    assert slope < -0.65
    assert error[-1] < 0.004


def test_half_clear_layers_mix_in_order():
    scene = views.view(H, W, [
        Card(views.even(8, 8, (0, 0, 1)), 0.1, endless=True),
        Card(views.even(H, W, (1, 0, 0), alpha=0.5), 0.9),
        Card(views.even(H, W, (0, 1, 0), alpha=0.5), 0.5),
    ])  # fmt: skip
    light, shares = ray_trace.trace_in_focus(scene, aperture=Disc(), threads=1)
    np.testing.assert_allclose(light[:, 20, 30], [0.5, 0.25, 0.25], atol=1e-5)
    np.testing.assert_allclose(shares[:, 20, 30], [0.25, 0.5, 0.25], atol=1e-5)
    # Both are seen: alpha of a half is enough.
    assert ray_trace.seen_disparity(scene)[0, 20, 30] == np.float32(0.9)


def test_planes_that_cross_change_their_order_where_they_do():
    left, right = (0.2, 0.6 / W, 0, 0, 0, 0), (0.8, -0.6 / W, 0, 0, 0, 0)
    scene = views.view(H, W, [
        Card(views.even(8, 8, (1, 0, 0)), 0, endless=True, surface=left),
        Card(views.even(8, 8, (0, 1, 0)), 0, endless=True, surface=right),
    ])  # fmt: skip
    light = trace(scene, 0.5, 0.0, 16)
    assert np.all(light[1, :, : W // 2 - 1] == 1)
    assert np.all(light[0, :, W // 2 + 1 :] == 1)
    disparity = ray_trace.seen_disparity(scene)[0]
    np.testing.assert_allclose(disparity[5], np.maximum(disparity[5], 0.5), atol=1e-6)


def test_result_depends_on_the_seed_and_not_on_threads():
    maker = ClipMaker(ClipConfig(width=96, height=64, frame_count=2), seed=3)
    scene, atlas, _, _ = maker.plan(0)
    view = scene.view(0, atlas)
    one = trace(view, 0.5, 60.0, 16, threads=1)
    np.testing.assert_array_equal(trace(view, 0.5, 60.0, 16, threads=3), one)
    assert np.any(trace(view, 0.5, 60.0, 16, seed=1) != one)


@pytest.fixture
def one_torch_thread():
    """On a busy machine torch's threads wait for one another more than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_torch_thread")
@pytest.mark.parametrize("index", range(3))
def test_torch_path_equals_the_cpu_path(index):
    rich = SceneConfig(floor=0.7, curved=0.8, slanted=0.8, near_background=0.8)
    scene, atlas, _, _ = ClipMaker(ClipConfig(width=64, height=40, frame_count=3, scene=rich)).plan(index)
    view = scene.view(2, atlas)
    arguments = {"focus_disparity": 0.5, "blur_strength": 60.0, "sample_count": 16, "seed": 5}
    cpu = trace(view, **arguments)
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in devices:
        other = ray_trace_torch.trace(view, aperture=Disc(), device=device, **arguments)
        # Light reaches 13; worst seen 4e-5. A ray at the border of two texels' levels may take either.
        assert np.count_nonzero(np.abs(other - cpu) > 2e-4) <= 3
        assert np.abs(other - cpu).mean() < 2e-6
        light, shares = ray_trace_torch.trace_in_focus(view, aperture=Disc(), sample_count=16, device=device)
        cpu_light, cpu_shares = ray_trace.trace_in_focus(view, aperture=Disc(), sample_count=16, threads=1)
        assert np.abs(light - cpu_light).mean() < 2e-6
        assert np.abs(shares - cpu_shares).mean() < 2e-6
