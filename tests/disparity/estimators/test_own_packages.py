"""Models with packages of their own. The packages are not at hand: a stand-in has the calls that we make of them."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from any2bokeh.disparity.estimators import MapMeaning, open_estimator
from any2bokeh.errors import InputError

Frames = list[NDArray[np.float32]]


class FakeVideoDepthAnything(torch.nn.Module):
    """Answers with the picture's red, on another scale and shift each time that it is called."""

    calls: list[dict[str, Any]]

    def __init__(self, encoder: str, features: int, out_channels: list[int]) -> None:
        super().__init__()
        self.pretrained = torch.nn.Module()
        self.pretrained.cls_token = torch.nn.Parameter(torch.zeros(1, 1, {"vits": 384, "vitl": 1024}[encoder]))
        type(self).calls = []

    def infer_video_depth(
        self,
        frames: NDArray[np.uint8],
        target_fps: float,
        input_size: int = 518,
        device: str = "cuda",
        fp32: bool = False,
    ) -> tuple[NDArray[np.float32], float]:
        assert frames.dtype == np.uint8
        self.calls.append({"frames": len(frames), "size": input_size, "device": device, "fp32": fp32})
        number = len(self.calls)
        return frames[..., 0].astype(np.float32) * number + 7 * number, target_fps


class FakeDepthAnything3:
    """Answers with the picture's red as depth, and sky above."""

    @classmethod
    def from_pretrained(cls, folder: str) -> "FakeDepthAnything3":
        assert (Path(folder) / "model.safetensors").is_file()
        return cls()

    def to(self, device: torch.device) -> "FakeDepthAnything3":
        return self

    def eval(self) -> "FakeDepthAnything3":
        return self

    def inference(self, image: list[NDArray[np.uint8]], process_res: int) -> SimpleNamespace:
        [picture] = image
        sky = np.zeros(picture.shape[:2], bool)
        sky[:4] = True
        return SimpleNamespace(depth=picture[None, ..., 0].astype(np.float32), sky=sky[None], is_metric=0)


def put_in_place(monkeypatch: pytest.MonkeyPatch, name: str, **content: Any) -> None:
    package, module = ModuleType(name.split(".")[0]), ModuleType(name)
    package.__path__ = []
    vars(module).update(content)
    monkeypatch.setitem(sys.modules, package.__name__, package)
    monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def video_folder(tmp_path: Path) -> Path:
    save_file({"pretrained.cls_token": torch.zeros(1, 1, 384)}, tmp_path / "video_depth_anything_vits.safetensors")
    return tmp_path


@pytest.fixture
def da3_folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text('{"model_name": "da3mono-large", "config": {}}')
    save_file({"x": torch.zeros(1)}, tmp_path / "model.safetensors")
    return tmp_path


@pytest.mark.parametrize("count", [1, 95, 96, 97, 176, 200])
def test_parts_of_a_long_clip_share_one_scale(video_folder: Path, monkeypatch: pytest.MonkeyPatch, count: int):
    put_in_place(monkeypatch, "video_depth_anything.video_depth", VideoDepthAnything=FakeVideoDepthAnything)
    rng = np.random.default_rng(0)
    clip = [(np.round(rng.random((3, 12, 16)) * 255) / 255).astype(np.float32) for _ in range(count)]
    estimator = open_estimator(str(video_folder))
    assert (estimator.meaning, estimator.scale_alignment) == (MapMeaning("disparity"), "none")
    maps = list(estimator.maps(iter(clip)))
    assert len(maps) == count
    for one, pixels in zip(maps, clip, strict=True):
        # the scale of the first part: once the red, and 7; float32, 2e-4 seen
        np.testing.assert_allclose(one[0], pixels[0] * 255 + 7, atol=2e-3)
    assert max(call["frames"] for call in FakeVideoDepthAnything.calls) <= 96
    assert all(call["fp32"] == (call["device"] == "cpu") for call in FakeVideoDepthAnything.calls)


def test_video_weights_for_metres_give_depth(tmp_path: Path):
    save_file({"x": torch.zeros(1)}, tmp_path / "metric_video_depth_anything_vits.safetensors")
    assert open_estimator(str(tmp_path)).meaning == MapMeaning("depth", is_metric=True)


def test_other_weights_in_a_video_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: Frames):
    put_in_place(monkeypatch, "video_depth_anything.video_depth", VideoDepthAnything=FakeVideoDepthAnything)
    save_file({"x": torch.zeros(1)}, tmp_path / "video_depth_anything_vits.safetensors")
    with pytest.raises(InputError, match="does not hold weights of Video Depth Anything"):
        list(open_estimator(str(tmp_path)).maps(frames))


def test_depth_anything_3_gives_depth_with_infinite_sky(
    da3_folder: Path, monkeypatch: pytest.MonkeyPatch, frames: Frames
):
    put_in_place(monkeypatch, "depth_anything_3.api", DepthAnything3=FakeDepthAnything3)
    estimator = open_estimator(str(da3_folder))
    assert estimator.meaning == MapMeaning("depth")
    maps = list(estimator.maps(frames))
    assert np.isinf(maps[0][0, :4]).all()
    np.testing.assert_allclose(maps[0][0, 4:], frames[0][0, 4:] * 255, atol=0.51)


@pytest.mark.parametrize("package", ["video_depth_anything", "depth_anything_3"])
def test_a_package_that_is_not_installed_is_named(request: pytest.FixtureRequest, package: str, frames: Frames):
    folder = request.getfixturevalue("video_folder" if package.startswith("video") else "da3_folder")
    with pytest.raises(InputError, match=f"needs the package {package}, which is not installed"):
        list(open_estimator(str(folder)).maps(frames))
