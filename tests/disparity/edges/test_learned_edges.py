"""The learned treatment: the classical one where nothing was learned, exact mixtures, gates, weights on disk."""

import struct
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.disparity.edges import ClassicalEdges, EdgeBands, edge_estimator
from any2bokeh.disparity.edges.bands import PlacesFirst
from any2bokeh.disparity.edges.classical import FirstLook
from any2bokeh.disparity.edges.learned import EdgeModel, LearnedEdges, weights
from any2bokeh.disparity.edges.learned.cells import Cells
from any2bokeh.disparity.edges.learned.clues import Clues
from any2bokeh.disparity.edges.learned.decision import Gates, Judgement, placed
from any2bokeh.disparity.edges.learned.network import Shape, corrections
from any2bokeh.errors import InputError
from any2bokeh.optics.transfer import srgb_decode
from any2bokeh.synthesis.degradation import degraded
from any2bokeh.synthesis.layer_frames import layer_frames
from any2bokeh.synthesis.layer_truth import LayerTruth
from tests.disparity.edges.test_classical_edges import SPOILT, Picture, blob, textured, two_surfaces

SMALL = Shape(channels=8, dilations=(1, 2), head=8)
CHANGED_MAPS = {"exact": lambda d: d, **SPOILT}


def frame(way: str, seed: int = 3) -> tuple[Picture, Picture]:
    """Disparity ``(1, H, W)`` made wrong, and its picture."""
    is_near = blob(seed)
    given = np.asarray(CHANGED_MAPS[way](two_surfaces(is_near)), np.float32)
    return given[None], textured(seed, is_near)


def random_model(seed: int = 0, *, boldness: float = 1) -> EdgeModel:
    """A network that corrects at random, and so many times as much."""
    generator = np.random.default_rng(seed)
    values = {
        name: generator.normal(0, 1 / np.sqrt(size[0]), size).astype(np.float32) for name, size in SMALL.sizes().items()
    }
    values["head.narrow.weight"] *= boldness
    return EdgeModel(SMALL, values)


def same(one: EdgeBands, other: EdgeBands) -> None:
    for name in ("disparity", "alpha", "foreground", "background"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-6, err_msg=name)
    mixed = one.alpha > 0
    np.testing.assert_allclose(one.near[mixed], other.near[mixed], atol=1e-6)
    np.testing.assert_allclose(one.far[mixed], other.far[mixed], atol=1e-6)


@pytest.mark.parametrize("way", CHANGED_MAPS)
def test_a_network_without_training_is_the_classical_treatment(way: str):
    given, pixels = frame(way)
    learned = LearnedEdges(EdgeModel.untrained(SMALL), always=True)(given, pixels)
    same(learned, ClassicalEdges()(given, pixels))
    assert (learned.disparity is given) == (way == "exact")


def test_so_it_is_for_enlarged_maps():
    given, pixels = frame("soft by 2")
    learned = LearnedEdges(EdgeModel.untrained(SMALL), always=True)(given, pixels, enlarged=True)
    same(learned, ClassicalEdges()(given, pixels, enlarged=True))


@pytest.mark.parametrize("way", ["exact", "soft by 2"])
def test_whatever_the_network_says_both_surfaces_add_up_to_the_pixel(way: str):
    given, pixels = frame(way)
    classical = ClassicalEdges()(given, pixels)
    found = LearnedEdges(random_model(), always=True)(given, pixels)
    mixed = found.alpha > 0
    assert np.count_nonzero(mixed) > 30
    assert not np.array_equal(found.alpha, classical.alpha)
    light = found.alpha * srgb_decode(found.foreground) + (1 - found.alpha) * srgb_decode(found.background)
    # Worst seen 2.4e-4, where the classical colours stand: theirs are of a table of 4096 lights.
    np.testing.assert_allclose(light[:, mixed], srgb_decode(pixels)[:, mixed], atol=1e-3)
    for colour in (found.foreground, found.background):
        assert colour.min() >= 0
        assert colour.max() <= 1


