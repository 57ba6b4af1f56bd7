"""Scenes of layers drawn by chance: what stands where, in what colours, and how it moves."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.transfer import srgb_encode
from any2bokeh.synthesis.layer_compositing import Layers
from any2bokeh.synthesis.layer_coverage import beside, random_coverage, random_spread
from any2bokeh.synthesis.texture import Size, fractal_noise
from any2bokeh.synthesis.texture_bank import TextureBank, Tint

_MARGIN_PX = 24  # around the frame of a scene that moves


@dataclass(frozen=True, slots=True, eq=False)
class LayerScene:
    """Layers and their ways over a few frames.

    Attributes:
        layers: of the whole canvas, which exceeds the frame by ``margin_px`` on each side.
        step_px: ``(L, 2)`` by how much each moves in a frame, x and y.
        margin_px: px.
    """

    layers: Layers
    step_px: NDArray[np.float64]
    margin_px: int

    def frame(self, index: int) -> Layers:
        """The layers of frame ``index``, moved to where they are then."""
        if self.margin_px == 0:
            return self.layers
        height, width = (side - 2 * self.margin_px for side in self.layers.coverage.shape[1:])
        coverage, light, disparity = [], [], []
        for i, step in enumerate(self.step_px):
            shift = np.clip(step * index, -self.margin_px, self.margin_px) - self.margin_px
            matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])

            def moved(values: NDArray[np.float32], method: int, matrix: NDArray[np.float64] = matrix) -> NDArray:
                return cv2.warpAffine(values, matrix, (width, height), flags=method, borderMode=cv2.BORDER_REPLICATE)

            coverage.append(moved(self.layers.coverage[i], cv2.INTER_LINEAR))
            light.append(np.clip(moved(self.layers.light[i], cv2.INTER_CUBIC), 0, 1))
            disparity.append(moved(self.layers.disparity[i], cv2.INTER_LINEAR))
        in_order = np.maximum.accumulate(np.stack(disparity)[::-1])[::-1]
        return Layers(np.stack(coverage), np.stack(light), np.ascontiguousarray(in_order), self.layers.spread)


def random_layer_scene(rng: np.random.Generator, bank: TextureBank, size: Size, frame_count: int) -> LayerScene:
    """A scene; ``bank`` gives pieces of the size of its canvas, see :func:`canvas_size`."""
    canvas = canvas_size(size, frame_count)
    count = int(rng.choice([1, 2, 3, 4, 5], p=[0.12, 0.25, 0.28, 0.22, 0.13]))
    places = _disparities(rng, count)
    disparity = [_background_disparity(rng, canvas, places[0])]
    coverage, light = [np.ones(canvas, np.float32)], [_background_light(rng, bank, canvas)]
    seen = light[0].copy()
    for i in range(1, count + 1):
        own, tone = random_coverage(rng, canvas, coverage[-1] if i > 1 else None)
        level = _standing_before(rng, disparity[-1], own, places[i])
        field = _surface_disparity(rng, canvas, level, own)
        disparity.append(np.maximum(field, disparity[-1]))
        dressed = _dressed(rng, bank, own, tone, seen)
        if rng.uniform() < 0.2:
            light[-1] = light[-1] * _shadow(rng, own)
            seen = light[-1] if i == 1 else seen
        seen += own[..., None] * (dressed - seen)
        coverage.append(own)
        light.append(dressed)
    exposed = np.stack(light[::-1])
    if rng.uniform() < 0.25:
        exposed *= np.float32(np.exp(rng.uniform(-2.0, -0.2)))
    return LayerScene(
        Layers(np.stack(coverage[::-1]), exposed, np.stack(disparity[::-1]), _camera_spread(rng)),
        _steps_px(rng, count + 1, frame_count),
        _MARGIN_PX if frame_count > 1 else 0,
    )


def canvas_size(size: Size, frame_count: int) -> Size:
    """The size (h, w) of layers of scenes with frames of ``size``."""
    margin = _MARGIN_PX if frame_count > 1 else 0
    return size[0] + 2 * margin, size[1] + 2 * margin


def _disparities(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Where the background and ``count`` layers are, from far to near: apart, in a crowd, or one after the other."""
    far, near = rng.choice([0, rng.uniform(0, 0.4)]), rng.uniform(0.45, 1)
    kind = rng.uniform()
    if kind < 0.6:
        objects = np.sort(rng.uniform(far + 0.03, near, count))
    elif kind < 0.85:
        objects = rng.uniform(far + 0.03, near) + np.sort(rng.normal(0, rng.uniform(0.01, 0.08), count))
    else:
        objects = far + (near - far) * np.linspace(0, 1, count + 1)[1:] ** rng.uniform(0.4, 2.5)
    return np.clip(np.concatenate([[far], np.maximum(objects, far + 0.01)]), 0, 1)


