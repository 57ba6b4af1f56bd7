"""any2bokeh in ComfyUI: disparity, focus track, layered render and diffusion render, in the V3 schema."""

from .extension import comfy_entrypoint

__all__ = ["comfy_entrypoint"]
