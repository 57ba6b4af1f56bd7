"""Ground truth: layers seen through a thin lens, ray by ray. The CPU path; ``ray_trace_torch.py`` is its twin.

A lens at ``l`` in the unit disc, off the centre, sees a point of disparity ``d`` shifted by ``-R l (d - d_f)``, where R
is the blur strength in pixels of this frame. So the ray of pixel ``p`` through ``l`` meets a surface ``D`` at

    x = p + R l (d - d_f),    d = D(x)

which for a plane (D affine) is one linear equation and for a curved surface a quadratic one: no marching, no
approximation. All layers that a ray meets are taken front to back, each covering what its alpha says, and light is
summed as it is in the textures (linear for a transfer function, code values for ``none``).

Tiles skip layers that are clear in all of their rays, and all that lies behind a layer that fills them. That changes no
result, only the time.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.optics.aperture import ConvexAperture
from any2bokeh.synthesis.lens_samples import PATTERN_COUNT, lens_patterns
from any2bokeh.synthesis.texture_atlas import CELL_TEXELS, LEVELS
from any2bokeh.synthesis.view import View

TILE_PX = 8
MOST_LAYERS = 32
SEEN_ALPHA = 0.5
"""Disparity is that of the nearest layer that covers at least this share of the pixel's centre."""

_NOTHING_LEFT = np.float32(1e-5)  # of the light: what lies behind it is left out


