"""Disparity without a depth model: a coarse estimate from a subject's matte, the layout of a picture, and motion."""
