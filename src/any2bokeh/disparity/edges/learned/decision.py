"""What becomes of a frame's bands by what the network says of them."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges import matte, specks
from any2bokeh.disparity.edges.bands import EdgeBands
from any2bokeh.disparity.edges.classical import FirstLook, Steps, matted
from any2bokeh.disparity.edges.colour import SIGMA2
from any2bokeh.disparity.edges.learned.cells import PIXELS, Cells
from any2bokeh.disparity.edges.learned.clues import Clues
from any2bokeh.disparity.edges.matte import code_of, light_of

WRONG_LOGIT = np.float32(2)
"""Of a map that the classical estimator has moved; its negative of one that it has left."""

THIRD_LOGIT = np.float32(-5)
"""Of a third surface, for a network that knows nothing of it."""

_LEAST_SHARE = 0.02  # less is not worth a layer
_MOST_COVER = 0.75  # a pixel is left where the network gives more of it than this to the surface that the map denies
_GATE_PX = 4  # how far around a pixel the map is judged
_OF_SHIFTED = 2.5  # times the weight of the classical estimator, where all edges are off by as much
_LEAST_BELIEF = 0.03  # of the classical estimator in a surface
_MOVED_DOUBT = 1.82  # times as much doubt is usual in maps that the classical estimator moves: soft ones have it, too
_CONFIRMED_DOUBT = 0.25  # of the given map's, that is left by edges which colours confirm
_RISE, _SOFT_RISE = 0.5, 2.0  # above the gate, over which the network gets its full say; the same in soft maps
_EDGE_RISE = 0.25  # the same where two doubts are asked for
_LOW_STEP, _HIGH_STEP = 0.05, 0.15  # of disparity, between which the network gets its say in a map that is moved
_OTHER_SIDE = 0.02  # weight of what the network says of a pixel of the other surface
_HARDLY_NEAR = 0.51  # share that says next to nothing
_SPECK_PX = 12  # as many pixels that lie alone are none of a surface


@dataclass(frozen=True, slots=True)
class Gates:
    """Where the network may change a map: calibrated on frames that its training never saw.

    Attributes:
        frame: mean probability of a wrong map in the bands of a frame, below which the map is left to the bit.
        pixel: the same around a pixel, below which the pixel is left.
        mixes: whether mixed pixels get the shares and colours of the network, or those of the classical estimator.
        classical: weight of what the classical estimator believes, in log odds beside those of the network, in soft
            maps; it is larger in maps whose edges are all off by as much.
        doubt: ``FirstLook.doubt`` up to which the network is not asked; 0 asks it always.
        confirmed: what counts in place of ``frame`` where colours confirm the network's edges.
        edge_doubt: ``FirstLook.edge_doubt`` up to which it is not asked, either, of maps that the classical estimator
            leaves; 0 lets ``doubt`` decide alone.
    """

    frame: float = 0.5
    pixel: float = 0.5
    mixes: bool = True
    classical: float = 0.0
    doubt: float = 0.0
    confirmed: float = 1.0
    edge_doubt: float = 0.0

    def opens(self, judgement: "Judgement") -> bool:
        """Whether the map of a frame may be changed."""
        return judgement.frame_wrong >= (min(self.frame, self.confirmed) if judgement.is_confirmed else self.frame)

    def say(self, look: FirstLook) -> float:
        """Weight of the network's corrections of a frame, 0 where it is not asked.

        It rises with the doubt, as frames that hardly differ are to be treated nearly alike: where a clip wavers around
        a gate that opens at once, its edges would flicker.
        """
        if look.is_off or self.edge_doubt <= 0:
            rise = _SOFT_RISE if look.stepped.is_soft else _RISE
            return _risen(look.doubt, self.doubt * (_MOVED_DOUBT if look.is_off else 1), rise)
        by_edges = _risen(look.edge_doubt, self.edge_doubt, _EDGE_RISE)
        return by_edges * _risen(look.doubt, self.doubt, _EDGE_RISE)


def _risen(doubt: float, least: float, rise: float) -> float:
    """0 up to a gate, 1 from ``rise`` times as much above it on; 1 where there is no gate."""
    return 1.0 if least <= 0 else min(max((doubt / least - 1) / rise, 0.0), 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the network says of a frame, pixel by pixel; 0 outside the band.

    Attributes:
        corrections: ``(6, H, W)`` float32; see ``network.CORRECTIONS``. Those of light are left out where no gate uses
            them.
        wrong: ``(H, W)`` float32: probability that the map is wrong there.
        frame_wrong: its mean over the band.
        is_confirmed: whether colours confirm its edges; see ``confirmed``.
        said: ``(H, W)`` float32 in [0, 1]: how much it says of each pixel of a map that is moved; None says all.
    """

    corrections: NDArray[np.float32]
    wrong: NDArray[np.float32]
    frame_wrong: float
    is_confirmed: bool = False
    said: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, clues: Clues, found: NDArray[np.float32]) -> "Judgement":
        """Of what the network gives for the cells of a frame."""
        planes = brought_to_pixels(clues.cells, clues.band, clues.picture, clues.share, found)
        base = WRONG_LOGIT if clues.is_moved else -WRONG_LOGIT
        wrong = np.zeros(clues.band.shape, np.float32)
        of_band = 1 / (1 + np.exp(-(base + planes[2][clues.band])))
        wrong[clues.band] = of_band
        return cls(planes, wrong, float(of_band.mean()))

    def with_say(self, say: float, clues: Clues) -> "Judgement":
        """The same with corrections that count ``say`` of what they are, in [0, 1]; in maps that are moved none beside
        low steps.

        What the network finds there, at feet on the ground and in folds of cloth, differs from frame to frame: it
        flickers, and gains nothing.
        """
        if not clues.is_moved:
            return self if say >= 1 else replace(self, corrections=self.corrections * np.float32(say))
        height = clues.near - clues.far
        rise = np.clip((height - np.float32(_LOW_STEP)) / np.float32(_HIGH_STEP - _LOW_STEP), 0, 1)
        said = rise * np.float32(say)
        return replace(self, corrections=self.corrections * said, said=said)


