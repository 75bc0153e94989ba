"""The dock "Filter and tune"; a room for each of its larger tabs."""
