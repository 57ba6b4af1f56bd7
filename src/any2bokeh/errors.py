"""The one exception that is the user's to mend."""


class InputError(ValueError):
    """Bad input or usage.

    The message is one line that names the thing, the value it has, what is allowed and what to do.
    The command line prints it and exits with code 2; every other exception is a defect of ours.
    """
