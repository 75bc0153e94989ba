"""The dock "Segment"; a room for each of its tabs."""
