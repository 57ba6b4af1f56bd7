"""The truth about what is hidden, and that the engine makes use of it."""

from collections.abc import Iterable

import numpy as np
import pytest

from any2bokeh.optics.transfer import srgb_decode
from benchmarks.hidden import HiddenScore, measure, report
from benchmarks.traced_layers import LENSES, TracedLayers, traced_layers


@pytest.fixture(scope="module")
def scene() -> TracedLayers:
    return next(traced_layers(1, 1, seed=4, lens_samples=64, size=(72, 128)))


def test_mixed_pixels_add_up_and_hidden_lies_behind(scene: TracedLayers) -> None:
    bands, pixels = scene.bands, scene.frames[scene.middle]
    mixed = bands.alpha > 0
    assert 100 < mixed.sum() < mixed.size / 2
    light = bands.alpha * srgb_decode(bands.foreground) + (1 - bands.alpha) * srgb_decode(bands.background)
    np.testing.assert_allclose(light[:, mixed], srgb_decode(pixels)[:, mixed], atol=1e-5)  # worst seen 3e-7
    known = scene.hidden.known > 0
    nearest = np.where(mixed, bands.near, scene.disparity[scene.middle, 0])
    assert (known & ~mixed).any()
    assert (nearest - scene.hidden.disparity[0])[known].min() > 0.004


def test_truth_makes_better_pictures(scene: TracedLayers) -> None:
    scores = measure([scene])

    def mean_db(told: str) -> float:
        return float(np.mean([each.psnr_db for each in _of(scores, told)]))

    # dB over nothing: 1.2, 1.6 and 4.4.
    assert mean_db("hidden colour and disparity") > mean_db("nothing") + 0.5
    assert mean_db("mixed pixels") > mean_db("nothing") + 1
    assert mean_db("both") > mean_db("mixed pixels") + 1
    assert "frames around (plate)" not in report(scores)
    assert len(scores) == 6 * len(LENSES)


def _of(scores: Iterable[HiddenScore], told: str) -> list[HiddenScore]:
    return [each for each in scores if each.told == told]
