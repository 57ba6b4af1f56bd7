"""Disparity estimated from a clip: one pass, one scale, kept."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.disparity import EstimatedDisparity, open_disparity
from any2bokeh.disparity.estimators import MapMeaning, ScaleAlignment
from any2bokeh.disparity.writing import write_disparity
from any2bokeh.errors import InputError
from any2bokeh.video import VideoSource, open_source
from tests import clips

DISPARITY = MapMeaning("disparity")
SCALES = (1.0, 2.0, 0.5, 1.5, 3.0, 0.7, 1.1, 2.2, 0.9, 1.3, 0.6, 1.8)


@dataclass
class SquareEstimator:
    """The true disparity of the test's clip, as a model would say it; counts its runs."""

    meaning: MapMeaning = DISPARITY
    scales: tuple[float, ...] = (1.0,) * clips.FRAMES
    scale_alignment: ScaleAlignment = "none"
    name: str = "square"
    licence: str = "mit"
    caveat: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    runs: int = 0
    missing: bool = False
    first: int = 0

    def maps(self, frames: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        self.runs += 1
        for index, pixels in enumerate(frames):
            assert pixels.shape == (3, clips.HEIGHT, clips.WIDTH)
            true = (clips.depth_map(index + self.first)[None] / 65535).astype(np.float32)
            raw = true * 7 + 2 if self.meaning.kind == "disparity" else 1 / np.maximum(true, 1e-9)
            raw = (raw * self.scales[index + self.first]).astype(np.float32)
            if self.meaning.kind == "depth":
                raw[0, :4] = np.inf  # sky
            if self.missing:
                raw[0, 20, 20:30] = np.nan
            yield raw


@pytest.fixture
def source(tmp_path: Path) -> Iterator[VideoSource]:
    """Twelve frames of a textured square that moves over a still, textured ground, as ``clips.depth_map`` has them."""
    rng = np.random.default_rng(0)
    ground, square = (cv2.GaussianBlur(rng.random((48, 64, 3)) * 255, (0, 0), 1.5) for _ in range(2))
    ground, square = ((one - one.min()) / np.ptp(one) * 255 for one in (ground, square))
    folder = tmp_path / "film"
    folder.mkdir()
    for index in range(clips.FRAMES):
        is_near = clips.subject_mask(index)[..., None] > 0
        picture = np.where(is_near, np.roll(square, 2 * index, axis=1), ground).astype(np.uint8)
        assert cv2.imwrite(str(folder / f"{index:05d}.png"), picture)
    with open_source(folder) as opened:
        yield opened


def test_it_is_a_disparity_source_on_one_scale(source: VideoSource):
    made = EstimatedDisparity(source, SquareEstimator())
    maps = np.stack(list(made.frames()))
    assert (made.frame_count, maps.shape, maps.dtype) == (12, (12, 1, 48, 64), np.float32)
    assert (maps.min(), maps.max()) == (0, 1)
    np.testing.assert_array_equal(made.at(5), maps[5])
    np.testing.assert_array_equal(np.stack(list(made.frames(3, 7))), maps[3:7])
    # the truth lies in 0.1..0.9; 2.6e-3 seen, at the border, where the smoothing mixes
    true = np.stack([clips.depth_map(index) / 65535 for index in range(12)])
    np.testing.assert_allclose(maps[:, 0, :8], (true[:, :8] - 0.1) / 0.8, atol=5e-3)


def test_it_is_made_once_and_kept(source: VideoSource):
    estimator = SquareEstimator()
    first = list(EstimatedDisparity(source, estimator).frames())
    again = list(EstimatedDisparity(source, estimator).frames())
    assert estimator.runs == 1
    np.testing.assert_array_equal(first, again)
    list(EstimatedDisparity(source, SquareEstimator(settings={"size": 2})).frames())
    other = SquareEstimator(settings={"size": 2})
    list(EstimatedDisparity(source, other, scale_alignment="whole-clip").frames())
    assert other.runs == 1


def test_nothing_is_made_before_it_is_read(source: VideoSource):
    estimator = SquareEstimator()
    assert EstimatedDisparity(source, estimator).frame_count == 12
    assert estimator.runs == 0


def test_a_clip_that_changed_is_estimated_again(tmp_path: Path):
    estimator = SquareEstimator()
    path = clips.write_clip(tmp_path / "a.mp4")
    for fps in (24, 25):
        clips.write_clip(path, fps=fps)
        with open_source(path) as opened:
            EstimatedDisparity(opened, estimator).estimate()
    assert estimator.runs == 2


def test_a_damaged_cache_is_made_again(source: VideoSource):
    estimator = SquareEstimator()
    entry = EstimatedDisparity(source, estimator).estimate()
    content = bytearray(entry.maps.read_bytes())
    content[400] ^= 255
    entry.maps.write_bytes(content)
    told: list[str] = []
    made = list(EstimatedDisparity(source, estimator, notice=told.append).frames())
    assert estimator.runs == 2
    assert len(made) == 12
    assert any("is damaged, and is estimated anew" in line for line in told)


def test_a_failure_in_the_middle_leaves_no_entry(source: VideoSource, own_cache: Path):
    class Failing(SquareEstimator):
        def maps(self, frames: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
            yield next(super().maps(frames))
            raise InputError("the model broke")

    with pytest.raises(InputError, match="the model broke"):
        EstimatedDisparity(source, Failing()).estimate()
    assert list((own_cache / "any2bokeh" / "disparity").iterdir()) == []


def test_depth_is_turned_over_and_the_sky_is_0(source: VideoSource):
    made = EstimatedDisparity(source, SquareEstimator(meaning=MapMeaning("depth")))
    one = made.at(4)[0]
    assert one[:3].max() < 2e-3  # smoothing; 4e-4 seen
    true = clips.depth_map(4) / 65535
    np.testing.assert_allclose(one[6:10], true[6:10] / 0.9, atol=2e-3)  # 0 stays infinitely far
    assert made.inverse_metres_per_unit is None


def test_metres_are_kept_in_mind(source: VideoSource):
    made = EstimatedDisparity(source, SquareEstimator(meaning=MapMeaning("depth", is_metric=True)))
    assert made.is_metric
    assert made.inverse_metres_per_unit == pytest.approx(0.9, abs=0.01)
    again = EstimatedDisparity(source, SquareEstimator(meaning=MapMeaning("depth", is_metric=True)))
    assert again.inverse_metres_per_unit == made.inverse_metres_per_unit


def test_missing_values_are_filled(source: VideoSource):
    maps = list(EstimatedDisparity(source, SquareEstimator(missing=True)).frames())
    assert np.isfinite(maps).all()


def test_a_model_that_breathes_is_held_still(source: VideoSource):
    breathing = SquareEstimator(scales=SCALES, scale_alignment="whole-clip")
    maps = np.stack(list(EstimatedDisparity(source, breathing).frames()))[:, 0]
    raw = np.stack([(clips.depth_map(index) / 65535 * 7 + 2) * SCALES[index] for index in range(12)])
    far, span = (slice(None), slice(0, 8), slice(0, 8)), np.ptp(raw)
    # the far corner never changes in truth
    assert np.std(maps[far].mean(axis=(1, 2))) < 0.05 * np.std(raw[far].mean(axis=(1, 2)) / span)


def test_a_part_is_a_clip_of_its_own(source: VideoSource):
    made = EstimatedDisparity(source, SquareEstimator(first=4), start=4, stop=9)
    assert made.frame_count == 5
    assert len(list(made.frames())) == 5


def test_progress_ends_with_every_frame(source: VideoSource):
    told: list[tuple[int, int]] = []
    made = EstimatedDisparity(source, SquareEstimator(), progress=lambda done, total: told.append((done, total)))
    made.estimate()
    assert told == [(done, 12) for done in range(13)]
    EstimatedDisparity(source, SquareEstimator(), progress=lambda *_: pytest.fail("it was there")).estimate()


def test_what_a_user_must_know_is_told_once(source: VideoSource):
    told: list[str] = []
    made = EstimatedDisparity(source, SquareEstimator(caveat="rough"), notice=told.append)
    assert told == []
    list(made.frames())
    made.at(0)
    assert told == ["rough"]


@pytest.mark.parametrize("name", ["maps", "maps.npz"])
def test_files_that_are_written_read_back_as_it(source: VideoSource, tmp_path: Path, name: str):
    made = EstimatedDisparity(source, SquareEstimator())
    write_disparity(made, tmp_path / name)
    back = open_disparity(tmp_path / name, clip_frame_count=12)
    np.testing.assert_array_equal(list(back.frames()), list(made.frames()))


def test_linear_frames_reach_the_model_display_referred(tmp_path: Path):
    from any2bokeh.video.image import write_exr

    (tmp_path / "frames").mkdir()
    linear = np.full((48, 64, 3), 0.2140, np.float32)
    linear[0, 0] = 40
    write_exr(tmp_path / "frames" / "0.exr", linear)
    seen: list[NDArray[np.float32]] = []

    class Looking(SquareEstimator):
        def maps(self, frames: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
            for pixels in frames:
                seen.append(pixels)
                yield pixels[:1]

    with open_source(tmp_path / "frames") as opened:
        EstimatedDisparity(opened, Looking()).estimate()
    assert float(seen[0][1, 5, 5]) == pytest.approx(0.5, abs=1e-3)
    assert seen[0].max() == pytest.approx(1)
    assert seen[0].max() <= 1
