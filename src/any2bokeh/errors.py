"""The one exception that is the user's to mend, and the one warning."""


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
