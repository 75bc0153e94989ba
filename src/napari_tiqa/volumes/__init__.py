"""Tomograms: opened lazily, sliced along any axis, with one intensity window each."""
