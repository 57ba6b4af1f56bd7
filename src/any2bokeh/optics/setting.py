"""A number that a person may set: its range, and the words that every surface uses for it."""

import math
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from any2bokeh.errors import InputError

_KEY = "setting"


@dataclass(frozen=True, slots=True)
class Setting:
    """What the command line, the studio, ComfyUI and the docs say about one number.

    Attributes:
        name: of the field that holds it.
        default: its value where nobody sets it.
        low, high: the least and the greatest value that is taken.
        step: by which a slider moves.
        label: a few words for a slider.
        help: one sentence, without range and default.
        unit: of the value, such as ``degrees``; empty where it is a plain number.
        slider_low, slider_high: the part of the range that a slider covers.
        is_whole: whether only whole numbers are taken.
        word: that may stand in place of a number; empty where none may.
    """

    name: str
    default: float
    low: float
    high: float
    step: float
    label: str
    help: str
    unit: str
    slider_low: float
    slider_high: float
    is_whole: bool
    word: str = ""

    @property
    def option(self) -> str:
        """The option of the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def sentence(self) -> str:
        """Its help with unit, range and default."""
        unit = f" {self.unit}" if self.unit else ""
        word = f", or {self.word}" if self.word else ""
        return f"{self.help} ({self.low:g} to {self.high:g}{unit}{word}; default: {self.default:g})."

    def typed(self, text: str) -> float | str:
        """What a person typed: a number of the range, or the word.

        Raises:
            InputError: neither.
        """
        if text == self.word:
            return text
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        self.require(value if math.isfinite(value) else text)
        return value

    def require(self, value: object) -> None:
        """Refuse what is no number of the range.

        Raises:
            InputError: see above.
        """
        words = self.name.replace("_", " ")
        whole = "a whole number" if self.is_whole else "a number"
        remedy = f"give {whole} from {self.low:g} to {self.high:g}" + (f", or {self.word}" if self.word else "")
        if self.word and value == self.word:
            return
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{words} is {value!r}; {remedy}")
        # Not a number fails the comparison.
        if not self.low <= value <= self.high or (self.is_whole and not float(value).is_integer()):
            raise InputError(f"{words} is {value:g}; {remedy}")

    def on_slider(self, value: float) -> float:
        """The nearest value that a slider can show."""
        return min(max(value, self.slider_low), self.slider_high)

    def on_choice(self, value: float | str) -> float | str:
        """What a choice beside the slider shows: the word, or as ``on_slider``."""
        return value if isinstance(value, str) else self.on_slider(value)


def setting(
    default: float,
    *,
    low: float,
    high: float,
    step: float,
    label: str,
    help: str,
    unit: str = "",
    slider: tuple[float, float] | None = None,
    is_whole: bool = False,
    word: str = "",
) -> Any:
    """A dataclass field that is a ``Setting``; ``slider`` is the part of the range that sliders cover."""
    ends = slider or (low, high)
    facts = {"low": low, "high": high, "step": step, "label": label, "help": help, "unit": unit}
    facts |= {"slider_low": ends[0], "slider_high": ends[1], "is_whole": is_whole, "word": word}
    return field(default=default, metadata={_KEY: facts})


def settings_of(kind: type) -> dict[str, Setting]:
    """The settings of a dataclass, by name, in the order of its fields."""
    return {
        each.name: Setting(each.name, math.nan if each.default is MISSING else each.default, **each.metadata[_KEY])
        for each in fields(kind)
        if _KEY in each.metadata
    }
