"""Volumes written slice by slice, so that what was interrupted goes on where it stopped."""