def _standing_before(
    rng: np.random.Generator, behind: NDArray[np.float32], coverage: NDArray[np.float32], level: float
) -> float:
    """A level before most of what a layer covers; now and then it lies on it, as a poster does."""
    covered = behind[::4, ::4][coverage[::4, ::4] > 0.5]
    if covered.size == 0 or rng.uniform() < 0.08:
        return level
    most = float(np.quantile(covered, 0.8))
    return level if level > most else min(most + 0.01 + rng.exponential(0.08), 1.0)


def _background_disparity(rng: np.random.Generator, size: Size, level: float) -> NDArray[np.float32]:
    """A wall, straight or slanted, hills, or a ground that comes nearer below a horizon."""
    x, y = _grid(size)
    field = np.full(size, level, np.float32)
    if rng.uniform() < 0.5:
        field = field + rng.normal(0, 0.05) * x + rng.normal(0, 0.03) * y
    if rng.uniform() < 0.25:
        field = field + np.clip(y - rng.uniform(-0.5, 0.8), 0, None) * rng.uniform(0.05, 0.5)
    if rng.uniform() < 0.2:
        field = field + rng.uniform(0.005, 0.05) * _coarse_noise(rng, size)
    return np.clip(field, 0, 1).astype(np.float32)


def _surface_disparity(
    rng: np.random.Generator, size: Size, level: float, coverage: NDArray[np.float32]
) -> NDArray[np.float32]:
    """A card, a slanted plane, a curved shell, or a body that recedes towards its outline."""
    x, y = _grid(size)
    field = np.full(size, level, np.float32)
    if rng.uniform() < 0.55:
        slope = rng.choice([0.02, 0.08, 0.2])
        field = field + rng.normal(0, slope) * x + rng.normal(0, slope) * y
    if rng.uniform() < 0.25:
        a, b, c = rng.normal(0, 0.08, 3)
        field = field + a * x * x + b * x * y + c * y * y
    if rng.uniform() < 0.45:
        small = cv2.resize(coverage, (size[1] // 4, size[0] // 4), interpolation=cv2.INTER_AREA)
        body = cv2.GaussianBlur(small, (0, 0), rng.uniform(1, 12))
        body = cv2.resize(body, size[::-1], interpolation=cv2.INTER_CUBIC)
        field = field + np.float32(rng.uniform(0.01, 0.12)) * (body - 0.7)
    if rng.uniform() < 0.15:
        field = field + rng.uniform(0.003, 0.03) * _coarse_noise(rng, size)
    return np.clip(field, 0, 1).astype(np.float32)


def _background_light(rng: np.random.Generator, bank: TextureBank, size: Size) -> NDArray[np.float32]:
    light = bank.piece()
    if rng.uniform() < 0.25:  # two materials that meet without a step, as ground and sky do
        other = random_coverage(rng, size)[0][..., None]
        light = np.asarray(light + other * (bank.piece() - light), np.float32)
    return light


def _dressed(
    rng: np.random.Generator,
    bank: TextureBank,
    coverage: NDArray[np.float32],
    tone: NDArray[np.float32] | None,
    behind: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Light of a layer: often in the colours of what is behind it, often shaded as a body is."""
    likeness = rng.uniform()
    tint = None
    if likeness < 0.35:
        outline = cv2.dilate(coverage, np.ones((9, 9), np.uint8)) > 0.5
        where = outline if outline.any() else np.ones_like(outline)
        tint = Tint.of(srgb_encode(behind[::3, ::3]), where[::3, ::3]) if where[::3, ::3].any() else None
    light = bank.piece(tint)
    if rng.uniform() < 0.25:  # a sleeve, a rim: an edge on the surface that runs along its outline
        within = beside(rng, coverage)[..., None]
        light = light + within * (bank.piece(tint) - light)
    if likeness > 0.85:  # silhouettes and lamps
        light = light * np.float32(np.exp(rng.uniform(-3, 0)))
    if rng.uniform() < 0.5:
        light = light * _shading(rng, coverage)[..., None]
    if tone is not None:
        light = light * tone[..., None]
    return np.asarray(np.clip(light, 0, 1), np.float32)


def _shading(rng: np.random.Generator, coverage: NDArray[np.float32]) -> NDArray[np.float32]:
    """Factor of light from a side, from what a body's outline says of its form."""
    size = (coverage.shape[0], coverage.shape[1])
    small = cv2.resize(coverage, (size[1] // 4, size[0] // 4), interpolation=cv2.INTER_AREA)
    form = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.8, 8))
    slope_y, slope_x = np.gradient(form)
    turn = rng.uniform(0, 2 * np.pi)
    lit = np.cos(turn) * slope_x + np.sin(turn) * slope_y
    lit = 1 + rng.uniform(0.2, 0.8) * lit / max(float(np.abs(lit).max()), 1e-6)
    return np.asarray(cv2.resize(lit.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _shadow(rng: np.random.Generator, coverage: NDArray[np.float32]) -> NDArray[np.float32]:
    """Factor of light ``(H, W, 1)`` that a layer leaves to what is behind it: a soft shadow, or a hard one."""
    if rng.uniform() < 0.4:
        matrix = np.array([[1, 0, rng.normal(0, 6)], [0, 1, rng.normal(0, 6)]])
        hard = cv2.warpAffine(coverage, matrix, coverage.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        hard = cv2.GaussianBlur(hard, (0, 0), rng.uniform(0.4, 2.5)) * rng.uniform(0.3, 0.85)
        return 1 - np.asarray(hard, np.float32)[..., None]
    small = cv2.resize(coverage, (coverage.shape[1] // 4, coverage.shape[0] // 4), interpolation=cv2.INTER_AREA)
    x, y = rng.normal(0, 2, 2)
    moved = cv2.warpAffine(small, np.array([[1, 0, x], [0, 1, y]]), small.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    dark = cv2.GaussianBlur(moved, (0, 0), rng.uniform(0.5, 5)) * rng.uniform(0.2, 0.8)
    return 1 - np.asarray(cv2.resize(dark, coverage.shape[::-1]), np.float32)[..., None]


def _camera_spread(rng: np.random.Generator) -> NDArray[np.float32] | None:
    """What lens and sensor do to a point: little, mostly; now and then the picture is soft or shaken."""
    kind = rng.uniform()
    if kind < 0.25:
        return None
    return random_spread(rng, rng.uniform(0.3, 0.7) if kind < 0.85 else rng.uniform(0.7, 1.6))


def _steps_px(rng: np.random.Generator, count: int, frame_count: int) -> NDArray[np.float64]:
    """Ways of layers in a frame, so that none leaves the margin."""
    most = _MARGIN_PX / max(frame_count - 1, 1)
    together = rng.normal(0, 1, 2)
    return np.clip(together + rng.normal(0, rng.choice([0.5, 2.5]), (count, 2)), -most, most)


def _grid(size: Size) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """x and y from -1 to 1, ``(1, w)`` and ``(h, 1)``."""
    x, y = np.linspace(-1, 1, size[1], dtype=np.float32), np.linspace(-1, 1, size[0], dtype=np.float32)
    return x[None, :], y[:, None]


def _coarse_noise(rng: np.random.Generator, size: Size) -> NDArray[np.float32]:
    small = fractal_noise(rng, (size[0] // 4 + 1, size[1] // 4 + 1), rng.uniform(4, 60), 3)
    return np.asarray(cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