def test_every_pixel_of_the_band_shows_one_of_its_surfaces():
    given, pixels = frame("soft by 1")
    found = LearnedEdges(replace(random_model(), gates=Gates(0, 0)), always=True)(given, pixels)
    band = found.band
    off = np.minimum(np.abs(found.disparity[0] - found.near), np.abs(found.disparity[0] - found.far))
    assert off[band].max() == 0  # two surfaces alone: there is no third


def test_below_the_gate_of_the_frame_a_map_is_left_to_the_bit():
    given, pixels = frame("soft by 2")
    closed = replace(random_model(), gates=Gates(frame=1.1))
    assert LearnedEdges(closed, always=True)(given, pixels).disparity is given
    # Otherwise the classical treatment has the frame.
    same(LearnedEdges(closed)(given, pixels), ClassicalEdges()(given, pixels))


def test_below_the_gate_of_a_pixel_it_keeps_its_disparity():
    given, pixels = frame("soft by 2")
    model = replace(random_model(), gates=Gates(frame=0, pixel=1.1))
    found = LearnedEdges(model, always=True)(given, pixels)
    kept = found.disparity[0] == given[0]
    # All that differs lies outside the bands, where ramps are replaced by the classical treatment.
    assert kept[found.band].mean() > 0.99


def test_what_classical_believes_has_its_weight():
    given, pixels = frame("soft by 2")
    bold = random_model(boldness=10)
    classical = ClassicalEdges()(given, pixels)
    found = {
        weight: LearnedEdges(replace(bold, gates=Gates(0, 0, False, weight)), always=True)(given, pixels)
        for weight in (0.0, 100.0)
    }
    band = classical.band
    assert (found[0.0].disparity != classical.disparity)[0][band].mean() > 0.02
    # But for pixels that are as likely the one as the other, and for specks.
    assert (found[100.0].disparity != classical.disparity)[0][band].mean() < 0.005
    # A map that classical leaves alone has none.
    given, pixels = frame("exact")
    one, other = (
        LearnedEdges(replace(bold, gates=Gates(0, 0, False, weight)), always=True)(given, pixels)
        for weight in (0.0, 100.0)
    )
    np.testing.assert_array_equal(one.disparity, other.disparity)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_colours_of_the_other_side_are_doubt(seed: int):
    is_near = blob(seed)
    exact = two_surfaces(is_near)
    pixels = textured(seed, is_near)
    doubts = {name: look_at(given[None], pixels).doubt for name, given in {"exact": exact, "torn": torn(exact)}.items()}
    assert doubts["exact"] < 0.01 < 0.015 < doubts["torn"], doubts


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_what_is_off_by_a_pixel_is_told_at_edges(seed: int):
    is_near = blob(seed)
    exact, pixels = two_surfaces(is_near), textured(seed, is_near)
    looks = [look_at(given[None], pixels) for given in (exact, torn(exact, 1), torn(exact, 2))]
    assert not any(look.is_off for look in looks)
    right, little, much = (look.edge_doubt for look in looks)
    assert right < 0.028 < little < much, (right, little, much)
    assert little > 2 * looks[1].doubt  # which dilutes it


def torn(disparity: Picture, px: float = 2) -> Picture:
    """A map whose edges are off by up to 2 px, here to one side and there to the other."""
    rows, columns = np.mgrid[: disparity.shape[0], : disparity.shape[1]].astype(np.float32)
    moved = columns + px * np.sin(rows / 8), rows + px * np.cos(columns / 8)
    return np.asarray(cv2.remap(disparity, moved[0], moved[1], cv2.INTER_NEAREST), np.float32)


def look_at(given: Picture, pixels: Picture) -> FirstLook:
    look = FirstLook.of(given, pixels, enlarged=False)
    assert look is not None
    return look


