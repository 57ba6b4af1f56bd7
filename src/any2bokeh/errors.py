"""The one exception that is the user's to mend, checks that raise it, and the one warning."""

import math


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
