"""The whole of ``python -m benchmarks`` at tiny sizes: every table is there and holds what it says."""

import json

import numpy as np
import pytest

from benchmarks import disparity, scaling, stages
from benchmarks.__main__ import main
from benchmarks.table import table
from benchmarks.timing import Cost, round_robin

COST_KEYS = {"median_ms", "iqr_ms", "min_ms", "cpu_ms", "cpu_min_ms", "frames_per_s", "runs"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("benchmarks")
    path = folder / "results.json"
    # Without the path-traced scenes, so that it is the same everywhere.
    main(["--quick", "--quality", "--studio", "--thin-lens", str(folder / "none"), "--json", str(path)])
    return json.loads(path.read_text())


@pytest.mark.slow
def test_says_what_was_measured_where(results):
    assert results["machine"].keys() == {"cpu", "cores", "load", "python", "versions", "commit"}
    assert results["machine"]["versions"].keys() >= {"any2bokeh", "numpy", "numba", "av"}
    assert results["plan"]["blur_strength"] == 16
    assert results["threads"] == 2


@pytest.mark.slow
def test_renderer_stands_beside_the_baselines(results):
    (demo,) = results["layered"]
    assert demo["scene"] == "demo clip"
    assert demo["mean_radius_px"] > 0
    assert demo["costs"].keys() == {"layered", "gather", "scatter", "varblur"}
    for name, cost in demo["costs"].items():
        if cost != "absent":
            assert cost.keys() == COST_KEYS, name
            assert min(cost[key] for key in COST_KEYS - {"iqr_ms"}) > 0, name


@pytest.mark.slow
def test_growth_covers_pixels_and_blur(results):
    growths = results["scaling"]
    assert growths.keys() == {"pixels_at_radius", "pixels_at_blur_strength", "blur_strength"}
    assert growths["pixels_at_radius"]["values"] == [64 * 36, 128 * 72, 256 * 144]
    assert growths["blur_strength"]["values"] == [4, 8, 16]
    for growth in growths.values():
        assert len(growth["costs"]) == len(growth["values"]) == len(growth["local_exponents"]) + 1


@pytest.mark.slow
def test_stages_before_rendering_are_measured(results):
    stages = {result["stage"]: result["cost"] for result in results["disparity"]}
    assert stages.keys() == {stage.name for stage in disparity.STAGES if not stage.is_model}
    for name, cost in stages.items():
        assert cost.keys() == COST_KEYS, name
        assert cost["cpu_ms"] > 0, name


@pytest.mark.slow
def test_every_stage_of_the_path_is_measured(results):
    costs = {cost["stage"]: cost for cost in results["stages"]}
    assert costs.keys() == stages.STAGES.keys()
    for name, cost in costs.items():
        assert cost["cpu_ms"] >= 0, name
        assert cost["runs"] == 7, name  # all frames but the first
    assert sum(cost["cpu_ms"] for cost in costs.values()) > 0


@pytest.mark.slow
def test_the_studio_is_timed(results):
    assert results["studio"]["frames"] == 48
    for name in ("opening", "jump"):
        assert results["studio"][name].keys() == COST_KEYS
        assert results["studio"][name]["cpu_ms"] > 0, name


@pytest.mark.slow
def test_whole_path_is_compared_with_the_renderer(results):
    whole = results["end_to_end"]
    kinds = {"npy", "video", "png16"}
    assert whole["frames"] == 6
    assert whole["renderer"].keys() == COST_KEYS
    assert whole["whole"].keys() == whole["fraction"].keys() == whole["cpu_fraction"].keys() == kinds
    for kind in kinds:
        assert whole["whole"][kind].keys() == COST_KEYS
        assert whole["stages"][kind].keys() == {"decode", "disparity", "render", "encode"}
        rate = whole["renderer"]["median_ms"] / whole["whole"][kind]["median_ms"]
        assert whole["fraction"][kind] == pytest.approx(rate)


@pytest.mark.slow
def test_quality_is_empty_without_the_data(results):
    assert results["quality"] == []


def test_methods_take_turns():
    order = []
    jobs = {name: [lambda name=name, index=index: order.append((name, index)) for index in range(2)] for name in "ab"}
    costs = round_robin(jobs, rounds=2)
    warm_up = [("a", 0), ("b", 0)]
    first, second = [("a", 0), ("b", 0), ("b", 1), ("a", 1)], [("b", 0), ("a", 0), ("a", 1), ("b", 1)]
    assert order == warm_up + first + second
    assert {name: cost.runs for name, cost in costs.items()} == {"a": 4, "b": 4}


def test_cost_is_of_one_frame():
    cost = Cost.of([1.0, 2.0, 3.0, 4.0, 5.0], [0.5] * 5, frames=10)
    assert (cost.median_ms, cost.iqr_ms, cost.min_ms, cost.cpu_ms, cost.frames_per_s) == (300, 200, 100, 50, 1000 / 300)


@pytest.mark.parametrize(("power", "is_linear"), [(0.6, True), (1.0, True), (1.3, False)])
def test_growth_tells_the_exponent(power: float, is_linear: bool):
    sizes = [1.0, 2.0, 4.0, 8.0]
    costs = [Cost.of([1e-3], [size**power]) for size in sizes]
    growth = scaling.Growth.of("size", sizes, costs)
    assert growth.exponent == pytest.approx(power)
    assert growth.local_exponents == pytest.approx([power] * 3)
    assert growth.is_linear == is_linear


def test_growth_that_turns_up_at_its_end_is_not_linear():
    sizes = np.array([1.0, 2.0, 4.0, 8.0])
    costs = [Cost.of([1e-3], [size]) for size in 20 + sizes**2]
    assert scaling.Growth.of("size", sizes.tolist(), costs).exponent < 1
    assert not scaling.Growth.of("size", sizes.tolist(), costs).is_linear


def test_table_puts_numbers_to_the_right():
    assert table(["name", "ms"], [["a", "1.5"], ["long name", "12.0"]]).splitlines() == [
        "name         ms",
        "---------  ----",
        "a           1.5",
        "long name  12.0",
    ]