def test_a_map_that_colours_do_not_contradict_is_not_shown_to_the_network():
    # One that would change much, and whose own gates are open.
    model = replace(random_model(boldness=10), gates=Gates(0, 0, False, doubt=0.0125))
    for way in ("exact", "soft by 1"):
        given, pixels = frame(way)
        found, classical = LearnedEdges(model)(given, pixels), ClassicalEdges()(given, pixels)
        for name in ("disparity", "band", "near_share", "alpha", "foreground", "background"):
            np.testing.assert_array_equal(getattr(found, name), getattr(classical, name))
    given, pixels = frame("exact")
    assert LearnedEdges(model, always=True)(given, pixels).disparity is given
    given = torn(given[0])[None]
    for always in (False, True):
        assert (LearnedEdges(model, always=always)(given, pixels).disparity != given).any()
    # A soft map is the network's where it is asked for by name.
    given, pixels = frame("soft by 1")
    learned, classical = LearnedEdges(model, always=True)(given, pixels), ClassicalEdges()(given, pixels)
    assert (learned.disparity != classical.disparity).any()


def test_the_network_is_heard_more_as_doubt_rises():
    given, pixels = frame("exact")
    look, soft = look_at(given, pixels), look_at(*frame("soft by 1"))
    assert not look.is_off
    assert soft.is_off
    gates = Gates(doubt=0.01)
    says = [gates.say(replace(look, doubt=doubt)) for doubt in (0, 0.01, 0.0125, 0.015, 0.1)]
    np.testing.assert_allclose(says, [0, 0, 0.5, 1, 1])
    assert gates.say(replace(soft, doubt=0.015)) == 0  # more is usual there
    assert Gates().say(replace(look, doubt=0)) == 1
    # With a gate for what lies at edges, both must open it.
    both = Gates(doubt=0.01, edge_doubt=0.04)
    for doubt, edge_doubt, say in (
        (0.1, 0.04, 0),
        (0.01, 0.4, 0),
        (0.1, 0.045, 0.5),
        (0.01125, 0.045, 0.25),
        (0.1, 0.4, 1),
    ):
        assert both.say(replace(look, doubt=doubt, edge_doubt=edge_doubt)) == pytest.approx(say)
    assert both.say(replace(soft, doubt=0.1, edge_doubt=0)) == 1  # not asked for in maps that are moved

    given = torn(given[0])[None]
    model = replace(random_model(boldness=10), gates=Gates(0, 0, False, doubt=look_at(given, pixels).doubt / 1.1))
    changed = []
    for gate in (1.5, 1.2, 1.02, 0.98):  # times the doubt of this map, below which the network is not asked
        gates = replace(model.gates, doubt=look_at(given, pixels).doubt / gate)
        changed.append(np.count_nonzero(LearnedEdges(replace(model, gates=gates))(given, pixels).disparity != given))
    assert changed[0] > changed[1] > changed[2] >= changed[3] == 0, changed


def test_soft_maps_are_the_networks_the_more_slowly():
    look, soft = look_at(*frame("exact")), look_at(*frame("soft by 1"))
    gates = Gates(doubt=0.01)
    says = [gates.say(replace(soft, doubt=0.0182 * times)) for times in (1, 1.5, 2, 3)]
    np.testing.assert_allclose(says, [0, 0.25, 0.5, 1])
    moved = replace(look, shift_px=2)
    assert moved.is_off
    assert gates.say(replace(moved, doubt=0.0182 * 1.5)) == pytest.approx(1)


@pytest.mark.parametrize("way", ["soft by 1", "shrunk"])
@pytest.mark.parametrize(("height", "is_classical"), [(0.05, True), (0.2, False)])
def test_beside_low_steps_of_maps_that_are_moved_nothing_is_said(way: str, height: float, is_classical: bool):
    given, pixels = frame(way)
    given = np.float32(0.5) + (given - given.min()) * np.float32(height / np.ptp(given))
    look = look_at(given, pixels)
    assert look.is_off
    bold = replace(random_model(boldness=10), gates=Gates(0, 0, False, classical=0.4))
    learned, classical = LearnedEdges(bold, always=True)(given, pixels), ClassicalEdges()(given, pixels)
    assert np.array_equal(learned.disparity, classical.disparity) == is_classical


