"""Maps of disparity as people have them: from depth networks, small, coded as video, refined by a picture, or exact."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.synthesis.degradation import DEGRADATIONS, degraded
from any2bokeh.synthesis.perturb import ROBUSTNESS_LEVELS, Level, perturb
from any2bokeh.synthesis.texture import Size

Maps = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TrueFrames:
    """``T`` frames of which maps are made.

    Attributes:
        disparity: ``(T, H, W)`` float32, exact.
        alpha: ``(T, H, W)`` float32 in [0, 1]: how much of each pixel the nearest surface in it covers.
        near, far: ``(T, H, W)`` float32: the disparities that mix in a pixel with that share.
        shares: ``(T, L, H, W)`` float32: how much of each pixel shows each surface, the nearest first.
        luma: ``(T, H, W)`` float32 in [0, 1]: brightness of the pictures, for maps that are refined by them.
    """

    disparity: NDArray[np.float32]
    alpha: NDArray[np.float32]
    near: NDArray[np.float32]
    far: NDArray[np.float32]
    shares: NDArray[np.float32]
    luma: NDArray[np.float32]

    @property
    def size(self) -> Size:
        """(H, W)."""
        return self.disparity.shape[1], self.disparity.shape[2]


@dataclass(frozen=True, slots=True, eq=False)
class Tone:
    """A scale, an offset and a curve of a map's own, which drift over the frame and from frame to frame.

    The scale of a map is its own, so that it is no error: what is true of the frame is told on it, too.

    Attributes:
        gamma: exponent of disparity.
        gain: ``(T,)`` float32.
        offset: ``(H, W)`` float32.
    """

    gamma: float
    gain: NDArray[np.float32]
    offset: NDArray[np.float32]

    @classmethod
    def random(cls, rng: np.random.Generator, frame_count: int, size: Size) -> "Tone":
        """One that bends and drifts as depth networks do."""
        low, high = rng.uniform(0.04, 0.12), rng.uniform(0.8, 0.94)
        gain = (high - low) * (1 + np.clip(rng.normal(0, rng.choice([0, 0.006]), frame_count), -0.02, 0.02))
        offset = low + rng.uniform(0, 0.02) * np.clip(_field(rng, size, max(size) / 3), -2, 2)
        return cls(float(np.exp(rng.normal(0, 0.15))), gain.astype(np.float32), offset.astype(np.float32))

    def applied(self, disparity: NDArray[np.float32], frame: int) -> NDArray[np.float32]:
        """``(H, W)`` disparity of a frame on this scale, in [0, 1]."""
        # Begun a little above 0, where a power would flatten all steps.
        bent = ((np.clip(disparity, 0, 1) + np.float32(0.1)) / np.float32(1.1)) ** np.float32(self.gamma)
        return np.clip(bent * self.gain[frame] + self.offset, 0, 1)


@dataclass(frozen=True, slots=True, eq=False)
class WrongMaps:
    """Wrong maps of some frames.

    Attributes:
        disparity: ``(T, H, W)`` float32 in [0, 1].
        enlarged: whether they were smaller and have been interpolated linearly.
        tone: their scale where it is another than that of the truth.
    """

    disparity: Maps
    enlarged: bool
    tone: Tone | None


def wrong_maps(rng: np.random.Generator, truth: TrueFrames) -> WrongMaps:
    """Maps of the frames that are wrong in a way drawn by chance, the same for all of them."""
    weights = np.array([way.weight for way in _WAYS])
    way = _WAYS[int(rng.choice(len(_WAYS), p=weights / weights.sum()))]
    maps, enlarged = way.make(rng, truth)
    if way.goes_on and rng.uniform() < 0.35:
        more = (_coded, _displaced, _regrown)[int(rng.integers(3))]
        maps = more(rng, maps)
    tone = None
    if rng.uniform() < way.toned:
        tone = Tone.random(rng, len(maps), truth.size)
        maps = np.stack([tone.applied(one, t) for t, one in enumerate(maps)])
    if rng.uniform() < 0.3:
        maps = np.rint(np.clip(maps, 0, 1) * 255) / np.float32(255)
    return WrongMaps(np.clip(maps, 0, 1).astype(np.float32), enlarged, tone)


def exact(rng: np.random.Generator, truth: TrueFrames) -> tuple[Maps, bool]:
    """Nothing wrong, or next to nothing: a sample that stands for a mixed pixel, noise within the surfaces."""
    maps = truth.disparity
    if rng.uniform() < 0.2:  # a sample of a thin strand hits or misses it
        chance = np.stack([0.5 + 0.2 * _field(rng, truth.size, 2.5) for _ in maps])
        maps = np.where(truth.alpha > np.clip(chance, 0.05, 0.95), truth.near, truth.far)
    if rng.uniform() < 0.3:
        maps = maps + np.float32(np.exp(rng.uniform(-8, -5.5))) * rng.standard_normal(maps.shape, np.float32)
    return np.asarray(maps, np.float32), False


def perturbed(rng: np.random.Generator, truth: TrueFrames) -> tuple[Maps, bool]:
    """The robustness levels: outlines that wander, swell and shrink."""
    level: Level = ("I", "II", "III")[int(rng.integers(3))]
    shares = truth.shares[:, :-1]
    most_seen = np.argsort(shares.sum(axis=(0, 2, 3)))[::-1][:3]
    maps = perturb(truth.disparity[:, None], shares[:, most_seen], ROBUSTNESS_LEVELS[level], rng)
    return maps[:, 0], False


def five_ways(rng: np.random.Generator, truth: TrueFrames) -> tuple[Maps, bool]:
    """Those of ``degradation.py``, each frame with errors of its own where they differ from frame to frame."""
    way = DEGRADATIONS[int(rng.integers(len(DEGRADATIONS)))]
    first = int(rng.integers(2**31))
    return np.stack([degraded(one, way, first + t) for t, one in enumerate(truth.disparity)]), False


def small(rng: np.random.Generator, truth: TrueFrames) -> tuple[Maps, bool]:
    """Right but 2 to 6 times smaller, brought back linearly, or by whole pixels."""
    smaller, size = _reduced(rng, truth.disparity, rng.uniform(2, 6)), truth.size
    if rng.uniform() < 0.25:
        smaller = _coded(rng, smaller)
    is_linear = rng.uniform() < 0.8
    method = cv2.INTER_LINEAR if is_linear else int(rng.choice([cv2.INTER_NEAREST, cv2.INTER_CUBIC]))
    return _resized(smaller, size, method), is_linear


def estimated(rng: np.random.Generator, truth: TrueFrames) -> tuple[Maps, bool]:
    """As depth networks give them: thin things lost or thick, hair a lump, edges soft and beside their place."""
    maps = truth.disparity
    if rng.uniform() < 0.6:
        maps = _without_thin(rng, maps)
    if rng.uniform() < 0.5:
        maps = _lumped(rng, maps)
    maps = _displaced(rng, maps)
    if rng.uniform() < 0.4:
        maps = _rounded(maps, 2 * int(rng.integers(1, 8)) + 1)
    smaller = _reduced(rng, maps, rng.uniform(1.0, 4.5))
    if rng.uniform() < 0.7:
        softness = rng.uniform(0.2, 1.3)
        smaller = np.stack([cv2.GaussianBlur(one, (0, 0), softness) for one in smaller])
    if rng.uniform() < 0.4:
        smaller = np.rint(np.clip(smaller, 0, 1) * 255) / np.float32(255)
    is_linear = rng.uniform() < 0.5
    maps = _resized(smaller.astype(np.float32), truth.size, cv2.INTER_LINEAR if is_linear else cv2.INTER_CUBIC)
    if rng.uniform() < 0.1:  # a frame late
        maps = np.concatenate([maps[:1], maps[:-1]])
    return maps, is_linear and smaller.shape[1] < truth.size[0]


def refined(rng: np.random.Generator, truth: TrueFrames) -> tuple[Maps, bool]:
    """Soft maps that a guided filter drew along the picture: they follow its edges, and its texture too.

    Source: He, Sun, Tang, Guided Image Filtering, ECCV 2010.
    """
    maps, _ = estimated(rng, truth)
    radius, rigour = int(rng.integers(2, 9)), float(np.exp(rng.uniform(np.log(3e-4), np.log(1e-2))))
    return np.stack([_guided(*pair, radius, rigour) for pair in zip(truth.luma, maps, strict=True)]), False


def regrown(rng: np.random.Generator, truth: TrueFrames) -> tuple[Maps, bool]:
    """Right, but all that is near is larger or smaller, on all sides or on one."""
    return _regrown(rng, truth.disparity), False


def coded(rng: np.random.Generator, truth: TrueFrames) -> tuple[Maps, bool]:
    """Right, but from a depth video: blocks and ringing."""
    return _coded(rng, truth.disparity), False


def displaced(rng: np.random.Generator, truth: TrueFrames) -> tuple[Maps, bool]:
    """Sharp, but beside its place."""
    return _displaced(rng, truth.disparity), False


def mixed_as_light(rng: np.random.Generator, truth: TrueFrames) -> tuple[Maps, bool]:
    """As renderers antialias maps: disparities of mixed pixels are averaged by how much each surface covers."""
    return np.asarray(truth.far + truth.alpha * (truth.near - truth.far), np.float32), False


@dataclass(frozen=True, slots=True)
class _Way:
    """How maps are made wrong, how often, whether more may be wrong with them, how often they have another scale."""

    make: Callable[[np.random.Generator, TrueFrames], tuple[Maps, bool]]
    weight: float
    goes_on: bool = True
    toned: float = 0.1


_WAYS = (
    _Way(exact, 0.2, goes_on=False, toned=0.0),
    _Way(perturbed, 0.15),
    _Way(five_ways, 0.12),
    _Way(small, 0.17),
    _Way(estimated, 0.2, toned=0.7),
    _Way(refined, 0.04, toned=0.7),
    _Way(regrown, 0.05),
    _Way(coded, 0.04),
    _Way(displaced, 0.04),
    _Way(mixed_as_light, 0.04),
)


def _reduced(rng: np.random.Generator, maps: Maps, times: float) -> Maps:
    size = max(8, round(maps.shape[1] / times)), max(8, round(maps.shape[2] / times))
    method = int(rng.choice([cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_NEAREST], p=[0.6, 0.2, 0.2]))
    return _resized(maps, size, method)


def _resized(maps: Maps, size: Size, method: int) -> Maps:
    if maps.shape[1:] == size:
        return maps
    return np.stack([cv2.resize(one, size[::-1], interpolation=method) for one in maps]).astype(np.float32)


def _without_thin(rng: np.random.Generator, maps: Maps) -> Maps:
    """Thin near things lost, thin gaps filled, or both, in all of the frame or in parts of it."""
    side = 2 * int(rng.integers(1, 5)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    kind = (cv2.MORPH_OPEN, cv2.MORPH_OPEN, cv2.MORPH_CLOSE)[int(rng.integers(3))]
    simple = np.stack([cv2.morphologyEx(one, kind, disc) for one in maps]).astype(np.float32)
    if rng.uniform() < 0.4:
        where = _field(rng, maps.shape[1:], 60) > rng.normal(0, 0.5)
        return np.where(where, simple, maps)
    return simple


def _rounded(maps: Maps, side: int) -> Maps:
    """Corners and strands rounded off by a median, which keeps edges sharp; of 8 bits where it changes anything."""
    medians = [cv2.medianBlur(np.rint(np.clip(one, 0, 1) * 255).astype(np.uint8), side) for one in maps]
    simple = np.stack(medians).astype(np.float32) / np.float32(255)
    return np.where(np.abs(simple - maps) > 2 / 255, simple, maps).astype(np.float32)


def _lumped(rng: np.random.Generator, maps: Maps) -> Maps:
    """Strands joined to one mass with what they grow from, in parts of the frame."""
    side = 2 * int(rng.integers(2, 8)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    joined = np.stack([cv2.morphologyEx(one, cv2.MORPH_CLOSE, disc) for one in maps]).astype(np.float32)
    where = _field(rng, maps.shape[1:], rng.uniform(20, 80)) > rng.normal(0.2, 0.5)
    return np.where(where, joined, maps)


def _regrown(rng: np.random.Generator, maps: Maps) -> Maps:
    """Dilated or eroded by half a pixel to three, all around or along the rows alone, as stereo does."""
    radius = rng.uniform(0.5, 3)
    fine = 2 if radius < 1.25 else 1
    side = 2 * max(1, round(radius * fine)) + 1
    shape = (side, 1) if rng.uniform() < 0.2 else (side, side)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE if shape[1] > 1 else cv2.MORPH_RECT, shape)
    change = cv2.dilate if rng.uniform() < 0.5 else cv2.erode
    size = (maps.shape[1], maps.shape[2])
    large = _resized(maps, (size[0] * fine, size[1] * fine), cv2.INTER_NEAREST)
    return _resized(np.stack([change(one, kernel) for one in large]).astype(np.float32), size, cv2.INTER_AREA)


def _displaced(rng: np.random.Generator, maps: Maps) -> Maps:
    """Moved as a whole, and by smooth fields that stay or are new in every frame."""
    size = (maps.shape[1], maps.shape[2])
    scale_px, amount_px = np.exp(rng.uniform(np.log(6), np.log(80))), rng.uniform(0.2, 2.5)
    flicker = rng.uniform(0, 0.6)
    whole = rng.normal(0, rng.choice([0, 0, 1.0]), 2)
    lasting = [_field(rng, size, scale_px) for _ in range(2)]
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    moved = []
    for one in maps:
        dx, dy = (
            np.float32(shift) + np.float32(amount_px) * ((1 - flicker) * field + flicker * _field(rng, size, scale_px))
            for shift, field in zip(whole, lasting, strict=True)
        )
        moved.append(cv2.remap(one, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    return np.stack(moved).astype(np.float32)


def _coded(rng: np.random.Generator, maps: Maps) -> Maps:
    """Through the transform of a codec, of which 8 by 8 blocks are quantised."""
    options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))]
    decoded = []
    for one in maps:
        codes = np.rint(np.clip(one, 0, 1) * 255).astype(np.uint8)
        back = cv2.imdecode(cv2.imencode(".jpg", codes, options)[1], cv2.IMREAD_GRAYSCALE)
        assert back is not None
        decoded.append(back)
    return np.stack(decoded).astype(np.float32) / np.float32(255)


def _guided(guide: NDArray[np.float32], values: NDArray[np.float32], radius: int, rigour: float) -> NDArray[np.float32]:
    side = (2 * radius + 1, 2 * radius + 1)

    def mean(of: NDArray[np.floating]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(of, side), np.float32)

    guide_mean, mean_value = mean(guide), mean(values)
    slope = (mean(guide * values) - guide_mean * mean_value) / (
        mean(guide * guide) - guide_mean**2 + np.float32(rigour)
    )
    return mean(slope) * guide + mean(mean_value - slope * guide_mean)


def _field(rng: np.random.Generator, size: tuple[int, ...], scale_px: float) -> NDArray[np.float32]:
    """Smooth noise of deviation about 1 that changes over ``scale_px``."""
    grid = rng.standard_normal((int(size[0] / scale_px) + 4, int(size[1] / scale_px) + 4)).astype(np.float32)
    return np.asarray(cv2.resize(grid, (size[1], size[0]), interpolation=cv2.INTER_CUBIC), np.float32) * np.float32(1.4)
