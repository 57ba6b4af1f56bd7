"""What a user is told of what went wrong, and what only the log is."""

import logging
import re

from any2bokeh.errors import InputError

_log = logging.getLogger("any2bokeh.app")

_WORDS = {
    "transition_s": "the length of the move",
    "blur_strength": "blur strength K",
    "focus_disparity": "focus disparity",
    "f number": "f-number",
    "--blur": "the blur strength K",
}
"""What the page calls the fields and options that messages of the library name."""


def user_message(error: Exception, *, doing: str) -> str:
    """One sentence for the page; what a user cannot mend goes to the log with its traceback.

    Args:
        error: what was raised.
        doing: what was being done, for the message.
    """
    if isinstance(error, InputError):
        text = " ".join(str(error).split())
        for field, words in _WORDS.items():
            text = re.sub(rf"(?<![\w-]){field}\b", words, text)
        begins_with_word = text.split(" ")[0].isalpha()  # names of files are written as they are
        return (
            (text[:1].upper() if begins_with_word else text[:1])
            + text[1:]
            + ("" if text.endswith((".", "!", "?")) else ".")
        )
    _log.error("%s failed", doing, exc_info=error)
    return f"An internal error occurred in {doing}. This is a bug in the studio; its log has the details."
