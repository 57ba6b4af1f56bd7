"""Depth models of the transformers library: the real classes, tiny, without network and torchvision."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from numpy.typing import NDArray

from any2bokeh.disparity.estimators import MapMeaning, open_estimator
from any2bokeh.disparity.estimators.transformers_model import TransformersEstimator
from any2bokeh.errors import InputError
from tests.disparity.estimators.models import write_model

Frames = list[NDArray[np.float32]]
MEANINGS = {
    "depth_anything": MapMeaning("disparity"),
    "dpt": MapMeaning("disparity"),
    "zoedepth": MapMeaning("depth", is_metric=True),
    "depth_pro": MapMeaning("disparity", is_metric=True),
}


@pytest.mark.parametrize("kind", MEANINGS)
def test_every_kind_makes_a_map_for_each_frame(tmp_path: Path, frames: Frames, kind: str):
    estimator = open_estimator(str(write_model(tmp_path / kind, kind)))
    maps = list(estimator.maps(iter(frames)))
    assert estimator.meaning == MEANINGS[kind]
    assert len(maps) == len(frames)
    for one in maps:
        assert one.dtype == np.float32
        assert np.isfinite(one).all()
        assert np.ptp(one) > 0
        # 1.5% is what sides that are multiples of the patch may be off.
        assert one.shape[2] / one.shape[1] == pytest.approx(64 / 48, rel=0.015)
    assert not np.array_equal(maps[0], maps[2])


def test_what_is_fed_is_what_the_library_computes(model_folder: Path, frames: Frames):
    estimator = TransformersEstimator(model_folder, "tiny")
    network = transformers.DepthAnythingForDepthEstimation.from_pretrained(model_folder).eval()
    fed = torch.from_numpy(estimator.preprocessing(frames[1]))[None]
    with torch.inference_mode():
        expected = network(pixel_values=fed).predicted_depth.numpy()
    [made] = estimator.maps(frames[1:2])
    np.testing.assert_array_equal(made, expected)


def test_depth_anything_trained_for_metres_says_so(tmp_path: Path):
    folder = write_model(tmp_path / "metric", depth_estimation_type="metric", max_depth=20)
    assert TransformersEstimator(folder, "metric").meaning == MapMeaning("depth", is_metric=True)


def test_depth_pro_scales_inverse_depth_with_the_field_of_view(tmp_path: Path, frames: Frames):
    estimator = TransformersEstimator(write_model(tmp_path / "pro", "depth_pro"), "pro")
    network = transformers.DepthProForDepthEstimation.from_pretrained(estimator.folder).eval()
    square = frames[0][:, :, :48]  # as the model's own pictures are, so that the map is not resampled
    with torch.inference_mode():
        outputs = network(pixel_values=torch.from_numpy(estimator.preprocessing(square))[None])
    [made] = estimator.maps([square])
    width_over_focal = 2 * np.tan(np.deg2rad(float(outputs.field_of_view)) / 2)
    np.testing.assert_allclose(made, outputs.predicted_depth.numpy() * width_over_focal, rtol=1e-5)


def test_a_float16_folder_runs_in_float32(tmp_path: Path, model_folder: Path, frames: Frames):
    transformers.DepthAnythingForDepthEstimation.from_pretrained(model_folder).half().save_pretrained(tmp_path / "half")
    [made] = TransformersEstimator(tmp_path / "half", "half").maps(frames[:1])
    [expected] = TransformersEstimator(model_folder, "whole").maps(frames[:1])
    # 11 bits of mantissa in every weight; the preprocessor's file is missing, so sizes differ
    assert np.isfinite(made).all()
    assert made.shape != expected.shape


def test_settings_change_with_the_weights(tmp_path: Path):
    first = TransformersEstimator(write_model(tmp_path / "a", seed=0), "a").settings
    second = TransformersEstimator(write_model(tmp_path / "b", seed=1), "b").settings
    assert first != second
    assert json.dumps(dict(first))


def test_another_kind_of_model_is_named(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match=r"no depth model that is known here \(it is BertModel\); give one"):
        open_estimator(str(tmp_path))


def test_a_segmenter_of_a_known_kind_is_no_depth_model(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "dpt", "architectures": ["DPTForSemanticSegmentation"]}')
    with pytest.raises(InputError, match="DPTForSemanticSegmentation"):
        open_estimator(str(tmp_path))


def test_a_folder_without_a_model(tmp_path: Path):
    with pytest.raises(InputError, match=r"has no readable config\.json"):
        open_estimator(str(tmp_path))


def test_a_config_that_is_not_json(tmp_path: Path):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"config\.json is not JSON"):
        open_estimator(str(tmp_path))


def test_pickles_are_refused(tmp_path: Path, model_folder: Path):
    (tmp_path / "config.json").write_text((model_folder / "config.json").read_text())
    (tmp_path / "pytorch_model.bin").write_bytes(b"cos\nsystem\n")
    with pytest.raises(InputError, match=r"only as pytorch_model\.bin, a pickle"):
        open_estimator(str(tmp_path))


def test_truncated_weights(tmp_path: Path, frames: Frames):
    folder = write_model(tmp_path / "m")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"truncated or damaged|does not load"):
        list(open_estimator(str(folder)).maps(frames))


def test_missing_weights_are_named(tmp_path: Path, frames: Frames):
    from safetensors.torch import load_file, save_file

    folder = write_model(tmp_path / "m")
    state = load_file(folder / "model.safetensors")
    del state["head.conv1.weight"]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"lacks 1 weights of DepthAnythingForDepthEstimation, such as head\.conv1"):
        list(open_estimator(str(folder)).maps(frames))


def test_weights_that_nothing_reads_may_be_missing(tmp_path: Path, frames: Frames):
    from safetensors.torch import load_file, save_file

    folder = write_model(tmp_path / "m")
    [whole] = open_estimator(str(folder)).maps(frames[:1])
    state = load_file(folder / "model.safetensors")
    unread = [key for key in state if "fusion_stage.layers.0.residual_layer1" in key]
    assert unread
    kept = {key: value for key, value in state.items() if key not in unread}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    [made] = open_estimator(str(folder)).maps(frames[:1])
    np.testing.assert_array_equal(made, whole)


def test_code_in_the_folder_is_not_run(tmp_path: Path, frames: Frames):
    folder = write_model(tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForDepthEstimation": "evil.Evil"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Evil: pass\n")
    list(open_estimator(str(folder)).maps(frames[:1]))
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_it_runs_without_torchvision_and_pillow(model_folder: Path):
    code = f"""
import sys
sys.modules["torchvision"] = None
import numpy as np
from any2bokeh.disparity.estimators import open_estimator
[made] = open_estimator({str(model_folder)!r}).maps([np.full((3, 48, 64), 0.5, np.float32)])
print(made.shape, "torchvision" in [name for name, module in sys.modules.items() if module is not None])
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "(1, 42, 56) False"
