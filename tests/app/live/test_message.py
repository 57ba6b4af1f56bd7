"""What a page is given of the layered engine."""

import json
import re
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.app.live import (
    Plane,
    PlayedFrame,
    constants,
    disparity_message,
    engine_message,
    frame_message,
    packed_message,
    quantised,
)
from any2bokeh.disparity.edges.bands import MixedPixels, TreatedMap
from any2bokeh.optics.aperture import ImageAperture
from any2bokeh.optics.look import Look
from any2bokeh.optics.transfer import lookup_tables
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered.gpu.params import LayerParams, Params
from any2bokeh.renderers.layered.gpu.shaders import FOLDER, shader
from tests.renderers.layered import scenes
from tests.renderers.layered.test_bands import ramp

WORKGROUP_BYTES, BUFFERS = 16384, 8
"""What every WebGPU has: memory of a workgroup, and storage buffers of a stage."""


def opened(message: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    size = struct.unpack_from("<I", message)[0]
    said = json.loads(message[4 : 4 + size])
    arrays = {}
    for name, each in said["arrays"].items():
        count = int(np.prod(each["shape"], dtype=int))
        values = np.frombuffer(message, each["type"], count, 4 + size + each["at"]).reshape(each["shape"])
        arrays[name] = values * each["unit"] if values.dtype.kind == "u" and each["unit"] != 1 else values
    return said, arrays


def test_arrays_come_back_and_begin_at_words():
    given = {"odd": Plane(np.arange(5, dtype=np.uint8)), "light": Plane(np.array([[0.5, 2]], np.float32))}
    message = packed_message({"window": [0, 1, 0, 2]}, given)
    said, arrays = opened(message)
    assert said["window"] == [0, 1, 0, 2]
    assert all(each["at"] % 4 == 0 for each in said["arrays"].values())
    for name, plane in given.items():
        np.testing.assert_array_equal(arrays[name], plane.values)


@pytest.mark.parametrize("bits", [8, 16])
def test_integers_are_the_nearest(bits: int):
    values = np.array([-0.1, 0.0, 0.3, 1.0, 1.2], np.float32)
    plane = quantised(values, bits)
    np.testing.assert_allclose(plane.values * plane.unit, np.clip(values, 0, 1), atol=0.501 / (2**bits - 1))


def test_a_look_and_how_light_is_coded_are_told():
    said, arrays = opened(engine_message(Look(blades=5, cat_eye=0.5, highlights="auto")))
    assert (said["look"]["blades"], said["look"]["cat_eye"], said["look"]["highlights"]) == (5, 0.5, "auto")
    decode, (encode, _) = lookup_tables("srgb")
    np.testing.assert_array_equal(arrays["decode"], decode)
    np.testing.assert_array_equal(arrays["encode"], encode)
    assert "mask" not in arrays


@pytest.mark.parametrize("side", [40, 600])
def test_a_picture_of_an_aperture_travels_as_small_as_suffices(tmp_path: Path, side: int):
    picture = np.zeros((side, side // 2), np.uint8)
    picture[side // 4 :, side // 8 :] = 255
    cv2.imwrite(str(tmp_path / "opening.png"), picture)
    look = Look(aperture_image=tmp_path / "opening.png")
    message = engine_message(look)
    mask, aperture = opened(message)[1]["mask"], look.aperture()
    assert mask.shape == (min(side, 256), min(side, 256) // 2)
    assert isinstance(aperture, ImageAperture)
    assert abs(mask.mean() - aperture.mask.mean()) < 1e-3
    assert len(message) < 0.6e6


def test_clipped_lamps_travel_with_the_light_that_they_had():
    pixels = np.full((3, 48, 64), 0.15, np.float32)
    y, x = np.mgrid[:48, :64]
    pixels = np.maximum(pixels, np.clip(3 * np.clip(3 - np.hypot(y - 20, x - 30), 0, 1), 0, 1)).astype(np.float32)
    frame = RenderInput(pixels, scenes.card(48, 64), 0.9, 20.0)
    raised = opened(frame_message(frame))[1]["raised"]
    assert raised[0, 1] == 1, "light is mixed with that of the picture"
    blocks = int(raised[0, 0])
    at = raised[1 + blocks :, 0]
    assert ((pixels[0].ravel() > 0.97).nonzero()[0] == np.sort(at)).all()
    assert np.ascontiguousarray(raised[1 + blocks :, 1:]).view(np.float32).max() > 1.5
    # As bright wherever the focus is: where a lamp is in focus, the shader leaves it.
    again = opened(frame_message(replace(frame, focus_disparity=0.1, blur_strength=2.0)))[1]["raised"]
    np.testing.assert_array_equal(again, raised)
    for dark in (frame_message(replace(frame, pixels=0.9 * pixels)), frame_message(frame, "linear")):
        assert "raised" not in opened(dark)[1]


def test_numbers_are_told_in_the_order_of_the_shaders():
    kinds = opened(engine_message(Look()))[0]["params"]
    for params, name in ((Params, "params"), (LayerParams, "layer_params")):
        source = shader("finish" if name == "params" else "prepare")
        struct_text = re.search(rf"struct {params.__name__} {{(.*?)\n}}", source, re.DOTALL)
        assert struct_text is not None
        declared = re.findall(r"(\w+): ([if])32", struct_text[1])
        assert [tuple(each) for each in kinds[params.__name__]] == declared


def test_a_frame_travels_with_what_is_known_of_it():
    height, width, margin = 12, 20, 4
    wide = (height + 2 * margin, width + 2 * margin)
    pixels = scenes.noise(height, width)
    seen = HiddenBackground(
        scenes.noise(*wide), np.full((1, *wide), 0.2, np.float32), np.ones(wide, np.float32), margin
    )
    frame = RenderInput(pixels, scenes.card(height, width), 0.5, 20.0, hidden=seen)
    said, arrays = opened(frame_message(frame))
    assert said["window"] == [margin, margin + height, margin, margin + width]
    inner = np.s_[:, margin : margin + height, margin : margin + width]
    np.testing.assert_allclose(arrays["pixels"][inner], pixels, atol=0.501 / 255)
    np.testing.assert_allclose(arrays["disparity"][inner[1:]], frame.disparity[0], atol=0.501 / 65535)
    assert arrays["seen"].shape == (5, *wide)
    assert "mixed" not in arrays


def test_mixed_pixels_travel_as_a_list():
    frame = ramp()
    assert frame.bands is not None
    _, arrays = opened(frame_message(frame))
    at, bands = arrays["mixed_at"], frame.bands
    np.testing.assert_array_equal(at, np.flatnonzero(bands.alpha))
    for column, plane in enumerate((bands.alpha, bands.near, bands.far, *bands.background)):
        np.testing.assert_allclose(arrays["mixed"][:, column], plane.ravel()[at], atol=1e-5)


def test_mixed_pixels_of_played_frames_follow_one_another():
    bands = ramp().bands
    assert bands is not None
    mixed, nothing = MixedPixels.of(bands), TreatedMap.none(bands.disparity).mixed
    mixed.values[3, :2] = 0.001, 0.999  # in 8 bits these are of one surface
    lower = np.arange(bands.alpha.size).reshape(bands.alpha.shape) > bands.alpha.size / 2
    given = [nothing, mixed, mixed.without(lower)]
    frames = [PlayedFrame(number, 0.5, 20.0, bands.disparity[0], each) for number, each in enumerate(given, 7)]
    said, arrays = opened(disparity_message(frames))
    counts = [each["mixed"] for each in said["frames"]]
    assert counts == [0, len(mixed.at) - 2, len(given[2].at) - 2]
    assert 0 < counts[2] < counts[1]
    np.testing.assert_array_equal(arrays["mixed_at"][: counts[1]], mixed.at[2:])
    told = np.stack([mixed.alpha, mixed.near, mixed.far, *mixed.background], axis=1)[2:]
    np.testing.assert_allclose(arrays["mixed"][: counts[1]], told, atol=0.501 / 255)
    assert not opened(disparity_message(frames[:1]))[1].keys() & {"mixed", "mixed_at"}


def test_light_keeps_its_range():
    pixels = 3 * scenes.noise(8, 8)
    _, arrays = opened(frame_message(RenderInput(pixels, scenes.card(8, 8), 0.5, 20.0), "linear"))
    np.testing.assert_array_equal(arrays["pixels"], pixels)


@pytest.mark.parametrize("stage", sorted(file.stem for file in FOLDER.glob("*.wgsl") if "@compute" in file.read_text()))
@pytest.mark.parametrize("cuts", [False, True])
def test_every_stage_keeps_within_the_limits_of_any_webgpu(stage: str, cuts: bool):
    source = shader(stage, parts=3, cuts=cuts)
    assert len(re.findall(r"var<storage", source)) <= BUFFERS
    assert workgroup_bytes(source) <= WORKGROUP_BYTES
    size = re.search(r"@workgroup_size\((\d+)(?:, (\d+))?\)", source)
    assert size is not None
    assert int(size[1]) * int(size[2] or 1) <= 256


def workgroup_bytes(source: str) -> int:
    """Of the variables of a workgroup, each at a multiple of 16 bytes."""
    numbers = dict(re.findall(r"const (\w+)(?:: \w+)? = (\d+)u?;", source))
    sizes = {"u32": 4, "i32": 4, "f32": 4, "atomic<u32>": 4, "atomic<i32>": 4, "vec2f": 8, "vec2i": 8, "vec2u": 8}
    sizes |= {"vec4f": 16, "vec4i": 16, "vec4u": 16, "Opening": 28}
    total = 0
    for kind in re.findall(r"var<workgroup> \w+: (.+?);", source):
        of_array = re.fullmatch(r"array<(.+), (.+)>", kind)
        count = 1
        if of_array is not None:
            kind, expression = of_array.groups()
            words = re.sub(r"[A-Z]\w*", lambda name: numbers[name[0]], expression)
            count = eval(re.sub(r"(\d)u\b", r"\1", words).replace("/", "//"))
        total += -(-count * sizes[kind] // 16) * 16
    return total


def test_constants_are_numbers():
    assert constants()["BIN_COUNT"] == 129
    limits = constants()["LIMITS"]
    assert all(isinstance(px, int | float) for each in limits.values() for px in each.values())
    assert all(isinstance(value, int | float) for name, value in constants().items() if name != "LIMITS")
