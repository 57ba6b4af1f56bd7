"""``python -m any2bokeh``."""

import sys

from any2bokeh.cli.main import run

sys.exit(run())
