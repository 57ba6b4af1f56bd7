"""The one exception that is the user's to mend, checks that raise it, and the one warning."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class InputError(ValueError):
    """Bad input or usage.

    The message is one line that names the thing, the value it has, what is allowed and what to do.
    The command line prints it and exits with code 2; every other exception is a defect of ours.
    """


class KernelCacheWarning(UserWarning):
    """Compiled kernels cannot be kept on disk, so that every run compiles them anew.

    The message is one line that says why, and what to do. It is issued once in a process; the command line prints it
    as a remark.
    """


def require_in_unit_range(name: str, value: object) -> None:
    """Refuse what is not a finite number in [0, 1]."""
    if not is_finite_number(value) or not 0 <= value <= 1:  # pyright: ignore[reportOperatorIssue]
        raise InputError(f"{name} is {shown(value)}; allowed is a number from 0 to 1")


def require_choice(noun: str, value: object, allowed: Iterable[str]) -> None:
    """Refuse what is not one of a few words.

    Args:
        noun: what the value is, for the message.
        value: as given.
        allowed: the words, such as ``get_args`` of a ``Literal``, or the keys of a table.

    Raises:
        InputError: ``codec is 'h266'; allowed is auto, h264 or hevc``.
    """
    words = tuple(allowed)
    if value not in words:
        raise InputError(f"{noun} is {shown(value)}; allowed is {alternatives(words)}")


@contextmanager
def require_extra(
    user: str, extra: str, *, instead: str | None = None, error: type[InputError] = InputError
) -> Iterator[None]:
    """Imports of optional packages: one that is missing is told with the extra that brings it.

    Args:
        user: what needs them, for the message, such as ``--engine diffusion``.
        extra: of any2bokeh, such as ``diffusion``.
        instead: what else the user can do, for the message.
        error: what is raised.

    Raises:
        InputError: a package is not installed, or does not load.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("any2bokeh"):
            raise
        raise error(_needs(user, missing.name or str(missing), extra, instead)) from None
    except ImportError as broken:
        reason = " ".join(str(broken).split())[:200]
        raise error(_needs(user, broken.name or "a package", extra, instead, f"does not load ({reason})")) from None


def require_installed(
    user: str, packages: Iterable[str], extra: str, *, instead: str | None = None, error: type[InputError] = InputError
) -> None:
    """The same without an import, which may take seconds; see ``require_extra``."""
    from importlib.util import find_spec

    for name in packages:
        if find_spec(name) is None:
            raise error(_needs(user, name, extra, instead))


def _needs(user: str, package: str, extra: str, instead: str | None, state: str = "is not installed") -> str:
    otherwise = "" if instead is None else f", or {instead}"
    return f"{user} needs {package}, which {state}; pip install 'any2bokeh[{extra}]'{otherwise}"


def alternatives(words: Iterable[str]) -> str:
    """Words as a message lists them: ``a``, ``a or b``, ``a, b or c``."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def is_finite_number(value: object) -> bool:
    """True for an int or float that is finite as a float; bools are not numbers here."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def shown(value: object) -> str:
    """A value as a message shows it: short, on one line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
