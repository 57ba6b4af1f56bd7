"""LPIPS against the same network built of torch's modules, with random weights."""

from collections import OrderedDict

import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.evaluation.metrics.lpips import Lpips
from tests.evaluation.pictures import picture

torch = pytest.importorskip("torch")

SHAPES = [(64, 3, 11), (192, 64, 5), (384, 192, 3), (256, 384, 3), (256, 256, 3)]
PLACES = [0, 3, 6, 8, 10]


@pytest.fixture(scope="module")
def state():
    generator = torch.Generator().manual_seed(0)
    found = {}
    for layer, (place, (out, into, size)) in enumerate(zip(PLACES, SHAPES, strict=True)):
        scale = (2 / (into * size * size)) ** 0.5
        found[f"net.slice{layer + 1}.{place}.weight"] = torch.randn(out, into, size, size, generator=generator) * scale
        found[f"net.slice{layer + 1}.{place}.bias"] = torch.randn(out, generator=generator) * 0.1
        found[f"lin{layer}.model.1.weight"] = torch.rand(1, out, 1, 1, generator=generator)
    return found


@pytest.fixture
def weights(state, tmp_path):
    from safetensors.torch import save_file

    save_file(state, tmp_path / "lpips.safetensors")
    return tmp_path / "lpips.safetensors"


def twin(state, one, other) -> float:
    """AlexNet as torchvision lays it out, compared after each of its rectifiers."""
    nn = torch.nn
    features = nn.Sequential(
        nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
    )  # fmt: skip
    for layer, place in enumerate(PLACES):
        features[place].weight.data = state[f"net.slice{layer + 1}.{place}.weight"]
        features[place].bias.data = state[f"net.slice{layer + 1}.{place}.bias"]
    found = [
        torch.tensor((p * 2 - 1 - [-0.030, -0.088, -0.188]) / [0.458, 0.448, 0.450]).float().permute(2, 0, 1)[None]
        for p in (one, other)
    ]
    total, layer = 0.0, 0
    with torch.no_grad():
        for module in features:
            found = [module(x) for x in found]
            if isinstance(module, nn.ReLU):
                a, b = (x / x.norm(dim=1, keepdim=True) for x in found)
                total += float(((a - b) ** 2 * state[f"lin{layer}.model.1.weight"]).sum(1).mean())
                layer += 1
    return total


def test_it_is_the_weighted_distance_of_activations(state, weights):
    one, other = picture(0, width=72, height=64), picture(1, width=72, height=64)
    assert (Lpips(weights).metric, Lpips(weights).name) == ("lpips_alex", "AlexNet")
    distance = Lpips(weights)(one, other)
    assert distance == pytest.approx(twin(state, one, other), rel=1e-4)
    assert distance > 0.01
    assert Lpips(weights)(one, one) == 0


def squeeze_twin():
    """SqueezeNet 1.1 as torchvision lays it out, cut into slices as ``lpips`` does; names of weights are theirs."""
    nn = torch.nn

    class Fire(nn.Module):
        def __init__(self, into, squeezed, expanded):
            super().__init__()
            self.squeeze = nn.Conv2d(into, squeezed, 1)
            self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
            self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

        def forward(self, x):
            x = self.squeeze(x).relu()
            return torch.cat([self.expand1x1(x).relu(), self.expand3x3(x).relu()], 1)

    def pool():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    layers = [
        nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool(), Fire(64, 16, 64), Fire(128, 16, 64), pool(), Fire(128, 32, 128),
        Fire(256, 32, 128), pool(), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256),
    ]  # fmt: skip
    net = nn.Module()
    for number, (first, last) in enumerate([(0, 2), (2, 5), (5, 8), (8, 10), (10, 11), (11, 12), (12, 13)], start=1):
        # By their place in the whole.
        part = nn.Sequential(OrderedDict((str(place), layers[place]) for place in range(first, last)))
        net.add_module(f"slice{number}", part)
    return net


def test_squeezenet_is_the_published_one(tmp_path):
    from safetensors.torch import save_file

    torch.manual_seed(0)
    net = squeeze_twin()
    heads = [torch.rand(1, channels, 1, 1) for channels in (64, 128, 256, 384, 384, 512, 512)]
    weights = {f"net.{name}": tensor for name, tensor in net.state_dict().items()}
    weights |= {f"lin{layer}.model.1.weight": head for layer, head in enumerate(heads)}
    save_file(weights, tmp_path / "squeeze.safetensors")
    network = Lpips(tmp_path / "squeeze.safetensors")
    assert (network.metric, network.name) == ("lpips", "SqueezeNet")

    one, other = picture(0, width=72, height=64), picture(1, width=72, height=64)
    found = [
        torch.tensor((p * 2 - 1 - [-0.030, -0.088, -0.188]) / [0.458, 0.448, 0.450]).float().permute(2, 0, 1)[None]
        for p in (one, other)
    ]
    expected = 0.0
    with torch.no_grad():
        for part, head in zip(net.children(), heads, strict=True):
            found = [part(x) for x in found]
            a, b = (x / x.norm(dim=1, keepdim=True).clamp(min=1e-10) for x in found)
            expected += float(((a - b) ** 2 * head).sum(1).mean())
    assert network(one, other) == pytest.approx(expected, rel=1e-4)
    assert network(one, one) == 0


def test_other_weights_are_refused(state, tmp_path):
    from safetensors.torch import save_file

    wrong = {**state, "lin2.model.1.weight": torch.zeros(1, 512, 1, 1)}
    save_file(wrong, tmp_path / "vgg.safetensors")
    with pytest.raises(InputError, match=r"lin2\.model\.1\.weight"):
        Lpips(tmp_path / "vgg.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(InputError, match="cannot be read"):
        Lpips(tmp_path / "text.safetensors")


def test_weights_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(InputError, match="nothing"):
        Lpips(tmp_path / "nothing.safetensors")


def test_identical_up_to_noise_is_closer_than_another_picture(weights):
    one = picture(0, width=72, height=64)
    noisy = (one + 0.02 * np.random.default_rng(0).standard_normal(one.shape)).astype(np.float32)
    network = Lpips(weights)
    assert network(noisy, one) < network(picture(1, width=72, height=64), one)
