"""NumPy files, read a frame at a time."""

import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.disparity.grey_array import GreyArray
from any2bokeh.errors import InputError

MAPS = np.random.default_rng(0).random((5, 4, 6)).astype(np.float32)


def written(tmp_path: Path, how: str, maps: np.ndarray = MAPS) -> Path:
    path = tmp_path / f"d.{'npy' if how == 'npy' else 'npz'}"
    match how:
        case "npy":
            np.save(path, maps)
        case "stored":
            np.savez(path, maps)
        case "packed":
            np.savez_compressed(path, disparity=maps, fps=np.array(24))
    return path


HOW = pytest.mark.parametrize("how", ["npy", "stored", "packed"])


@HOW
@pytest.mark.parametrize("layout", ["(T, H, W)", "(T, 1, H, W)", "(T, H, W, 1)"])
def test_layouts(tmp_path: Path, how: str, layout: str) -> None:
    maps = {"(T, H, W)": MAPS, "(T, 1, H, W)": MAPS[:, None], "(T, H, W, 1)": MAPS[..., None]}[layout]
    array = GreyArray(written(tmp_path, how, maps), noun="disparity")
    assert array.frame_count == 5
    np.testing.assert_array_equal(np.stack(list(array.frames(0, 5))), MAPS)
    np.testing.assert_array_equal(np.stack(list(array.frames(2, 4))), MAPS[2:4])


@HOW
def test_single_frames_come_in_any_order(tmp_path: Path, how: str) -> None:
    array = GreyArray(written(tmp_path, how), noun="disparity")
    for index in (3, 3, 0, 4, 1):
        np.testing.assert_array_equal(array.at(index), MAPS[index])
    array.close()
    np.testing.assert_array_equal(array.at(2), MAPS[2])


def test_one_map_is_one_frame(tmp_path: Path) -> None:
    assert GreyArray(written(tmp_path, "npy", MAPS[0]), noun="disparity").frame_count == 1


@pytest.mark.parametrize("dtype", ["uint8", "uint16", ">u2"])
def test_integers_are_divided_by_their_full_scale(tmp_path: Path, dtype: str) -> None:
    full_scale = 255 if dtype == "uint8" else 65535
    codes = np.rint(MAPS * full_scale).astype(dtype)
    array = GreyArray(written(tmp_path, "npy", codes), noun="disparity")
    assert array.normalised
    np.testing.assert_array_equal(array.at(1), (codes[1] / full_scale).astype(np.float32))


@pytest.mark.parametrize("dtype", ["float16", "float64", ">f4"])
def test_floats_come_as_they_are(tmp_path: Path, dtype: str) -> None:
    values = (MAPS * 30 - 2).astype(dtype)
    array = GreyArray(written(tmp_path, "packed", values), noun="disparity")
    assert not array.normalised
    np.testing.assert_array_equal(array.at(1), values[1].astype(np.float32))


@HOW
def test_memory_is_flat_in_clip_length(tmp_path: Path, how: str) -> None:
    maps = np.zeros((64, 64, 64), np.float32)
    array = GreyArray(written(tmp_path, how, maps), noun="disparity")
    tracemalloc.start()
    for _ in array.frames(0, 64):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # the array has 1024 KiB, a frame 16; worst seen 96 (packed)
    assert peak < 192 * 1024


class Exploit:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("exploited"),))


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_pickled_objects_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    monkeypatch.chdir(tmp_path)
    objects = np.array([Exploit()], dtype=object)
    (np.save if suffix == "npy" else np.savez)(tmp_path / f"d.{suffix}", objects, allow_pickle=True)
    with pytest.raises(InputError, match="type object"):
        GreyArray(tmp_path / f"d.{suffix}", noun="disparity")
    assert not Path("exploited").exists()


@pytest.mark.parametrize(
    ("maps", "complaint"),
    [
        (np.zeros((2, 3, 4, 3), np.float32), r"shape \(2, 3, 4, 3\)"),
        (np.zeros(5, np.float32), r"shape \(5,\)"),
        (np.zeros((0, 4, 4), np.float32), "no frames"),
        (np.zeros((2, 4, 4), np.int32), "type int32"),
        (np.zeros((2, 4, 4), np.complex64), "type complex64"),
        (np.asfortranarray(MAPS), "Fortran"),
    ],
)
def test_what_is_not_a_stack_of_maps_is_refused(tmp_path: Path, maps: np.ndarray, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        GreyArray(written(tmp_path, "npy", maps), noun="disparity")


def test_several_arrays_need_a_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", near=MAPS, far=MAPS)
    with pytest.raises(InputError, match=r"near, far.*called disparity"):
        GreyArray(tmp_path / "d.npz", noun="disparity")


@HOW
@pytest.mark.parametrize("kept", [0, 0.1, 0.7])
def test_a_truncated_file_is_refused(tmp_path: Path, how: str, kept: float) -> None:
    path = written(tmp_path, how)
    encoded = path.read_bytes()
    path.write_bytes(encoded[: int(kept * len(encoded))])
    with pytest.raises(InputError, match=r"cannot read|ends early"):
        GreyArray(path, noun="disparity").at(4)


def test_damaged_packed_bytes_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "packed")
    encoded = bytearray(path.read_bytes())
    encoded[200:260] = bytes(60)
    path.write_bytes(encoded)
    with pytest.raises(InputError, match="cannot read"):
        list(GreyArray(path, noun="disparity").frames(0, 5))


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_another_kind_of_file_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"d.{suffix}").write_bytes(pickle.dumps([1, 2, 3]) * 50)
    with pytest.raises(InputError, match="cannot read"):
        GreyArray(tmp_path / f"d.{suffix}", noun="disparity")
