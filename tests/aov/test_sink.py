"""Pictures for compositing, written by the whole path and read back."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest

from any2bokeh.aov import AovRequest
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript
from any2bokeh.optics.aperture import Polygon
from any2bokeh.optics.lens import Lens
from any2bokeh.optics.transfer import srgb_decode
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.video import Encoding, open_source
from tests import clips

ALL = ("coc", "defocus", "focus-matte", "focus-overlay", "disparity", "alpha", "layers")
FOCUS, K = 0.5, 100.0
PX = K * clips.WIDTH / 1024  # radius of one unit of disparity


@pytest.fixture
def made(tmp_path):
    """Refocuses three frames with pictures in a format; the folder, and the result's frames in light."""
    frames, maps = clips.write_frames(tmp_path / "in", frames=3), clips.write_disparity(tmp_path / "d", stop=3)

    def make(format, kinds=ALL, *, focus=FOCUS, overwrite=False, **options):
        folder = tmp_path / f"aov-{format}"
        refocus(
            frames,
            tmp_path / "out",
            Recipe(focus=FocusScript.constant(focus, options.pop("k", K)), disparity=maps),
            aovs=AovRequest.of(kinds, folder, format),
            overwrite=overwrite,
            **options,
        )
        return folder

    return make


def read(path: Path) -> dict[str, np.ndarray]:
    """Channels of an EXR by name."""
    source: Any = oiio.ImageInput.open(str(path))
    spec = source.spec()
    values = source.read_image("float").reshape(spec.height, spec.width, -1)
    return {name: values[..., i] for i, name in enumerate(spec.channelnames)}


def expected_disparity(index: int) -> np.ndarray:
    return clips.depth_map(index) / np.float32(65535)


def test_numbers_are_what_the_conventions_say(made):
    folder = made("exr")
    for index in range(3):
        defocus = (expected_disparity(index) - FOCUS) * PX
        name = f"{index:05d}.exr"
        np.testing.assert_allclose(read(folder / "disparity" / name)["Y"], expected_disparity(index), atol=1e-6)
        np.testing.assert_allclose(read(folder / "defocus" / name)["Y"], defocus, atol=1e-5)
        np.testing.assert_allclose(read(folder / "coc" / name)["Y"], np.abs(defocus), atol=1e-5)
        sharp = 1 - np.clip(np.abs(defocus) * 1024 / clips.WIDTH - 1, 0, 1)
        np.testing.assert_allclose(read(folder / "focus-matte" / name)["Y"], sharp, atol=1e-3)  # half precision


def test_layers_add_up_to_the_result_and_alpha_is_what_is_not_far(made, tmp_path):
    folder = made("exr")
    with open_source(tmp_path / "out") as result:
        light = [srgb_decode(frame.pixels) for frame in result.frames()]
    for index in range(3):
        name = f"{index:05d}.exr"
        parts = {part: read(folder / part / name) for part in ("near", "focus", "far")}
        alphas = {part: channels["A"] for part, channels in parts.items()}
        np.testing.assert_allclose(sum(alphas.values()), 1, atol=2e-3)
        np.testing.assert_allclose(read(folder / "alpha" / name)["Y"], 1 - alphas["far"], atol=2e-3)
        for c, channel in enumerate("RGB"):
            total = sum(part[channel] for part in parts.values())
            # Dithered 8-bit codes of the result lie up to one, 0.009 of light near white, from it; worst seen 0.0073.
            np.testing.assert_allclose(total, light[index][c], atol=0.009)
        square = clips.subject_mask(index) > 0
        inside = cv2.erode(square.astype(np.uint8), np.ones((9, 9))) > 0
        assert alphas["near"][inside].min() > 0.99
        assert alphas["near"][~cv2.dilate(square.astype(np.uint8), np.ones((9, 9))).astype(bool)].max() < 0.01


def test_one_file_holds_the_result_and_every_picture(made, tmp_path):
    folder = made("exr-channels")
    channels = read(folder / "00001.exr")
    single = {"coc.Y", "defocus.Y", "disparity.Y", "focus_matte.A", "alpha.A"}
    colors = {f"{name}.{c}" for name in ("near", "focus", "far") for c in "RGBA"}
    assert set(channels) == set("RGB") | single | colors | {f"focus_overlay.{c}" for c in "RGB"}
    with open_source(tmp_path / "out") as result:
        [second] = result.frames(1, 2)
    light = srgb_decode(second.pixels)
    for c, channel in enumerate("RGB"):
        np.testing.assert_allclose(channels[channel], light[c], atol=0.009)  # as above
        total = sum(channels[f"{part}.{channel}"] for part in ("near", "focus", "far"))
        np.testing.assert_allclose(total, channels[channel], atol=3e-3)


