"""Which channel of a multilayer EXR is the map."""

from pathlib import Path

import pytest

from any2bokeh.disparity.grey_exr import map_channels
from any2bokeh.errors import InputError
from tests.video.exr_files import Part, flat, write_parts


def exr(path: Path, *channels: str) -> Path:
    return write_parts(
        path / "0.exr", Part(flat([place / 8 for place in range(len(channels))]), channels, kind="float")
    )


BEAUTY = ("ViewLayer.Combined.R", "ViewLayer.Combined.G", "ViewLayer.Combined.B", "ViewLayer.Combined.A")


@pytest.mark.parametrize(
    ("channels", "found"),
    [
        ((*BEAUTY, "ViewLayer.Depth.Z"), "ViewLayer.Depth.Z"),  # Blender to 4
        ((*BEAUTY, "ViewLayer.Depth.V"), "ViewLayer.Depth.V"),  # Blender 5
        (("R", "G", "B", "A", "Z"), "Z"),  # Arnold, Houdini
        (("R", "G", "B", "depth.Z"), "depth.Z"),  # Nuke
        (("R", "G", "B", "ZDepth"), "ZDepth"),
        (("R", "G", "B", "N.X", "N.Y", "N.Z", "Mist.Z", "Depth.Z"), "Depth.Z"),  # neither normal nor mist
    ],
)
def test_depth_is_found_by_its_name(tmp_path: Path, channels: tuple[str, ...], found: str) -> None:
    for content in ("depth", "disparity or depth"):
        chosen = map_channels(exr(tmp_path, *channels), content)
        assert (chosen.names, chosen.is_depth) == ((found,), True)
    assert chosen.read(tmp_path / "0.exr", chosen.names, fill=0)[0, 0, 0] == channels.index(found) / 8


def test_disparity_comes_before_depth(tmp_path: Path) -> None:
    chosen = map_channels(exr(tmp_path, "R", "G", "B", "Z", "disparity.Y"), "disparity or depth")
    assert (chosen.names, chosen.is_depth) == (("disparity.Y",), False)


@pytest.mark.parametrize("name", ["Y", "V", "anything.else"])
def test_an_only_channel_is_the_map(tmp_path: Path, name: str) -> None:
    chosen = map_channels(exr(tmp_path, name), "disparity")
    assert (chosen.names, chosen.is_depth) == ((name,), False)


def test_two_depths_are_listed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds the channels left\.Depth\.Z, right\.Depth\.Z"):
        map_channels(exr(tmp_path, "left.Depth.Z", "right.Depth.Z", "R", "G", "B"), "depth")


def test_layers_of_which_none_is_a_map_are_listed_with_the_remedy(tmp_path: Path) -> None:
    file = exr(tmp_path, "AO.R", "AO.G", "AO.B", "C.R", "C.G", "C.B", "Depth.Z")
    with pytest.raises(InputError, match=r"AO\.R.*--disparity-kind depth for its depth"):
        map_channels(file, "disparity")
