"""Edges with a network: what it corrects of the classical estimator's."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.bands import BandPixels, EdgeBands, MixedPixels, TreatedMap
from any2bokeh.disparity.edges.classical import ClassicalEdges, FirstLook
from any2bokeh.disparity.edges.learned.clues import Clues, interleaved
from any2bokeh.disparity.edges.learned.decision import Judgement, confirmed, decided, placed
from any2bokeh.disparity.edges.learned.mixed_clues import MixedClues
from any2bokeh.disparity.edges.learned.mixing import correct
from any2bokeh.disparity.edges.learned.network import corrections
from any2bokeh.disparity.edges.learned.torn import mended
from any2bokeh.disparity.edges.learned.weights import EdgeModel, MixedModel
from any2bokeh.disparity.edges.strips import Told

_MOST_PX = 16_000_000  # the network sees a frame whole: 200 bytes a pixel
_LIGHT = 3  # where that of the farther surface begins; see ``network.CORRECTIONS``


@dataclass(frozen=True, slots=True, eq=False)
class LearnedEdges:
    """A ``PlacesFirst``: the classical one, its surfaces, shares and colours corrected by a network.

    The network looks at the bands around steps alone, and only where the first look of the classical estimator doubts
    the map. It says of each pixel how much of it is the nearer surface, whether it shows a third one, whether the map
    is wrong there, and what light the farther surface has; the rest follows, so that in linear light both surfaces add
    up to the pixel. A map that it holds to be right is left to the bit; its mixed pixels are found all the same.

    Of a map that is surely doubted, torn rims are given to the surfaces that they are of before all else: see ``torn``.

    Attributes:
        model: the network.
        always: also maps that the classical estimator moves and does not doubt, and also where the network holds such
            a map to be right, and frames of more than 16 megapixels; otherwise such a frame is the classical
            estimator's.
        mixing: the network for the mixed pixels of maps that are left as they are, which has as much say as the other
            leaves: it knows maps whose steps are in place. None leaves those to the classical estimator.
    """

    model: EdgeModel
    always: bool = False
    mixing: MixedModel | None = None

    def __call__(
        self, disparity: NDArray[np.float32], pixels: NDArray[np.float32], *, enlarged: bool = False
    ) -> EdgeBands:
        seen = self._seen(disparity, pixels, enlarged)
        if isinstance(seen, EdgeBands):
            return self.with_shares(seen, pixels)
        given, clues, judgement = seen
        return decided(given, np.asarray(pixels, np.float32), clues, judgement, self.model.gates)

    def placed(
        self, disparity: NDArray[np.float32], pixels: NDArray[np.float32], *, enlarged: bool = False
    ) -> EdgeBands:
        """See ``PlacesFirst``."""
        seen = self._seen(disparity, pixels, enlarged)
        if isinstance(seen, EdgeBands):
            return seen
        given, clues, judgement = seen
        bands, _ = placed(given, clues, judgement, self.model.gates)
        if bands.disparity is not given:
            return bands
        return decided(given, np.asarray(pixels, np.float32), clues, judgement, self.model.gates)

    def with_shares(self, bands: EdgeBands, pixels: NDArray[np.float32]) -> EdgeBands:
        """See ``PlacesFirst``. Once steps have been moved, shares are the classical estimator's."""
        return ClassicalEdges().with_shares(bands, pixels)

    def listed(
        self,
        disparity: NDArray[np.float32],
        pixels: NDArray[np.float32],
        *,
        enlarged: bool = False,
        told: Told | None = None,
    ) -> TreatedMap:
        """See ``TreatsInStrips``. A frame that the network is asked of is treated at once."""
        look = FirstLook.of(disparity, pixels, enlarged)
        if look is None or self._say(look) == 0:
            return TreatedMap.none(disparity) if look is None else ClassicalEdges().listed_at(disparity, look, told)
        del look
        return TreatedMap.of(self(disparity, pixels, enlarged=enlarged))

    def listed_places(
        self,
        disparity: NDArray[np.float32],
        pixels: NDArray[np.float32],
        *,
        enlarged: bool = False,
        told: Told | None = None,
    ) -> TreatedMap:
        """See ``TreatsInStrips``, and ``listed``."""
        look = FirstLook.of(disparity, pixels, enlarged)
        if look is None or self._say(look) == 0:
            none = TreatedMap.none(disparity)
            return none if look is None else ClassicalEdges().listed_places_at(disparity, look, told)
        del look
        return TreatedMap.of(self.placed(disparity, pixels, enlarged=enlarged))

    def listed_shares(
        self, disparity: NDArray[np.float32], band: BandPixels, pixels: NDArray[np.float32]
    ) -> MixedPixels:
        """See ``TreatsInStrips``, and ``with_shares``."""
        return ClassicalEdges().listed_shares(disparity, band, pixels)

    def _say(self, look: FirstLook) -> float:
        """Weight of what the network says of a frame; 0 where it is not asked."""
        if not self.always and look.step.side.size > _MOST_PX:
            return 0.0
        return 1.0 if self.always and look.is_off else self.model.gates.say(look)

    def _seen(
        self, disparity: NDArray[np.float32], pixels: NDArray[np.float32], enlarged: bool
    ) -> EdgeBands | tuple[NDArray[np.float32], Clues, Judgement]:
        """What the network says of a frame, and of which map: torn rims are mended before it is asked. Or the bands as
        a ``PlacesFirst`` places them, where it has no say."""
        look = FirstLook.of(disparity, pixels, enlarged)
        if look is None:
            return EdgeBands.none(disparity)
        say = self._say(look)
        if say == 1 and not enlarged and (without_rims := mended(disparity, look)) is not None:
            disparity, look = without_rims
            say = self._say(look)
        if say > 0:
            clues = Clues.of_look(disparity, look, enlarged=enlarged, colours=self.model.gates.mixes)
            found = corrections(self.model.shape, self.model.weights, clues.cells, clues.values)
            if not self.model.gates.mixes:
                found = np.ascontiguousarray(found[..., :_LIGHT])  # nobody asks for the light of the farther surface
            judgement = Judgement.of(clues, found)
            judgement = confirmed(disparity, pixels, look, clues, judgement, self.model.gates).with_say(say, clues)
            if self.always or self.model.gates.opens(judgement):
                return disparity, clues, judgement
            bands = clues.placed
        else:
            bands = ClassicalEdges().placed_at(disparity, look)
        if self.mixing is None or look.is_off or say == 1:
            return bands
        return remixed(bands, look, self.mixing, 1 - say)


def remixed(bands: EdgeBands, look: FirstLook, model: MixedModel, say: float = 1.0) -> EdgeBands:
    """Bands of a map that is left as it is, with its mixed pixels as a network has them.

    Args:
        bands: with the shares of the classical estimator; its planes are written to.
        look: at the frame.
        model: the network.
        say: weight of what it says.
    """
    picture = interleaved(look.pixels)
    clues = MixedClues.of(picture, look.step, bands)
    if clues.cells.at.size == 0:
        return bands
    found = corrections(model.shape, model.weights, clues.cells, clues.values)
    correct(bands, look.step, picture, clues, found * np.float32(say), model.least_change)
    return bands
