"""Sizes inside the model."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from any2bokeh.errors import InputError
from any2bokeh.renderers.diffusion.run.processing_size import ProcessingSize


@pytest.mark.parametrize(
    ("source", "long_side", "scaled", "padded"),
    [
        ((576, 1024), 1024, (576, 1024), (576, 1024)),
        ((540, 960), 1024, (540, 960), (576, 960)),
        ((2160, 3840), 1024, (576, 1024), (576, 1024)),
        ((3840, 2160), 1024, (1024, 576), (1024, 576)),
        ((1080, 1920), None, (1080, 1920), (1088, 1920)),
        ((101, 67), 1024, (101, 67), (128, 128)),
    ],
)
def test_sizes(
    source: tuple[int, int], long_side: int | None, scaled: tuple[int, int], padded: tuple[int, int]
) -> None:
    size = ProcessingSize.of(*source, long_side)
    assert (size.scaled, size.padded) == (scaled, padded)


@given(st.integers(64, 5000), st.integers(64, 5000))
def test_aspect_is_kept_to_the_pixel(height: int, width: int) -> None:
    try:
        size = ProcessingSize.of(height, width, 1024)
    except InputError:
        assert min(height, width) * 1024 / max(height, width) < 64.5
        return
    assert max(size.scaled) <= 1024
    for inside, outside in zip(size.scaled, size.source, strict=True):
        assert abs(inside - outside * min(1, 1024 / max(height, width))) <= 0.5


def test_padding_repeats_the_rim_and_is_cropped_again() -> None:
    size = ProcessingSize.of(70, 100, None)
    image = torch.rand(1, 3, 70, 100)
    padded = size.pad(image)
    assert padded.shape == (1, 3, 128, 128)
    assert torch.equal(padded[..., 70:, :100], image[..., -1:, :].expand(-1, -1, 58, -1))
    assert torch.equal(size.crop(padded), image)


def test_disparity_keeps_its_values() -> None:
    size = ProcessingSize.of(400, 600, 150)
    disparity = torch.where(torch.rand(1, 1, 400, 600) > 0.5, 0.2, 0.9)
    assert set(size.shrink_disparity(disparity).unique().tolist()) == set(disparity.unique().tolist())


@pytest.mark.parametrize(
    ("height", "width", "long_side", "message"),
    [
        (63, 200, 1024, "frames are 200x63; the diffusion engine needs at least 64 px"),
        (200, 63, None, "frames are 63x200"),
        (100, 2000, 1024, "frames of 2000x100 become 1024x51 at a processing size of 1024 px"),
        (200, 200, 63, "processing size is 63 px; it must be at least 64"),
    ],
)
def test_too_small_is_named(height: int, width: int, long_side: int | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ProcessingSize.of(height, width, long_side)
