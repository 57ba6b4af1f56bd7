"""Natural order, and the name of what is missing."""

from hypothesis import given
from hypothesis import strategies as st

from any2bokeh.disparity.frame_names import first_missing, natural_key


def test_numbers_sort_by_value() -> None:
    names = ["frame10.png", "frame9.png", "frame1.png", "frame010.png", "a2b1.png", "a2b0.png"]
    assert sorted(names, key=natural_key) == [
        "a2b0.png",
        "a2b1.png",
        "frame1.png",
        "frame9.png",
        "frame010.png",
        "frame10.png",
    ]


def test_names_without_numbers_and_with_odd_digits_sort() -> None:
    assert sorted(["b.png", "2.png", "a.png", "²1.png"], key=natural_key)[0] == "2.png"


@given(first=st.integers(0, 5), count=st.integers(3, 40), step=st.integers(1, 3), data=st.data())
def test_the_gap_is_found(first: int, count: int, step: int, data: st.DataObject) -> None:
    numbers = [first + step * i for i in range(count)]
    missing = data.draw(st.integers(1, count - 2)) if count > 4 else count - 1
    names = [f"left_{n:05}.png" for i, n in enumerate(numbers) if i != missing]
    expected = (missing, f"{numbers[missing]:05}") if missing < count - 1 else (count - 1, f"{numbers[-1]:05}")
    assert first_missing(names) == expected


def test_without_a_gap_the_next_number_is_missing() -> None:
    assert first_missing(["00000.png", "00001.png"]) == (2, "00002")
    assert first_missing(["7.png"]) == (1, "8")


def test_names_that_are_not_numbered_alike_are_counted() -> None:
    assert first_missing(["left.png", "right.png"]) == (2, "frame 2")
    assert first_missing(["a1.png", "b2.png"]) == (2, "frame 2")
