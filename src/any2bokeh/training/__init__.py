"""Training of the diffusion engine: one trainer, three stages, each a declaration.

Importing this package imports no model library; the modules below it do.
"""