def test_png_has_its_scale_beside_it(made):
    folder = made("png")
    widest_px = json.loads((folder / "focus.json").read_text())["png"]["widest_px"]

    def codes(name: str) -> np.ndarray:
        picture = cv2.imread(str(folder / name / "00002.png"), cv2.IMREAD_UNCHANGED)
        assert picture is not None
        assert picture.dtype == np.uint16
        return picture / 65535

    defocus = (expected_disparity(2) - FOCUS) * PX
    step = 2 * widest_px / 65535
    np.testing.assert_allclose((codes("defocus") * 2 - 1) * widest_px, defocus, atol=step)
    np.testing.assert_allclose(codes("coc") * widest_px, np.abs(defocus), atol=step)
    near = codes("near")
    assert near.shape == (clips.HEIGHT, clips.WIDTH, 4)


def test_an_overlay_is_green_in_focus_orange_in_front_and_blue_behind(made):
    folder = made("png", ("focus-overlay",), focus=0.3)
    shown = cv2.imread(str(folder / "focus-overlay" / "00000.png"), cv2.IMREAD_COLOR_RGB)
    assert shown is not None
    plain = clips.picture(0)
    tint = shown.astype(float) / 255 - 0.55 * plain / 255
    disparity = expected_disparity(0)
    assert tint[disparity > 0.8].mean(axis=0).argmax() == 0
    assert tint[disparity < 0.15].mean(axis=0).argmax() == 2
    assert tint[np.abs(disparity - 0.3) < 0.05].mean(axis=0).argmax() == 1


def test_every_frame_has_its_lens_numbers(tmp_path):
    frames, maps = clips.write_frames(tmp_path / "in", frames=3), clips.write_disparity(tmp_path / "d", stop=3)
    script = FocusScript.load(_rack(tmp_path / "rack.json"))
    lens = Lens(1.4, 85, 36, focus_distance_m=2.0)
    refocus(
        frames,
        tmp_path / "out",
        Recipe(focus=script, disparity=maps, blur_strength=lens),
        renderer=LayeredRenderer(aperture=Polygon(7)),
        aovs=AovRequest.of(("coc",), tmp_path / "aov"),
    )
    told = json.loads((tmp_path / "aov" / "focus.json").read_text())
    assert (told["f_number"], told["focal_length_mm"], told["sensor_width_mm"], told["blades"]) == (1.4, 85, 36, 7)
    # Disparity is as 1 / distance: 2 m at 0.8 is 4 m at 0.4.
    assert [round(each["focus_distance_m"], 4) for each in told["frames"]] == [2.0, 2.6667, 4.0]
    assert told["frames"][0]["blur_strength"] == pytest.approx(lens.blur_strength(0.8))
    written: Any = oiio.ImageInput.open(str(tmp_path / "aov" / "coc" / "00002.exr"))
    header = {each.name: each.value for each in written.spec().extra_attribs}
    assert header["focus"] == pytest.approx(4.0)
    assert header["FNumber"] == pytest.approx(1.4)  # OpenImageIO's name of OpenEXR's "aperture"
    assert header["nominalFocalLength"] == pytest.approx(85)
    assert header["any2bokeh:sensor_width_mm"] == pytest.approx(36)
    assert header["any2bokeh:blades"] == 7


def _rack(path: Path) -> Path:
    keys = [{"frame": 0, "focus_disparity": 0.8}, {"frame": 2, "focus_disparity": 0.4, "easing": "linear"}]
    path.write_text(json.dumps({"version": 1, "keyframes": keys}))
    return path


def test_what_is_there_is_kept_unless_it_is_replaced(made, tmp_path):
    folder = made("exr", ("coc", "layers"))
    with pytest.raises(InputError, match="exists already"):
        made("exr", ("coc",))
    before = (folder / "coc" / "00000.exr").stat().st_mtime_ns
    made("exr", ("coc", "layers"), overwrite=True)
    assert (folder / "coc" / "00000.exr").stat().st_mtime_ns > before
    stranger = folder / "coc" / "00007.exr"
    stranger.write_bytes(b"mine")
    with pytest.raises(InputError, match=r"coc/00007.exr, which the result does not replace"):
        made("exr", ("coc", "layers"), overwrite=True)
    assert stranger.read_bytes() == b"mine"


def test_nothing_is_left_when_rendering_fails(tmp_path):
    class Failing(LayeredRenderer):
        def render_frame(self, frame):
            raise RuntimeError("as planned")

    frames, maps = clips.write_frames(tmp_path / "in", frames=3), clips.write_disparity(tmp_path / "d", stop=3)
    with pytest.raises(RuntimeError, match="as planned"):
        refocus(
            frames,
            tmp_path / "out",
            Recipe(focus=FocusScript.constant(FOCUS, K), disparity=maps),
            renderer=Failing(),
            encoding=Encoding(),
            aovs=AovRequest.of(ALL, tmp_path / "aov"),
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "in"]


def test_unknown_pictures_are_named():
    with pytest.raises(InputError, match="AOV is 'cryptomatte'; allowed is coc, "):
        AovRequest.of(("coc", "cryptomatte"), "folder")
