"""The eight ways in which a display matrix can lay a picture."""

import numpy as np
import pytest

from any2bokeh.video.orientation import Orientation, orientation_of

ONE = 1 << 16


def matrix(a: int, b: int, c: int, d: int) -> bytes:
    return np.array([a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30], np.int32).tobytes()


@pytest.mark.parametrize(
    "entries", [(a, 0, 0, d) for a in (1, -1) for d in (1, -1)] + [(0, b, c, 0) for b in (1, -1) for c in (1, -1)]
)
def test_pixels_land_where_the_matrix_says(entries: tuple[int, int, int, int]) -> None:
    a, b, c, d = entries
    picture = np.arange(6).reshape(2, 3)
    shown = orientation_of(matrix(*entries)).apply(picture)
    places = {(x, y): (a * x + c * y, b * x + d * y) for x in range(3) for y in range(2)}
    left, top = min(x for x, _ in places.values()), min(y for _, y in places.values())
    for (x, y), (to_x, to_y) in places.items():
        assert shown[to_y - top, to_x - left] == picture[y, x]


@pytest.mark.parametrize(
    ("entries", "expected"), [((1, 0, 0, 1), 0), ((0, 1, -1, 0), 90), ((-1, 0, 0, -1), 180), ((0, -1, 1, 0), 270)]
)
def test_turns_are_counted_clockwise(entries: tuple[int, int, int, int], expected: int) -> None:
    assert orientation_of(matrix(*entries)).rotation_deg == expected


def test_no_matrix_is_no_turn() -> None:
    assert orientation_of(None) == Orientation()
    assert Orientation().is_identity
