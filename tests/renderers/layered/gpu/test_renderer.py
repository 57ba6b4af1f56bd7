"""The GPU's pictures are the CPU's."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.disparity.edges import EdgeBands
from any2bokeh.errors import InputError
from any2bokeh.optics.aperture import ImageAperture, Polygon
from any2bokeh.optics.focus_range import FocusRange
from any2bokeh.optics.highlights import Highlights
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.optics.vignetting import Vignetting
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import lamps
from any2bokeh.renderers.layered.gpu import unlayered
from any2bokeh.renderers.layered.gpu.device import Device
from any2bokeh.renderers.layered.gpu.renderer import GpuRenderer
from any2bokeh.renderers.layered.renderer import LayeredRenderer
from tests.renderers.layered import scenes
from tests.renderers.layered.test_bands import ramp, seen_beside, whole_in_map

HEIGHT, WIDTH = 40, 56


def on_gpu(device: Device, **look: Any) -> GpuRenderer:
    return GpuRenderer(lambda: device, raises=True, threads=1, **look)


def on_cpu(**look: Any) -> LayeredRenderer:
    return LayeredRenderer(threads=1, **look)


def card_frame(radius_px: float, height: int = HEIGHT, width: int = WIDTH) -> RenderInput:
    """A card and the wall behind it, both ``radius_px`` out of focus, with noisy disparity."""
    noise = np.random.default_rng(1).normal(0, 0.01, (1, height, width)).astype(np.float32)
    disparity = np.clip(scenes.card(height, width) + noise, 0, 1)
    strength = scenes.k_for(radius_px, 0.4, height, width)
    return RenderInput(scenes.noise(height, width), disparity, 0.5, strength)


def lamp_frame() -> RenderInput:
    """A lamp beside a near leaf, one at the border, both far brighter than what is around."""
    pixels = np.full((3, HEIGHT, WIDTH), 0.02, np.float32)
    pixels[:, 20, 33] = (40, 30, 10)
    pixels[:, 0, 5] = 20
    disparity = np.full((1, HEIGHT, WIDTH), 0.1, np.float32)
    disparity[:, :, :30] = 0.9
    return RenderInput(pixels, disparity, 0.6, scenes.k_for(6, 0.5, HEIGHT, WIDTH))


def margin_frame(height: int = HEIGHT, width: int = WIDTH) -> RenderInput:
    """A frame around which, and behind whose card, others saw something else."""
    frame, margin = card_frame(5, height, width), 8
    wide = (height + 2 * margin, width + 2 * margin)
    known = np.full(wide, 0.7, np.float32)
    seen = HiddenBackground(scenes.noise(*wide, seed=5), np.full((1, *wide), 0.05, np.float32), known, margin)
    return replace(frame, hidden=seen)


def cropped(frame: RenderInput, height: int, width: int) -> RenderInput:
    """The upper left part of a frame, with what is known of it."""
    of_frame: dict[str, Any] = {"pixels": frame.pixels, "disparity": frame.disparity}
    of_frame = {name: plane[:, :height, :width] for name, plane in of_frame.items()}
    for name, known in (("bands", frame.bands), ("hidden", frame.hidden)):
        if known is not None:
            planes: dict[str, Any] = {each.name: getattr(known, each.name) for each in fields(known)}
            planes = {key: each if np.isscalar(each) else each[..., :height, :width] for key, each in planes.items()}
            of_frame[name] = type(known)(**planes)
    return replace(frame, **of_frame)


def codes_apart(found: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    assert found.shape == right.shape
    return np.abs(found - right) * 255


def picture_of_opening() -> ImageAperture:
    mask = np.zeros((40, 40), np.float32)
    mask[5:35, 5:20], mask[10:15, 20:35] = 1, 0.5
    return ImageAperture(mask)


LOOKS: dict[str, dict[str, Any]] = {
    "disc": {},
    "blades": {"aperture": Polygon(5, 0.2, 10)},
    "anamorphic": {"aperture": Polygon(8, 1.0, 0.0, 0.5)},
    "picture": {"aperture": picture_of_opening()},
    "profile": {"profile": BokehProfile(spherical=0.6, softness=0.2, onion_rings=0.3)},
    "vignetting": {"vignetting": Vignetting(0.8, 0.4), "profile": BokehProfile(spherical=-0.5)},
    "axial": {"axial_chromatic": 0.1},
    "linear": {"transfer": "linear"},
    "none": {"transfer": "none"},
    "hlg": {"transfer": "hlg"},
    "highlights": {"highlights": Highlights(2.0)},
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_every_look_is_the_same(device, look):
    frame = card_frame(7)
    apart = codes_apart(on_gpu(device, **look).render_frame(frame), on_cpu(**look).render_frame(frame))
    assert apart.max() < 0.05  # worst seen 0.003, axial


def test_pq_is_the_same(device):
    frame = card_frame(7)
    frame = replace(frame, pixels=0.2 + 0.6 * frame.pixels)  # its curve is very steep beside black
    apart = codes_apart(on_gpu(device, transfer="pq").render_frame(frame), on_cpu(transfer="pq").render_frame(frame))
    assert apart.max() < 0.05  # worst seen 0.001


@pytest.mark.parametrize(
    "given", [lamp_frame, margin_frame, ramp, seen_beside, whole_in_map], ids=lambda given: given.__name__
)
@pytest.mark.parametrize("axial", [0.0, 0.05])
def test_lamps_margins_and_bands_are_the_same(device, given, axial):
    look, frame = {"transfer": "linear", "axial_chromatic": axial}, given()
    apart = codes_apart(on_gpu(device, **look).render_frame(frame), on_cpu(**look).render_frame(frame))
    assert apart.max() < 0.05  # worst seen 0.01, lamps


def mixed_everywhere(seed: int, *, has_lamps: bool) -> RenderInput:
    """Mixed pixels all over a card, a half card before it and the wall behind, beside steps and away from them."""
    rng = np.random.default_rng(seed)
    pixels = rng.uniform(0, 0.1 if has_lamps else 1, (3, HEIGHT, WIDTH)).astype(np.float32)
    left = WIDTH // 4
    if has_lamps:  # behind the card's edge, which each shines into
        pixels[:, 12:28:4, left - 1], pixels[:, 12:28:4, left] = 30, 8
    disparity = scenes.card(HEIGHT, WIDTH, near=0.7)
    disparity[:, : HEIGHT // 2, WIDTH // 2 :] += 0.2
    is_mixed = rng.random((HEIGHT, WIDTH)) < 0.3

    def there(values: Any) -> NDArray[np.float32]:
        return np.where(is_mixed, values, 0).astype(np.float32)

    bands = replace(
        EdgeBands.none(disparity),
        band=is_mixed,
        near=there(0.95),
        far=there(np.where(rng.random((HEIGHT, WIDTH)) < 0.7, disparity[0], 0.05)),
        alpha=there(rng.uniform(0.1, 0.9, (HEIGHT, WIDTH))),
        foreground=there(pixels),
        background=there(rng.uniform(0, 0.5 if has_lamps else 1, pixels.shape)),  # much brighter ones are lamps, too
    )
    return RenderInput(pixels, disparity, 0.5, scenes.k_for(6, 0.4, HEIGHT, WIDTH), bands=bands)


@pytest.mark.parametrize("has_lamps", [False, True], ids=["surfaces", "lamps"])
@pytest.mark.parametrize("seed", range(2))
def test_mixed_pixels_away_from_steps_are_the_same(device, seed, has_lamps):
    # They were taken out of the pure colours around others, or not, as it happened; and lamps were found in them at
    # another depth than they then have.
    frame, look = mixed_everywhere(seed, has_lamps=has_lamps), {"transfer": "linear"}
    apart = codes_apart(on_gpu(device, **look).render_frame(frame), on_cpu(**look).render_frame(frame))
    assert apart.max() < 0.01  # worst seen 0.001, lamps


def test_clipped_mixed_pixels_that_others_saw_behind_are_the_same(device):
    # Both parts of such a pixel add up to white, or to a little more or less than it.
    frame = seen_beside()
    assert frame.bands is not None
    pixels = frame.pixels.copy()
    pixels[0] = 1
    alpha = frame.bands.alpha * np.random.default_rng(0).uniform(0.2, 0.9, frame.bands.alpha.shape).astype(np.float32)
    frame = replace(frame, pixels=pixels, bands=replace(frame.bands, alpha=alpha))
    apart = codes_apart(on_gpu(device).render_frame(frame), on_cpu().render_frame(frame))
    assert apart.max() < 0.05  # worst seen 0.004


def with_focus_range(frame: RenderInput, range_: FocusRange) -> RenderInput:
    """A frame whose disparity, and that of all that is known of it, is bent as `shot_frames` bends it."""

    def bent(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return range_.applied(values, frame.focus_disparity, frame.blur_strength)

    bands = frame.bands and frame.bands.with_disparity(bent)
    hidden = frame.hidden and replace(frame.hidden, disparity=bent(frame.hidden.disparity))
    return replace(frame, disparity=bent(frame.disparity), bands=bands, hidden=hidden)


@pytest.mark.parametrize(
    "range_",
    [FocusRange(slab=0.2), FocusRange(slab=0.26, shoulder=0.0), FocusRange(near=2, far=0.45, max_radius_px=100)],
    ids=["slab", "hard", "limited"],
)
@pytest.mark.parametrize("given", [seen_beside, lambda: mixed_everywhere(0, has_lamps=True)], ids=["seen", "mixed"])
def test_focus_ranges_are_the_same(device, given, range_):
    frame, look = with_focus_range(given(), range_), {"transfer": "linear"}
    found = on_gpu(device, **look).render_frame(frame)
    assert codes_apart(found, on_cpu(**look).render_frame(frame)).max() < 0.05  # worst seen 0.008, mixed and limited
    assert (found != frame.pixels).any()


@pytest.mark.parametrize("given", [lamp_frame, lambda: card_frame(5)], ids=["lamps", "card"])
@pytest.mark.parametrize("axial", [0.0, 0.05])
def test_separated_output_is_the_same(device, given, axial):
    look, frame = {"transfer": "linear", "axial_chromatic": axial}, given()
    found, right = (make.render_separated(frame) for make in (on_gpu(device, **look), on_cpu(**look)))
    np.testing.assert_allclose(found, right, atol=2e-4)  # worst seen 2e-5, lamps
    np.testing.assert_allclose(found[:, 3].sum(axis=0), 1, atol=1e-5)


LARGE_LOOKS: dict[str, dict[str, Any]] = {
    "disc": {},
    "triangle": {"aperture": Polygon(3, 0.0, 10)},
    "six blades": {"aperture": Polygon(6)},
    "anamorphic": LOOKS["anamorphic"],
    "picture": LOOKS["picture"],
    "profile": LOOKS["profile"],
    "cat's eye": {"vignetting": Vignetting(0.8, 0.4)},  # with a profile, llvmpipe's loops end too soon
}


@pytest.mark.parametrize(
    ("look", "radius_px"),
    [
        *(("disc", radius_px) for radius_px in (14, 21, 42)),
        ("six blades", 15),
        ("six blades", 46),
        *((look, radius_px) for look in ("triangle", "picture", "cat's eye") for radius_px in (26, 34)),
        ("anamorphic", 26),
        ("profile", 26),
        *(pytest.param(look, 66, marks=pytest.mark.slow) for look in LARGE_LOOKS),
    ],
)
def test_large_radii_are_gathered_of_fewer_samples(device, look, radius_px):
    # Where samples begin to be shared, and where levels begin, errors are largest.
    height, width = (64, 96) if radius_px < 60 else (144, 192)
    frame, arguments = card_frame(radius_px, height, width), LARGE_LOOKS[look]
    apart = codes_apart(on_gpu(device, **arguments).render_frame(frame), on_cpu(**arguments).render_frame(frame))
    assert apart.mean() < 0.25  # worst seen 0.23, a disc at 66 px
    assert (apart.max(axis=0) > 4).mean() < 0.001  # none seen


def test_what_is_in_focus_stays_to_the_bit(device):
    frame = replace(card_frame(5), focus_disparity=0.9)
    frame = replace(frame, disparity=scenes.card(HEIGHT, WIDTH))
    card = np.s_[:, 16:24, 20:36]
    found = on_gpu(device).render_frame(frame)
    np.testing.assert_array_equal(found[card], frame.pixels[card])
    assert (found != frame.pixels).any()


@pytest.mark.parametrize("render", [GpuRenderer.render_frame, GpuRenderer.render_separated])
@pytest.mark.parametrize("most_bytes", [None, 48 * WIDTH * 24], ids=["whole", "strips"])
@pytest.mark.parametrize("given", [card_frame, lambda _: margin_frame()], ids=["card", "margin"])
def test_a_blur_wider_than_the_frame_is_refused_as_on_the_cpu(device, monkeypatch, given, most_bytes, render):
    gpu = on_gpu(device)
    gpu.passes.most_bytes = most_bytes or gpu.passes.most_bytes
    # Within four sides of the frame, the CPU counts hidden background, too, which it has continued by then.
    for strength in (1e5, 1e9, 1e30, *((4e3,) if given is card_frame else ())):
        frame = replace(given(5), blur_strength=strength)
        with pytest.raises(InputError) as right:
            on_cpu().render_frame(frame)
        with pytest.raises(InputError) as found:
            render(gpu, frame)
        assert str(found.value) == str(right.value)
    # Far too wide ones are refused before anything is made of them.
    monkeypatch.setattr(unlayered.Unlayered, "of", lambda *_, **__: pytest.fail("it was prepared for the GPU"))
    with pytest.raises(InputError, match="circle of confusion"):
        render(gpu, replace(given(5), blur_strength=1e9))


def test_no_blur_gives_the_very_array(device):
    frame = replace(card_frame(5), blur_strength=0.0)
    assert on_gpu(device).render_frame(frame) is frame.pixels


def test_the_same_frame_gives_the_same_bits(device):
    frame, renderer = card_frame(9), on_gpu(device)
    np.testing.assert_array_equal(renderer.render_frame(frame), renderer.render_frame(frame))


@pytest.mark.parametrize("look", [{}, {"axial_chromatic": 0.05}], ids=["picture", "axial"])
def test_bands_join_without_a_seam(device, look):
    frame = card_frame(20, 96, 64)
    whole = on_gpu(device, **look).render_frame(frame)
    banded = on_gpu(device, **look)
    banded.passes.most_bytes = 300_000  # layers have 294,912, the sums of the bins of a level more
    np.testing.assert_array_equal(banded.render_frame(frame), whole)


def test_renderers_of_one_device_keep_their_lenses_apart(device):
    frame = card_frame(6)
    disc, blades = on_gpu(device), on_gpu(device, aperture=Polygon(3))
    first = disc.render_frame(frame)
    assert (blades.render_frame(frame) != first).any()
    np.testing.assert_array_equal(disc.render_frame(frame), first)


def test_frames_of_a_stream_come_in_order(device):
    frames = [card_frame(radius_px) for radius_px in (3, 6)] + [replace(card_frame(3), blur_strength=0.0)]
    found = list(on_gpu(device).render(iter(frames)))
    assert len(found) == 3
    for picture, frame in zip(found[:2], frames, strict=False):
        np.testing.assert_allclose(picture, on_cpu().render_frame(frame), atol=1e-4)
    assert found[2] is frames[2].pixels


def lamps_among_leaves(radius_px: float, height: int = 56, width: int = 80) -> RenderInput:
    """Lamps of many colours and strengths behind, on and before discs at several depths, all with noise."""
    rng = np.random.default_rng(3)
    pixels = (0.02 * rng.uniform(0.5, 1.5, (1, height, width)) * np.ones((3, 1, 1))).astype(np.float32)
    pixels[:, rng.integers(0, height, 30), rng.integers(0, width, 30)] = 30 * rng.uniform(0.1, 1, (3, 30))
    disparity = (0.1 + rng.uniform(0, 0.02, (1, height, width))).astype(np.float32)
    y, x = np.mgrid[:height, :width]
    for _ in range(6):
        at = rng.integers(0, height), rng.integers(0, width)
        disparity[0][(y - at[0]) ** 2 + (x - at[1]) ** 2 < (height / 6) ** 2] = rng.uniform(0.4, 0.95)
    return RenderInput(pixels, disparity, 0.6, scenes.k_for(radius_px, 0.5, height, width))


@pytest.mark.parametrize("look", ["disc", "blades", "picture", "profile", "vignetting", "axial"])
def test_discs_of_lamps_are_cut_as_the_cpu_cuts_them(device, look):
    arguments, frame = {"transfer": "linear", **LOOKS[look]}, lamps_among_leaves(7)
    cpu = on_cpu(**arguments)
    apart = codes_apart(on_gpu(device, **arguments).render_frame(frame), cpu.render_frame(frame))
    assert cpu.image is not None
    assert len(cpu.image.lamps[0]) > 10
    assert apart.max() < 0.05  # worst seen 0.001


def test_discs_of_lamps_have_sharp_rims_at_any_radius(device):
    # Everything else is gathered at half the size.
    frame = lamps_among_leaves(20, 72, 112)
    apart = codes_apart(
        on_gpu(device, transfer="linear").render_frame(frame), on_cpu(transfer="linear").render_frame(frame)
    )
    assert apart.mean() < 0.1  # worst seen 0.03
    assert (apart.max(axis=0) > 4).mean() < 0.001  # none seen


@pytest.mark.parametrize("most_looks", [0.0, 4e3])
def test_lamps_that_are_too_many_to_follow_are_samples_again(device, monkeypatch, most_looks):
    monkeypatch.setattr(lamps, "_MOST_LOOKS", most_looks)
    monkeypatch.setattr(unlayered, "_MOST_LOOKS", most_looks)
    frame, cpu = lamps_among_leaves(6), on_cpu(transfer="linear")
    apart = codes_apart(on_gpu(device, transfer="linear").render_frame(frame), cpu.render_frame(frame))
    assert apart.max() < 0.05  # worst seen 0.001
    assert cpu.image is not None
    assert len(cpu.image.lamps[0]) < 10, "without a bound there are 10"


def clipped_lamps(height: int = 80, width: int = 112) -> RenderInput:
    """Lamps of a few pixels, clipped to white, in dark surroundings behind the edge of something near."""
    rng = np.random.default_rng(0)
    pixels = (0.15 + rng.uniform(0, 0.05, (3, height, width))).astype(np.float32)
    y, x = np.mgrid[:height, :width]
    for _ in range(9):
        at, radius = (rng.uniform(0, height), rng.uniform(0, width)), rng.uniform(1.5, 3)
        covered = np.clip(radius + 0.5 - np.hypot(y - at[0], x - at[1]), 0, 1)
        pixels = np.maximum(pixels, np.clip(3 * covered * rng.uniform(0.6, 1, (3, 1, 1)), 0, 1)).astype(np.float32)
    disparity = np.full((1, height, width), 0.1, np.float32)
    disparity[:, :, : width // 3] = 0.9
    return RenderInput(pixels, disparity, 0.6, scenes.k_for(7, 0.5, height, width))


def test_clipped_lamps_are_raised_as_on_the_cpu(device):
    frame, look = clipped_lamps(), {"highlights": Highlights("auto")}
    right = on_cpu(**look).render_frame(frame)
    assert codes_apart(on_gpu(device, **look).render_frame(frame), right).max() < 0.05  # worst seen 0.003
    assert codes_apart(on_gpu(device).render_frame(frame), right).max() > 4, "they are raised by something"


@pytest.mark.parametrize(
    ("given", "look"),
    [
        (lambda: card_frame(6, 320, 32), {"vignetting": Vignetting(0.8, 0.4)}),
        (lambda: lamps_among_leaves(20, 448, 32), {"transfer": "linear"}),
        (lambda: clipped_lamps(320, 48), {"highlights": Highlights("auto")}),
        (lambda: margin_frame(320, 32), {"axial_chromatic": 0.05}),
    ],
    ids=["card", "lamps", "raised", "margin"],
)
def test_a_frame_that_does_not_fit_is_layered_in_strips(device, given, look):
    frame, pieces = given(), on_gpu(device, **look)
    whole = on_gpu(device, **look).render_frame(frame)
    pieces.passes.most_bytes = 48 * 32 * 240
    parts: list[float] = []
    pieces.within = parts.append
    np.testing.assert_array_equal(pieces.render_frame(frame), whole)
    assert len(parts) >= 3
    separated = on_gpu(device, **look).render_separated(frame)
    np.testing.assert_array_equal(pieces.render_separated(frame), separated)


def test_strips_of_a_stream_come_in_order(device):
    frames, renderer = [card_frame(radius_px, 200, 32) for radius_px in (3, 5, 4)], on_gpu(device)
    right = list(renderer.render(frames))
    renderer.passes.most_bytes = 48 * 32 * 180
    for found, wanted in zip(renderer.render(frames), right, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("given", [card_frame, ramp, seen_beside], ids=lambda given: given.__name__)
@pytest.mark.parametrize("transfer", ["srgb", "none"])
def test_of_an_odd_number_of_samples_none_is_lost(device, given, transfer):
    frame = given(5) if given is card_frame else given()
    frame = cropped(frame, frame.pixels.shape[1] - 1, frame.pixels.shape[2] - 1)
    look = {"transfer": transfer}
    apart = codes_apart(on_gpu(device, **look).render_frame(frame), on_cpu(**look).render_frame(frame))
    assert apart.max() < 0.05  # worst seen 0.01, sRGB


def test_a_picture_with_a_transfer_travels_in_16_bits(device):
    # Six bytes a pixel of code values and four of disparity, and eight back; linear light needs all of its 32 bits.
    for transfer, up, back in (("srgb", 10, 8), ("pq", 10, 8), ("linear", 16, 12), ("none", 16, 12)):
        job = on_gpu(device, transfer=transfer).job_of(card_frame(5))
        assert job.samples.pixels.nbytes + job.samples.disparity.nbytes == up * HEIGHT * WIDTH
        assert 4 * job.words == back


def test_memory_is_flat_and_given_back(device):
    renderer = on_gpu(device)
    list(renderer.render([card_frame(6)] * 3))
    held = device.held_bytes
    list(renderer.render([card_frame(6)] * 3))
    assert device.held_bytes == held
    renderer.close()
    assert device.held_bytes == 0
