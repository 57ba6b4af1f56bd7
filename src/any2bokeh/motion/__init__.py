"""How pictures move: optical flow, what it brings along, the camera's part of it, and where one shot ends."""
