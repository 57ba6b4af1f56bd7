"""Detectors of faces and people: small networks that OpenCV runs, used where their files are on this machine."""
