"""Frames traced through a lens of which every surface is known, what others hide included."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.bands import EdgeBands
from any2bokeh.optics.aperture import Disc
from any2bokeh.optics.transfer import srgb_encode
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.synthesis.maker import ClipConfig, ClipMaker
from any2bokeh.synthesis.ray_trace import seen_disparity, trace, trace_in_focus
from any2bokeh.synthesis.scene import SceneConfig
from any2bokeh.synthesis.view import View

_LEAST_SHARE = 1 / 128  # less of a pixel than this does not make it mixed
_LEAST_STEP = 0.005  # of disparity, from which two surfaces are two


class Lens(NamedTuple):
    """A lens that a frame is shot through.

    Attributes:
        focus: on the background, or on the nearest subject.
        blur_strength: K.
    """

    focus: Literal["background", "nearest"]
    blur_strength: float


LENSES = tuple(Lens(focus, strength) for focus in ("background", "nearest") for strength in (16.0, 32.0))


@dataclass(frozen=True, slots=True, eq=False)
class TracedLayers:
    """The middle frame of a clip, of which all is known, and the frames around it.

    Attributes:
        frames: ``(T, 3, H, W)`` float32 code values in [0, 1], all in focus.
        disparity: ``(T, 1, H, W)`` float32, exact.
        hidden: what is seen in the middle frame where the nearest surface of each pixel is taken away; known wherever
            there is such a thing a step behind.
        bands: its mixed pixels, with their true shares and colours.
        focus_disparity, bokeh: of each lens; ``bokeh`` is ``(3, H, W)``.
        is_fair: ``(H, W)``: out of reach of lamps, which are clipped in ``frames`` and not in ``bokeh``.
    """

    frames: NDArray[np.float32]
    disparity: NDArray[np.float32]
    hidden: HiddenBackground
    bands: EdgeBands
    focus_disparity: dict[Lens, float]
    bokeh: dict[Lens, NDArray[np.float32]]
    is_fair: NDArray[np.bool_]

    @property
    def middle(self) -> int:
        """Which of the frames is known."""
        return len(self.frames) // 2


def traced_layers(
    clips: int, frames: int, *, seed: int, lens_samples: int = 256, size: tuple[int, int] = (288, 512)
) -> Iterator[TracedLayers]:
    """The middle frames of clips with two to four subjects before a background.

    Args:
        clips: how many.
        frames: of each clip.
        seed: of the clips.
        lens_samples: rays of each pixel through the lens; a quarter of it in focus.
        size: (H, W) in pixels.
    """
    height, width = size
    config = ClipConfig(
        width=width, height=height, frame_count=frames, scene=replace(SceneConfig(), subjects=(2, 4)), transfer="srgb"
    )
    maker = ClipMaker(config, seed=seed, count=clips, threads=1)
    for index in range(clips):
        yield _traced(maker, index, lens_samples)


def _traced(maker: ClipMaker, index: int, lens_samples: int) -> TracedLayers:
    scene, atlas, _, _ = maker.plan(index)
    middle, samples = maker.frame_count // 2, max(lens_samples // 4, 1)
    views = [scene.view(t, atlas) for t in range(maker.frame_count)]
    seeds = [(maker.seed * 1_000_003 + index * 1009 + t) for t in range(len(views))]
    in_focus = [
        trace_in_focus(view, aperture=Disc(), sample_count=samples, seed=seed, threads=1)[0]
        for view, seed in zip(views, seeds, strict=True)
    ]
    disparity = np.stack([seen_disparity(view) for view in views])
    layers = _Layers.of(views[middle], samples, seeds[middle])
    subjects, far = scene.focus_places(middle)
    at = {"background": far, "nearest": min(max(*subjects, far), 1.0)}
    focus = {lens: float(at[lens.focus]) for lens in LENSES}
    bokeh = {
        lens: _code(
            trace(
                views[middle],
                focus_disparity=focus[lens],
                blur_strength=lens.blur_strength,
                aperture=Disc(),
                sample_count=lens_samples,
                seed=seeds[middle],
                threads=1,
            )
        )
        for lens in LENSES
    }
    hidden, bands = layers.told(in_focus[middle], disparity[middle])
    reach_px = 2 * int(np.ceil(views[middle].lens_radius_px(max(lens.blur_strength for lens in LENSES)))) + 7
    lamps = (layers.light.max(axis=(0, 1)) > 1).astype(np.uint8)
    around = cv2.dilate(lamps, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach_px, reach_px)))
    return TracedLayers(
        np.stack([_code(light) for light in in_focus]), disparity, hidden, bands, focus, bokeh, around == 0
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Layers:
    """``L`` surfaces, each seen without the others, the nearest of each pixel first.

    Attributes:
        coverage: ``(L, H, W)`` in [0, 1].
        light: ``(L, 3, H, W)`` linear light multiplied by it.
        disparity: ``(L, H, W)``.
    """

    coverage: NDArray[np.float32]
    light: NDArray[np.float32]
    disparity: NDArray[np.float32]

    @classmethod
    def of(cls, view: View, samples: int, seed: int) -> "_Layers":
        alone = [
            trace_in_focus(_only(view, layer), aperture=Disc(), sample_count=samples, seed=seed, threads=1)
            for layer in range(view.layer_count)
        ]
        y, x = np.mgrid[: view.height, : view.width] + 0.5
        terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])
        disparity = np.clip(np.tensordot(view.surface.astype(np.float64), terms, 1), 0, 1).astype(np.float32)
        order = np.argsort(-disparity, axis=0, kind="stable")
        light = np.take_along_axis(np.stack([own for own, _ in alone]), order[:, None], 0)
        coverage = np.take_along_axis(np.concatenate([share for _, share in alone]), order, 0)
        return cls(coverage, light, np.take_along_axis(disparity, order, 0))

    def told(self, light: NDArray[np.float32], disparity: NDArray[np.float32]) -> tuple[HiddenBackground, EdgeBands]:
        """What is hidden, and the mixed pixels, of a picture of ``light`` ``(3, H, W)`` and its map ``(1, H, W)``."""
        open_before = np.cumprod(np.concatenate([np.ones_like(self.coverage[:1]), 1 - self.coverage[:-1]]), axis=0)
        shares = self.coverage * open_before
        nearest = (shares > _LEAST_SHARE).argmax(axis=0)
        share, near = _of(shares, nearest), _of(self.disparity, nearest)
        behind, far, is_there = self._behind(nearest)
        is_there &= near - far > _LEAST_STEP
        is_mixed = is_there & (share < 1 - _LEAST_SHARE)
        # Told are colours that add up to the pixel, which is clipped.
        whole, share = np.clip(light, 0, 1), np.clip(share, _LEAST_SHARE, 1 - _LEAST_SHARE)
        background = np.clip(np.clip(behind, 0, 1), (whole - share) / (1 - share), whole / (1 - share))
        foreground = (whole - (1 - share) * background) / share

        def where_mixed(values: NDArray[np.floating]) -> NDArray[np.float32]:
            return np.where(is_mixed, values, 0).astype(np.float32)

        bands = EdgeBands(
            disparity,
            is_mixed,
            where_mixed(near),
            where_mixed(far),
            where_mixed((disparity[0] > (near + far) / 2).astype(np.float32)),
            where_mixed(share),
            where_mixed(_code(foreground)),
            where_mixed(_code(background)),
        )
        return HiddenBackground(_code(behind), far[None], is_there.astype(np.float32)), bands

    def _behind(self, nearest: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Light behind the nearest surface, disparity of what most of it shows, and whether there is any."""
        light, left = np.zeros_like(self.light[0]), np.ones_like(self.coverage[0])
        disparity, most = np.zeros_like(left), np.zeros_like(left)
        for number, (coverage, own, where) in enumerate(zip(self.coverage, self.light, self.disparity, strict=True)):
            open_here = np.where(number > nearest, left, 0)
            light += open_here * own
            is_most = open_here * coverage > most
            disparity, most = np.where(is_most, where, disparity), np.where(is_most, open_here * coverage, most)
            left = left - open_here * coverage
        covered = 1 - left
        return light / np.maximum(covered, 1e-6), disparity, covered > 1 - _LEAST_SHARE


def _only(view: View, layer: int) -> View:
    """A view of one of its layers alone."""
    own = slice(layer, layer + 1)
    return replace(
        view,
        picture=view.picture[own],
        endless=view.endless[own],
        to_texture=view.to_texture[own],
        surface=view.surface[own],
        disparity_range=view.disparity_range[own],
    )


def _of(planes: NDArray[np.floating], which: NDArray[np.intp]) -> NDArray[np.floating]:
    return np.take_along_axis(planes, which[None], 0)[0]


def _code(light: NDArray[np.floating]) -> NDArray[np.float32]:
    return srgb_encode(np.clip(light, 0, 1)).astype(np.float32)
