"""The ray tracer of ``ray_trace.py`` written out in torch: its oracle on the CPU, and the fast path on a GPU.

Same rays, same surfaces, same order; but all pixels at once, and every layer for every ray, with nothing skipped. The
light of a pixel differs from the other path's only by rounding.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from any2bokeh.optics.aperture import ConvexAperture
from any2bokeh.synthesis.lens_samples import PATTERN_COUNT, lens_patterns
from any2bokeh.synthesis.texture_atlas import LEVELS
from any2bokeh.synthesis.view import View

_RAYS_AT_ONCE = {"cpu": 1 << 18, "cuda": 1 << 24}


def trace(
    view: View,
    *,
    focus_disparity: float,
    blur_strength: float,
    aperture: ConvexAperture,
    sample_count: int = 256,
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> NDArray[np.float32]:
    """Light of a view through the lens, ``(3, H, W)``; arguments as in ``ray_trace.trace``."""
    light, _ = _traced(view, focus_disparity, blur_strength, aperture, sample_count, seed, torch.device(device))
    return light


def trace_in_focus(
    view: View,
    *,
    aperture: ConvexAperture,
    sample_count: int = 64,
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """``(3, H, W)`` all-in-focus light and ``(L, H, W)`` shares; arguments as in ``ray_trace.trace_in_focus``."""
    return _traced(view, 0.0, 0.0, aperture, sample_count, seed, torch.device(device))


@torch.no_grad()
def _traced(
    view: View,
    focus_disparity: float,
    blur_strength: float,
    aperture: ConvexAperture,
    sample_count: int,
    seed: int,
    device: torch.device,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    patterns = torch.from_numpy(lens_patterns(aperture, sample_count).copy()).to(device)
    layers = [_Layer(view, i, device) for i in range(view.layer_count)]
    texels = torch.from_numpy(view.atlas.texels).to(device)
    y, x = np.divmod(np.arange(view.height * view.width), view.width)
    chosen = torch.from_numpy(_pattern(x, y, np.uint32(seed * 0x9E3779B1 & 0xFFFFFFFF))).to(device)
    at_x = torch.from_numpy(x.astype(np.float32)).to(device)
    at_y = torch.from_numpy(y.astype(np.float32)).to(device)
    levels = [layer.levels(at_x + 0.5, at_y + 0.5) for layer in layers]
    radius_px = view.lens_radius_px(blur_strength)
    light = torch.zeros(view.height * view.width, 3, device=device)
    share = torch.zeros(view.layer_count, view.height * view.width, device=device)
    at_once = max(1, _RAYS_AT_ONCE.get(device.type, 1 << 18) // sample_count)
    for start in range(0, len(at_x), at_once):
        part = slice(start, start + at_once)
        sample = patterns[chosen[part]]  # (P, N, 4)
        shift_x, shift_y = radius_px * sample[..., 0], radius_px * sample[..., 1]
        from_x = at_x[part, None] + sample[..., 2] - shift_x * focus_disparity
        from_y = at_y[part, None] + sample[..., 3] - shift_y * focus_disparity
        hits = [layer.hit_disparity(from_x, from_y, shift_x, shift_y) for layer in layers]
        colors = [
            layer.color(texels, level[part, None], from_x + shift_x * hit, from_y + shift_y * hit)
            for layer, level, hit in zip(layers, levels, hits, strict=True)
        ]
        order = torch.stack(hits).argsort(dim=0, descending=True, stable=True)  # (L, P, N)
        stacked = torch.stack(colors).gather(0, order[..., None].expand(*order.shape, 4))
        left_over = torch.cumprod(1 - stacked[..., 3], dim=0)
        left_over = torch.cat([torch.ones_like(left_over[:1]), left_over[:-1]])
        light[part] = (left_over[..., None] * stacked[..., :3]).sum(dim=0).mean(dim=1)
        seen = torch.zeros_like(left_over).scatter(0, order, left_over * stacked[..., 3])
        share[:, part] = seen.mean(dim=2)
    size = (view.height, view.width)
    return light.T.reshape(3, *size).cpu().numpy(), share.reshape(-1, *size).cpu().numpy()


class _Layer:
    """One layer of a view, on a device."""

    def __init__(self, view: View, index: int, device: torch.device) -> None:
        picture = int(view.picture[index])
        self.homography = [[float(v) for v in row] for row in view.to_texture[index]]
        self.surface = [float(v) for v in view.surface[index]]
        self.endless = bool(view.endless[index])
        self.first = torch.from_numpy(view.atlas.first[picture]).to(device)
        self.size = torch.from_numpy(view.atlas.size[picture].astype(np.int64)).to(device)

    def hit_disparity(self, from_x: Tensor, from_y: Tensor, shift_x: Tensor, shift_y: Tensor) -> Tensor:
        """Where rays meet the surface; minus infinity where they pass it by."""
        a, bx, by, xx, xy, yy = self.surface
        here = a + from_x * (bx + xx * from_x + xy * from_y) + from_y * (by + yy * from_y)
        slope = (bx + 2 * xx * from_x + xy * from_y) * shift_x + (by + 2 * yy * from_y + xy * from_x) * shift_y
        curve = shift_x * (xx * shift_x + xy * shift_y) + yy * shift_y * shift_y
        facing = 1 - slope
        inside = facing * facing - 4 * curve * here
        hit = 2 * here / (facing + inside.clamp(min=0).sqrt())
        return torch.where((facing > 0) & (inside >= 0), hit, float("-inf"))

    def levels(self, x: Tensor, y: Tensor) -> Tensor:
        """For each pixel the coarsest level whose texels are no larger than the pixel."""
        u, v, below = self._texture(x, y)
        h = self.homography
        area = (h[0][0] - u * h[2][0]) * (h[1][1] - v * h[2][1]) - (h[0][1] - u * h[2][1]) * (h[1][0] - v * h[2][0])
        area = area.abs() / (below * below)
        level = torch.zeros_like(area, dtype=torch.int64)
        for i in range(1, LEVELS):
            level += area >= 4**i
        return torch.where(below > 0, level, LEVELS // 2)

    def color(self, texels: Tensor, level: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """``(..., 4)`` light premultiplied by alpha, where rays meet the surface at (x, y) of the frame."""
        u, v, below = self._texture(x, y)
        hit = (below > 0) & torch.isfinite(u) & torch.isfinite(v)
        u, v = torch.where(hit, u, -1e6), torch.where(hit, v, -1e6)
        high, wide = self.size[level, 0], self.size[level, 1]
        u, v = u * (wide / self.size[0, 1]) - 0.5, v * (high / self.size[0, 0]) - 0.5
        i, j = u.floor(), v.floor()
        part_u, part_v = u - i, v - j
        total = torch.zeros(*u.shape, 4, device=u.device)
        for di in (0, 1):
            for dj in (0, 1):
                column, row = i.long() + di, j.long() + dj
                weight = (part_u if di else 1 - part_u) * (part_v if dj else 1 - part_v)
                if self.endless:
                    column, row = _mirrored(column, wide), _mirrored(row, high)
                else:
                    weight = weight * ((column >= 0) & (column < wide) & (row >= 0) & (row < high))
                    column, row = column.clamp(min=0).minimum(wide - 1), row.clamp(min=0).minimum(high - 1)
                total += weight[..., None] * texels[self.first[level] + row * wide + column]
        return total * hit[..., None]

    def _texture(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.homography
        below = h[2][0] * x + h[2][1] * y + h[2][2]
        u = (h[0][0] * x + h[0][1] * y + h[0][2]) / below
        v = (h[1][0] * x + h[1][1] * y + h[1][2]) / below
        return u, v, below


def _mirrored(i: Tensor, count: Tensor) -> Tensor:
    i = i % (2 * count)
    return torch.where(i < count, i, 2 * count - 1 - i)


def _pattern(x: NDArray[np.int64], y: NDArray[np.int64], salt: np.uint32) -> NDArray[np.int64]:
    """Which pattern a pixel takes: a hash of where it is."""
    mixed = x.astype(np.uint32) * np.uint32(0x8DA6B343) ^ y.astype(np.uint32) * np.uint32(0xD8163841) ^ salt
    mixed = (mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
    mixed = (mixed ^ (mixed >> np.uint32(12))) * np.uint32(0x297A2D39)
    return ((mixed ^ (mixed >> np.uint32(15))) & np.uint32(PATTERN_COUNT - 1)).astype(np.int64)