def test_who_says_little_is_as_sure_as_one_who_is_not_asked():
    given, pixels = frame("soft by 2")
    clues, model = Clues.of_look(given, look_at(given, pixels), enlarged=False), random_model()
    judgement = Judgement.of(clues, corrections(SMALL, model.weights, clues.cells, clues.values))
    classical, off = clues.classical.near_share, []
    for say in (0.01, 1):
        found, _ = placed(given, clues, judgement.with_say(say, clues), Gates(0, 0, False, classical=0.4))
        is_alike = found.band & ((found.near_share > 0.5) == (classical > 0.5))
        off.append(np.abs(found.near_share - classical)[is_alike].max())
    assert off[0] < 0.01 < 0.05 < off[1], off


@pytest.mark.parametrize("mends", [True, False])
def test_below_the_gate_of_the_frame_colours_may_confirm_the_network(mends: bool):
    is_near = blob(3)
    given, pixels = torn(two_surfaces(is_near))[None], textured(3, is_near)
    if mends:
        model = replace(shipped(), gates=Gates(1.1, 0, False, confirmed=0.01))
    else:  # its edges are no better than those that came
        model = replace(random_model(boldness=10), gates=Gates(1.1, 0, False, confirmed=0.01))
    found = LearnedEdges(model, always=True)(given, pixels).disparity
    assert (found is not given) == mends
    # With no lower gate, nothing is looked at twice.
    shut = replace(model, gates=replace(model.gates, confirmed=1.1))
    assert LearnedEdges(shut, always=True)(given, pixels).disparity is given


def test_edges_are_confirmed_as_the_network_would_have_them_with_its_full_say():
    is_near = blob(3)
    given, pixels = torn(two_surfaces(is_near))[None], textured(3, is_near)
    gates = Gates(1.1, 0, False, doubt=look_at(given, pixels).doubt / 1.2, confirmed=0.01)
    model = replace(shipped(), gates=gates)
    assert 0 < gates.say(look_at(given, pixels)) < 0.5
    assert (LearnedEdges(model)(given, pixels).disparity != given).any()


def test_large_pictures_are_seen_at_every_second_pixel():
    given, pixels = frame("exact")
    given = torn(given[0])[None]
    wide = [np.repeat(np.repeat(plane, 2, axis=1), 12, axis=2)[:, :, : 2 * 800] for plane in (given, pixels)]
    clues = Clues.of_look(wide[0], look_at(*wide), enlarged=False)
    assert clues.cells.stride == 2
    assert len(clues.cells.at) < 1.5 * clues.band.sum() / 16
    judgement = Judgement.of(clues, corrections(SMALL, random_model().weights, clues.cells, clues.values))
    corrected = judgement.corrections.copy()
    corrected[0] += clues.share
    seen, all_of_band = corrected[:, ::2, ::2][:, clues.band[::2, ::2]], corrected[:, clues.band]
    # What lies between is a mean of what was seen: of shares, of the corrected ones.
    assert (all_of_band.max(axis=1) <= seen.max(axis=1) + 1e-4).all()
    assert (all_of_band.min(axis=1) >= seen.min(axis=1) - 1e-4).all()
    assert np.count_nonzero(judgement.corrections[0][clues.band]) > 0.99 * clues.band.sum()


def test_pixels_that_lie_alone_stay_with_their_surface():
    given, pixels = frame("exact")
    found = LearnedEdges(replace(random_model(boldness=10), gates=Gates(0, 0, False)), always=True)(given, pixels)
    near = (given[0] > 0.5 * (given.max() + given.min())).astype(np.uint8)
    moved = (found.disparity[0] > 0.5 * (given.max() + given.min())).astype(np.uint8)
    assert not np.array_equal(near, moved)  # a network that knows nothing moves much
    for after, before in ((moved, near), (1 - moved, 1 - near)):
        count, labels = cv2.connectedComponents(after, connectivity=8)
        for part in range(1, count):
            of_part = labels == part
            # It is large, or holds pixels that were of this surface before.
            assert of_part.sum() > 12 or before[of_part].any()


