"""From file to file: what has more than 8 bits comes out of the GPU as it comes out of the CPU."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from any2bokeh.cli.main import app
from any2bokeh.renderers.layered.gpu import self_test
from any2bokeh.renderers.layered.gpu.device import Device
from any2bokeh.video import open_source
from tests.test_precision import _read, _write
from tests.video.native_clips import planes_of, write_clip

SIZE, FRAMES = (64, 48), 2
TAGS = {"hlg": (9, 18, 9, 1), "pq": (9, 16, 9, 1)}


@pytest.fixture
def tested(device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Device:
    """An adapter that has passed its self-test, of which another test tells."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for need in self_test.EVERYTHING:
        for cuts in (False, True):
            key = self_test._key(device.name, self_test.Need(cuts, need.codes_16))
            self_test._remember(tmp_path / "cache" / "any2bokeh" / "gpu" / f"{key}.json", device.name, "")
    return device


def maps(tmp_path: Path) -> Path:
    """Disparity of a half that is in focus at 0.8, and of one that rises behind it."""
    path = tmp_path / "disparity.npy"
    disparity = np.full((FRAMES, 1, SIZE[1], SIZE[0]), 0.8, np.float32)
    disparity[..., SIZE[0] // 2 :] = np.linspace(0.1, 0.6, SIZE[0] // 2)
    np.save(path, disparity)
    return path


def refocused(tmp_path: Path, clip: Path, output: str, device: str) -> Path:
    target = tmp_path / f"{device}-{output}"
    arguments = ["refocus", clip, "--disparity", maps(tmp_path), "--focus", "0.8", "--blur", "120", "--device", device]
    arguments += ["--codec", "ffv1"] if output.endswith("mkv") else []
    result = CliRunner().invoke(app, [*map(str, arguments), "-o", str(target)])
    assert result.exit_code == 0, result.output
    assert ("the layered engine runs on" in " ".join(result.output.split())) == (device == "gpu")
    return target


@pytest.mark.parametrize("transfer", TAGS)
def test_a_clip_of_10_bits(tested: Device, tmp_path: Path, transfer: str):
    clip = write_clip(
        tmp_path / "in.mkv", encoder="ffv1", pixel_format="yuv420p10le", size=SIZE, frames=FRAMES, tags=TAGS[transfer]
    )
    found, right = (refocused(tmp_path, clip, "out.mkv", device) for device in ("gpu", "cpu"))
    with open_source(found) as source:
        assert (source.info.bit_depth, source.info.transfer) == (10, transfer)
    apart = []
    for on_gpu, on_cpu, given in zip(planes_of(found), planes_of(right), planes_of(clip), strict=True):
        for plane, other, own in zip(on_gpu, on_cpu, given, strict=True):
            apart.append(np.abs(plane.astype(int) - other.astype(int)))
            sharp = plane.shape[1] // 2 - 4  # up to where light from beyond the edge falls
            np.testing.assert_array_equal(plane[:, :sharp], own[:, :sharp])
            assert (plane != own).any()
    codes = np.concatenate([each.ravel() for each in apart])
    # Of 1023. Worst seen: one code, in 0.1 % of samples, PQ.
    assert codes.max() <= 1
    assert codes.mean() < 0.01


def test_pictures_of_half_floats(tested: Device, tmp_path: Path):
    """Light from far below black's last bit to 55 times white."""
    (tmp_path / "in").mkdir()
    pictures = np.exp(np.random.default_rng(2).uniform(-8, 4, (FRAMES, SIZE[1], SIZE[0], 3))).astype(np.float16)
    for index, picture in enumerate(pictures):
        _write(tmp_path / "in" / f"{index}.exr", picture, "half")
    found, right = (refocused(tmp_path, tmp_path / "in", "out", device) for device in ("gpu", "cpu"))
    for index, picture in enumerate(pictures):
        on_gpu, on_cpu = (read_floats(folder / f"{index}.exr") for folder in (found, right))
        sharp = SIZE[0] // 2 - 4
        np.testing.assert_array_equal(on_gpu[:, :sharp], picture[:, :sharp])
        assert on_cpu.max() > 4, "brighter than white"
        # Two neighbouring half floats are up to 0.001 of their value apart.
        np.testing.assert_allclose(on_gpu, on_cpu, rtol=2e-3, atol=1e-4)


def read_floats(path: Path) -> NDArray[np.float32]:
    return _read(path).astype(np.float32)
