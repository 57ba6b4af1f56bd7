"""Training of the network for edges: tiles of made frames, a twin of the network in torch, a trainer of its own.

Importing this package imports no torch; the modules below it do.
"""
