"""Layers, parts and windows of EXR files, as renderers and compositors write them."""

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from any2bokeh.errors import InputError
from any2bokeh.video.exr import beauty_layer, exr_layers, named_layer, read_channels
from any2bokeh.video.image import write_exr
from tests.video.exr_files import Part, flat, write_parts

BLENDER = ("ViewLayer.AO.R", "ViewLayer.AO.G", "ViewLayer.AO.B", "ViewLayer.Combined.R", "ViewLayer.Combined.G")
BLENDER = (*BLENDER, "ViewLayer.Combined.B", "ViewLayer.Combined.A", "ViewLayer.Depth.Z")


def test_beauty_of_a_multilayer_file(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "a.exr", Part(flat(range(1, 9)), BLENDER))
    layers = exr_layers(path)
    assert [layer.name for layer in layers] == ["ViewLayer.AO", "ViewLayer.Combined", "ViewLayer.Depth"]
    beauty = beauty_layer(path, layers)
    assert read_channels(path, beauty, beauty.colour_channels).values[0, 0].tolist() == [4, 5, 6]
    assert beauty.alpha_channel == "ViewLayer.Combined.A"
    chosen = beauty_layer(path, layers, "ao")
    assert read_channels(path, chosen, chosen.colour_channels).values[0, 0].tolist() == [1, 2, 3]
    depth = named_layer(path, layers, "Depth")
    assert read_channels(path, depth, [str(depth.channel("Z"))]).values[0, 0].tolist() == [8]


def test_beauty_of_a_multipart_file(tmp_path: Path) -> None:
    parts = [Part(flat([9]), "Z", "depth", kind="float"), Part(flat([5, 6, 7]), "RGB", "diffuse")]
    path = write_parts(tmp_path / "a.exr", *parts, Part(flat([1, 2, 3, 0.5]), "RGBA", "rgba"))
    layers = exr_layers(path)
    assert [(layer.name, layer.part) for layer in layers] == [("depth", 0), ("diffuse", 1), ("rgba", 2)]
    beauty = beauty_layer(path, layers)
    found = read_channels(path, beauty, [*beauty.colour_channels, "A"])
    assert found.values[0, 0].tolist() == [1, 2, 3, 0.5]
    assert found.is_half
    assert not read_channels(path, layers[0], ["Z"]).is_half


@pytest.mark.parametrize(
    ("channels", "beauty"),
    [
        (["R", "G", "B", "spec.R", "spec.G", "spec.B"], ""),
        (["crypto.r", "crypto.g", "crypto.b", "VRay.beauty.red", "VRay.beauty.green", "VRay.beauty.blue"], "beauty"),
        (["coc.Y", "left.R", "left.G", "left.B"], "left"),
        (["Y", "Z"], ""),
    ],
)
def test_which_layer_is_the_picture(tmp_path: Path, channels: list[str], beauty: str) -> None:
    path = write_parts(tmp_path / "a.exr", Part(flat(range(len(channels))), channels))
    assert beauty_layer(path, exr_layers(path)).name.rpartition(".")[2] == beauty


def test_unclear_layers_are_listed(tmp_path: Path) -> None:
    names = [f"{layer}.Combined.{c}" for layer in ("Day", "Night") for c in "RGB"]
    path = write_parts(tmp_path / "a.exr", Part(flat(range(6)), names))
    layers = exr_layers(path)
    with pytest.raises(InputError, match=r"2 layers with colours; .*--layer: Day\.Combined, Night\.Combined"):
        beauty_layer(path, layers)
    assert beauty_layer(path, layers, "night.combined").name == "Night.Combined"
    with pytest.raises(InputError, match=r"has no layer called dusk; .* Day.Combined, Night.Combined"):
        beauty_layer(path, layers, "dusk")
    with pytest.raises(InputError, match="has 2 layers called combined"):
        beauty_layer(path, layers, "combined")


def test_depth_alone_is_no_picture(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "a.exr", Part(flat([3]), "Z"))
    with pytest.raises(InputError, match=r"holds no picture, only plain \(Z\)"):
        beauty_layer(path, exr_layers(path))


def test_data_window_is_laid_into_the_display_window(tmp_path: Path) -> None:
    samples = np.arange(8 * 6, dtype=np.float32).reshape(6, 8, 1)
    over = write_parts(tmp_path / "over.exr", Part(samples, "Y", at=(-2, -1)), display=(0, 0, 4, 3))
    layer = exr_layers(over)[0]
    found = read_channels(over, layer, ["Y"])
    assert np.array_equal(found.values, samples[1:4, 2:6])
    assert (found.has_overscan, found.is_cropped) == (True, False)
    # Autocrop, on a display window that does not begin at 0, and partly outside of it.
    crop = write_parts(tmp_path / "crop.exr", Part(samples, "Y", at=(14, 12)), display=(10, 10, 10, 6))
    found = read_channels(crop, layer, ["Y"], fill=np.inf)
    assert found.values.shape == (6, 10, 1)
    assert np.array_equal(found.values[2:, 4:], samples[:4, :6])
    assert np.isinf(found.values[:2]).all()
    assert np.isinf(found.values[:, :4]).all()
    assert (found.has_overscan, found.is_cropped) == (True, True)
    outside = write_parts(tmp_path / "outside.exr", Part(samples, "Y", at=(90, 90)), display=(0, 0, 5, 5))
    assert not read_channels(outside, layer, ["Y"]).values.any()


def test_values_come_as_they_are_stored(tmp_path: Path) -> None:
    samples = np.array([[[np.nan], [np.inf], [-np.inf], [-2.5], [1e10]]], np.float32)
    path = write_parts(tmp_path / "a.exr", Part(samples, "Z", kind="float"))
    found = read_channels(path, exr_layers(path)[0], ["Z"]).values
    assert np.array_equal(found, samples, equal_nan=True)


def test_what_is_no_exr(tmp_path: Path) -> None:
    (tmp_path / "a.exr").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"a\.exr cannot be read as EXR"):
        exr_layers(tmp_path / "a.exr")
    path = write_parts(tmp_path / "b.exr", Part(np.random.default_rng(0).random((64, 64, 1), np.float32), "Y"))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match=r"b\.exr (is damaged|cannot be read)"):
        read_channels(path, exr_layers(path)[0], ["Y"])


def test_the_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    """No time of day stands in the header, so that two runs can be compared; a stamp that is given is kept."""
    samples = np.random.default_rng(1).random((12, 16, 3), np.float32)
    for name in ("one", "other"):
        write_exr(tmp_path / f"{name}.exr", samples, header={"focus": 1.5})
    assert (tmp_path / "one.exr").read_bytes() == (tmp_path / "other.exr").read_bytes()
    assert [attribute(tmp_path / "one.exr", name) for name in ("DateTime", "focus")] == [None, 1.5]
    write_exr(tmp_path / "dated.exr", samples, header={"DateTime": "2020:02:20 20:20:20"})
    assert attribute(tmp_path / "dated.exr", "DateTime") == "2020:02:20 20:20:20"


def attribute(path: Path, name: str) -> object:
    """Of a file's header; None where it has none of that name."""
    file = oiio.ImageInput.open(str(path))
    assert file is not None
    return file.spec().getattribute(name)
