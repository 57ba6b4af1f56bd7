"""Fréchet distance against the formula, and features of tiny networks."""

import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.evaluation.metrics.features import FeatureMeter, TransformersFeatures
from any2bokeh.evaluation.metrics.frechet import frechet_distance
from tests.evaluation.pictures import picture, truth_frame


def test_distance_is_that_of_the_formula():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(40, 5)) @ rng.normal(size=(5, 5)), rng.normal(1, 2, size=(30, 5))
    c1, c2 = np.cov(one.T), np.cov(other.T)
    root = np.sqrt(np.linalg.eigvals(c1 @ c2).real.clip(0)).sum()
    expected = ((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(c1) + np.trace(c2) - 2 * root
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-9)


def test_distance_of_a_shift_and_of_a_scale():
    rows = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    assert frechet_distance(rows, rows) == pytest.approx(0, abs=1e-12)
    assert frechet_distance(rows + np.array([3, 4]), rows) == pytest.approx(25)
    # Covariance 2/3 on the diagonal; three times as wide has nine times that: 2 (s - 3 s)^2 with s^2 = 2/3.
    assert frechet_distance(3 * rows, rows) == pytest.approx(2 * 4 * 2 / 3)


def test_fewer_clips_than_features_is_no_error():
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(3, 50)), rng.normal(size=(4, 50))
    c1, c2 = np.cov(one.T), np.cov(other.T)
    root = np.sqrt(np.linalg.eigvals(c1 @ c2).real.clip(0)).sum()
    expected = ((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(c1) + np.trace(c2) - 2 * root
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-5)


def test_one_clip_is_too_few():
    with pytest.raises(ValueError, match="N >= 2"):
        frechet_distance(np.zeros((1, 3)), np.zeros((2, 3)))


class _Means:
    """Features that can be checked by hand."""

    name, metric = "means", "frechet_video"

    def __init__(self, kind, window):
        self.kind, self.window = kind, window

    def __call__(self, frames):
        return np.array([np.mean(frames), len(frames)], np.float32)


def _collected(kind, window, frames=5):
    meter = FeatureMeter(_Means(kind, window))
    for t in range(frames):
        truth = np.full((4, 4, 3), t / 10, np.float32)
        meter.add(truth * 2, truth_frame(truth))
    return meter


def test_a_video_network_sees_whole_windows():
    meter = _collected("video", 2)
    np.testing.assert_allclose(meter.truth_rows, [[0.05, 2], [0.25, 2]], atol=1e-6)
    np.testing.assert_allclose(meter.rows, [[0.1, 2], [0.5, 2]], atol=1e-6)


def test_an_image_network_gives_one_row_a_clip():
    np.testing.assert_allclose(_collected("image", 1).truth_rows, [[0.2, 1]], atol=1e-6)


def test_features_are_the_mean_token_of_the_network(tmp_path):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    tiny = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    network = transformers.ViTModel(transformers.ViTConfig(image_size=32, patch_size=16, **tiny)).eval()
    network.save_pretrained(tmp_path / "vit")
    extractor = TransformersFeatures(tmp_path / "vit", kind="image")
    assert (extractor.name, extractor.metric, extractor.window) == ("vit", "frechet_image", 1)
    one = picture(0, width=32, height=32)
    pixels = (one - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    with torch.no_grad():
        seen = network(pixel_values=torch.tensor(pixels.transpose(2, 0, 1)[None], dtype=torch.float32))
    np.testing.assert_allclose(extractor([one]), seen.last_hidden_state[0].mean(0).numpy(), atol=1e-5)


@pytest.mark.parametrize("classifies", [True, False])
def test_features_of_a_videomae_go_through_its_last_norm(tmp_path, monkeypatch, classifies):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.VideoMAEConfig(
        image_size=32, patch_size=16, num_frames=4, tubelet_size=2, hidden_size=16, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=16, use_mean_pooling=True,
    )  # fmt: skip
    network = transformers.VideoMAEForVideoClassification(config).eval()
    torch.nn.init.normal_(network.fc_norm.weight)
    (network if classifies else network.videomae).save_pretrained(tmp_path / "mae")
    extractor = TransformersFeatures(tmp_path / "mae", kind="video")
    assert (extractor.metric, extractor.window) == ("frechet_video", 4)
    frames = [picture(seed, width=32, height=32) for seed in range(4)]
    pixels = (np.stack(frames) - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    with torch.no_grad():
        seen = network.videomae(torch.tensor(pixels.transpose(0, 3, 1, 2)[None], dtype=torch.float32))
        mean = seen.last_hidden_state[0].mean(0)
        expected = network.fc_norm(mean) if classifies else mean
    np.testing.assert_allclose(extractor(frames), expected.numpy(), atol=1e-5)
    # A network of the published size gives the published metric; here 16 wide with one layer stands for it.
    monkeypatch.setattr("any2bokeh.evaluation.metrics.features.VIDEOMAE_G", (16, 1))
    assert TransformersFeatures(tmp_path / "mae", kind="video").metric == "fvd"


def test_a_folder_without_a_network_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"config\.json"):
        TransformersFeatures(tmp_path, kind="video")
