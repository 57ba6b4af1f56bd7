"""What glass does to light: transfer functions, circle of confusion, lenses and apertures."""