@pytest.mark.parametrize("way", ["exact", "soft by 2"])
@pytest.mark.parametrize("frame_gate", [0.0, 1.1])
def test_steps_may_be_placed_before_shares_are_told(way: str, frame_gate: float):
    given, pixels = frame(way)
    for always in (False, True):
        estimator = LearnedEdges(replace(random_model(), gates=Gates(frame_gate, 0, False)), always=always)
        assert isinstance(estimator, PlacesFirst)
        same(estimator.with_shares(estimator.placed(given, pixels), pixels), estimator(given, pixels))


def test_a_map_without_steps_is_left():
    given, pixels = np.full((1, 40, 60), 0.4, np.float32), np.full((3, 40, 60), 0.5, np.float32)
    assert LearnedEdges(random_model(), always=True)(given, pixels).disparity is given


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (3, 4)])
def test_small_maps(shape: tuple[int, int]):
    disparity = np.linspace(0, 1, shape[0] * shape[1], dtype=np.float32).reshape(1, *shape)
    found = LearnedEdges(random_model(), always=True)(disparity, np.full((3, *shape), 0.5, np.float32))
    assert found.disparity.shape == disparity.shape
    assert np.isfinite(found.disparity).all()


@pytest.mark.parametrize("stride", [1, 2])
def test_cells_hold_the_band_and_what_is_beside_it(stride: int):
    band = np.zeros((24, 40), bool)
    band[10, 18] = True
    band[3, 5] = stride == 2  # lies between the pixels that the network looks at
    cells = Cells.of(band, stride)
    assert len(cells.at) == 9
    assert (cells.at == [10 // stride // 2, 18 // stride // 2]).all(axis=1).any()
    neighbours = cells.neighbours(1)
    middle = int(np.flatnonzero((neighbours >= 0).all(axis=1))[0])
    assert np.count_nonzero(neighbours >= 0) == 40  # 4 corners of 3, 4 sides of 5, 8 of the middle
    for place, other in enumerate(neighbours[middle]):
        assert neighbours[other, 7 - place] == middle


def test_weights_come_back_from_disk(tmp_path: Path):
    model = replace(random_model(), gates=Gates(0.1, 0.3), is_preferred=True, card={"steps": 7})
    model.write(tmp_path / "edges.safetensors")
    found = EdgeModel.read(tmp_path / "edges.safetensors")
    assert (found.shape, found.gates, found.is_preferred, found.card) == (SMALL, Gates(0.1, 0.3), True, {"steps": 7})
    for name, value in model.weights.items():
        np.testing.assert_array_equal(found.weights[name], value.astype(np.float16).astype(np.float32))


def test_other_readers_take_the_file(tmp_path: Path):
    safetensors = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    random_model().write(tmp_path / "edges.safetensors")
    found = safetensors.load_file(tmp_path / "edges.safetensors")
    assert {name: value.shape for name, value in found.items()} == SMALL.sizes()


_WRONG = {
    "too far": (b'\\"dilations\\": [1,', b'\\"dilations\\": [1000000000,'),
    "endless": (b'\\"channels\\": 8', b'\\"channels\\": Infinity'),
    "a word": (b'\\"frame\\": 0.5', b'\\"frame\\": \\"high\\"'),
    "no number": (b'\\"frame\\": 0.5', b'\\"frame\\": NaN'),
    "no card": (b'\\"card\\": {}', b'\\"card\\": 3'),
}
"""What stands in the header, and what is put in its place."""


def test_weights_that_cannot_be_written_leave_those_before(tmp_path: Path):
    resource = pytest.importorskip("resource", reason="Windows has no limit on the size of a file")
    path = tmp_path / "edges.safetensors"
    random_model().write(path)
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"edges\.safetensors grows larger"):
            EdgeModel.untrained(Shape()).write(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("how", ["cut off", "no weights", "other shape", "not finite", "deep", *_WRONG])
def test_a_damaged_file_is_told_in_one_line(tmp_path: Path, how: str):
    path = tmp_path / "edges.safetensors"
    random_model().write(path)
    content = path.read_bytes()
    if how == "cut off":
        path.write_bytes(content[: len(content) // 2])
    elif how == "no weights":
        path.write_bytes(struct.pack("<Q", 2) + b"{}")
    elif how == "other shape":
        path.write_bytes(content.replace(b'\\"channels\\": 8', b'\\"channels\\": 9'))
    elif how == "deep":
        path.write_bytes(struct.pack("<Q", 1 << 17) + b"[" * (1 << 17))
    elif how in _WRONG:
        header = content[8:].replace(*_WRONG[how])
        assert header != content[8:]
        length = struct.unpack("<Q", content[:8])[0] + len(header) - len(content[8:])
        path.write_bytes(struct.pack("<Q", length) + header)
    else:
        path.write_bytes(content[:-2] + np.float16(np.nan).tobytes())
    with pytest.raises(InputError, match=r"holds no weights of an edge network") as told:
        EdgeModel.read(path)
    assert "\n" not in str(told.value)


def test_names_choose_by_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def installed(model: EdgeModel | None) -> None:
        monkeypatch.setattr(weights, "PACKAGED", tmp_path / "edges.safetensors")
        (tmp_path / "edges.safetensors").unlink(missing_ok=True)
        if model is not None:
            model.write(tmp_path / "edges.safetensors")
        EdgeModel.packaged.cache_clear()

    try:
        installed(None)
        assert edge_estimator("auto") == ClassicalEdges()
        with pytest.raises(InputError, match=r"edges is learned, but no trained network is installed; .*train edges"):
            edge_estimator("learned")
        installed(random_model())
        assert edge_estimator("auto") == ClassicalEdges()
        assert isinstance(edge_estimator("learned"), LearnedEdges)
        installed(replace(random_model(), is_preferred=True))
        assert isinstance(edge_estimator("auto"), LearnedEdges)
    finally:
        monkeypatch.undo()
        EdgeModel.packaged.cache_clear()


def shipped() -> EdgeModel:
    model = EdgeModel.packaged()
    assert model is not None, "the package holds no network for edges"
    return model


def test_what_ships_fits_and_says_how_it_came_about():
    model = shipped()
    assert sum(value.size for value in model.weights.values()) < 1_000_000
    assert weights.PACKAGED.stat().st_size < 300_000
    assert {"steps", "frames", "minutes", "machine", "config", "held_out", "calibration"} <= model.card.keys()
    assert model.card["calibration"]["wrong_learned"] < model.card["calibration"]["wrong_classical"]
    assert isinstance(edge_estimator("auto"), LearnedEdges) == model.is_preferred


def made_frames() -> list[LayerTruth]:
    """Frames that no training has seen: their seed is another."""
    return list(layer_frames(5_000_011, (144, 256), 4))


def test_what_ships_leaves_exact_maps_to_the_bit():
    for truth in made_frames():
        for always in (False, True):
            found = LearnedEdges(shipped(), always=always)(truth.disparity, truth.pixels)
            assert found.disparity is truth.disparity


def test_what_ships_mends_what_classical_does_not():
    wrong: dict[str, list[float]] = {"given": [], "classical": [], "learned": []}
    for truth in made_frames():
        given = degraded(truth.disparity[0], "shrunk2", 0)[None]
        maps = {
            "given": given,
            "classical": ClassicalEdges()(given, truth.pixels).disparity,
            "learned": LearnedEdges(shipped())(given, truth.pixels).disparity,
        }
        for name, found in maps.items():
            wrong[name].append(float((np.abs(found - truth.disparity) > 0.05).mean()))
    given, classical, learned = (np.mean(each) for each in wrong.values())
    assert learned < 0.8 * min(given, classical), wrong
