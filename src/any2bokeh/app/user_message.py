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
    "edges is learned": "Disparity edges is Learned",
    "--edges classical": "Classical",
    "--depth-model rough": "the rough estimate",
    "--depth-model small": "the depth model small",
}
"""What the page calls the fields and options that messages of the library name."""

_OF_COMMAND_LINE = "Words that begin with -- are options of any2bokeh refocus, in a terminal."
"""Said of options for which the page has no word."""


def user_message(error: Exception, *, doing: str) -> str:
    """One sentence for the page; what a user cannot mend goes to the log with its traceback.

    Args:
        error: what was raised.
        doing: what was being done, for the message.
    """
    if isinstance(error, InputError):
        text = in_words_of_page(" ".join(str(error).split()))
        begins_with_word = text.split(" ")[0].isalpha()  # names of files are written as they are
        return (
            (text[:1].upper() if begins_with_word else text[:1])
            + text[1:]
            + ("" if text.endswith((".", "!", "?")) else ".")
            + (f" {_OF_COMMAND_LINE}" if re.search(r"(?<![\w-])--[a-z]", text) else "")
        )
    _log.error("%s failed", doing, exc_info=error)
    return f"An internal error occurred in {doing}. This is a bug in the studio; its log has the details."


def in_words_of_page(text: str) -> str:
    """A message of the library, with what the page calls the fields and options that it names."""
    for field, words in _WORDS.items():
        text = re.sub(rf"(?<![\w-]){field}\b", words, text)
    return text
