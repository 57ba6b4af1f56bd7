"""``python -m any2bokeh``, and the program ``any2bokeh``: nothing is imported before Ctrl-C is taken care of."""

import signal
import sys

from any2bokeh.interruption import INTERRUPTED, interruptions_unwind, say_interrupted


def main() -> int:
    """Run the command line with the arguments of the process, and return its exit code."""
    try:
        with interruptions_unwind():
            try:
                from any2bokeh.cli.main import run

                return run()
            except KeyboardInterrupt:
                say_interrupted()
                return INTERRUPTED
            finally:
                _end_undisturbed()
    finally:
        _end_undisturbed()  # once more: leaving the block has put back what was there


def _end_undisturbed() -> None:
    """All is said and done: a Ctrl-C while the interpreter shuts down would only print a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):  # the interpreter gives up its handlers before it ends
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


if __name__ == "__main__":
    sys.exit(main())
