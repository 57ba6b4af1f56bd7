"""Names that a shell completes after an option; called only while a line is completed, which goes on without them."""

import textwrap
from collections.abc import Iterable
from contextlib import suppress

import typer

from any2bokeh.errors import InputError

Completion = tuple[str, str]
"""A word, and what it is, which shells may show beside it."""

_LINE_WIDTH = 76  # typer breaks what is wider than 80


def lens_names(context: typer.Context, incomplete: str) -> list[Completion]:
    """Lenses for ``--lens``, with those of a ``--lens-file`` that stands before it."""
    from any2bokeh.optics.catalogue import lenses

    known = lenses()
    with suppress(InputError):  # what is wrong with the file is told when the line is run
        known = lenses(context.params.get("lens_file"))
    return _beginning(incomplete, ((lens.name, lens.about) for lens in known.values()))


def depth_model_names(incomplete: str) -> list[Completion]:
    """Names for ``--depth-model``; where none fits, the shell offers folders."""
    from any2bokeh.disparity.estimators.registry import KNOWN_MODELS

    built_in = [("auto", "small if it can be had, otherwise rough"), ("rough", "rough estimate, built in")]
    known = [(model.short_name, f"{model.hub_id}, {model.output}, {model.licence}") for model in KNOWN_MODELS]
    return _beginning(incomplete, [*built_in, *known])


def one_line(about: str) -> str:
    """What is shown beside a word, so short that it is not broken: fish takes the second line of it for a word."""
    return textwrap.shorten(about, _LINE_WIDTH, placeholder=" …")


def _beginning(incomplete: str, words: Iterable[Completion]) -> list[Completion]:
    return [(word, one_line(about)) for word, about in words if word.startswith(incomplete)]
