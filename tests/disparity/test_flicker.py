"""Flicker of given disparity is measured, and steadied on request."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from any2bokeh.disparity import DisparityReading, Levels, StabilisedDisparity, open_disparity
from any2bokeh.disparity.cache import DisparityCache
from any2bokeh.disparity.flicker import Flicker, flicker_of, is_flat
from any2bokeh.video import VideoSource, open_source

FRAMES, HEIGHT, WIDTH = 16, 72, 128


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A textured slope, and before it a square that comes nearer; the camera stands still."""
    folder = tmp_path_factory.mktemp("clip")
    texture = cv2.GaussianBlur(np.random.default_rng(5).random((HEIGHT, WIDTH, 3)), (0, 0), 1.2)
    texture = (texture - texture.min()) / np.ptp(texture)
    for index in range(FRAMES):
        picture = texture.copy()
        picture[square(index)] = (0.9, 0.3, 0.2)
        cv2.imwrite(str(folder / f"{index:02}.png"), (picture * 255).astype(np.uint8))
    return folder


def square(index: int) -> tuple[slice, slice]:
    half = 8 + index
    return slice(36 - half, 36 + half), slice(64 - half, 64 + half)


def exact() -> np.ndarray:
    maps = np.repeat((0.05 + 0.4 * np.mgrid[:HEIGHT, :WIDTH][0] / HEIGHT)[None], FRAMES, 0).astype(np.float32)
    for index in range(FRAMES):
        maps[(index, *square(index))] = 0.5 + 0.45 * index / FRAMES
    return maps


def jittered(share: float) -> np.ndarray:
    scales = 1 + share * np.random.default_rng(0).standard_normal((FRAMES, 1, 1))
    return np.clip(exact() * scales, 0, 1).astype(np.float32)


def normalised() -> np.ndarray:
    return np.stack([(one - one.min()) / np.ptp(one) for one in exact()])


def panned(index: int) -> np.ndarray:
    return exact()[index] + 0.01 * index


class Maps:
    """Maps in memory."""

    def __init__(self, maps: np.ndarray) -> None:
        self._maps = maps[:, None]
        self.frame_count = len(maps)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Any]:
        yield from self._maps[start:stop]

    def at(self, index: int) -> Any:
        return self._maps[index]


def measured(clip: Path, maps: np.ndarray) -> Flicker:
    with open_source(clip) as source:
        return flicker_of(Maps(maps), source, start=0, stop=FRAMES)


def test_exact_maps_are_silent(clip: Path) -> None:
    flicker = measured(clip, exact())
    assert flicker.remark() is None
    assert flicker.jitter < 0.002  # seen here 0.0003
    assert flicker.drift < 0.002  # seen here 0


def test_a_camera_that_moves_steadily_does_not_jitter(clip: Path) -> None:
    # seen here 0.0008
    assert measured(clip, np.stack([panned(index) for index in range(FRAMES)])).jitter < 0.002


def test_maps_that_jitter_are_told(clip: Path) -> None:
    flicker = measured(clip, jittered(0.1))
    assert 0.03 < flicker.jitter < 0.1  # seen here 0.055
    assert "flickers" in (flicker.remark() or "")
    assert "--scale-alignment whole-clip" in (flicker.remark() or "")


def test_jitter_of_a_hundredth_is_silent(clip: Path) -> None:
    assert measured(clip, jittered(0.01)).remark() is None  # jitter seen here 0.006, drift 0.002


def test_maps_normalised_frame_by_frame_are_told(clip: Path) -> None:
    flicker = measured(clip, normalised())
    assert flicker.drift > 0.15  # seen here 0.22
    assert "normalised frame by frame" in (flicker.remark() or "")


def test_flat_maps_are_known() -> None:
    flat = np.full((5, 8, 8), 0.3, np.float32)
    assert is_flat(Maps(flat), start=0, stop=5)
    flat[2, 3, 3] = 0.4
    assert not is_flat(Maps(flat), start=0, stop=5)


def steadied(
    tmp_path: Path, source: VideoSource, maps: np.ndarray, levels: Levels | None = None
) -> StabilisedDisparity:
    np.save(tmp_path / "d.npy", maps)
    given = open_disparity(tmp_path / "d.npy", clip_frame_count=FRAMES, reading=DisparityReading(kind="disparity"))
    cache = DisparityCache(tmp_path / "cache")
    return StabilisedDisparity(
        given,
        tmp_path / "d.npy",
        source,
        scale_alignment="whole-clip",
        how_read="disparity",
        levels=levels,
        cache=cache,
    )


def test_given_maps_are_steadied_and_stay_on_their_scale(clip: Path, tmp_path: Path) -> None:
    with open_source(clip) as source:
        maps = steadied(tmp_path, source, jittered(0.1))
        flicker = flicker_of(maps, source, start=0, stop=FRAMES)
        assert flicker.jitter < 0.001  # seen here 0.00006, of 0.055 before
        assert flicker.remark() is None
        # The mean scale of 16 frames is what is left, 0.1 / sqrt(16); seen here -0.033.
        assert float(np.mean([one.mean() for one in maps.frames()])) == pytest.approx(float(exact().mean()), rel=0.08)
        np.testing.assert_array_equal(maps.at(7), list(maps.frames())[7])


def test_levels_bend_what_was_steadied(clip: Path, tmp_path: Path) -> None:
    with open_source(clip) as source:
        plain, bent = (steadied(tmp_path, source, jittered(0.1), levels) for levels in (None, Levels(gamma=2)))
        np.testing.assert_allclose(bent.at(3), plain.at(3) ** 2, atol=1e-6)


def test_it_is_made_once_for_each_state_of_the_files(clip: Path, tmp_path: Path) -> None:
    with open_source(clip) as source:
        first = steadied(tmp_path, source, exact()).steady()
        np.save(tmp_path / "d.npy", exact()[:, ::-1])
        assert steadied(tmp_path, source, exact()[:, ::-1]).steady().maps != first.maps