def confirmed(
    disparity: NDArray[np.float32],
    pixels: NDArray[np.float32],
    look: FirstLook,
    clues: Clues,
    judgement: Judgement,
    gates: Gates,
) -> Judgement:
    """A judgement that lies below the gate of its frame, with what colours say of it.

    They confirm it if they doubt the map that follows from it a quarter as much as the given one, or less.

    Args:
        disparity, pixels: as an ``EdgeEstimator`` takes them.
        look, clues, judgement, gates: of the frame.
    """
    if not gates.confirmed <= judgement.frame_wrong < gates.frame:
        return judgement
    bands, _ = placed(disparity, clues, replace(judgement, is_confirmed=True), gates)
    after = FirstLook.of(bands.disparity, pixels, enlarged=False)
    return replace(judgement, is_confirmed=after is None or after.doubt <= _CONFIRMED_DOUBT * look.doubt)


def decided(
    disparity: NDArray[np.float32], pixels: NDArray[np.float32], clues: Clues, judgement: Judgement, gates: Gates
) -> EdgeBands:
    """The bands of a frame.

    Args:
        disparity, pixels: as an ``EdgeEstimator`` takes them.
        clues, judgement, gates: of the frame.
    """
    bands, steps = placed(disparity, clues, judgement, gates)
    step = Steps.of(steps, clues.cells.stride, matte.REACH_PX)
    mixed = matted(bands, pixels, step)
    if gates.mixes:
        _mix(
            step.side, (clues.band, clues.share, clues.background), judgement.corrections, pixels,
            (step.near, step.far, mixed.near, mixed.far), mixed.alpha, mixed.foreground, mixed.background,
        )  # fmt: skip
    return mixed


def placed(
    disparity: NDArray[np.float32], clues: Clues, judgement: Judgement, gates: Gates
) -> tuple[EdgeBands, NDArray[np.float32]]:
    """Bands without mixed pixels, each pixel given to a surface, and a map ``(H, W)`` whose steps are clean.

    Args: see ``decided``.
    """
    if not gates.opens(judgement):
        return EdgeBands.none(disparity), clues.sharp
    may_move = _may_move(clues, judgement, gates)
    sharp, share = clues.classical.disparity[0].copy(), np.zeros_like(clues.share)
    _decide(
        (clues.band, may_move), (clues.near, clues.far, clues.third), (clues.share, _believed(clues, gates)),
        judgement.corrections, np.ascontiguousarray(disparity[0], np.float32), not clues.is_moved, sharp, share,
    )  # fmt: skip
    _leave_specks(may_move, clues, sharp)
    if judgement.said is not None:
        share = _as_sure(share, clues, judgement.said)
    changed, near, far = np.zeros_like(may_move), np.zeros_like(share), np.zeros_like(share)
    _tell_changed(
        (may_move, clues.classical.band), (clues.near, clues.far, clues.third), sharp, changed, near, far, share
    )
    none = EdgeBands.none(disparity)
    return replace(none, disparity=sharp[None], band=changed, near=near, far=far, near_share=share), sharp


def _may_move(clues: Clues, judgement: Judgement, gates: Gates) -> NDArray[np.bool_]:
    """Pixels around which the map is wrong enough."""
    if gates.pixel <= 0:
        return clues.band
    side_px = 2 * _GATE_PX * clues.cells.stride + 1
    wrong, band = (
        np.asarray(cv2.boxFilter(plane, -1, (side_px, side_px)), np.float32)
        for plane in (judgement.wrong, clues.band.astype(np.float32))
    )
    return clues.band & (wrong >= np.float32(gates.pixel) * band)


