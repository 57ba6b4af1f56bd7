"""The frames around each frame of a clip, and what they know of its hidden background."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.bands import BandPixels, EdgeBands
from any2bokeh.motion.flow import FlowFinder
from any2bokeh.motion.shots import COLOURS_MIN, colour_distance, is_cut
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.plate.lattice import lattice_between
from any2bokeh.plate.passage import carried, passages
from any2bokeh.plate.silhouette import REACH, SAYS, Silhouette, steadied
from any2bokeh.plate.taking import taken
from any2bokeh.plate.view import View
from any2bokeh.plate.zone import NO_ZONE, hidden_zone, with_margin

BACK, AHEAD = 12, 6
"""How many frames before and after a frame are asked."""

_BORDER_MOVES = 0.5  # blocks
_LARGEST_STEP = 0.09  # of disparity, from which on samples are taken however weak the blur
_TAPER = 4  # frames over which the farthest count less and less


class PlateStream:
    """Takes the frames of a clip in order, and tells the hidden background of each once those ahead of it are there.

    What a frame gets depends on the frames within ``BACK`` and ``AHEAD`` of it, and on those within ``REACH`` of these,
    not on where the clip was begun.
    """

    def __init__(self) -> None:
        self._views: dict[int, View] = {}
        self._steps: dict[int, NDArray[np.float32]] = {}
        self._breaks: set[int] = set()  # frames whose next one shows something else
        self._silhouettes: dict[int, Silhouette] = {}
        self._flow = FlowFinder()

    def add(self, index: int, pixels: NDArray[np.float32], bands: EdgeBands) -> None:
        """The next frame: ``(3, H, W)``, and its map ``(1, H, W)`` with what is known of its edges."""
        self.take(View.of(index, pixels, bands.disparity), Silhouette.of(bands))

    def take(self, view: View, silhouette: Silhouette) -> None:
        """The next frame, of which both have been made."""
        index = view.index
        self._views[index] = view
        self._silhouettes[index] = silhouette
        self._silhouettes.pop(index - 2 * REACH - 1, None)
        for old in [i for i in self._views if i < index - BACK - AHEAD - REACH]:
            del self._views[old]
            self._steps.pop(old, None)
            self._breaks.discard(old)

    def steadied(self, index: int, disparity: NDArray[np.float32], band: BandPixels) -> NDArray[np.float32]:
        """The map of a frame with silhouettes as the frames within ``REACH`` believe them; see ``silhouette.steadied``.

        From then on the frame is seen with it. Motion is found with the map of each frame by itself, so frames are to
        be steadied in order.

        Args:
            index: of a frame that was added, as were those ahead of it.
            disparity: ``(1, H, W)``, its own.
            band: its pixels in question.
        """
        if band.at.size == 0:
            return disparity
        others: list[tuple[Silhouette, View]] = []
        passages: list[NDArray[np.float32]] = []
        says: list[float] = []
        for direction in (-1, 1):
            passage = None
            for far, say in enumerate(SAYS, 1):
                one, other = sorted((index + direction * (far - 1), index + direction * far))
                if one not in self._views or other not in self._views or not self._is_one_shot(one):
                    break
                passage = carried(passage, self._steps[one], ahead=direction > 0)
                at = index + direction * far
                others.append((self._silhouettes[at], self._views[at]))
                passages.append(passage)
                says.append(say)
        steady = steadied(disparity, band, self._views[index], others, passages, says)
        if steady is not disparity:
            self._views[index] = self._views[index].with_disparity(steady)
        return steady

    def hidden(
        self, index: int, disparity: NDArray[np.float32], focus_disparity: float, px_per_disparity: float
    ) -> HiddenBackground | None:
        """What is known behind the near surfaces of a frame, and around the frame; None where nothing is.

        Args:
            index: of a frame that was added, as were those ahead of it.
            disparity: ``(1, H, W)``, its own.
            focus_disparity: d_f.
            px_per_disparity: see ``hidden_zone``.
        """
        zone = hidden_zone(self._views[index], px_per_disparity)
        margin = 0
        if self._border_moves(index):
            zone, margin = with_margin(zone, self._views[index], focus_disparity, px_per_disparity)
        if bool((zone == NO_ZONE).all()):
            return None
        sources = sorted(self._in_shot(index), key=lambda s: (abs(s - index), s))
        if not sources:
            return None
        ways = passages(self._views, self._steps, index, sources, zone, margin)
        views = [self._views[source] for source in sources]
        tapers = [_taper(source - index) for source in sources]
        return taken(disparity, zone, margin, ways, views, tapers, min(1 / px_per_disparity, _LARGEST_STEP))

    def _in_shot(self, index: int) -> Iterator[int]:
        """Frames around a frame, up to the ends of its shot."""
        for direction, most in ((-1, BACK), (1, AHEAD)):
            for far in range(1, most + 1):
                one, other = sorted((index + direction * (far - 1), index + direction * far))
                if one not in self._views or other not in self._views or not self._is_one_shot(one):
                    break
                yield index + direction * far

    def _border_moves(self, index: int) -> bool:
        """Whether frames around may show what lies outside a frame."""
        sources = list(self._in_shot(index))
        for direction in (-1, 1):
            moved = np.float32(0)
            for source in (s for s in sources if (s - index) * direction > 0):
                motion = self._steps[min(source, source - direction)]
                border = np.concatenate([motion[0], motion[-1], motion[:, 0], motion[:, -1]])
                moved = moved + border[..., ::3]
                if float(np.abs(moved).max()) > _BORDER_MOVES:
                    return True
        return False

    def _is_one_shot(self, index: int) -> bool:
        """Whether a frame and the next belong to one shot; the motion between them is found then."""
        if index not in self._steps and index not in self._breaks:
            here, there = self._views[index], self._views[index + 1]
            motion = None if self._begins_shot(here, there) else lattice_between(here, there, self._flow)
            if motion is None:
                self._breaks.add(index)
            else:
                self._steps[index] = motion
        return index in self._steps

    def _begins_shot(self, before: View, after: View) -> bool:
        pictures = before.thumbnail, after.thumbnail
        # As in ``ShotDetector``: pictures of like colours are never told apart, which spares nearly all searches.
        if colour_distance(*pictures) < COLOURS_MIN:
            return False
        return is_cut(*pictures, self._flow(pictures[1].grey, pictures[0].grey))


def _taper(offset: int) -> float:
    most = BACK if offset < 0 else AHEAD
    return min((most + 1 - abs(offset)) / _TAPER, 1.0)
