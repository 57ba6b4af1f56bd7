"""Noise before the rounding to 8 bits: no bands in smooth blur, and nothing changed that was not blurred."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.video import Encoding, open_sink, open_source
from any2bokeh.video.codes import normalised, quantised
from any2bokeh.video.dither import SIDE_PX, blue_noise, dithered_codes, noise_rows
from tests.video.native_clips import planes_of, write_clip

HEIGHT, WIDTH = 96, 160


def sky() -> NDArray[np.float32]:
    """A blurred sky, ``(3, H, W)``, as steep as one of fifteen codes from the top to the bottom of 576 rows."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    grey = (100 + 2.5 * rows / HEIGHT + 0.5 * columns / WIDTH) / 255
    return np.stack([grey, 1.1 * grey, 1.5 * grey]).astype(np.float32)


def banding(codes: NDArray[np.generic], truth: NDArray[np.floating]) -> float:
    """Largest error in codes that is coarse enough to be seen as a band."""
    smooth = cv2.GaussianBlur(codes.astype(np.float64) - truth, (0, 0), 3, borderType=cv2.BORDER_REFLECT)
    return float(np.abs(smooth[10:-10, 10:-10]).max())


def test_the_noise_has_every_level_once_and_no_coarse_grain():
    noise = blue_noise()
    assert len(np.unique(noise)) == SIDE_PX**2
    power = np.abs(np.fft.fft2(noise - noise.mean())) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE_PX), np.fft.fftfreq(SIDE_PX)))
    coarse = (frequency > 0) & (frequency < 0.1)
    assert power[coarse].mean() < 0.01 * power[frequency > 0].mean()  # seen 0.0001; white noise has 1


def test_neighbouring_frames_and_planes_have_unlike_noise():
    planes = [*noise_rows(7, SIDE_PX), *noise_rows(8, SIDE_PX)]
    alike = np.corrcoef(np.stack(planes).reshape(6, -1)) - np.eye(6)
    assert np.abs(alike).max() < 0.1
    np.testing.assert_array_equal(noise_rows(7, 100)[:, :, :SIDE_PX], noise_rows(7, SIDE_PX))


def test_a_smooth_sky_shows_no_bands():
    values = sky()
    codes = dithered_codes(values, np.ones((HEIGHT, WIDTH), bool), index=3)
    for plane, value in zip(codes, values, strict=True):
        # Seen 0.26 to 0.32 codes rounded, 0.05 at most dithered.
        assert banding(quantised(value, 8), value * 255) > 0.2
        assert banding(plane, value * 255) < 0.08


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "bgr0", "gray", "folder"])
def test_what_is_blurred_is_dithered_and_the_rest_is_as_it_was(tmp_path: Path, pixel_format: str):
    """In every kind of 8-bit result; a part of the clip has the noise of the whole."""
    to_folder = pixel_format == "folder"
    clip = write_clip(
        tmp_path / "in.mkv", encoder="ffv1", pixel_format="bgr0" if to_folder else pixel_format, noise=True,
        frames=3, size=(WIDTH, HEIGHT),
    )  # fmt: skip

    def written(name: str, start: int) -> list[list[NDArray]]:
        path = tmp_path / (name if to_folder else f"{name}.mkv")
        encoding = None if to_folder else Encoding("ffv1")
        with open_source(clip) as source, open_sink(path, source, encoding=encoding, start=start, stop=3) as sink:
            for frame in source.frames(start, 3):
                pixels = frame.pixels.copy()
                pixels[:, :, WIDTH // 2 :] = sky()[:, :, WIDTH // 2 :]
                sink.write(frame, pixels)
        return codes_of(path)

    def codes_of(path: Path) -> list[list[NDArray]]:
        if pixel_format not in ("bgr0", "folder"):
            return planes_of(path)
        with open_source(path) as source:
            return [list(np.rint(frame.pixels * 255)) for frame in source.frames()]

    whole, part, before = written("whole", 0), written("part", 2), codes_of(clip)
    for plane, again, old in zip(whole[2], part[0], before[2], strict=True):
        np.testing.assert_array_equal(plane, again)
        half = plane.shape[1] // 2
        np.testing.assert_array_equal(plane[:, :half], old[:, :half])
    first, second = whole[0][0][:, WIDTH // 2 :], whole[1][0][:, WIDTH // 2 :]
    assert (first != second).any()
    rows, columns = np.mgrid[0 : first.shape[0], 0 : first.shape[1]]
    slope = np.stack([rows.ravel(), columns.ravel(), np.ones(first.size)], axis=1)
    ramp = (slope @ np.linalg.lstsq(slope, first.astype(np.float64).ravel(), rcond=None)[0]).reshape(first.shape)
    assert banding(first, ramp) < 0.1  # seen 0.03; 0.3 without noise


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (65, 1), (1, 65)])
def test_no_picture_is_too_small(size: tuple[int, int]):
    values = np.full((3, *size), 0.5, np.float32)
    for dithered in dithered_codes(values, np.ones(size, bool), 0):
        assert dithered.shape == size
        assert np.isin(dithered, (127, 128)).all()
    for bits in (8, 10, 16):
        codes = quantised(values[0], bits)
        assert (codes.shape, codes.dtype) == (size, np.uint8 if bits == 8 else np.uint16)
        back = np.full(size, np.nan, np.float32)
        normalised(codes, bits, back)
        np.testing.assert_allclose(back, 0.5, rtol=0, atol=0.5 / ((1 << bits) - 1) + 1e-7)


def test_sixteen_bits_and_untouched_frames_are_rounded_to_the_nearest(tmp_path: Path):
    clip = write_clip(tmp_path / "in.mkv", encoder="ffv1", pixel_format="yuv420p10le", noise=True, frames=1)
    with open_source(clip) as source, open_sink(tmp_path / "out.mkv", source, encoding=Encoding("ffv1")) as sink:
        for frame in source.frames():
            sink.write(frame, np.full_like(frame.pixels, 0.5003))
    assert all(np.unique(plane).size == 1 for plane in planes_of(tmp_path / "out.mkv")[0])
    with (
        open_source(clip) as source,
        open_sink(tmp_path / "8.mkv", source, encoding=Encoding("ffv1", pixel_format="yuv420p")) as sink,
        open_sink(tmp_path / "same.mkv", source, encoding=Encoding("ffv1", pixel_format="yuv420p")) as other,
    ):
        for frame in source.frames():
            sink.write(frame, frame.pixels)
            other.write(frame, frame.pixels.copy())  # nothing blurred, in another array
    for first, second in zip(planes_of(tmp_path / "8.mkv")[0], planes_of(tmp_path / "same.mkv")[0], strict=True):
        np.testing.assert_array_equal(first, second)
