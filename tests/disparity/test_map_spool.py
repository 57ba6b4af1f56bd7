"""Maps on disk while their scale is not known."""

from pathlib import Path

import numpy as np
import pytest

from any2bokeh.disparity.map_spool import MapSpool


def test_maps_come_back_but_for_rounding(tmp_path: Path):
    rng = np.random.default_rng(0)
    maps = [(rng.random((1, 6, 8)) * 10.0**power - 3).astype(np.float32) for power in (-3, 0, 5)]
    maps[1][0, 2, 3] = np.nan
    maps[1][0, 4, 4] = -np.inf
    spool = MapSpool(tmp_path / "s.npy", 3)
    for one in maps:
        spool.write(one)
    for _ in range(2):  # as often as one likes
        for made, one in zip(spool.maps(), maps, strict=True):
            known = np.isfinite(one)
            np.testing.assert_array_equal(np.isnan(made), ~known)
            # half a step of 65534 over the map's own range, and float32; 0.51 steps seen
            step = np.ptp(one[known]) / 65534
            np.testing.assert_allclose(made[known], one[known], atol=0.6 * float(step), rtol=1e-6)
    spool.close()


@pytest.mark.parametrize("value", [0.0, -2.5, np.nan])
def test_a_map_of_one_value_is_exact(tmp_path: Path, value: float):
    spool = MapSpool(tmp_path / "s.npy", 1)
    spool.write(np.full((1, 3, 4), value, np.float32))
    [made] = spool.maps()
    np.testing.assert_array_equal(made, np.full((1, 3, 4), value, np.float32))
    spool.close()


def test_zero_over_an_area_stays_exactly_zero(tmp_path: Path):
    values = np.linspace(0, 7.3, 48, dtype=np.float32).reshape(1, 6, 8)
    values[0, :3] = 0
    spool = MapSpool(tmp_path / "s.npy", 1)
    spool.write(values)
    [made] = spool.maps()
    assert (made[0, :3] == 0).all()
    spool.close()


def test_rescaled_maps_are_a_numpy_file(tmp_path: Path):
    spool = MapSpool(tmp_path / "s.npy", 2)
    for scale in (1, 3):
        spool.write(scale * np.linspace(0, 1, 48, dtype=np.float32).reshape(1, 6, 8))
    spool.rescale(lambda values: np.rint(values / 3 * 60000).astype(np.uint16))
    stored = np.load(tmp_path / "s.npy")
    assert (stored.shape, stored.dtype) == ((2, 6, 8), np.uint16)
    assert (stored[0].max(), stored[1].max()) == (20000, 60000)


def test_too_few_maps_and_other_sizes_are_defects(tmp_path: Path):
    spool = MapSpool(tmp_path / "s.npy", 3)
    spool.write(np.zeros((1, 3, 4), np.float32))
    with pytest.raises(RuntimeError, match="1 maps of 3"):
        list(spool.maps())
    with pytest.raises(RuntimeError, match=r"map 1 is \(4, 4\), the first is \(3, 4\)"):
        spool.write(np.zeros((1, 4, 4), np.float32))
    spool.close()
