"""Segments of clips rendered by the machines of a Ray cluster."""
