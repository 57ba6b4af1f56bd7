"""Inputs and results at addresses such as ``s3://bucket/clip.mp4``, copied to this machine while they are worked on."""