def _believed(clues: Clues, gates: Gates) -> NDArray[np.float32]:
    """Log odds of the nearer surface that the classical estimator adds; 0 where it has moved nothing.

    The network has seen made frames alone. Where the two disagree, the surer has it: what one of them takes for an edge
    that it is not is seldom an edge for the other. Of maps that are off by as much everywhere, the classical estimator
    knows that as well as where colours change.
    """
    believed = np.zeros_like(clues.share)
    if clues.is_moved and gates.classical:
        near_share = clues.classical.near_share[clues.classical.band]
        near_share = np.clip(near_share, _LEAST_BELIEF, 1 - _LEAST_BELIEF)
        weight = np.float32(gates.classical * (1 if clues.is_soft else _OF_SHIFTED))
        believed[clues.classical.band] = weight * np.log(near_share / (1 - near_share))
    return believed


def _as_sure(share: NDArray[np.float32], clues: Clues, said: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shares on the same sides, as sure as those of the classical estimator where little is said.

    The frames around weigh how sure a frame is. One of which the network hardly says anything is to weigh as much as
    one of which it is not asked; else edges flicker where a clip wavers around the gate.
    """
    classical = clues.classical.near_share
    blended = classical + said * (share - classical)
    is_near = share > 0.5
    hardly = np.where(is_near, _HARDLY_NEAR, 1 - _HARDLY_NEAR).astype(np.float32)
    blended = np.where((blended > 0.5) == is_near, blended, hardly)
    return np.where(clues.band & clues.classical.band, blended, share)


def _leave_specks(may_move: NDArray[np.bool_], clues: Clues, sharp: NDArray[np.float32]) -> None:
    """Give a few pixels that touch nothing of the surface they were given to the other one back."""
    at, to_near = _find_moved(may_move, clues.near, clues.far, clues.sharp, sharp)
    near, far = clues.near.ravel()[at], clues.far.ravel()[at]
    most_px = _SPECK_PX * clues.cells.stride**2
    alone = specks.are_specks(clues.sharp, at, (near, far), to_near, most_px)
    sharp.reshape(-1)[at[alone]] = np.where(to_near, far, near)[alone]


@compiled(nogil=True)
def _find_moved(may_move, near, far, before, after):
    """Pixels on the other side of the middle of their surfaces than before, and whether that is the nearer."""
    height, width = may_move.shape
    at, to_near = np.empty(height * width, np.int32), np.empty(height * width, np.bool_)
    count = 0
    for y in range(height):
        for x in range(width):
            if not may_move[y, x]:
                continue
            middle = (near[y, x] + far[y, x]) / np.float32(2)
            is_near = after[y, x] > middle
            at[count], to_near[count] = y * width + x, is_near
            count += is_near != (before[y, x] > middle)
    return at[:count].copy(), to_near[:count].copy()


def brought_to_pixels(
    cells: Cells,
    band: NDArray[np.bool_],
    picture: NDArray[np.float32],
    share: NDArray[np.float32],
    found: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Corrections ``(C, H, W)`` of the pixels of a band, the first of which is of a logit; 0 outside.

    Args:
        cells: where the network has looked.
        band, picture, share: see ``Clues``.
        found: ``(N, 4, C)``: what it gives for them.
    """
    planes = np.zeros((found.shape[2], *band.shape), np.float32)
    _scatter(cells.at, cells.stride, band, found, planes)
    if cells.stride > 1:
        _fill_between(cells.stride, band, picture, share, planes)
    return planes


@compiled(nogil=True)
def _scatter(at, stride, band, found, planes):
    """Corrections of cells, brought to their pixels."""
    height, width = band.shape
    for n in range(at.shape[0]):
        for pixel in range(PIXELS):
            y = (2 * at[n, 0] + pixel // 2) * stride
            x = (2 * at[n, 1] + pixel % 2) * stride
            if y < height and x < width and band[y, x]:
                for c in range(planes.shape[0]):
                    planes[c, y, x] = found[n, pixel, c]


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _fill_between(stride, band, picture, share, planes):
    """Corrections of the pixels between those that the network has seen: the mean of the four around.

    One counts the more, the nearer it is and the more alike its colour; and hardly, if the classical estimator gives it
    to the other surface: to be corrected then means something else. Of shares, the corrected ones are averaged: the
    classical estimator's differ, as some pixels are mixed.
    """
    height, width = np.uintp(band.shape[0]), np.uintp(band.shape[1])  # unsigned; see ``rings.find_band``
    spacing = np.uintp(stride)
    one, per_stride, per_sigma = np.float32(1), np.float32(1 / stride), np.float32(1 / SIGMA2)
    mean = np.empty(planes.shape[0], np.float32)
    for y in range(height):
        down = y % spacing
        for x in range(width):
            along = x % spacing
            if not band[y, x] or (down == 0) & (along == 0):
                continue
            weights, mean[:] = np.float32(0), 0
            for below in range(2 if down else 1):
                j = y - down + np.uintp(below) * spacing
                for beside in range(2 if along else 1):
                    i = x - along + np.uintp(beside) * spacing
                    if j >= height or i >= width or not band[j, i]:
                        continue
                    away_y, away_x = abs(below * stride - np.int64(down)), abs(beside * stride - np.int64(along))
                    near_by = (one - np.float32(away_y) * per_stride) * (one - np.float32(away_x) * per_stride)
                    unlike = np.float32(0)
                    for c in range(3):
                        unlike += (picture[y, x, c] - picture[j, i, c]) ** 2
                    weight = near_by / (one + unlike * per_sigma)
                    if (share[j, i] > 0) != (share[y, x] > 0):
                        weight *= np.float32(_OTHER_SIDE)
                    weights += weight
                    mean[0] += weight * (share[j, i] - share[y, x])
                    for c in range(planes.shape[0]):
                        mean[c] += weight * planes[c, j, i]
            if weights > 0:
                for c in range(planes.shape[0]):
                    planes[c, y, x] = mean[c] / weights


@compiled(nogil=True)
def _decide(where, surfaces, odds, corrections, given, has_third, sharp, share):
    """Which surface each pixel of the band mostly shows."""
    band, may_move = where
    near, far, third = surfaces
    shares, believed = odds
    height, width = band.shape
    for y in range(height):
        for x in range(width):
            if not band[y, x]:
                continue
            logit = shares[y, x] + corrections[0, y, x] + believed[y, x]
            share[y, x] = 1 / (1 + np.exp(-logit))
            if not may_move[y, x]:
                sharp[y, x] = given[y, x]
            elif has_third and THIRD_LOGIT + corrections[1, y, x] > 0 and third[y, x] != far[y, x]:
                sharp[y, x] = third[y, x]
            else:
                sharp[y, x] = near[y, x] if logit > 0 else far[y, x]


@compiled(nogil=True)
def _tell_changed(where, surfaces, sharp, changed, near, far, share):
    """Which pixels are in question, and their surfaces; the share of the others becomes 0.

    A third surface is no question of near or far, which the frames around are asked.
    """
    may_move, is_placed = where
    of_near, of_far, third = surfaces
    height, width = may_move.shape
    for y in range(height):
        for x in range(width):
            if not (may_move[y, x] | is_placed[y, x]):
                share[y, x] = 0
                continue
            here = sharp[y, x]
            if may_move[y, x] and here == third[y, x] and here != of_near[y, x] and here != of_far[y, x]:
                share[y, x] = 0
                continue
            changed[y, x], near[y, x], far[y, x] = True, of_near[y, x], of_far[y, x]


@compiled(nogil=True)
def _mix(side, found, corrections, pixels, surfaces, alpha, foreground, background):
    """How much of the pixels on the far sides of steps is the nearer surface, and the code values of both.

    The edge runs through them; what lies farther off shows one surface alone, however little is known of which.
    """
    band, shares, backgrounds = found
    step_near, step_far, near, far = surfaces
    height, width = band.shape
    for y in range(height):
        for x in range(width):
            if side[y, x] >= 0 or not band[y, x]:
                continue
            is_corrected = False
            for c in (0, 3, 4, 5):
                is_corrected |= corrections[c, y, x] != 0
            if not is_corrected:
                continue
            cover = np.float32(1 / (1 + np.exp(-(shares[y, x] + corrections[0, y, x]))))
            if cover > np.float32(_MOST_COVER):
                continue
            cover = min(cover, np.float32(0.5))  # the centre of the pixel is background
            alpha[y, x] = 0
            foreground[:, y, x] = 0
            background[:, y, x] = 0
            if cover < np.float32(_LEAST_SHARE):
                continue
            alpha[y, x] = cover
            near[y, x], far[y, x] = step_near[y, x], step_far[y, x]
            rest = np.float32(1) - cover
            for c in range(3):
                here = light_of(pixels[c, y, x])
                behind = backgrounds[y, x, c] + corrections[3 + c, y, x]
                # Both are light that a pixel can have, and add up to this one's.
                behind = min(max(behind, (here - cover) / rest, np.float32(0)), here / rest, np.float32(1))
                background[c, y, x] = code_of(behind)
                foreground[c, y, x] = code_of((here - rest * behind) / cover)
