"""Blocks: squares of pixels that share what is kept of them."""

BLOCK = 16
"""Side of a block, px."""
