"""Depth in files: 1/z on one scale for the clip, sky far, holes filled."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from any2bokeh.disparity import DisparityReading, inverse_metres_per_unit, open_disparity
from any2bokeh.errors import InputError
from tests.video.exr_files import Part, write_parts

SIZE = (12, 16)
NEAR, FAR = 2.0, 8.0
DEPTH, DEPTH_MM = DisparityReading(kind="depth"), DisparityReading(kind="depth-mm")


def depth(*, sky: float | None = None) -> np.ndarray:
    """A near square in front of a far wall, sky in the upper rows, metres."""
    metres = np.full(SIZE, FAR, np.float32)
    if sky is not None:
        metres[:3] = sky
    metres[4:10, 4:9] = NEAR
    return metres


def wanted(*, sky: bool) -> np.ndarray:
    disparity = np.full(SIZE, NEAR / FAR, np.float32)
    if sky:
        disparity[:3] = 0
    disparity[4:10, 4:9] = 1
    return disparity


def opened(path: Path, frames: int, reading: DisparityReading = DEPTH) -> list[np.ndarray]:
    return list(open_disparity(path, clip_frame_count=frames, reading=reading).frames())


@pytest.mark.parametrize("sky", [1e10, np.inf, 1e30, float(np.finfo(np.float32).max)])
def test_sky_is_infinitely_far_whatever_it_is_written_as(tmp_path: Path, sky: float) -> None:
    np.save(tmp_path / "z.npy", np.stack([depth(sky=sky)] * 2))
    for disparity in opened(tmp_path / "z.npy", 2):
        np.testing.assert_allclose(disparity[0], wanted(sky=True), rtol=1e-6)  # one float32 division


@pytest.mark.parametrize("hole", [0.0, np.nan, -1.0])
def test_holes_take_the_value_of_the_nearest_pixel(tmp_path: Path, hole: float) -> None:
    metres = depth()
    metres[5:7, 5:8] = hole  # within the square
    metres[11, 14:] = hole  # in the corner
    np.save(tmp_path / "z.npy", metres[None])
    [disparity] = opened(tmp_path / "z.npy", 1)
    np.testing.assert_allclose(disparity[0], wanted(sky=False), rtol=1e-6)


def test_one_scale_holds_for_the_whole_clip(tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", np.stack([np.full(SIZE, z, np.float32) for z in (4, 4, 2, 2, 8, 8)]))
    middles = [float(disparity[0, 5, 5]) for disparity in opened(tmp_path / "z.npy", 6)]
    assert middles == pytest.approx([0.5, 0.5, 1, 1, 0.25, 0.25])


@pytest.mark.parametrize("stray", ["pixels", "frame"])
def test_strays_do_not_squash_the_scale(tmp_path: Path, stray: str) -> None:
    metres = np.repeat(np.kron(depth(), np.ones((10, 10), np.float32))[None], 5, 0)
    if stray == "pixels":
        metres[:, 0, ::20] = 0.01  # 8 of 19,200
    else:
        metres[2, :60] = 0.01
    np.save(tmp_path / "z.npy", metres)
    maps = open_disparity(tmp_path / "z.npy", clip_frame_count=5, reading=DEPTH)
    assert maps.at(4)[0, 70, 60] == pytest.approx(1)
    assert maps.at(4)[0, 115, 155] == pytest.approx(NEAR / FAR)
    assert inverse_metres_per_unit(maps) == pytest.approx(1 / NEAR)


def test_a_thin_near_thing_that_is_no_stray_keeps_its_relief(tmp_path: Path) -> None:
    metres = np.repeat(np.kron(depth(), np.ones((10, 10), np.float32))[None], 3, 0)
    metres[:, 0, :8] = 1.5  # not even 0.1 % of the frame, but not wildly near
    np.save(tmp_path / "z.npy", metres)
    maps = open_disparity(tmp_path / "z.npy", clip_frame_count=3, reading=DEPTH)
    assert (maps.at(0)[0, 0, 3], maps.at(0)[0, 70, 60]) == (pytest.approx(1), pytest.approx(0.75))


def test_millimetres_of_a_depth_camera(tmp_path: Path) -> None:
    codes = (depth() * 1000).astype(np.uint16)
    codes[0, 0] = 0
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number:03}.png"), codes)
    maps = open_disparity(tmp_path, clip_frame_count=3, reading=DEPTH_MM)
    np.testing.assert_allclose(maps.at(1)[0], wanted(sky=False), rtol=1e-5)  # worst seen 2e-7
    assert maps.inverse_metres_per_unit == pytest.approx(1 / NEAR)


def test_floats_are_metres_and_integers_have_no_unit(tmp_path: Path) -> None:
    np.save(tmp_path / "float.npy", depth()[None])
    np.save(tmp_path / "mm.npy", depth()[None] * 1000)
    np.save(tmp_path / "integer.npy", depth()[None].astype(np.uint16))
    read = {
        name: open_disparity(tmp_path / f"{name}.npy", clip_frame_count=1, reading=reading).inverse_metres_per_unit
        for name, reading in (("float", DEPTH), ("mm", DEPTH_MM), ("integer", DEPTH))
    }
    assert read == {"float": pytest.approx(1 / NEAR), "mm": pytest.approx(1 / NEAR), "integer": None}


@pytest.mark.parametrize(("pixel_format", "scale"), [("gray16le", 1000), ("gray12le", 400), ("gray10le", 100)])
def test_grey_video_of_many_bits(tmp_path: Path, pixel_format: str, scale: int) -> None:
    path = tmp_path / "z.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", 24)
        stream.width, stream.height, stream.pix_fmt = SIZE[1], SIZE[0], pixel_format
        for _ in range(2):
            codes = (depth() * scale).astype(np.uint16)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(codes, format=pixel_format)))
        container.mux(stream.encode(None))
    maps = open_disparity(path, clip_frame_count=2, reading=DEPTH)
    np.testing.assert_allclose(maps.at(1)[0], wanted(sky=False), rtol=1e-5)
    assert maps.inverse_metres_per_unit is None
    if scale == 1000:
        in_mm = open_disparity(path, clip_frame_count=2, reading=DEPTH_MM)
        assert in_mm.inverse_metres_per_unit == pytest.approx(1 / NEAR)


def test_limited_range_holds_no_millimetres(tmp_path: Path) -> None:
    path = tmp_path / "z.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", 24)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((24, 16), 128, np.uint8), format="yuv420p")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match=r"limited range.*--disparity-kind depth"):
        open_disparity(path, clip_frame_count=1, reading=DEPTH_MM)


@pytest.mark.parametrize(("value", "what"), [(0, "no depth"), (np.nan, "no depth"), (-3, "only negative depth")])
def test_an_empty_map_is_named(tmp_path: Path, value: float, what: str) -> None:
    maps = np.stack([depth()] * 4)
    maps[2] = value
    np.save(tmp_path / "z.npy", maps)
    with pytest.raises(InputError, match=rf"disparity z\.npy frame 2 has {what}"):
        open_disparity(tmp_path / "z.npy", clip_frame_count=4, reading=DEPTH)


def test_nothing_but_sky_is_far_and_no_error(tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", np.full((2, *SIZE), np.inf, np.float32))
    assert max(float(disparity.max()) for disparity in opened(tmp_path / "z.npy", 2)) == 0


def test_depth_has_no_polarity() -> None:
    for kind in ("depth", "depth-mm"):
        with pytest.raises(InputError, match=f"polarity near-black and disparity kind {kind} contradict"):
            DisparityReading(kind=kind, polarity="near-black")  # pyright: ignore[reportArgumentType]


def test_an_exr_channel_called_depth_is_depth_and_that_is_told(tmp_path: Path) -> None:
    for number in (1001, 1002):
        write_parts(tmp_path / f"{number}.exr", Part(depth(sky=1e10)[..., None], ("Z",), kind="float"))
    told: list[str] = []
    maps = open_disparity(tmp_path, clip_frame_count=2, notice=told.append)
    np.testing.assert_allclose(maps.at(1)[0], wanted(sky=True), rtol=1e-6)
    assert len(told) == 1
    assert "is read as depth in metres" in told[0]
    assert "--disparity-kind" in told[0]


def test_windows_of_an_exr_are_honoured(tmp_path: Path) -> None:
    overscan, display = np.pad(depth(), 2, constant_values=5.0), (0, 0, 16, 12)
    write_parts(
        tmp_path / "0.exr", Part(overscan[..., None], ("Z",), at=(-2, -2), kind="float"), display=(0, 0, 16, 12)
    )
    np.testing.assert_allclose(opened(tmp_path / "0.exr", 1)[0][0], wanted(sky=False), rtol=1e-6)
    crop = depth()[4:10, 4:9]
    write_parts(tmp_path / "1.exr", Part(crop[..., None], ("Z",), at=(4, 4), kind="float"), display=display)
    cropped = opened(tmp_path / "1.exr", 1)[0][0]
    np.testing.assert_array_equal(cropped[4:10, 4:9], 1)  # what the file leaves out has nothing in it: it is far
    assert float(cropped.sum()) == 30
