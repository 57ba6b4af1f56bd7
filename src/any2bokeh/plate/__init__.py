"""What other frames saw: hidden background, carried by its own motion to the frames that hide it."""
