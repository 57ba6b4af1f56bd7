"""Any video, shot through a fast lens."""
