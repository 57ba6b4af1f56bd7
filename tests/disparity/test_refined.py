"""Maps refined as they are read."""

from pathlib import Path

import numpy as np

from any2bokeh.disparity.refine import refine
from any2bokeh.disparity.refined import RefinedDisparity
from any2bokeh.video import open_source
from any2bokeh.video.image import write_png


class Maps:
    frame_count = 2

    def __init__(self) -> None:
        self.values = np.zeros((2, 1, 6, 8), np.float32)
        self.values[:, :, :, 3:] = 0.8
        self.values[:, :, :, 3] = 0.4  # the edge runs through these cells

    def frames(self, start: int = 0, stop: int | None = None):
        yield from self.values[start:stop]

    def at(self, index: int):
        return self.values[index]


def film(folder: Path) -> Path:
    folder.mkdir()
    for index in range(3):
        picture = np.full((48, 64, 3), 30, np.uint8)
        picture[:, 28:] = 220 - 10 * index
        write_png(folder / f"{index:05d}.png", picture)
    return folder


def test_each_map_is_refined_to_its_own_picture(tmp_path: Path) -> None:
    maps = Maps()
    with open_source(film(tmp_path / "film")) as source:
        refined = RefinedDisparity(maps, source, start=1, edges="hard")
        pictures = [frame.pixels for frame in source.frames(1, 3)]
        found = list(refined.frames())
        assert refined.frame_count == 2
        for index, (values, picture) in enumerate(zip(found, pictures, strict=True)):
            assert values.shape == (1, 48, 64)
            np.testing.assert_array_equal(values, refine(maps.values[index], picture, edges="hard"))
            np.testing.assert_array_equal(values, refined.at(index))
    step = np.abs(np.diff(found[0][0, 24])).argmax()
    assert abs(step - 27) <= 1, "the edge lies where the picture's does"
