"""Measurements of any2bokeh: ``python -m benchmarks --help``."""
