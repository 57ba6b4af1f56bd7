"""The built-in estimate: what it promises, on clips whose truth is known and on real pictures."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.demo import CLIP_FOLDER
from any2bokeh.disparity.estimators.base import RemarkedMaps
from any2bokeh.disparity.rough.estimator import RoughEstimator
from any2bokeh.disparity.rough.layout import Layout
from any2bokeh.subject.seed import ClipSeed
from any2bokeh.video import open_source
from tests.disparity.rough.depth_order import pairs_in_order

WIDTH, HEIGHT = 192, 128
Pixels = NDArray[np.float32]


def texture(seed: int, colour: tuple[float, float, float], *, width: int = 2 * WIDTH) -> Pixels:
    """A picture ``(3, H, width)`` of soft blotches about a colour."""
    noise = cv2.GaussianBlur(np.random.default_rng(seed).random((HEIGHT, width)).astype(np.float32), (0, 0), 2)
    noise = (noise - noise.mean()) / noise.std() * 0.08
    return np.clip(np.array(colour, np.float32)[:, None, None] + noise, 0, 1).astype(np.float32)


def subject(left: float, *, top: int = 40, width: int = 40, height: int = 70) -> NDArray[np.bool_]:
    """Where an upright oval is, ``(H, W)``."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    return np.hypot((columns - left - width / 2) / (width / 2), (rows - top - height / 2) / (height / 2)) < 1


def walking(
    count: int = 24, *, speed_px: float = 1.5, start: float = 60.0
) -> Iterator[tuple[Pixels, NDArray[np.bool_]]]:
    """Frames of an oval that moves over a still ground of nearly its colour, and its masks."""
    ground, skin = texture(1, (0.4, 0.45, 0.5)), texture(2, (0.55, 0.42, 0.4))
    for index in range(count):
        mask = subject(start + speed_px * index)
        moved = np.roll(skin, round(speed_px * index), axis=2)
        yield np.where(mask, moved[..., :WIDTH], ground[..., :WIDTH]).astype(np.float32), mask


