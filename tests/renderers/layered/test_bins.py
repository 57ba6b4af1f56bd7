import numpy as np

from any2bokeh.optics.radii import radius_index
from any2bokeh.renderers.layered.bins import FOCUS_BIN, bin_table, bins_away, depth_bin


def test_table_gives_the_bin_of_every_radius():
    table = bin_table()
    edges = table.edges[1:-1]
    random = np.random.default_rng(1)
    radii = np.concatenate(
        (edges, np.nextafter(edges, np.float32(0)), random.uniform(0, 40, 500), np.exp(random.uniform(0, 9, 500)))
    ).astype(np.float32)
    for radius in radii:
        assert bins_away(radius, radius_index(radius), table) == depth_bin(radius) - FOCUS_BIN


def test_edges_of_bins_rise():
    assert (np.diff(bin_table().edges) > 0).all()
