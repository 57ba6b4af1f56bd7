"""Maps of the blur that is there already."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.source_blur import RadiusMaps

HEIGHT, WIDTH = 8, 16
RADIUS = np.linspace(0, 6, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
DISPARITY = np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(1, HEIGHT, WIDTH)


def maps(path: Path, count: int = 2, size: tuple[int, int] = (WIDTH, HEIGHT)) -> RadiusMaps:
    return RadiusMaps(path, frame_size=size, clip_frame_count=count)


def write_array(folder: Path) -> Path:
    np.save(folder / "radii.npy", np.stack([RADIUS, -RADIUS]))
    return folder / "radii.npy"


def write_codes(folder: Path, dtype: type[np.unsignedinteger], per_px: int) -> Path:
    for index in range(2):
        cv2.imwrite(str(folder / f"{index}.png"), np.rint(RADIUS * per_px).astype(dtype))
    return folder


@pytest.mark.parametrize(
    ("kind", "step"), [("floats", 0.0), ("16 bits", 1 / 512), ("8 bits", 0.5)], ids=["floats", "16 bits", "8 bits"]
)
def test_every_kind_of_file_gives_the_same_radii(kind: str, step: float, tmp_path: Path):
    path = {
        "floats": lambda: write_array(tmp_path),
        "16 bits": lambda: write_codes(tmp_path, np.uint16, 256),
        "8 bits": lambda: write_codes(tmp_path, np.uint8, 1),
    }[kind]()
    for index in range(2):
        seen = maps(path).in_frame(index, DISPARITY).seen
        np.testing.assert_allclose(seen[0], RADIUS * (1024 / WIDTH), atol=(step + 1e-5) * 1024 / WIDTH)


def test_a_map_of_half_the_size_has_radii_of_the_whole_frame(tmp_path: Path):
    np.save(tmp_path / "radii.npy", np.full((1, HEIGHT // 2, WIDTH // 2), 3, np.float32))
    assert (maps(tmp_path / "radii.npy").in_frame(0, DISPARITY).seen == 3 * 1024 / WIDTH).all()


def test_one_map_is_that_of_all_frames(tmp_path: Path):
    cv2.imwrite(str(tmp_path / "radii.png"), np.full((HEIGHT, WIDTH), 512, np.uint16))
    assert (maps(tmp_path / "radii.png", 9).in_frame(8, DISPARITY).seen == 2 * 1024 / WIDTH).all()


def test_hidden_surfaces_have_the_radius_of_what_is_seen_at_their_disparity(tmp_path: Path):
    blur = maps(write_array(tmp_path)).in_frame(0, DISPARITY)
    # Radius and disparity rise together; within a 64th of disparity lies the mean.
    at = blur.at(np.array([0.25, 0.75], np.float32))
    np.testing.assert_allclose(at, [1.5 * 64, 4.5 * 64], atol=6)


@pytest.mark.parametrize("fault", ["missing", "count", "aspect", "not finite"])
def test_what_is_wrong_with_a_map_is_told_in_one_line(fault: str, tmp_path: Path):
    radii = np.stack([RADIUS, RADIUS])
    if fault == "not finite":
        radii[0, 0, 0] = np.nan
    np.save(tmp_path / "radii.npy", radii)
    path = tmp_path / ("none.npy" if fault == "missing" else "radii.npy")
    with pytest.raises(InputError, match="source blur") as refused:
        maps(path, 3 if fault == "count" else 2, (WIDTH, WIDTH) if fault == "aspect" else (WIDTH, HEIGHT)).in_frame(
            0, DISPARITY
        )
    assert "\n" not in str(refused.value)
