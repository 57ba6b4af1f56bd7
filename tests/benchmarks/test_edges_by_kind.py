"""Level III taken apart: the kinds of error, and that more of the truth makes better pictures."""

from dataclasses import replace

from any2bokeh.synthesis.maker import ClipConfig, ClipMaker
from any2bokeh.synthesis.perturb import ROBUSTNESS_LEVELS
from benchmarks.edges_by_kind import KINDS, measure, report


def test_more_of_the_truth_makes_better_pictures() -> None:
    config = ClipConfig(width=256, height=144, frame_count=1, lens_samples=16, blur_strength=(24.0, 24.0))
    clip = ClipMaker(config, seed=7, count=1, threads=1).clip(0)
    scores = measure([(0, clip)], ["wandering, torn"])
    db = {each.told: each.psnr_db for each in scores}
    assert db["off"] < db["right choice"] <= db["right choice, rims mended"] <= db["truth"]
    assert db["right choice"] < db["truth in the band"] <= db["truth"]
    assert report(scores).count("wandering, torn") == 1


def test_the_last_kind_is_the_level_and_the_others_are_parts_of_it() -> None:
    level = ROBUSTNESS_LEVELS["III"]
    *parts, whole = KINDS.values()
    assert whole == level
    for part in parts:
        assert (
            replace(part, elastic_px=level.elastic_px, morphology_px=level.morphology_px, band_noise=level.band_noise)
            == level
        )