def trace(
    view: View,
    *,
    focus_disparity: float,
    blur_strength: float,
    aperture: ConvexAperture,
    sample_count: int = 256,
    seed: int = 0,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Light of a view through the lens.

    Args:
        view: what is in front of it.
        focus_disparity: d_f.
        blur_strength: K; 0 gives the all-in-focus picture, antialiased by a box as wide as a pixel.
        aperture: its shape.
        sample_count: rays of each pixel. Powers of two are spread most evenly.
        seed: of the samples.
        threads: None for one for each processor. The result does not depend on it.

    Returns:
        ``(3, H, W)``.
    """
    light, _ = _traced(view, focus_disparity, blur_strength, aperture, sample_count, seed, threads, shares=False)
    return light


def trace_in_focus(
    view: View, *, aperture: ConvexAperture, sample_count: int = 64, seed: int = 0, threads: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The all-in-focus picture, and how much of each pixel each layer is seen in.

    Returns:
        ``(3, H, W)`` light, and ``(L, H, W)`` shares in [0, 1].
    """
    return _traced(view, 0.0, 0.0, aperture, sample_count, seed, threads, shares=True)


def seen_disparity(view: View) -> NDArray[np.float32]:
    """Disparity of what is seen at the centre of each pixel, ``(1, H, W)``, without antialiasing.

    It is that of the nearest layer whose alpha there is at least ``SEEN_ALPHA``.
    """
    disparity = np.empty((view.height, view.width), np.float32)
    _seen_disparity(_arrays(view), disparity)
    return disparity[None]


def _traced(
    view: View,
    focus_disparity: float,
    blur_strength: float,
    aperture: ConvexAperture,
    sample_count: int,
    seed: int,
    threads: int | None,
    *,
    shares: bool,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if view.layer_count > MOST_LAYERS:
        raise ValueError(f"the view has {view.layer_count} layers; at most {MOST_LAYERS} are traced")
    light = np.empty((3, view.height, view.width), np.float32)
    share = np.zeros((view.layer_count if shares else 0, view.height, view.width), np.float32)
    patterns = lens_patterns(aperture, sample_count)
    arrays, salt = _arrays(view), np.uint32(seed * 0x9E3779B1 & 0xFFFFFFFF)
    lens = np.array([view.lens_radius_px(blur_strength), focus_disparity], np.float32)

    def row(tile_row: int) -> None:
        _trace_tiles(tile_row, arrays, lens, patterns, salt, light, share)

    rows = range(-(-view.height // TILE_PX))
    threads = os.cpu_count() or 1 if threads is None else threads
    if threads == 1:
        for tile_row in rows:
            row(tile_row)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(row, rows):
                pass
    return light, share


def _arrays(view: View) -> tuple[Any, ...]:
    atlas = view.atlas
    return (
        atlas.texels, atlas.first, atlas.size, atlas.cell_first, atlas.alpha_range,
        view.picture, view.endless, view.to_texture, view.surface, view.disparity_range,
    )  # fmt: skip


@compiled(nogil=True, fastmath={"nsz", "arcp", "contract", "afn", "reassoc"})
def _trace_tiles(tile_row, arrays, lens, patterns, salt, light, share):
    """Trace one row of tiles into ``light`` and, where it has layers, ``share``."""
    height, width = light.shape[1], light.shape[2]
    radius_px, focus = lens[0], lens[1]
    texels, first, size, _, _, picture, endless, to_texture, surface, _ = arrays
    sample_count = patterns.shape[1]
    one_sample = np.float32(1) / np.float32(sample_count)
    order = np.empty(MOST_LAYERS, np.int64)
    hit = np.empty(MOST_LAYERS, np.float32)  # disparity of each layer on the ray
    levels = np.empty((MOST_LAYERS, TILE_PX, TILE_PX), np.int8)
    scale = np.empty((MOST_LAYERS, 2), np.float32)  # of texels of a pixel's level to those of the picture
    top, bottom = tile_row * TILE_PX, min((tile_row + 1) * TILE_PX, height)
    for left in range(0, width, TILE_PX):
        right = min(left + TILE_PX, width)
        count, ordered = _choose_layers(top, bottom, left, right, arrays, lens, levels, order, hit)
        for y in range(top, bottom):
            for x in range(left, right):
                pattern = _pattern(x, y, salt)
                for i in range(count):
                    shown, level = picture[order[i]], levels[order[i], y - top, x - left]
                    scale[order[i], 0] = np.float32(size[shown, level, 1]) / np.float32(size[shown, 0, 1])
                    scale[order[i], 1] = np.float32(size[shown, level, 0]) / np.float32(size[shown, 0, 0])
                red, green, blue = np.float32(0), np.float32(0), np.float32(0)
                for k in range(sample_count):
                    shift_x = radius_px * patterns[pattern, k, 0]
                    shift_y = radius_px * patterns[pattern, k, 1]
                    from_x = np.float32(x) + patterns[pattern, k, 2] - shift_x * focus
                    from_y = np.float32(y) + patterns[pattern, k, 3] - shift_y * focus
                    if not ordered:
                        for i in range(count):
                            hit[order[i]] = _hit_disparity(surface, order[i], from_x, from_y, shift_x, shift_y)
                        _sort(order, hit, count)
                    left_over = np.float32(1)
                    for i in range(count):
                        layer = order[i]
                        if ordered:
                            disparity = _hit_disparity(surface, layer, from_x, from_y, shift_x, shift_y)
                        else:
                            disparity = hit[layer]
                        if disparity == -np.inf:
                            continue
                        at_x, at_y = from_x + shift_x * disparity, from_y + shift_y * disparity
                        h = to_texture[layer]
                        below = h[2, 0] * at_x + h[2, 1] * at_y + h[2, 2]
                        if below <= 0:
                            continue
                        inverse = np.float32(1) / below
                        u = h[0, 0] * at_x + h[0, 1] * at_y + h[0, 2]
                        v = h[1, 0] * at_x + h[1, 1] * at_y + h[1, 2]
                        level = levels[layer, y - top, x - left]
                        shown = picture[layer]
                        high, wide = size[shown, level, 0], size[shown, level, 1]
                        u *= inverse * scale[layer, 0]
                        v *= inverse * scale[layer, 1]
                        r, g, b, a = _texel(texels, first[shown, level], high, wide, u, v, endless[layer])
                        red += left_over * r
                        green += left_over * g
                        blue += left_over * b
                        if share.shape[0] > 0:
                            share[layer, y, x] += left_over * a * one_sample
                        left_over *= np.float32(1) - a
                        if left_over < _NOTHING_LEFT:
                            break
                light[0, y, x] = red * one_sample
                light[1, y, x] = green * one_sample
                light[2, y, x] = blue * one_sample


@compiled(nogil=True, inline="always")
def _pattern(x, y, salt):
    """Which pattern a pixel takes: a hash of where it is."""
    # Products of 32 bits grow to 64; each is cut back.
    mixed = np.uint32(np.uint32(x) * np.uint32(0x8DA6B343)) ^ np.uint32(np.uint32(y) * np.uint32(0xD8163841)) ^ salt
    mixed = np.uint32((mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x2C1B3C6D))
    mixed = np.uint32((mixed ^ (mixed >> np.uint32(12))) * np.uint32(0x297A2D39))
    return np.int64((mixed ^ (mixed >> np.uint32(15))) & np.uint32(PATTERN_COUNT - 1))


@compiled(nogil=True, inline="always")
def _hit_disparity(surface, layer, from_x, from_y, shift_x, shift_y):
    """Disparity at which a ray ``from + shift * d`` meets the surface; minus infinity where it passes it by.

    Of a curved surface's two hits it is the one that goes over into the plane's as the curve flattens.
    """
    a, bx, by = surface[layer, 0], surface[layer, 1], surface[layer, 2]
    xx, xy, yy = surface[layer, 3], surface[layer, 4], surface[layer, 5]
    here = a + from_x * (bx + xx * from_x + xy * from_y) + from_y * (by + yy * from_y)
    slope = (bx + np.float32(2) * xx * from_x + xy * from_y) * shift_x
    slope += (by + np.float32(2) * yy * from_y + xy * from_x) * shift_y
    curve = shift_x * (xx * shift_x + xy * shift_y) + yy * shift_y * shift_y
    facing = np.float32(1) - slope
    if facing <= 0:
        return np.float32(-np.inf)
    if curve == 0:
        return here / facing
    inside = facing * facing - np.float32(4) * curve * here
    if inside < 0:
        return np.float32(-np.inf)
    return np.float32(2) * here / (facing + np.sqrt(inside))


@compiled(nogil=True, inline="always")
def _sort(order, hit, count):
    """Sort layers by the disparity of their hits, nearest first. They nearly are already."""
    for i in range(1, count):
        layer = order[i]
        j = i - 1
        while j >= 0 and hit[order[j]] < hit[layer]:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = layer


@compiled(nogil=True, inline="always")
def _texel(texels, first, high, wide, u, v, endless):
    """Bilinear sample of one level at (u, v) in its texels, whose centres lie at halves."""
    column, row = np.floor(u - np.float32(0.5)), np.floor(v - np.float32(0.5))
    part_u, part_v = u - np.float32(0.5) - column, v - np.float32(0.5) - row
    i, j = np.int64(column), np.int64(row)
    if 0 <= i < wide - 1 and 0 <= j < high - 1:
        at = first + j * wide + i
        return _mix(texels, at, at + 1, at + wide, at + wide + 1, part_u, part_v)
    if endless:
        i0, i1 = _mirrored(i, wide), _mirrored(i + 1, wide)
        j0, j1 = _mirrored(j, high), _mirrored(j + 1, high)
        top, bottom = first + j0 * wide, first + j1 * wide
        return _mix(texels, top + i0, top + i1, bottom + i0, bottom + i1, part_u, part_v)
    red, green, blue, alpha = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    if -1 <= i < wide and -1 <= j < high:
        for q in range(max(j, 0), min(j + 2, high)):
            for p in range(max(i, 0), min(i + 2, wide)):
                weight = part_u if p > i else np.float32(1) - part_u
                weight *= part_v if q > j else np.float32(1) - part_v
                at = first + q * wide + p
                red += weight * texels[at, 0]
                green += weight * texels[at, 1]
                blue += weight * texels[at, 2]
                alpha += weight * texels[at, 3]
    return red, green, blue, alpha


@compiled(nogil=True, inline="always")
def _mix(texels, a, b, c, d, part_u, part_v):
    weight_d = part_u * part_v
    weight_b, weight_c = part_u - weight_d, part_v - weight_d
    weight_a = np.float32(1) - part_u - weight_c
    return (
        weight_a * texels[a, 0] + weight_b * texels[b, 0] + weight_c * texels[c, 0] + weight_d * texels[d, 0],
        weight_a * texels[a, 1] + weight_b * texels[b, 1] + weight_c * texels[c, 1] + weight_d * texels[d, 1],
        weight_a * texels[a, 2] + weight_b * texels[b, 2] + weight_c * texels[c, 2] + weight_d * texels[d, 2],
        weight_a * texels[a, 3] + weight_b * texels[b, 3] + weight_c * texels[c, 3] + weight_d * texels[d, 3],
    )


@compiled(nogil=True, inline="always")
def _mirrored(i, count):
    i = i % (2 * count)
    return i if i < count else 2 * count - 1 - i


@compiled(nogil=True)
def _choose_layers(top, bottom, left, right, arrays, lens, levels, order, middle):
    """Layers that some ray of the tile may see, nearest first, and whether that order holds for every ray.

    ``levels`` gets each pixel's level of detail in each of them; ``middle`` is scratch.
    """
    radius_px, focus = lens[0], lens[1]
    layer_count = arrays[5].shape[0]
    low, high = np.empty(MOST_LAYERS, np.float32), np.empty(MOST_LAYERS, np.float32)
    opaque = np.zeros(MOST_LAYERS, np.bool_)
    count = 0
    for layer in range(layer_count):
        _choose_levels(top, bottom, left, right, arrays, layer, levels)
        near, far = arrays[9][layer, 1], arrays[9][layer, 0]
        reach = radius_px * max(abs(near - focus), abs(far - focus)) + np.float32(0.01)
        if arrays[6][layer]:
            # The whole disparity range: rays may meet it anywhere.
            reach = radius_px * max(abs(focus), abs(np.float32(1) - focus)) + np.float32(0.01)
        box = (top - reach, bottom + reach, left - reach, right + reach)
        low[layer], high[layer] = _surface_range(arrays[8], layer, box)
        if arrays[6][layer]:
            opaque[layer] = False
        else:
            least, most = _alpha_range(arrays, layer, box, levels[layer])
            if most <= 0:
                continue
            opaque[layer] = least >= 1 and low[layer] >= far and high[layer] <= near
            low[layer], high[layer] = max(low[layer], far), min(high[layer], near)
        order[count] = layer
        middle[layer] = (low[layer] + high[layer]) / 2
        count += 1
    _sort(order, middle, count)
    for i in range(count):
        for j in range(i + 1, count):
            if high[order[j]] > low[order[i]]:
                return count, False
    for i in range(count):
        if opaque[order[i]]:
            return i + 1, True
    return count, True


@compiled(nogil=True)
def _choose_levels(top, bottom, left, right, arrays, layer, levels):
    """For each pixel the coarsest level whose texels are still no larger than the pixel, by area."""
    h = arrays[7][layer]
    for y in range(top, bottom):
        for x in range(left, right):
            at_x, at_y = np.float32(x) + np.float32(0.5), np.float32(y) + np.float32(0.5)
            below = h[2, 0] * at_x + h[2, 1] * at_y + h[2, 2]
            if below <= 0:
                levels[layer, y - top, x - left] = LEVELS // 2
                continue
            u = (h[0, 0] * at_x + h[0, 1] * at_y + h[0, 2]) / below
            v = (h[1, 0] * at_x + h[1, 1] * at_y + h[1, 2]) / below
            area = (h[0, 0] - u * h[2, 0]) * (h[1, 1] - v * h[2, 1])
            area -= (h[0, 1] - u * h[2, 1]) * (h[1, 0] - v * h[2, 0])
            area = abs(area) / (below * below)
            level = 0
            while area >= 4 and level < LEVELS - 1:
                area /= 4
                level += 1
            levels[layer, y - top, x - left] = level


@compiled(nogil=True)
def _surface_range(surface, layer, box):
    """Bounds of the disparity of a surface in a box of the frame."""
    top, bottom, left, right = box
    x, y = (left + right) / 2, (top + bottom) / 2
    half_x, half_y = (right - left) / 2, (bottom - top) / 2
    a, bx, by, xx, xy, yy = surface[layer]
    middle = a + x * (bx + xx * x + xy * y) + y * (by + yy * y)
    away = half_x * abs(bx + 2 * xx * x + xy * y) + half_y * abs(by + 2 * yy * y + xy * x)
    away += abs(xx) * half_x**2 + abs(xy) * half_x * half_y + abs(yy) * half_y**2
    return np.float32(middle - away), np.float32(middle + away)


@compiled(nogil=True)
def _alpha_range(arrays, layer, box, levels):
    """Least and largest alpha that a layer can have in a box of the frame."""
    _, _, size, cell_first, alpha_range, picture, _, to_texture, _, _ = arrays
    h, shown = to_texture[layer], picture[layer]
    high, wide = size[shown, 0, 0], size[shown, 0, 1]
    low_u, low_v, high_u, high_v = np.inf, np.inf, -np.inf, -np.inf
    for corner in range(4):
        y, x = box[corner // 2], box[2 + corner % 2]
        below = h[2, 0] * x + h[2, 1] * y + h[2, 2]
        if below <= 0:
            return np.float32(0), np.float32(1)
        u = (h[0, 0] * x + h[0, 1] * y + h[0, 2]) / below
        v = (h[1, 0] * x + h[1, 1] * y + h[1, 2]) / below
        low_u, high_u = min(low_u, u), max(high_u, u)
        low_v, high_v = min(low_v, v), max(high_v, v)
    margin = 2.0 * 2 ** levels.max()  # a bilinear sample of a coarse level reaches this far
    low_u, low_v, high_u, high_v = low_u - margin, low_v - margin, high_u + margin, high_v + margin
    least, most = np.float32(1), np.float32(0)
    if low_u < 0 or low_v < 0 or high_u > wide or high_v > high:
        least = np.float32(0)
    columns = (wide + CELL_TEXELS - 1) // CELL_TEXELS
    rows = (high + CELL_TEXELS - 1) // CELL_TEXELS
    for row in range(max(int(np.floor(low_v)) // CELL_TEXELS, 0), min(int(high_v) // CELL_TEXELS + 1, rows)):
        for column in range(max(int(np.floor(low_u)) // CELL_TEXELS, 0), min(int(high_u) // CELL_TEXELS + 1, columns)):
            cell = alpha_range[cell_first[shown] + row * columns + column]
            least, most = min(least, cell[0]), max(most, cell[1])
    return least, most


@compiled(nogil=True)
def _seen_disparity(arrays, disparity):
    texels, first, size, _, _, picture, endless, to_texture, surface, _ = arrays
    count = picture.shape[0]
    order, hit = np.arange(count), np.empty(count, np.float32)
    levels = np.empty((count, TILE_PX, TILE_PX), np.int8)
    none = np.float32(0)
    for y in range(disparity.shape[0]):
        for x in range(disparity.shape[1]):
            at_x, at_y = np.float32(x) + np.float32(0.5), np.float32(y) + np.float32(0.5)
            for layer in range(count):
                hit[layer] = _hit_disparity(surface, layer, at_x, at_y, none, none)
            _sort(order, hit, count)
            disparity[y, x] = 0
            for i in range(count):
                layer = order[i]
                h, shown = to_texture[layer], picture[layer]
                below = h[2, 0] * at_x + h[2, 1] * at_y + h[2, 2]
                if below <= 0:
                    continue
                _choose_levels(y, y + 1, x, x + 1, arrays, layer, levels)
                level = levels[layer, 0, 0]
                high, wide = size[shown, level, 0], size[shown, level, 1]
                u = (h[0, 0] * at_x + h[0, 1] * at_y + h[0, 2]) / below * wide / size[shown, 0, 1]
                v = (h[1, 0] * at_x + h[1, 1] * at_y + h[1, 2]) / below * high / size[shown, 0, 0]
                alpha = _texel(texels, first[shown, level], high, wide, np.float32(u), np.float32(v), endless[layer])[3]
                if alpha >= SEEN_ALPHA:
                    disparity[y, x] = min(max(hit[layer], np.float32(0)), np.float32(1))
                    break
