"""A clip through the networks: windows, encoding, prediction, blending, decoding, composition."""
