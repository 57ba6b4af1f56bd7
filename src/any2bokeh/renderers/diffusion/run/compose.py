"""The picture at its own size: sharp detail from the source, bokeh from the model.

A pixel is touched where it is out of focus itself, or where the disc of something nearer reaches it. Everything between
is a ramp, so that no seam shows; what a smaller processing size has lost is put back in so far as the blur leaves it.
"""

import torch
import torch.nn.functional as F

from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.renderers.diffusion.run.processing_size import ProcessingSize

UNTOUCHED_RADIUS_PX = 0.5
"""Up to this circle of confusion a pixel is the source's own."""

MODEL_RADIUS_PX = 1.0
"""From this one on it is the model's alone."""

DISC_CUTOFF = 1.22
"""A disc of this radius, in samples, passes nothing at the Nyquist frequency: first zero of its transfer function."""


def composed(
    source: torch.Tensor,
    disparity: torch.Tensor,
    focus_disparity: float,
    blur_strength: float,
    small_source: torch.Tensor,
    small_disparity: torch.Tensor,
    small_result: torch.Tensor,
    size: ProcessingSize,
) -> torch.Tensor:
    """Compose one frame.

    Args:
        source: ``(3, H, W)`` all-in-focus frame.
        disparity: ``(1, H, W)``.
        focus_disparity: d_f.
        blur_strength: K.
        small_source, small_disparity: ``(3, h, w)`` and ``(1, h, w)`` as the model saw them, without padding.
        small_result: ``(3, h, w)``, the model's picture.
        size: of the frame.

    Returns:
        ``(3, H, W)``; exactly ``source`` where the circle of confusion is at most half a pixel and nothing blurred
        lies in front.
    """
    defocus, small_defocus = (
        _defocus_px(each, focus_disparity, blur_strength, max(size.source)) for each in (disparity, small_disparity)
    )
    reach, coverage = foreground_reach(small_defocus, 1.0 / size.scale, *size.source)
    radius = torch.maximum(defocus.abs(), reach)  # (1, H, W)
    if size.scaled == size.source:
        picture = small_result
    else:
        both = upsample_along(torch.cat([small_result, small_source]), small_defocus, defocus)
        # Lost is what the pixel's own blur has left, and of that what shows past the discs in front.
        kept_detail = (1.0 - coverage) * (1.0 - _smoothstep(defocus.abs() * size.scale / DISC_CUTOFF))
        picture = both[:3] + kept_detail * (source - both[3:])
    share = _smoothstep((radius - UNTOUCHED_RADIUS_PX) / (MODEL_RADIUS_PX - UNTOUCHED_RADIUS_PX))
    return torch.where(share == 0.0, source, source + share * (picture - source))


def foreground_reach(
    small_defocus: torch.Tensor, pitch_px: float, height: int, width: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """How deep inside the discs of what is in front of the focal plane each pixel lies.

    Args:
        small_defocus: ``(1, h, w)`` signed radius in pixels of the large frame, positive in front of the focal plane.
        pitch_px: distance of its samples in these pixels.
        height, width: of the large frame.

    Returns:
        Two of ``(1, height, width)``. Reach in pixels: ``sqrt(radius(q)^2 - distance(p, q)^2)``, the largest over all
        samples q in front, 0 where no disc reaches; a quarter is taken off the square, so that a slope does not count
        as reaching its neighbours. Coverage: the share of a pixel's light that comes from in front, as beside a
        straight edge, from 0 at the rim of the discs to a half at the edge.
    """
    radius = small_defocus[0].clamp(min=0.0)
    largest = float(radius.max())
    slack = UNTOUCHED_RADIUS_PX**2
    power = torch.where(radius > 0.0, -(radius**2), radius.new_tensor(slack))
    for axis in (0, 1):
        power, radius = _nearest_parabola(power, radius, axis, int(largest / pitch_px), pitch_px)
    depth = (-power - slack).clamp(min=0.0)
    place = (1.0 - depth / (radius**2).clamp(min=slack)).clamp(0.0, 1.0).sqrt()  # of the edge, in radii
    coverage = torch.where(depth > 0.0, (place.acos() - place * (1.0 - place**2).sqrt()) / torch.pi, 0.0)
    both = torch.stack([depth, coverage])[None]
    if both.shape[-2:] != (height, width):
        both = F.interpolate(both, (height, width), mode="bilinear")
    return both[0, :1].sqrt(), both[0, 1:]


def _nearest_parabola(
    values: torch.Tensor, labels: torch.Tensor, axis: int, largest_offset: int, pitch_px: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """``min over q of values[q] + distance(p, q)^2`` along one axis, and the label of that q; along both in turn it is
    that of the plane."""
    result, result_labels = values.clone(), labels.clone()
    length = values.shape[axis]
    for offset in range(1, min(largest_offset, length - 1) + 1):
        raised = values + (offset * pitch_px) ** 2
        for to, source in ((offset, 0), (0, offset)):
            target, target_labels = (each.narrow(axis, to, length - offset) for each in (result, result_labels))
            candidate = raised.narrow(axis, source, length - offset)
            nearer = candidate < target
            target_labels.copy_(torch.where(nearer, labels.narrow(axis, source, length - offset), target_labels))
            target.copy_(torch.where(nearer, candidate, target))
    return result, result_labels


def upsample_along(small: torch.Tensor, small_defocus: torch.Tensor, defocus: torch.Tensor) -> torch.Tensor:
    """Bilinear upsampling that does not mix across a step of defocus.

    Args:
        small: ``(C, h, w)``.
        small_defocus: ``(1, h, w)`` in pixels of the large frame.
        defocus: ``(1, H, W)``.

    Returns:
        ``(C, H, W)``. Of the four samples around a pixel those count whose defocus is like the pixel's.

    Source: joint bilateral upsampling, Kopf et al., SIGGRAPH 2007.
    """
    height, width = defocus.shape[-2:]
    rows = _taps(height, small.shape[-2], defocus)
    columns = _taps(width, small.shape[-1], defocus)
    tolerance = 1.0 + 0.25 * defocus.abs()
    total = torch.zeros_like(small[:, :1, :1]).expand(small.shape[0], height, width).clone()
    weights = torch.zeros_like(defocus)
    for row, row_weight in rows:
        for column, column_weight in columns:
            difference = (small_defocus[:, row][:, :, column] - defocus) / tolerance
            # The floor lets plain bilinear weights decide where none of the four is alike.
            weight = (row_weight[:, None] * column_weight) * (torch.exp(-0.5 * difference**2) + 1e-4)
            total += weight * small[:, row][:, :, column]
            weights += weight
    return total / weights


def _taps(length: int, small_length: int, like: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The two samples around every pixel along one axis: indices and bilinear weights, both ``(length,)``."""
    place = (torch.arange(length, device=like.device, dtype=like.dtype) + 0.5) * (small_length / length) - 0.5
    place = place.clamp(0.0, small_length - 1.0)
    lower = place.floor().long()
    upper = (lower + 1).clamp(max=small_length - 1)
    share = place - lower
    return [(lower, 1.0 - share), (upper, share)]


def _defocus_px(
    disparity: torch.Tensor, focus_disparity: float, blur_strength: float, long_side_px: int
) -> torch.Tensor:
    """``optics.coc.defocus_px`` of a tensor."""
    return (blur_strength * long_side_px / REFERENCE_LONG_SIDE_PX) * (disparity - focus_disparity)


def _smoothstep(value: torch.Tensor) -> torch.Tensor:
    value = value.clamp(0.0, 1.0)
    return value * value * (3.0 - 2.0 * value)
