"""The studio as a Space: everyone reaches it, by its name alone, so it asks for no password and takes smaller files."""

import os
import sys

from any2bokeh.cli.main import run

ARGUMENTS = [
    "app",
    "--host",
    "0.0.0.0",
    "--port",
    "7860",
    "--password",
    "off",
    "--max-upload-gb",
    "1",
    "--autosave",
    "off",
]


def main() -> int:
    """Serve under the name that the Space has, and within the hub's page."""
    name = os.environ.get("SPACE_HOST")
    return run([*ARGUMENTS, *(["--host-name", name, "--framed-by", "https://huggingface.co"] if name else [])])


if __name__ == "__main__":
    sys.exit(main())
