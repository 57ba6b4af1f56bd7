"""Weights on disk: ours, the published ones, the start from Stable Video Diffusion. ``checkpoint`` is the door."""
