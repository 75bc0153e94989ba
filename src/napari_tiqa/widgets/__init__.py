"""Docks: everything that knows Qt or napari, and nothing else."""
