"""Training and test clips whose ground truth is known: layered scenes, ray traced through a thin lens.

Sources give pictures, scenes place them in space and move them, a ray tracer takes them through the lens, and clips are
kept in shards or made in the workers of a data loader. Everything random comes from a seed.
"""

from any2bokeh.synthesis.clip import SyntheticClip

__all__ = ["SyntheticClip"]
