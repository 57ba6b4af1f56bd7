"""The aspect that a map must share with its picture."""

import pytest

from any2bokeh.disparity.aspect import require_same_aspect
from any2bokeh.errors import InputError


@pytest.mark.parametrize(
    ("size", "frame_size"),
    [
        ((960, 540), (960, 540)),
        ((480, 270), (1920, 1080)),
        ((924, 518), (1024, 576)),  # multiples of 14
        ((672, 384), (1920, 1080)),  # multiples of 32
        ((33, 19), (1024, 576)),  # rounding of a small side
        ((241, 135), (961, 541)),
    ],
)
def test_sizes_that_show_the_same_picture(size: tuple[int, int], frame_size: tuple[int, int]) -> None:
    require_same_aspect("disparity", size, frame_size)
    require_same_aspect("disparity", frame_size, size)
    require_same_aspect("disparity", (size[1], size[0]), (frame_size[1], frame_size[0]))


@pytest.mark.parametrize(
    ("size", "frame_size"),
    [
        ((540, 960), (960, 540)),  # turned
        ((640, 480), (1024, 576)),
        ((518, 518), (1024, 576)),
        ((1998, 1080), (2048, 1080)),  # cropped to 1.85:1
        ((640, 368), (1280, 720)),  # padded to a multiple of 16
    ],
)
def test_sizes_that_do_not(size: tuple[int, int], frame_size: tuple[int, int]) -> None:
    with pytest.raises(
        InputError, match=f"disparity is {size[0]}x{size[1]} but the clip is {frame_size[0]}x{frame_size[1]}"
    ):
        require_same_aspect("disparity", size, frame_size)