def order(maps: list[Pixels], masks: list[NDArray[np.bool_]]) -> list[float]:
    """Share of pairs in order, against a truth of two planes and the ground that the subject stands on."""
    shares = []
    for one, mask in zip(maps, masks, strict=True):
        truth = np.where(mask, 0.8, 0.2)
        feet = int(np.nonzero(mask)[0].max())
        truth[feet - HEIGHT // 6 :] = 0.8
        shares.append(pairs_in_order(one, truth, mask))
    return shares


@pytest.mark.parametrize(
    "seed",
    [ClipSeed(point=(0.42, 0.58)), ClipSeed(box=(0.3, 0.3, 0.54, 0.88)), ClipSeed(frame=12, point=(0.51, 0.58))],
    ids=["point", "box", "later"],
)
def test_a_moving_subject_is_before_its_ground(seed: ClipSeed):
    frames, masks = zip(*walking(), strict=True)
    maps = list(RoughEstimator(seed).maps(iter(frames)))
    shares = order(maps, list(masks))
    assert len(maps) == 24
    assert np.mean(shares) > 0.95
    assert min(shares) > 0.85


def test_maps_are_disparities_of_a_fixed_size():
    frames, _ = zip(*walking(3), strict=True)
    for one in RoughEstimator(ClipSeed(point=(0.42, 0.58))).maps(frames):
        assert (one.shape, one.dtype) == ((1, HEIGHT, WIDTH), np.float32)
        assert one.min() >= 0
        assert one.max() <= 1
    [large] = RoughEstimator().maps([np.tile(frames[0], (1, 6, 6))])
    assert large.shape == (1, 256, 384)


def test_a_still_subject_of_its_own_colour_is_before_its_ground():
    mask = subject(70)
    picture = np.where(mask, texture(2, (0.75, 0.3, 0.25))[..., :WIDTH], texture(1, (0.3, 0.4, 0.55))[..., :WIDTH])
    [one] = RoughEstimator(ClipSeed(point=(0.47, 0.58))).maps([picture.astype(np.float32)])
    assert order([one], [mask])[0] > 0.95


def sees_somebody_else(index: int) -> tuple[Pixels, NDArray[np.bool_], NDArray[np.bool_]]:
    """A frame in which the subject walks away from somebody of its colours; the subject, and the other one."""
    is_subject, is_other = subject(100 - 3 * index), subject(130, width=34)
    skin, ground = texture(2, (0.75, 0.3, 0.25))[..., :WIDTH], texture(1, (0.3, 0.4, 0.55))[..., :WIDTH]
    return np.where(is_subject | is_other, skin, ground).astype(np.float32), is_subject, is_other


def test_somebody_else_of_its_colours_is_not_at_the_disparity_of_the_subject():
    frames, masks, others = zip(*(sees_somebody_else(index) for index in range(16)), strict=True)
    maps = list(RoughEstimator(ClipSeed(point=(120 / WIDTH, 75 / HEIGHT))).maps(frames))
    # At first the two are one to anybody.
    for one, mask, other in zip(maps[8:], masks[8:], others[8:], strict=True):
        upper = other.copy()
        upper[90:] = False  # the ground comes up to the feet of both
        assert np.median(one[0][mask]) > 0.7
        assert one[0][upper].max() < 0.6


def test_where_it_is_sure_there_is_nothing_to_tell():
    frames, _ = zip(*walking(6), strict=True)
    maps = RoughEstimator(ClipSeed(box=(0.3, 0.3, 0.54, 0.88))).maps(frames)
    assert isinstance(maps, RemarkedMaps)
    list(maps)
    assert maps.remark is None


def test_where_it_is_not_sure_of_the_subject_what_is_about_it_blurs_less_and_that_is_told():
    """A point on a wall that is everywhere alike; the same matte is taken for sure, or is not."""
    wall = texture(1, (0.4, 0.45, 0.5))[..., :WIDTH]
    maps = RoughEstimator(ClipSeed(point=(0.5, 0.3))).maps([wall] * 3)
    assert isinstance(maps, RemarkedMaps)
    found = list(maps)
    assert maps.remark is not None
    assert maps.remark.startswith("the rough estimate is not sure of its subject in 3 of 3 frames")
    matte = subject(70).astype(np.float32)
    sure = Layout().disparity(matte, None)
    unsure, half = (Layout().disparity(matte, None, certainty=certainty) for certainty in (0.0, 0.5))
    beside, far = (40, 64), (40, 2)
    focus = sure[60, 90]
    for one in (sure, half, unsure):
        assert one[60, 90] == focus
    away = [focus - one[beside] for one in (sure, half, unsure)]
    assert away[2] < 0.4 * away[0]
    assert away[2] < away[1] < away[0]
    assert focus - unsure[far] > 1.5 * away[2], "far from it the layout stays"
    assert np.isfinite(found).all()


def test_a_still_clip_does_not_flicker():
    mask = subject(70)
    rng = np.random.default_rng(0)
    picture = np.where(mask, texture(2, (0.7, 0.35, 0.3))[..., :WIDTH], texture(1, (0.3, 0.4, 0.55))[..., :WIDTH])
    frames = [np.clip(picture + rng.normal(0, 0.01, picture.shape), 0, 1).astype(np.float32) for _ in range(16)]
    maps = np.stack(list(RoughEstimator(ClipSeed(point=(0.47, 0.58))).maps(frames)))[2:]
    # mean change from frame to frame, of a scale of 1; 0.001 seen
    assert float(np.abs(np.diff(maps, axis=0)).mean()) < 0.004


def test_lower_is_nearer_where_nothing_else_is_known():
    [one] = RoughEstimator(ClipSeed(point=(0.5, 0.3))).maps([np.full((3, 90, 160), 0.5, np.float32)])
    assert one[0, -1].mean() > one[0, 45].mean() >= one[0, 0].mean()


def test_what_moves_against_the_camera_is_nearer():
    """The camera travels past two planes, neither of which is the subject."""
    far, near, skin = texture(1, (0.4, 0.45, 0.5)), texture(2, (0.45, 0.5, 0.4)), texture(3, (0.9, 0.2, 0.2))
    is_near = np.zeros((HEIGHT, WIDTH), bool)
    is_near[20:60, 120:180] = True
    frames = []
    for index in range(30):
        picture = np.where(is_near, near[..., 3 * index : 3 * index + WIDTH], far[..., index : index + WIDTH])
        frames.append(np.where(subject(30), skin[..., :WIDTH], picture).astype(np.float32))
    maps = list(RoughEstimator(ClipSeed(point=(0.26, 0.58))).maps(frames))
    last = maps[-1][0]
    assert last[25:55, 125:175].mean() > last[25:55, 80:110].mean() + 0.05


def test_after_a_cut_the_middle_is_the_subject():
    first = [frame for frame, _ in walking(6)]
    mask = subject(76)
    other = np.where(mask, texture(5, (0.9, 0.85, 0.2))[..., :WIDTH], texture(6, (0.1, 0.15, 0.1))[..., :WIDTH])
    maps = list(RoughEstimator(ClipSeed(point=(0.42, 0.58))).maps([*first, *[other.astype(np.float32)] * 4]))
    assert min(order(maps[6:], [mask] * 4)) > 0.9


@pytest.mark.parametrize("shape", [(3, 16, 16), (3, 20, 400), (3, 400, 20), (3, 1, 1), (3, 2, 300)])
@pytest.mark.parametrize(
    "seed", [ClipSeed(), ClipSeed(point=(0, 0)), ClipSeed(point=(1, 1)), ClipSeed(box=(0, 0, 1, 1))], ids=str
)
def test_odd_sizes_and_seeds_at_the_border(shape: tuple[int, int, int], seed: ClipSeed):
    frames = np.random.default_rng(0).random((2, *shape)).astype(np.float32)
    maps = list(RoughEstimator(seed).maps(frames))
    assert len(maps) == 2
    assert np.isfinite(maps).all()
    height, width = maps[0].shape[1:]
    assert width / height == pytest.approx(shape[2] / shape[1], rel=0.02)


def test_a_seed_past_the_end_leaves_the_layout():
    frames, _ = zip(*walking(4), strict=True)
    maps = list(RoughEstimator(ClipSeed(frame=9, point=(0.5, 0.5))).maps(frames))
    assert len(maps) == 4
    assert np.isfinite(maps).all()


def test_black_frames_are_no_trouble():
    assert len(list(RoughEstimator().maps([np.zeros((3, 90, 160), np.float32)] * 3))) == 3


def test_frames_are_read_as_they_are_needed():
    read = 0

    def frames() -> Iterator[Pixels]:
        nonlocal read
        for frame, _ in walking(20):
            read += 1
            yield frame

    maps = RoughEstimator(ClipSeed(point=(0.42, 0.58))).maps(frames())
    next(maps)
    assert read <= 2
    next(maps)
    next(maps)
    assert read <= 4


def codes_of(path: Path, how: int = cv2.IMREAD_UNCHANGED) -> NDArray[np.generic]:
    codes = cv2.imread(str(path), how)
    assert codes is not None, path
    return codes


def picture_of(path: Path) -> Pixels:
    picture = codes_of(path, cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32)
    return np.moveaxis(picture / np.float32(255), 2, 0)


@pytest.mark.parametrize(
    ("name", "seed", "box", "least"),
    [
        # A man on a rock above a valley, pointed at.
        ("13", ClipSeed(point=(0.75, 0.68)), (0.55, 0.44, 0.87, 0.80), 0.9),
        ("13", ClipSeed(point=(0.77, 0.60)), (0.55, 0.44, 0.87, 0.80), 0.9),
        # A painted landscape; a tree that is of its meadow's colours, so that only a box tells it apart.
        ("3", ClipSeed(box=(0.715, 0.53, 0.775, 0.84)), (0.715, 0.53, 0.775, 0.84), 0.9),
    ],
)
def test_stills(shared_data: Path, name: str, seed: ClipSeed, box: tuple[float, float, float, float], least: float):
    truth = codes_of(shared_data / "stills" / f"{name}.png").astype(np.float64) / 65535
    [one] = RoughEstimator(seed).maps([picture_of(shared_data / "stills" / f"{name}.jpg")])
    height, width = truth.shape
    mask = np.zeros(truth.shape, bool)
    window = (slice(int(box[1] * height), int(box[3] * height)), slice(int(box[0] * width), int(box[2] * width)))
    mask[window] = truth[window] > 0.55
    share = pairs_in_order(one, truth, mask)
    assert share >= least
    assert pairs_in_order(one, truth, mask, close_by=True) >= 0.85  # seen 0.888, 0.888 and 0.960


def test_a_head_that_stands_still_stays_with_its_body():
    """A robot rolls away down a lane: its body moves on the screen, its head hardly does."""
    stop = 45  # then another robot comes before it

    def shares() -> Iterator[float]:
        with (
            open_source(CLIP_FOLDER / "clip.mp4") as clip,
            open_source(CLIP_FOLDER / "mask.mkv") as masks,
            open_source(CLIP_FOLDER / "disparity.mkv") as truth,
        ):
            maps = RoughEstimator(ClipSeed(point=(0.31, 0.57))).maps(frame.pixels for frame in clip.frames(0, stop))
            for one, mask, true in zip(maps, masks.frames(0, stop), truth.frames(0, stop), strict=True):
                yield pairs_in_order(one, true.pixels[0], mask.pixels[0] > 0.5)

    found = list(shares())
    # Seen 0.982 and 0.914; 0.807 and 0.621 where what stands still is taken for surround whatever its colour.
    assert np.mean(found) > 0.95
    assert min(found) > 0.87


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed", [ClipSeed(point=(0.39, 0.65)), ClipSeed(box=(0.26, 0.0, 0.46, 0.95))], ids=["point", "box"]
)
def test_breakdance(shared_data: Path, seed: ClipSeed):
    folder = shared_data / "breakdance"
    files = sorted((folder / "frames").iterdir())
    shares, close_by = [], []
    for index, one in enumerate(RoughEstimator(seed).maps(picture_of(file) for file in files)):
        truth = codes_of(folder / "disparity" / f"{index:05d}.png", cv2.IMREAD_GRAYSCALE).astype(np.float64) / 255
        mask = codes_of(folder / "mask" / f"{index:05d}.png", cv2.IMREAD_GRAYSCALE).astype(np.int32) > 127
        shares.append(pairs_in_order(one, truth, mask))
        close_by.append(pairs_in_order(one, truth, mask, close_by=True))
    assert len(shares) == len(files)
    assert np.mean(shares) >= 0.9
    assert np.mean(close_by) >= 0.9  # seen 0.929 and 0.923
    assert min(shares) >= 0.65  # the handstand, whose legs a box takes for background
