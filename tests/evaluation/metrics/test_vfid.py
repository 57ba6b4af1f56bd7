"""The networks of VFID, of the real classes at a small width: layout of weights, sizes, and against slow twins."""

import numpy as np
import pytest

from any2bokeh.errors import InputError
from tests.evaluation.pictures import picture

torch = pytest.importorskip("torch")

from any2bokeh.evaluation.metrics.networks.i3d import I3d  # noqa: E402
from any2bokeh.evaluation.metrics.networks.resnext3d import LAYERS_101, ResNeXt3d  # noqa: E402
from any2bokeh.evaluation.metrics.vfid import VfidFeatures  # noqa: E402


@pytest.fixture(scope="module")
def tiny():
    torch.manual_seed(0)
    found = {"i3d": I3d(8).eval(), "resnext": ResNeXt3d((1, 1, 1, 1), 16).eval()}
    for network in found.values():
        for part in network.modules():
            if isinstance(part, torch.nn.Conv3d):
                torch.nn.init.kaiming_normal_(part.weight)  # so that features are of the order of 1
    return found


def saved(tmp_path, network, **more):
    from safetensors.torch import save_file

    save_file(network.state_dict() | more, tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


def test_networks_have_the_size_that_their_authors_give():
    with torch.device("meta"):
        i3d, resnext = I3d(), ResNeXt3d()
    parameters = [sum(p.numel() for p in network.parameters()) for network in (i3d, resnext)]
    # With their classifiers: 12.70 M with 400 classes, 48.75 M with 600 (Kopuklu et al., ICCVW 2019, table 3).
    assert parameters[0] + 1024 * 400 + 400 == 12_697_264
    assert round((parameters[1] + 2048 * 600 + 600) / 1e6, 2) == 48.75


def test_names_of_weights_are_those_of_the_known_files():
    with torch.device("meta"):
        i3d, resnext = I3d().state_dict(), ResNeXt3d(LAYERS_101).state_dict()
    shapes = {
        "Conv3d_1a_7x7.conv3d.weight": (64, 3, 7, 7, 7),
        "Conv3d_2c_3x3.bn.running_var": (192,),
        "Mixed_3b.b1b.conv3d.weight": (128, 96, 3, 3, 3),
        "Mixed_5c.b3b.conv3d.weight": (128, 832, 1, 1, 1),
    }
    assert {name: tuple(i3d[name].shape) for name in shapes} == shapes
    shapes = {
        "conv1.weight": (64, 3, 7, 7, 7),
        "layer1.0.downsample.0.weight": (256, 64, 1, 1, 1),
        "layer1.0.conv2.weight": (128, 4, 3, 3, 3),
        "layer3.22.conv3.weight": (1024, 512, 1, 1, 1),
        "layer4.2.bn3.bias": (2048,),
    }
    assert {name: tuple(resnext[name].shape) for name in shapes} == shapes
    assert "layer3.23.conv1.weight" not in resnext


def test_padding_of_i3d_is_that_of_tensorflow():
    from any2bokeh.evaluation.metrics.networks.i3d import _padded

    # Even: 7 - 2 = 5 zeros, two before and three after; odd: 7 - 1 = 6. A window that fits has none.
    assert _padded(torch.ones(1, 1, 8, 9, 8), (7, 7, 7), (2, 2, 2)).shape[2:] == (13, 15, 13)
    assert float(_padded(torch.ones(1, 1, 1, 1, 8), (1, 1, 7), (1, 1, 2))[0, 0, 0, 0, 2]) == 1
    assert float(_padded(torch.ones(1, 1, 1, 1, 8), (1, 1, 7), (1, 1, 2))[0, 0, 0, 0, 1]) == 0
    assert _padded(torch.ones(1, 1, 8, 8, 8), (2, 2, 2), (2, 2, 2)).shape[2:] == (8, 8, 8)


@pytest.mark.parametrize(("network", "side", "width"), [("i3d", 224, 128), ("resnext", 112, 512)])
def test_features_are_those_of_the_network(tiny, tmp_path, monkeypatch, network, side, width):
    small = side // 7  # as many steps of the strides, less to compute
    monkeypatch.setitem(_sizes(), network, small)
    weights = saved(tmp_path, tiny[network], **{"logits.conv3d.bias": torch.zeros(4)} if network == "i3d" else {})
    extractor = VfidFeatures(network, weights)
    assert (extractor.metric, extractor.kind, extractor.window) == (f"vfid_{network}", "video", 16)
    frames = [picture(seed, width=small, height=small) for seed in range(4)]
    clip = np.stack(frames).transpose(3, 0, 1, 2)[None]
    mean = np.array([114.7748, 107.7354, 99.4750]).reshape(1, 3, 1, 1, 1)
    values = clip * 2 - 1 if network == "i3d" else clip * 255 - mean
    with torch.no_grad():
        expected = tiny[network](torch.tensor(values, dtype=torch.float32))[0].numpy()
    found = extractor(frames)
    assert found.shape == (width,)
    assert np.abs(expected).max() > 0.1
    # Worst seen 2e-6 of the largest: the same network, fed twice.
    np.testing.assert_allclose(found, expected, atol=1e-4 * float(np.abs(expected).max()))
    assert np.abs(extractor(frames[::-1]) - found).max() > 1e-3 * np.abs(expected).max()  # time has a direction


def _sizes():
    from any2bokeh.evaluation.metrics import vfid

    return vfid._SIZES_PX


def test_weights_of_data_parallel_training_load(tiny, tmp_path):
    from safetensors.torch import save_file

    state = {f"module.{name}": tensor for name, tensor in tiny["resnext"].state_dict().items()}
    save_file(state | {"module.fc.weight": torch.zeros(4, 512)}, tmp_path / "parallel.safetensors")
    assert VfidFeatures("resnext", tmp_path / "parallel.safetensors").name == "3D ResNeXt-101"


def test_other_weights_are_refused(tiny, tmp_path):
    with pytest.raises(InputError, match=r"is not 3D ResNeXt-101 .*--resnext"):
        VfidFeatures("resnext", saved(tmp_path, tiny["i3d"]))
    with pytest.raises(InputError, match=r"it has stranger; check --i3d"):
        VfidFeatures("i3d", saved(tmp_path, tiny["i3d"], stranger=torch.zeros(1)))
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(InputError, match="cannot be read"):
        VfidFeatures("i3d", tmp_path / "text.safetensors")
