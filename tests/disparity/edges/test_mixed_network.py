"""The network for mixed pixels: the classical split where nothing was learned, exact sums, and where it is asked."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.disparity.edges import ClassicalEdges, EdgeBands, EdgeTreatment, edge_estimator
from any2bokeh.disparity.edges.classical import FirstLook, matted
from any2bokeh.disparity.edges.learned import EdgeModel, LearnedEdges, MixedModel
from any2bokeh.disparity.edges.learned.cells import CELL_PX, PIXELS
from any2bokeh.disparity.edges.learned.clues import interleaved
from any2bokeh.disparity.edges.learned.decision import Gates
from any2bokeh.disparity.edges.learned.mixed_clues import LEAST_STEP, MIXED_CLUES, MixedClues
from any2bokeh.disparity.edges.learned.mixing import LEAST_SHARE, MIXED_CORRECTIONS, MOST_SHARE, correct
from any2bokeh.disparity.edges.learned.network import Shape
from any2bokeh.errors import InputError
from any2bokeh.optics.transfer import srgb_decode, srgb_encode
from tests.disparity.edges.test_classical_edges import Picture, blob, textured, two_surfaces
from tests.disparity.edges.test_learned_edges import SMALL, torn

SHAPE = Shape(8, (1, 2), 8, MIXED_CLUES, MIXED_CORRECTIONS)
PLANES = ("near", "far", "near_share", "alpha", "foreground", "background")


def random_mixing(seed: int = 0, boldness: float = 1) -> MixedModel:
    """A network that corrects at random."""
    generator = np.random.default_rng(seed)
    values = {
        name: generator.normal(0, 1 / np.sqrt(size[0]), size).astype(np.float32) for name, size in SHAPE.sizes().items()
    }
    values["head.narrow.weight"] *= boldness
    return MixedModel(SHAPE, values, least_change=0)


def learned(mixing: MixedModel | None, *, always: bool = False, doubt: float = 1.0) -> LearnedEdges:
    """With a network for edges that says nothing up to a doubt."""
    return LearnedEdges(replace(EdgeModel.untrained(SMALL), gates=Gates(doubt=doubt)), always=always, mixing=mixing)


def frame(seed: int = 3) -> tuple[Picture, Picture]:
    """An exact map ``(1, H, W)`` and its picture, whose outline is antialiased."""
    is_near = blob(seed)
    pixels = textured(seed, is_near)
    soft = cv2.GaussianBlur(is_near.astype(np.float32), (0, 0), 0.6)
    apart = pixels.copy()
    apart[:, is_near] = 1 - apart[:, is_near]
    return two_surfaces(is_near)[None], (soft * pixels + (1 - soft) * apart).astype(np.float32)


def test_a_network_without_training_is_the_classical_split_to_the_bit():
    given, pixels = frame()
    found = learned(MixedModel.untrained(SHAPE))(given, pixels)
    classical = ClassicalEdges()(given, pixels)
    assert classical.is_mixed
    assert found.disparity is given
    for name in PLANES:
        np.testing.assert_array_equal(getattr(found, name), getattr(classical, name), err_msg=name)


@pytest.mark.parametrize("boldness", [1, 20])
def test_whatever_it_says_both_surfaces_add_up_to_the_pixel(boldness: float):
    given, pixels = frame()
    found = learned(random_mixing(boldness=boldness))(given, pixels)
    assert found.disparity is given
    mixed = found.alpha > 0
    assert not np.array_equal(found.alpha, ClassicalEdges()(given, pixels).alpha)
    assert np.count_nonzero(mixed) > 100
    light = found.alpha * srgb_decode(found.foreground) + (1 - found.alpha) * srgb_decode(found.background)
    # Worst seen 1.3e-4: the pixel's light is of a table of 4096.
    np.testing.assert_allclose(light[:, mixed], srgb_decode(pixels)[:, mixed], atol=5e-4)
    assert found.alpha[mixed].min() >= LEAST_SHARE
    assert found.alpha.max() <= MOST_SHARE
    for colour in (found.foreground, found.background):
        assert colour.min() >= 0
        assert colour.max() <= 1
        assert not colour[:, ~mixed].any()
    # They are on far sides alone, each with its two surfaces.
    assert (given[0][mixed] == found.far[mixed]).all()
    assert (found.near[mixed] > found.far[mixed]).all()


def test_maps_that_are_moved_or_doubted_keep_the_classical_split():
    given, pixels = frame()
    soft = cv2.GaussianBlur(given[0], (0, 0), 2)[None]
    doubted = torn(given[0])[None]
    look = FirstLook.of(doubted, pixels, enlarged=False)
    assert look is not None
    for spoilt, doubt in ((soft, 1.0), (doubted, 0.6 * look.doubt)):
        found, without = (learned(mixing, doubt=doubt)(spoilt, pixels) for mixing in (random_mixing(), None))
        for name in ("disparity", *PLANES):
            np.testing.assert_array_equal(getattr(found, name), getattr(without, name), err_msg=name)


def test_it_is_heard_less_as_the_network_for_edges_is_heard_more():
    given, pixels = frame()
    doubted = torn(given[0])[None]
    look = FirstLook.of(doubted, pixels, enlarged=False)
    assert look is not None
    changes: list[float] = []
    for gate in (1.01, 1.1, 1.3, 1.49):  # times the gate of doubt, from 1 to 1.5 times which the other's say rises
        found, without = (
            learned(mixing, doubt=look.doubt / gate)(doubted, pixels).alpha for mixing in (random_mixing(), None)
        )
        changes.append(float(np.abs(found - without).mean()))
    assert changes == sorted(changes, reverse=True)
    assert changes[3] < 0.1 * changes[0]


HAIR = np.array([0.9, 0.15, 0.1], np.float32)


def before_a_wall(wall: Picture, is_hair: NDArray[np.bool_], share: float) -> tuple[Picture, Picture]:
    """A map ``(1, H, W)`` of a red bar, and its picture before a wall ``(3, H, W)``, with red hair of that share beside
    the bar that the map does not know."""
    is_bar = np.zeros(is_hair.shape, np.bool_)
    is_bar[:, 30:66] = True
    light = share * srgb_decode(HAIR)[:, None, None] + (1 - share) * srgb_decode(wall)
    pixels = np.where(is_bar, HAIR[:, None, None], np.where(is_hair, srgb_encode(light), wall))
    return two_surfaces(is_bar)[None], pixels.astype(np.float32)


def corrected(given: Picture, pixels: Picture, where: NDArray[np.bool_], share: float) -> tuple[EdgeBands, EdgeBands]:
    """The classical split, and that of a network that says of some pixels that they have that share."""
    look = FirstLook.of(given, pixels, enlarged=False)
    assert look is not None
    classical, found = (matted(EdgeBands.none(given), look.pixels, look.step) for _ in range(2))
    picture = interleaved(look.pixels)
    clues = MixedClues.of(picture, look.step, classical)
    y = CELL_PX * clues.cells.at[:, :1] + np.arange(PIXELS) // CELL_PX
    x = CELL_PX * clues.cells.at[:, 1:] + np.arange(PIXELS) % CELL_PX
    said = np.zeros((*y.shape, MIXED_CORRECTIONS), np.float32)
    said[..., 0] = np.where(where[y, x], np.log(share / (1 - share)) - clues.bases(picture, classical)[y, x, 0], 0)
    correct(found, look.step, picture, clues, said, 0.001)
    return classical, found


def beside_the_bar() -> NDArray[np.bool_]:
    """Lines ``(H, W)`` that stand out of the bar."""
    lines = np.zeros((64, 96), np.bool_)
    lines[4:60:4, 26:70] = True
    lines[:, 30:66] = False
    return lines


def test_it_is_heard_where_it_leaves_a_calm_background():
    wall = np.full((3, 64, 96), 0.5, np.float32)
    is_hair = beside_the_bar()
    given, pixels = before_a_wall(wall, is_hair, 0.4)
    classical, found = corrected(given, pixels, is_hair, 0.4)
    off = [
        np.abs(np.where(each.alpha > 0, each.background, pixels) - wall)[:, is_hair].mean()
        for each in (classical, found)
    ]
    assert off[1] < 0.2 * off[0], off


def test_specks_of_the_background_are_not_taken_for_hair():
    wall = np.full((3, 64, 96), 0.5, np.float32)
    is_line = beside_the_bar()
    wall[:, is_line] = 0.75  # as bright in each colour as no hair before that wall
    given, pixels = before_a_wall(wall, is_line, 0)
    classical, found = corrected(given, pixels, is_line, 0.4)
    for name in PLANES:
        np.testing.assert_array_equal(getattr(found, name), getattr(classical, name), err_msg=name)


def test_neither_surface_gets_colours_that_are_not_seen_of_it_around():
    wall = np.full((3, 64, 96), 0.5, np.float32)
    is_hair = beside_the_bar()
    given, pixels = before_a_wall(wall, is_hair, 0.4)
    _, found = corrected(given, pixels, is_hair, 0.75)  # so much red would leave a blue wall
    told = found.background[:, is_hair & (found.alpha > 0.5)]
    assert told.size > 100
    assert told[0].min() > 0.5 - 5e-3  # a step of the ranges is 1/255


def test_pictures_beyond_1024_px_are_corrected_between_the_cells():
    given, pixels = frame()
    large = cv2.resize(given[0], None, fx=9, fy=9, interpolation=cv2.INTER_NEAREST)[None]
    picture = np.stack([cv2.resize(plane, None, fx=9, fy=9, interpolation=cv2.INTER_LINEAR) for plane in pixels])
    assert max(picture.shape) > 1024
    found = learned(random_mixing(boldness=5))(large, picture)
    classical = ClassicalEdges()(large, picture)
    changed = found.alpha != classical.alpha
    between = changed[1::2, 1::2]
    # Fewer than at cells: what is said at random around such a pixel often comes to no share.
    assert np.count_nonzero(between) > 0.2 * np.count_nonzero(changed[::2, ::2]) > 0
    mixed = found.alpha > 0
    light = found.alpha * srgb_decode(found.foreground) + (1 - found.alpha) * srgb_decode(found.background)
    np.testing.assert_allclose(light[:, mixed], srgb_decode(picture)[:, mixed], atol=5e-4)  # see above
    untrained = learned(MixedModel.untrained(SHAPE))(large, picture)
    np.testing.assert_array_equal(untrained.background, classical.background)


def test_only_far_sides_near_steps_are_open():
    given, pixels = frame()
    look = FirstLook.of(given, pixels, enlarged=False)
    assert look is not None
    none, picture = EdgeBands.none(given), interleaved(look.pixels)
    clues = MixedClues.of(picture, look.step, none)
    assert np.count_nonzero(clues.is_open) > 100
    assert (given[0][clues.is_open] == given.min()).all()
    assert np.isfinite(clues.values).all()
    bases = clues.bases(picture, none)
    assert np.isfinite(bases).all()
    assert (bases[clues.is_open][:, 1:] >= 0).all()
    looked_at = np.repeat(np.repeat(clues.cells.grid >= 0, CELL_PX, axis=0), CELL_PX, axis=1)[: given.shape[1]]
    assert looked_at[:, : given.shape[2]][clues.is_open].all()
    assert len(clues.cells.at) == np.count_nonzero(clues.cells.grid >= 0) < 0.5 * clues.cells.grid.size


def test_what_has_a_third_surface_behind_it_is_left_to_the_classical_split():
    given, pixels = frame()
    behind = given.copy()
    behind[0, :, :40] = np.where(given[0, :, :40] == given.min(), given.min() - 2 * LEAST_STEP, given[0, :, :40])
    assert behind.min() >= 0
    none = EdgeBands.none(given)
    opened = []
    for map_ in (given, behind):
        look = FirstLook.of(map_, pixels, enlarged=False)
        assert look is not None
        opened.append(MixedClues.of(interleaved(look.pixels), look.step, none).is_open)
    beside = np.zeros_like(opened[0])
    beside[:, 41:48] = given[0, :, 41:48] == given.min()  # of the middle surface, close to the third
    assert opened[0][beside].any()
    assert not opened[1][beside].any()
    away = np.zeros_like(beside)
    away[:, 60:] = True
    np.testing.assert_array_equal(opened[0][away], opened[1][away])


@pytest.mark.parametrize("kind", ["low step", "one colour"])
def test_steps_that_hardly_show_are_not_looked_at(kind: str):
    given, pixels = frame()
    if kind == "low step":
        given = given.min() + (given - given.min()) * np.float32(0.9 * LEAST_STEP / np.ptp(given))
    else:
        pixels = np.full_like(pixels, 0.5)
    look = FirstLook.of(given, pixels, enlarged=False)
    assert look is not None
    clues = MixedClues.of(interleaved(look.pixels), look.step, EdgeBands.none(given))
    assert not clues.is_open.any()
    found, classical = learned(random_mixing(boldness=5))(given, pixels), ClassicalEdges()(given, pixels)
    np.testing.assert_array_equal(found.alpha, classical.alpha)
    np.testing.assert_array_equal(found.background, classical.background)


@pytest.mark.parametrize("treatment", ["auto", "learned"])
def test_what_ships_is_asked_of_exact_maps(treatment: EdgeTreatment):
    estimator = edge_estimator(treatment)
    assert isinstance(estimator, LearnedEdges)
    assert estimator.mixing is MixedModel.packaged() is not None


def test_weights_come_back_from_the_disk(tmp_path: Path):
    model = replace(random_mixing(), least_change=0.25, card={"steps": 3})
    model.write(tmp_path / "mixed.safetensors")
    found = MixedModel.read(tmp_path / "mixed.safetensors")
    assert (found.shape, found.least_change, found.card) == (SHAPE, 0.25, {"steps": 3})
    for name, values in model.weights.items():
        np.testing.assert_array_equal(found.weights[name], values.astype(np.float16))
    EdgeModel.untrained(SMALL).write(tmp_path / "edges.safetensors")
    with pytest.raises(InputError, match="holds no weights of an edge network"):
        MixedModel.read(tmp_path / "edges.safetensors")
