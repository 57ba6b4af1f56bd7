"""What CLIP is shown."""

import pytest
import torch
from diffusers.pipelines.stable_video_diffusion.pipeline_stable_video_diffusion import _resize_with_antialiasing

from any2bokeh.renderers.diffusion.network.image_embedding import shrunk


@pytest.mark.parametrize(("height", "width"), [(16, 16), (32, 31), (65, 90), (144, 256), (512, 96)])
def test_frames_shrink_as_in_stable_video_diffusion(height: int, width: int) -> None:
    """Smaller, equal and larger than the square, odd and even windows."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(2, 3, height, width, generator=generator, dtype=torch.float64)
    # In float64; the base pipeline makes its kernels in the dtype of its input. Worst seen 1.1e-15.
    expected = _resize_with_antialiasing(2 * pixels - 1, (32, 32)) / 2 + 0.5
    torch.testing.assert_close(shrunk(pixels, 32), expected, rtol=0, atol=1e-12)
