"""A render in segments that are finished one by one, kept, and joined."""
