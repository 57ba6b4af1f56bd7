"""Folders of grey pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.disparity.grey_folder import GreyFolder
from any2bokeh.errors import InputError

RAMP = np.linspace(0, 1, 24).reshape(4, 6)


def folder_of(tmp_path: Path, pictures: dict[str, np.ndarray]) -> Path:
    for name, picture in pictures.items():
        assert cv2.imwrite(str(tmp_path / name), picture)
    return tmp_path


def write_exr(path: Path, values: np.ndarray, *, pixel_type: str = "float") -> None:
    import OpenImageIO as oiio

    values = values if values.ndim == 3 else values[..., None]
    spec = oiio.ImageSpec(values.shape[1], values.shape[0], values.shape[2], pixel_type)
    output = oiio.ImageOutput.create(str(path))
    assert output is not None
    assert output.open(str(path), spec)
    assert output.write_image(values.astype(np.float32))
    output.close()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_is_divided_by_its_full_scale(tmp_path: Path, dtype: type) -> None:
    codes = np.rint(RAMP * np.iinfo(dtype).max).astype(dtype)
    grey = GreyFolder(folder_of(tmp_path, {"0.png": codes}), noun="disparity").at(0)
    assert grey.dtype == np.float32
    assert grey.max() == 1.0
    np.testing.assert_array_equal(grey, (codes / np.iinfo(dtype).max).astype(np.float32))


def test_exr_values_come_as_they_are(tmp_path: Path) -> None:
    values = (RAMP * 7 - 1).astype(np.float32)
    write_exr(tmp_path / "0.exr", values)
    folder = GreyFolder(tmp_path, noun="disparity")
    assert not folder.normalised
    np.testing.assert_array_equal(folder.at(0), values)


def test_half_float_exr_with_equal_channels_is_grey(tmp_path: Path) -> None:
    values = RAMP.astype(np.float16).astype(np.float32)
    write_exr(tmp_path / "0.exr", np.stack([values] * 3, axis=2), pixel_type="half")
    np.testing.assert_array_equal(GreyFolder(tmp_path, noun="disparity").at(0), values)


def test_frames_come_in_natural_order(tmp_path: Path) -> None:
    path = folder_of(tmp_path, {f"d{i}.png": np.full((2, 3), i, np.uint8) for i in (10, 9, 1, 100)})
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("not a picture")
    codes = [round(float(g[0, 0]) * 255) for g in GreyFolder(path, noun="disparity").frames(0, 4)]
    assert codes == [1, 9, 10, 100]


def test_grey_in_three_or_four_channels_is_grey(tmp_path: Path) -> None:
    codes = np.rint(RAMP * 255).astype(np.uint8)
    bgr = np.stack([codes] * 3, axis=2)
    bgra = np.concatenate([bgr, np.full_like(codes, 9)[..., None]], axis=2)
    folder = GreyFolder(folder_of(tmp_path, {"0.png": bgr, "1.png": bgra}), noun="disparity")
    for index in (0, 1):
        np.testing.assert_array_equal(folder.at(index), (codes / 255).astype(np.float32))


def test_colour_jpeg_of_a_grey_picture_is_grey(tmp_path: Path) -> None:
    codes = np.rint(np.linspace(0, 255, 64 * 48).reshape(48, 64)).astype(np.uint8)
    grey = GreyFolder(folder_of(tmp_path, {"0.jpg": np.stack([codes] * 3, axis=2)}), noun="disparity").at(0)
    # quality 95: worst seen 1 code
    assert np.abs(grey * 255 - codes).max() < 1.5


@pytest.mark.parametrize("name", ["0.png", "0.jpg"])
def test_a_colour_map_is_refused(tmp_path: Path, name: str) -> None:
    codes = np.rint(np.linspace(0, 255, 64 * 48).reshape(48, 64)).astype(np.uint8)
    path = folder_of(tmp_path, {name: cv2.applyColorMap(codes, cv2.COLORMAP_INFERNO)})
    with pytest.raises(InputError, match=rf"disparity {name} is a colour picture .* export grey disparity"):
        GreyFolder(path, noun="disparity").at(0)


def test_a_coloured_label_mask_takes_its_brightest_channel(tmp_path: Path) -> None:
    label = np.zeros((4, 6, 3), np.uint8)
    label[:, 3:, 2] = 128
    grey = GreyFolder(folder_of(tmp_path, {"0.png": label}), noun="mask", colour="brightest").at(0)
    np.testing.assert_array_equal(grey[0], np.array([0, 0, 0, 128, 128, 128], np.float32) / np.float32(255))


def test_one_picture_is_one_frame(tmp_path: Path) -> None:
    folder_of(tmp_path, {"still.png": np.full((2, 3), 51, np.uint8)})
    still = GreyFolder(tmp_path / "still.png", noun="disparity")
    assert still.frame_count == 1
    assert still.at(0)[0, 0] == np.float32(0.2)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no \.png.* files"):
        GreyFolder(tmp_path, noun="disparity")


def test_mixed_kinds_are_refused(tmp_path: Path) -> None:
    path = folder_of(tmp_path, {"0.png": np.zeros((2, 3), np.uint8), "1.jpg": np.zeros((2, 3), np.uint8)})
    with pytest.raises(InputError, match="mixes jpg and png"):
        GreyFolder(path, noun="disparity")


def test_another_size_is_refused_and_named(tmp_path: Path) -> None:
    path = folder_of(tmp_path, {"0.png": np.zeros((2, 3), np.uint8), "1.png": np.zeros((2, 4), np.uint8)})
    with pytest.raises(InputError, match=r"disparity 1\.png is 4x2 but 0\.png is 3x2"):
        GreyFolder(path, noun="disparity").at(1)


@pytest.mark.parametrize("kept", [0, 20, 0.6])
def test_a_truncated_png_is_refused(tmp_path: Path, kept: float) -> None:
    path = folder_of(tmp_path, {"0.png": np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)})
    encoded = (path / "0.png").read_bytes()
    (path / "0.png").write_bytes(encoded[: kept if isinstance(kept, int) else int(kept * len(encoded))])
    with pytest.raises(InputError, match=r"cannot read .*0\.png"):
        GreyFolder(path, noun="disparity").at(0)


def test_a_truncated_jpeg_is_refused(tmp_path: Path) -> None:
    path = folder_of(tmp_path, {"0.jpg": np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)})
    encoded = (path / "0.jpg").read_bytes()
    (path / "0.jpg").write_bytes(encoded[: len(encoded) // 2])
    with pytest.raises(InputError, match=r"cannot read .*0\.jpg"):
        GreyFolder(path, noun="disparity").at(0)


def test_a_truncated_exr_is_refused(tmp_path: Path) -> None:
    write_exr(tmp_path / "0.exr", np.random.default_rng(0).random((64, 64)))
    encoded = (tmp_path / "0.exr").read_bytes()
    (tmp_path / "0.exr").write_bytes(encoded[: len(encoded) // 2])
    with pytest.raises(InputError, match=r"0\.exr (is damaged|cannot be read)"):
        GreyFolder(tmp_path, noun="disparity").at(0)
