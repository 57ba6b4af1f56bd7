"""Neural models that other floors share: where their files are on this machine."""
