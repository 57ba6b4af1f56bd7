"""Edges without a network: ramps become steps, and colour says where they belong."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges import colour, matte, placing, ramps, rings, specks, thin
from any2bokeh.disparity.edges.bands import BandPixels, EdgeBands, MixedPixels, TreatedMap
from any2bokeh.disparity.edges.strips import MOST_PX, Strip, Told, rows_of, strips

_BAND_PX = 5.5  # how far from a step its true place may lie, with what is looked at beside it
_REACH_PX = 3.6  # farther from where it is expected no edge is
_SOFT_SHARE = 0.5  # of ramps that are wider than a clean step, above which a map is soft
_CLEAN_PX = 2  # width of a clean step
_LEAST_SHIFT_PX = 0.75  # clean steps that are less far off are in place
_MOST_SHIFT_PX = 4
_LEAST_AGREEMENT = 0.3  # of colours with the sides they lie on, below which they say nothing of the place
_LEAST_GAIN = 1.15  # in agreement over that of steps left in place, for which they are moved by a pixel or more
_SAMPLES = 4000  # pixels of a band that tell by how much all of it is off
_SURE = 0.8  # of what the colour of a pixel says, from -1 (far) to 1 (near)
_EDGE_PX = 2.1  # so close to a step lies what a map that is off by a pixel has wrong
_PLACE_ODDS_PER_PX, _PLACE_ODDS_MOST = 0.7, 2.5
_COLOUR_SAY = 0.8
_NEIGHBOURS_SAY = np.float32(5)
_ROUNDS = 2
_CELL_PX = 4  # of strips: those of ``colour`` and ``matte``
_SETTLED_PX = 4  # of strips: so far neighbours convince one another in all rounds; whole cells
_LOOK_PX = 12  # of strips: farther from a cell nothing is looked at
_PLACED = 0.7  # of the work, when steps are placed


@dataclass(frozen=True, slots=True)
class ClassicalEdges:
    """An ``EdgeEstimator``: steps where ramps were, placed by colour.

    A ramp belongs to no surface; it is replaced by a step at its middle. Around each step, the pixels some way off tell
    the colours of both sides. How well the colours between agree with a step that is moved by a few pixels, over the
    whole frame, tells by how much the map's edges are grown or shrunk; then each pixel is given to a side by its
    colour, by its place, and by what its neighbours of like colour are.

    Attributes:
        always: also where the map's steps are clean and lie on the picture's edges; otherwise such a map is left to
            the bit.
        most_px: pixels that are treated at once where lists are wanted.
    """

    always: bool = False
    most_px: int = MOST_PX

    def __call__(
        self, disparity: NDArray[np.float32], pixels: NDArray[np.float32], *, enlarged: bool = False
    ) -> EdgeBands:
        return self.with_shares(self.placed(disparity, pixels, enlarged=enlarged), pixels)

    def placed(
        self, disparity: NDArray[np.float32], pixels: NDArray[np.float32], *, enlarged: bool = False
    ) -> EdgeBands:
        """See ``PlacesFirst``."""
        look = FirstLook.of(disparity, pixels, enlarged)
        return EdgeBands.none(disparity) if look is None else self.placed_at(disparity, look)

    def placed_at(self, disparity: NDArray[np.float32], look: "FirstLook") -> EdgeBands:
        """What ``placed`` gives of a map that has been looked at."""
        if not (self.always or look.is_off):
            return matted(EdgeBands.none(disparity), look.pixels, look.step)
        return look.step.placed(look.pixels, look.shift_px)

    def with_shares(self, bands: EdgeBands, pixels: NDArray[np.float32]) -> EdgeBands:
        """See ``PlacesFirst``."""
        if not bool(bands.band.any()):
            return bands
        stride = stride_of(bands.band.shape)
        return matted(bands, pixels, Steps.of(bands.disparity[0], stride, matte.REACH_PX))

    def listed(
        self,
        disparity: NDArray[np.float32],
        pixels: NDArray[np.float32],
        *,
        enlarged: bool = False,
        told: Told | None = None,
    ) -> TreatedMap:
        """See ``TreatsInStrips``."""
        look = FirstLook.of(disparity, pixels, enlarged, self.most_px)
        return TreatedMap.none(disparity) if look is None else self.listed_at(disparity, look, told)

    def listed_at(self, disparity: NDArray[np.float32], look: "FirstLook", told: Told | None = None) -> TreatedMap:
        """What ``listed`` gives of a map that has been looked at; the memory of its steps is used again."""
        placed = self.listed_places_at(disparity, look, told)
        if placed.band.at.size == 0:
            return placed
        step = look.step.again(placed.disparity[0], matte.REACH_PX)
        return replace(placed, mixed=step.mixed(look.pixels, placed.band, self.most_px, told))

    def listed_places(
        self,
        disparity: NDArray[np.float32],
        pixels: NDArray[np.float32],
        *,
        enlarged: bool = False,
        told: Told | None = None,
    ) -> TreatedMap:
        """See ``TreatsInStrips``."""
        look = FirstLook.of(disparity, pixels, enlarged, self.most_px)
        return TreatedMap.none(disparity) if look is None else self.listed_places_at(disparity, look, told)

    def listed_places_at(
        self, disparity: NDArray[np.float32], look: "FirstLook", told: Told | None = None
    ) -> TreatedMap:
        """What ``listed_places`` gives of a map that has been looked at."""
        if not (self.always or look.is_off):
            none = TreatedMap.none(disparity)
            return replace(none, mixed=look.step.mixed(look.pixels, none.band, self.most_px, told))
        return look.step.places(look.pixels, look.shift_px, self.most_px, told)

    def listed_shares(
        self, disparity: NDArray[np.float32], band: BandPixels, pixels: NDArray[np.float32]
    ) -> MixedPixels:
        """See ``TreatsInStrips``."""
        if band.at.size == 0:
            return TreatedMap.none(disparity).mixed
        step = Steps.of(disparity[0], stride_of(disparity.shape[1:]), matte.REACH_PX)
        return step.mixed(pixels, band, self.most_px, None)


def stride_of(shape: tuple[int, ...]) -> int:
    """What all lengths are multiplied by, in a picture ``(H, W)``."""
    return max(1, round(max(shape) / 1024))


@dataclass(frozen=True, slots=True, eq=False)
class Stepped:
    """A map with steps in place of ramps.

    Attributes:
        sharp: ``(H, W)``.
        width: ``(H, W)`` uint8, of the ramps that were there; see ``ramps.find_ramps``.
        stride: all lengths are multiplied by it.
        is_soft: whether most steps were ramps.
    """

    sharp: NDArray[np.float32]
    width: NDArray[np.uint8]
    stride: int
    is_soft: bool

    @classmethod
    def of(cls, disparity: NDArray[np.float32], enlarged: bool, most_px: int = MOST_PX) -> "Stepped":
        """That of a map ``(1, H, W)``."""
        given = np.ascontiguousarray(disparity[0], np.float32)
        stride = stride_of(given.shape)
        near, far, sharp = np.empty_like(given), np.empty_like(given), np.empty_like(given)
        width = np.empty(given.shape, np.uint8)
        ramps.find_ramps(given, stride, near, far, width)
        ramps.toggle(given, near, far, width, sharp)
        widths = width[width > 0]
        if not np.count_nonzero(widths > _CLEAN_PX * stride) > _SOFT_SHARE * widths.size:
            return cls(sharp, width, stride, False)
        if not enlarged:
            sharp = thin.evened(sharp, stride, most_px)
        return cls(thin.lifted(sharp, round(float(widths.mean())), stride, most_px), width, stride, True)


@dataclass(frozen=True, slots=True, eq=False)
class FirstLook:
    """What a sample of a frame's bands tells of its map.

    Attributes:
        pixels: ``(3, H, W)`` code values; those above 1 count as 1.
        stepped: the map with steps in place of ramps.
        step: its bands.
        shift_px: how far into their near sides the steps of the picture lie.
        doubt: how many pixels have the colours of the other side of their step, over those that have the colours of
            their own; both surely. Exact maps have at most 0.01, but for hair.
        edge_doubt: the same of the pixels within 2 px of a step alone, which tells apart better what is off by a pixel.
    """

    pixels: NDArray[np.float32]
    stepped: Stepped
    step: "Steps"
    shift_px: float
    doubt: float
    edge_doubt: float

    @classmethod
    def of(
        cls, disparity: NDArray[np.float32], pixels: NDArray[np.float32], enlarged: bool, most_px: int = MOST_PX
    ) -> "FirstLook | None":
        """That of a frame, looked at in strips of so many pixels; None where it has no steps. Arguments are those of an
        ``EdgeEstimator``."""
        pixels = np.ascontiguousarray(pixels, np.float32)
        stepped = Stepped.of(disparity, enlarged, most_px)
        step = Steps.of(stepped.sharp, stepped.stride)
        if step.band.size == 0:
            return None
        return cls(pixels, stepped, step, *step.shift_and_doubts(pixels))

    @property
    def is_off(self) -> bool:
        """Whether the map is soft, or its steps lie so far beside those of the picture that they are to be moved."""
        return self.stepped.is_soft or abs(self.shift_px) > _LEAST_SHIFT_PX * self.step.stride


def matted(bands: EdgeBands, pixels: NDArray[np.float32], step: "Steps", *, colours: bool = True) -> EdgeBands:
    """Bands with the shares and colours of the mixed pixels beside steps.

    Args:
        bands: without any.
        pixels: ``(3, H, W)`` code values.
        step: the steps of their map.
        colours: whether the colours of the two surfaces are wanted, too; else they stay 0.
    """
    near, far, alpha = bands.near.copy(), bands.far.copy(), np.zeros_like(step.disparity)
    size = alpha.shape if colours else (1, 1)
    foreground, background = (np.zeros((3, *size), np.float32) for _ in range(2))
    matte.find_shares(
        step.stride, step.disparity, np.ascontiguousarray(pixels, np.float32), step.distance, step.side, step.near,
        step.far, near, far, alpha, foreground, background,
    )  # fmt: skip
    bands = replace(bands, near=near, far=far, alpha=alpha)
    return replace(bands, foreground=foreground, background=background) if colours else bands


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A map with clean steps and the band around them; see ``rings.find_band``. Elsewhere near and far say nothing."""

    disparity: NDArray[np.float32]
    stride: int
    band: NDArray[np.int32]
    distance: NDArray[np.float32]
    side: NDArray[np.int8]
    near: NDArray[np.float32]
    far: NDArray[np.float32]

    @classmethod
    def of(cls, disparity: NDArray[np.float32], stride: int, reach_px: float = _BAND_PX) -> "Steps":
        near, far, distance = (np.empty_like(disparity) for _ in range(3))
        side = np.empty(disparity.shape, np.int8)
        return cls(disparity, stride, np.empty(0, np.int32), distance, side, near, far).again(disparity, reach_px)

    def again(self, disparity: NDArray[np.float32], reach_px: float) -> "Steps":
        """Those of another map of the size, in the memory of these."""
        least, most_px = np.float32(ramps.LEAST_STEP), np.float32(reach_px * self.stride)
        rings.find_band(disparity, least, most_px, self.distance, self.side, self.near, self.far)
        band = np.flatnonzero(self.side != 0).astype(np.int32)  # in order of memory
        return replace(self, disparity=disparity, band=band)

    def part(self, strip: Strip) -> "Steps":
        """Those of a strip; the band alone that is decided there."""
        rows, width = strip.rows, self.side.shape[1]
        begin, end = np.searchsorted(self.band, [strip.first * width, strip.last * width])
        return Steps(
            self.disparity[rows],
            self.stride,
            self.band[begin:end] - np.int32(strip.top * width),
            self.distance[rows],
            self.side[rows],
            self.near[rows],
            self.far[rows],
        )

    def _strips(self, most_px: int, margin: int) -> Iterator[Strip]:
        return strips(self.side.shape, align=_CELL_PX * self.stride, margin=margin, most_px=most_px)

    def shift_and_doubts(self, pixels: NDArray[np.float32]) -> tuple[float, float, float]:
        """See ``FirstLook``; of a sample of the band."""
        at = self.band[:: max(1, self.band.size // _SAMPLES)]
        at = at[colour.by_cells(at, self.stride, self.side.shape[1])]
        odds = np.empty(at.size, np.float32)
        surfaces = (self.disparity, pixels, self.distance, self.near, self.far)
        colour.find_odds_at(at, self.stride, *surfaces, odds)
        says, side, distance = np.tanh(odds / 2), self.side.ravel()[at], self.distance.ravel()[at]
        own, other = (sign * side * says > _SURE for sign in (1, -1))
        at_edge = distance <= np.float32(_EDGE_PX * self.stride)
        of_all, of_edges = (float(other[of].sum() / max(own[of].sum(), 1)) for of in (..., at_edge))
        return self._shift_px(says, distance * side), of_all, of_edges

    def _shift_px(self, says: NDArray[np.float32], place: NDArray[np.float32]) -> float:
        """How far off steps are, by what colours say (1 = near) of pixels at their places from steps on (px)."""
        shifts = np.arange(-_MOST_SHIFT_PX, _MOST_SHIFT_PX + 1)
        agreement = np.array([np.mean(says * np.sign(place - shift * self.stride)) for shift in shifts])
        best = int(agreement.argmax())
        in_place = max(float(agreement[_MOST_SHIFT_PX]), 0.0)
        if agreement[best] < max(_LEAST_AGREEMENT, _LEAST_GAIN * in_place) and best != _MOST_SHIFT_PX:
            return 0.0
        if not 0 < best < shifts.size - 1:
            return 0.0
        before, top, after = agreement[best - 1 : best + 2]
        bend = before - 2 * top + after
        return float(self.stride * (shifts[best] + (0.5 * (before - after) / bend if bend < 0 else 0.0)))

    def placed(self, pixels: NDArray[np.float32], shift_px: float) -> EdgeBands:
        """Each pixel of the band given to one of its two surfaces."""
        belief, near, far = self._believed(pixels, shift_px)
        self._leave_specks(belief, near, far)
        disparity = self.disparity.copy()
        placing.decide(self.band, belief, near, far, disparity)
        return replace(EdgeBands.none(disparity[None]), band=self.side != 0, near=near, far=far, near_share=belief)

    def places(self, pixels: NDArray[np.float32], shift_px: float, most_px: int, told: Told | None) -> TreatedMap:
        """The same in strips of so many pixels, as lists."""
        settled = _SETTLED_PX * self.stride
        near, far, belief = (np.empty(self.band.size, np.float32) for _ in range(3))
        done, margin = 0, settled + _LOOK_PX * self.stride
        for strip in self._strips(most_px, margin):
            of_strip = self.part(strip.grown(settled))._believed(rows_of(pixels, strip.rows), shift_px)
            own = self.part(strip).band
            for values, planes in zip((belief, near, far), of_strip, strict=True):
                values[done : done + own.size] = planes.ravel()[own]
            done += own.size
            if told:
                told(_PLACED * strip.last / self.side.shape[0])
        changes = np.flatnonzero((belief > 0) != (self.side.ravel()[self.band] > 0))
        at, most = self.band[changes], specks.SPECK_PX * self.stride**2
        alone = specks.are_specks(self.disparity, at, (near[changes], far[changes]), belief[changes] > 0, most)
        belief[changes[alone]] *= -1
        disparity = self.disparity.copy()
        disparity.reshape(-1)[self.band] = np.where(belief > 0, near, far)
        share = (belief + np.float32(1)) / np.float32(2)
        return replace(TreatedMap.none(disparity[None]), band=BandPixels(self.band, near, far, share))

    def mixed(self, pixels: NDArray[np.float32], band: BandPixels, most_px: int, told: Told | None) -> MixedPixels:
        """The mixed pixels beside steps, found in strips of so many pixels; see ``matted``.

        Args:
            pixels: ``(3, H, W)`` code values.
            band: what is known of pixels in question.
            most_px: pixels of a strip.
            told: see ``Told``.
        """
        found, width = [], self.side.shape[1]
        for strip in strips(
            self.side.shape, align=_CELL_PX * self.stride, margin=_LOOK_PX * self.stride, most_px=most_px
        ):
            part = self.part(strip)
            side = np.zeros_like(part.side)  # of what is around nothing is wanted
            side[strip.inner] = part.side[strip.inner]
            alpha = np.zeros_like(part.disparity)
            foreground, background = (np.empty((3, *alpha.shape), np.float32) for _ in range(2))
            near, far = part.near, part.far  # of a mixed pixel what they are already
            matte.find_shares(
                self.stride, part.disparity, rows_of(pixels, strip.rows), part.distance, side, near, far,
                near, far, alpha, foreground, background,
            )  # fmt: skip
            at = np.flatnonzero(alpha > 0).astype(np.int32)
            values = np.zeros((10, at.size), np.float32)
            planes = (near, far, alpha, *foreground, *background)
            for row, plane in zip((0, 1, *range(3, 10)), planes, strict=True):
                values[row] = plane.ravel().take(at)
            at += np.int32(strip.top * width)
            values[2] = band.share_at(at)
            found.append(MixedPixels(at, values))
            if told:
                told(_PLACED + (1 - _PLACED) * strip.last / self.side.shape[0])
        return MixedPixels(
            np.concatenate([each.at for each in found]), np.concatenate([each.values for each in found], axis=1)
        )

    def _believed(self, pixels: NDArray[np.float32], shift_px: float) -> tuple[NDArray[np.float32], ...]:
        """Belief in the nearer surface in [-1, 1] ``(H, W)``, and both surfaces without overshoot."""
        wanted, belief = np.zeros(self.side.shape, np.uint8), np.zeros_like(self.disparity)
        by_place = np.zeros_like(self.disparity)
        of_place = (np.float32(shift_px), np.float32(_REACH_PX * self.stride))
        slope, most = np.float32(_PLACE_ODDS_PER_PX / self.stride), np.float32(_PLACE_ODDS_MOST)
        placing.by_place(self.band, self.distance, self.side, *of_place, slope, most, wanted, by_place, belief)
        evidence, (near, far) = self._odds(pixels, wanted, by_place, np.float32(_COLOUR_SAY))
        settled = belief.copy()
        for _ in range(_ROUNDS):
            placing.settle(self.band, wanted, self.stride, evidence, belief, pixels, _NEIGHBOURS_SAY, settled)
            belief, settled = settled, belief
        return belief, near, far

    def _leave_specks(self, belief: NDArray[np.float32], near: NDArray[np.float32], far: NDArray[np.float32]) -> None:
        """Believe of a few pixels that touch nothing of the surface they were given to that they show the other."""
        at = placing.changed(self.band, belief, self.side)
        surfaces, is_near = (near.ravel()[at], far.ravel()[at]), belief.ravel()[at] > 0
        alone = at[specks.are_specks(self.disparity, at, surfaces, is_near, specks.SPECK_PX * self.stride**2)]
        belief.reshape(-1)[alone] *= -1

    def _odds(
        self, pixels: NDArray[np.float32], wanted: NDArray[np.uint8], odds: NDArray[np.float32], say: np.float32
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """``odds`` with ``say`` times the evidence of colour added, and both surfaces without overshoot.

        Args:
            pixels: ``(3, H, W)``.
            wanted: of each pixel; see ``colour.find_odds``.
        """
        clean = np.zeros((2, *self.disparity.shape), np.float32)
        surfaces = (self.disparity, pixels, self.distance, self.near, self.far)
        colour.find_odds(wanted, self.stride, *surfaces, say, odds, clean)
        return odds, clean
