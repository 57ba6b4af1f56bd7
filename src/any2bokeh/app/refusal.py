"""Refusals that a page must tell from others: each has a status of its own."""

from any2bokeh.errors import InputError


class Gone(InputError):
    """A session that is not, or no longer, there."""


class NotYet(InputError):
    """Something that will be there when more is known."""


class Busy(InputError):
    """Too much is asked for at a time."""


class TooLarge(InputError):
    """A body beyond its limit."""
