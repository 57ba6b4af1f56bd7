import numpy as np
import pytest

from any2bokeh.optics import transfer


@pytest.mark.parametrize("name", ["srgb", "pq", "hlg", "linear", "none"])
def test_encode_undoes_decode(name):
    code = np.linspace(0, 1, 4097)
    # float32 between the two; worst seen 3e-6, PQ near black.
    np.testing.assert_allclose(transfer.encode(transfer.decode(code, name), name), code, atol=6e-6)


def test_srgb_at_known_points():
    np.testing.assert_allclose(
        transfer.srgb_decode(np.array([0.04045, 0.5, 1.0])), [0.0031308, 0.2140411, 1], rtol=1e-5
    )


def test_hdr_reference_white_is_one():
    # BT.2408: 58 % PQ and 75 % HLG.
    assert transfer.pq_decode(np.array([0.5807]))[0] == pytest.approx(1, rel=2e-3)
    assert transfer.hlg_decode(np.array([0.75]))[0] == pytest.approx(1, rel=1e-6)


def test_pq_peak_is_ten_thousand_nits():
    assert transfer.pq_decode(np.array([1.0]))[0] == pytest.approx(10000 / 203, rel=1e-6)
