"""Memory that is not needed any more, given back."""

import ctypes
import gc
import sys


def give_back_memory() -> None:
    """Give what has been freed back to the system, after work that took much for a while.

    The C library of Linux keeps it otherwise, in pieces between what is in use.
    """
    gc.collect()
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
        if trim is not None:
            trim(0)
