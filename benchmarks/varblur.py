"""FFmpeg's blur by a map of radii; gather and scatter, the other yardsticks, are in ``any2bokeh.evaluation``."""

from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.filter import Graph, filters_available

from any2bokeh.optics.coc import coc_radius_px
from any2bokeh.renderers.base import RenderInput


class VarBlur:
    """FFmpeg's ``varblur`` filter: a box of each pixel's own size, in 8-bit 4:2:0 code values, by an integral image.

    Not a renderer: conversion to and from its samples is left out of its time, as in a filter chain of FFmpeg's.
    """

    def __init__(self, frame: RenderInput) -> None:
        height, width = frame.disparity.shape[1:]
        self._picture, self._radius, largest = _varblur_inputs(frame)
        self._graph = graph = Graph()
        options = {"width": width, "height": height, "format": "yuv420p", "time_base": Fraction(1, 24)}
        self._sources = [graph.add_buffer(**options) for _ in range(2)]
        blur = graph.add("varblur", f"min_r=0:max_r={largest}:planes=7")
        for number, source in enumerate(self._sources):
            source.link_to(blur, 0, number)
        blur.link_to(graph.add("buffersink"))
        graph.configure()
        self._shown = 0

    @staticmethod
    def is_present() -> bool:
        """Whether the FFmpeg that PyAV brings has the filter."""
        return "varblur" in filters_available

    def __call__(self) -> Any:
        """The blurred picture, an ``av.VideoFrame`` in yuv420p."""
        for source, picture in zip(self._sources, (self._picture, self._radius), strict=True):
            picture.pts = self._shown
            source.push(picture)
        self._shown += 1
        return self._graph.vpull()


def _varblur_inputs(frame: RenderInput) -> tuple[av.VideoFrame, av.VideoFrame, int]:
    """Picture and radius map in yuv420p, and ``max_r``.

    As measured with libavfilter 11, the half side of the box is ``1 + 4 * max_r * value / 255`` samples.
    """
    height, width = frame.disparity.shape[1:]
    radius_px = coc_radius_px(frame.disparity[0], frame.focus_disparity, frame.blur_strength, max(width, height))
    # The box that spreads light as far as the disc does, in the mean square.
    half_side = radius_px * (np.sqrt(3) / 2)
    largest = int(np.clip(np.ceil((half_side.max() - 1) / 4), 1, 255))
    planes = [
        np.rint(np.clip((side - 1) * 255 / (4 * largest), 0, 255)).astype(np.uint8)
        for side in (half_side, cv2.resize(half_side, (width // 2, height // 2), interpolation=cv2.INTER_AREA) / 2)
    ]
    stacked = np.concatenate([planes[0].ravel(), planes[1].ravel(), planes[1].ravel()])
    radius = av.VideoFrame.from_ndarray(stacked.reshape(height * 3 // 2, width), format="yuv420p")
    codes = np.rint(np.clip(frame.pixels, 0, 1) * 255).astype(np.uint8)
    rgb = np.ascontiguousarray(codes.transpose(1, 2, 0))
    return av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p"), radius, largest
