"""The MPI mask against the published rule, written plainly."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from any2bokeh.renderers.diffusion.network import unet as unet_module
from any2bokeh.renderers.diffusion.network.conditioning import region_mask
from tests.renderers.diffusion.network.test_unet import build, unet_inputs

SHAPES = [((64, 128), (8, 16)), ((64, 128), (1, 2)), ((53, 97), (7, 12)), ((97, 40), (13, 5)), ((5, 6), (9, 11))]


def passed_share(regions: NDArray[np.uint8], level: int, grid: tuple[int, int]) -> NDArray[np.float64]:
    """Test every pixel, then sample what passed between the four pixels around the centre of each cell."""
    height, width = regions.shape
    share = np.zeros(grid)
    for row in range(grid[0]):
        for column in range(grid[1]):
            y = max((row + 0.5) * height / grid[0] - 0.5, 0.0)
            x = max((column + 0.5) * width / grid[1] - 0.5, 0.0)
            for j in (math.floor(y), math.floor(y) + 1):
                for i in (math.floor(x), math.floor(x) + 1):
                    weight = max(1 - abs(y - j), 0) * max(1 - abs(x - i), 0)
                    passes = regions[min(j, height - 1), min(i, width - 1)] <= level
                    share[row, column] += weight * passes
    return share


@pytest.mark.parametrize(("size", "grid"), SHAPES)
def test_the_mask_is_the_published_one_on_regions_of_any_shape(size: tuple[int, int], grid: tuple[int, int]) -> None:
    rng = np.random.default_rng(size)
    regions = rng.integers(0, 4, size, dtype=np.uint8)
    blocks = np.kron(rng.integers(0, 4, (size[0] // 5 + 1, size[1] // 3 + 1)), np.ones((5, 3)))
    for each in (regions, blocks[: size[0], : size[1]].astype(np.uint8)):
        for level in range(4):
            share = passed_share(each, level, grid)
            ours = region_mask(torch.from_numpy(each)[None], level, grid)[0].numpy()
            exact_half = np.isclose(share, 0.5, rtol=0, atol=1e-6)  # where float32 may round either way
            np.testing.assert_array_equal(ours[~exact_half], (share > 0.5)[~exact_half])


def test_where_two_regions_meet_their_mean_is_no_region() -> None:
    """Half of region 0 and half of region 2 is no region 1: the rule shows nothing at level 1, nor at level 0."""
    regions = torch.zeros(1, 8, 8, dtype=torch.uint8)
    regions[:, :, 4:] = 2
    assert [bool(region_mask(regions, level, (1, 1)).item()) for level in range(3)] == [False, False, True]


def test_the_unet_sees_the_published_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    """On random regions of any shape, up to the output."""
    unet, inputs = build().double(), unet_inputs(1, 2, 9, 11)
    inputs = {name: value.double() for name, value in inputs.items()}
    inputs["region_index"] = torch.randint(0, 4, (1, 2, 53, 97), generator=torch.Generator().manual_seed(1))

    def plain(features: torch.Tensor, regions: torch.Tensor, level: int, grid: tuple[int, int]) -> object:
        shown = [passed_share(each.numpy(), level, grid) > 0.5 for each in regions]
        # A map of the grid's own size, which is sampled as it is.
        return own(features, torch.from_numpy(np.where(shown, level, level + 1)), level, grid)

    own = unet_module.mpi_level
    with torch.no_grad():
        ours = unet(**inputs)
        monkeypatch.setattr(unet_module, "mpi_level", plain)
        expected = unet(**inputs)
    # Equal where the masks are; one token more or less changes the output by some 0.01.
    torch.testing.assert_close(ours, expected, rtol=0, atol=5e-6)
