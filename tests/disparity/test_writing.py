"""Disparity as files, which come back exactly."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.disparity import open_disparity
from any2bokeh.disparity.writing import PictureFormat, check_disparity_target, write_disparity
from any2bokeh.errors import InputError


class GridDisparity:
    """Random maps on a grid of 1/65535."""

    frame_count = 5

    def at(self, index: int) -> NDArray[np.float32]:
        codes = np.random.default_rng(index).integers(0, 65536, (1, 9, 14), dtype=np.uint16)
        codes[0, 0, :2] = 0, 65535
        return np.divide(codes, np.float32(65535), dtype=np.float32)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        return map(self.at, range(start, self.frame_count if stop is None else stop))


@pytest.mark.parametrize(("name", "kind"), [("maps", "png"), ("maps", "exr"), ("maps.npz", "png")])
def test_files_come_back_exactly(tmp_path: Path, name: str, kind: PictureFormat):
    told: list[tuple[int, int]] = []
    write_disparity(
        GridDisparity(), tmp_path / name, picture_format=kind, progress=lambda done, total: told.append((done, total))
    )
    back = open_disparity(tmp_path / name, clip_frame_count=5, frame_size=(140, 90))
    for made, given in zip(back.frames(), GridDisparity().frames(), strict=True):
        np.testing.assert_array_equal(made, given)
    np.testing.assert_array_equal(back.at(3), GridDisparity().at(3))
    assert told == [(done, 5) for done in range(1, 6)]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_failure_leaves_nothing(tmp_path: Path):
    class Failing(GridDisparity):
        def at(self, index: int) -> NDArray[np.float32]:
            if index == 3:
                raise InputError("no more")
            return super().at(index)

    for name in ("maps", "maps.npz"):
        with pytest.raises(InputError, match="no more"):
            write_disparity(Failing(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_other_pictures_in_the_folder_are_told(tmp_path: Path):
    folder = tmp_path / "maps"
    folder.mkdir()
    (folder / "00007.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"holds 00007\.png, which the 5 maps do not replace"):
        check_disparity_target(folder, tmp_path / "in.mp4", frame_count=5, overwrite=True)
    check_disparity_target(folder, tmp_path / "in.mp4", frame_count=8, overwrite=True)
    with pytest.raises(InputError, match="exists already"):
        check_disparity_target(folder, tmp_path / "in.mp4", frame_count=8)
    with pytest.raises(InputError, match=r"00007\.png"):
        check_disparity_target(folder, tmp_path / "in.mp4", picture_format="exr", frame_count=8, overwrite=True)


@pytest.mark.parametrize("name", ["maps.mp4", "maps.npy", "maps.zip"])
def test_other_kinds_of_file(tmp_path: Path, name: str):
    with pytest.raises(InputError, match=r"is not \.npz; or give a folder"):
        check_disparity_target(tmp_path / name, tmp_path / "in.mp4", frame_count=5)
