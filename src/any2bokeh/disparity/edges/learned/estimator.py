"""Edges with a network: what it corrects of the classical estimator's."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.bands import EdgeBands
from any2bokeh.disparity.edges.classical import ClassicalEdges, FirstLook
from any2bokeh.disparity.edges.learned.clues import Clues
from any2bokeh.disparity.edges.learned.decision import Judgement, confirmed, decided, placed
from any2bokeh.disparity.edges.learned.network import corrections
from any2bokeh.disparity.edges.learned.weights import EdgeModel

_LIGHT = 3  # where that of the farther surface begins; see ``network.CORRECTIONS``


@dataclass(frozen=True, slots=True, eq=False)
class LearnedEdges:
    """A ``PlacesFirst``: the classical one, its surfaces, shares and colours corrected by a network.

    The network looks at the bands around steps alone, and only where the first look of the classical estimator doubts
    the map. It says of each pixel how much of it is the nearer surface, whether it shows a third one, whether the map
    is wrong there, and what light the farther surface has; the rest follows, so that in linear light both surfaces add
    up to the pixel. A map that it holds to be right is left to the bit; its mixed pixels are found all the same.

    Attributes:
        model: the network.
        always: also maps that the classical estimator moves and does not doubt, and also where the network holds such
            a map to be right; otherwise such a frame is the classical estimator's.
    """

    model: EdgeModel
    always: bool = False

    def __call__(
        self, disparity: NDArray[np.float32], pixels: NDArray[np.float32], *, enlarged: bool = False
    ) -> EdgeBands:
        seen = self._seen(disparity, pixels, enlarged)
        if isinstance(seen, EdgeBands):
            return self.with_shares(seen, pixels)
        return decided(disparity, np.asarray(pixels, np.float32), *seen, self.model.gates)

    def placed(
        self, disparity: NDArray[np.float32], pixels: NDArray[np.float32], *, enlarged: bool = False
    ) -> EdgeBands:
        """See ``PlacesFirst``."""
        seen = self._seen(disparity, pixels, enlarged)
        if isinstance(seen, EdgeBands):
            return seen
        bands, _ = placed(disparity, *seen, self.model.gates)
        if bands.disparity is not disparity:
            return bands
        return decided(disparity, np.asarray(pixels, np.float32), *seen, self.model.gates)

    def with_shares(self, bands: EdgeBands, pixels: NDArray[np.float32]) -> EdgeBands:
        """See ``PlacesFirst``. Once steps have been moved, shares are the classical estimator's."""
        return ClassicalEdges().with_shares(bands, pixels)

    def _seen(
        self, disparity: NDArray[np.float32], pixels: NDArray[np.float32], enlarged: bool
    ) -> EdgeBands | tuple[Clues, Judgement]:
        """What the network says of a frame; or the bands as a ``PlacesFirst`` places them, where it has no say."""
        look = FirstLook.of(disparity, pixels, enlarged)
        if look is None:
            return EdgeBands.none(disparity)
        say = 1.0 if self.always and look.is_off else self.model.gates.say(look)
        if say > 0:
            clues = Clues.of_look(disparity, look, enlarged=enlarged)
            found = corrections(self.model.shape, self.model.weights, clues.cells, clues.values)
            if not self.model.gates.mixes:
                found = np.ascontiguousarray(found[..., :_LIGHT])  # nobody asks for the light of the farther surface
            judgement = Judgement.of(clues, found).with_say(say)
            judgement = confirmed(disparity, pixels, look, clues, judgement, self.model.gates)
            return (clues, judgement) if self.always or self.model.gates.opens(judgement) else clues.placed
        return ClassicalEdges().placed_at(disparity, look)
