"""Scores of slices, and the map of quality within one."""
