"""The studio as a Space: all sessions reach it, so files are smaller than on a machine of one's own."""

import os
import sys

from any2bokeh.cli.main import run

ARGUMENTS = ["app", "--host", "0.0.0.0", "--max-upload-gb", "1"]


def main() -> int:
    """Serve at the port that the Space asks for."""
    return run([*ARGUMENTS, "--port", os.environ.get("GRADIO_SERVER_PORT", "7860")])


if __name__ == "__main__":
    sys.exit(main())
