"""Large frames, treated in strips: to the bit what treating them at once gives."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh import frame_treatment
from any2bokeh.disparity.edges import ClassicalEdges, bands_at_size, sized
from any2bokeh.disparity.edges.bands import TreatedMap
from any2bokeh.disparity.edges.classical import FirstLook
from any2bokeh.disparity.edges.learned import EdgeModel, LearnedEdges, estimator
from any2bokeh.disparity.edges.strips import strips
from any2bokeh.frame_treatment import FrameTreatment, TreatedFrame
from tests.disparity.edges.test_classical_edges import blob, textured, two_surfaces

Picture = NDArray[np.float32]


def tall(copies: int = 3, stretched: int = 1) -> tuple[Picture, Picture]:
    """Blobs with hair before a wall, one above the other: exact map ``(1, H, W)`` and picture."""
    shapes = [blob(seed) for seed in range(3, 3 + copies)]
    is_near = np.concatenate(shapes)
    is_near[5::23, ::2] = True  # hair, dotted
    is_near[11::29] = True
    picture = np.concatenate([textured(seed, shape) for seed, shape in enumerate(shapes)], axis=1)
    exact, size = two_surfaces(is_near), (is_near.shape[1] * stretched, is_near.shape[0] * stretched)
    exact = cv2.resize(exact, size, interpolation=cv2.INTER_NEAREST)
    picture = np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in picture])
    return np.asarray(exact, np.float32)[None], picture


def soft(exact: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur(exact[0], (0, 0), 2.5), np.float32)[None]


def displaced(exact: Picture) -> Picture:
    return np.asarray(cv2.dilate(exact[0], np.ones((5, 5), np.uint8)), np.float32)[None]


def require_same(found: TreatedMap, whole: TreatedMap) -> None:
    np.testing.assert_array_equal(found.disparity, whole.disparity)
    np.testing.assert_array_equal(found.mixed.at, whole.mixed.at)
    np.testing.assert_array_equal(found.mixed.values, whole.mixed.values)


@pytest.mark.parametrize("size", [(3, 1), (6, 3)], ids=["stride 1", "stride 2"])
@pytest.mark.parametrize("spoilt", [np.array, soft, displaced], ids=["exact", "soft", "displaced"])
@pytest.mark.parametrize("always", [False, True])
def test_strips_give_the_whole(spoilt, size: tuple[int, int], always: bool):
    exact, picture = tall(*size)
    given = spoilt(exact)
    shares = []
    in_strips = ClassicalEdges(always, most_px=picture[0].size // 9)
    found = in_strips.listed(given, picture, told=shares.append)
    whole = ClassicalEdges(always)(given, picture)
    assert whole.is_mixed
    assert bool(whole.band.any()) == (always or spoilt is soft)
    require_same(found, TreatedMap.of(whole))
    places, placed = (
        in_strips.listed_places(given, picture),
        TreatedMap.of(ClassicalEdges(always).placed(given, picture)),
    )
    require_same(places, placed)
    for name in ("at", "near", "far", "near_share"):
        np.testing.assert_array_equal(getattr(places.band, name), getattr(placed.band, name), err_msg=name)
    assert len(shares) >= 8
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_the_look_at_a_frame_is_that_at_the_whole():
    exact, picture = tall()
    for given in (exact, soft(exact), displaced(exact)):
        whole, found = (FirstLook.of(given, picture, False, most_px) for most_px in (picture.size, 3000))
        assert whole is not None
        assert found is not None
        assert (found.shift_px, found.doubt, found.edge_doubt) == (whole.shift_px, whole.doubt, whole.edge_doubt)
        np.testing.assert_array_equal(found.stepped.sharp, whole.stepped.sharp)


@pytest.mark.parametrize("factor", [1, 2])
def test_large_frames_are_treated_in_strips(monkeypatch, factor: int):
    exact, picture = tall()
    given = exact if factor == 1 else exact[:, ::factor, ::factor]
    edges = ClassicalEdges(most_px=4000)
    whole = TreatedMap.of(bands_at_size(edges, given, picture))
    monkeypatch.setattr(sized, "LARGE_PX", 1000)
    shares = []
    found = TreatedFrame.of(0, picture, given, edges, shares.append)
    assert shares
    np.testing.assert_array_equal(found.disparity, whole.disparity)
    np.testing.assert_array_equal(found.mixed.values, whole.mixed.values)


def test_large_frames_of_a_clip_too(monkeypatch):
    exact, picture = tall()

    def treated() -> list[TreatedFrame]:
        treatment, found = FrameTreatment(ClassicalEdges(most_px=4000)), []
        for index in range(3):
            moved, seen = (np.roll(planes, 2 * index, axis=2) for planes in (displaced(exact), picture))
            found += treatment.add(index, seen, moved, is_blurred=True, is_looked_at=True)
        return [*found, *treatment.rest()]

    whole = treated()
    monkeypatch.setattr(frame_treatment, "LARGE_PX", 1000)
    for one, other in zip(treated(), whole, strict=True):
        np.testing.assert_array_equal(one.disparity, other.disparity)
        np.testing.assert_array_equal(one.mixed.at, other.mixed.at)
        np.testing.assert_array_equal(one.mixed.values, other.mixed.values)


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("spoilt", [np.array, displaced], ids=["exact", "displaced"])
def test_so_does_the_network(spoilt, always: bool):
    exact, picture = tall()
    model = EdgeModel.packaged()
    assert model is not None
    edges, given = LearnedEdges(model, always), spoilt(exact)
    require_same(edges.listed(given, picture), TreatedMap.of(edges(given, picture)))
    require_same(edges.listed_places(given, picture), TreatedMap.of(edges.placed(given, picture)))


def test_of_the_largest_frames_the_network_is_asked_only_where_it_is_wished(monkeypatch: pytest.MonkeyPatch):
    exact, picture = tall()
    model, given = EdgeModel.packaged(), soft(exact)
    assert model is not None
    model = replace(model, gates=replace(model.gates, doubt=0.0))
    classical, asked = ClassicalEdges().listed(given, picture), LearnedEdges(model, always=True).listed(given, picture)
    assert not np.array_equal(asked.disparity, classical.disparity)
    monkeypatch.setattr(estimator, "_MOST_PX", 1000)
    require_same(LearnedEdges(model).listed(given, picture), classical)
    require_same(LearnedEdges(model, always=True).listed(given, picture), asked)


def test_work_that_is_not_wanted_ends_after_a_strip():
    exact, picture = tall()
    told = []

    def stop(share: float) -> None:
        told.append(share)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ClassicalEdges(most_px=3000).listed(soft(exact), picture, told=stop)
    assert len(told) == 1


def test_strips_cover_a_frame_once():
    for height in (1, 7, 40, 41):
        found = list(strips((height, 10), align=4, margin=3, most_px=95))
        assert [row for strip in found for row in range(height)[strip.own]] == list(range(height))
        assert all(strip.top % 4 == 0 and strip.first - strip.top in (0, 4) for strip in found)
        assert len(found) == (1 if height <= 9 else -(-height // 8))
