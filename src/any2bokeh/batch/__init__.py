"""Many clips, one after the other: what is to be done, doing it, and what became of it."""
