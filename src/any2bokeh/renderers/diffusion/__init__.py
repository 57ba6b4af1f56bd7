"""The diffusion engine: the one-step video diffusion model of Any-to-Bokeh (Yang et al., ICLR 2026).

Importing this package imports no model library; the modules below it do.
"""
