"""Segmentation of slices into phases by D-LinkNet: training, uncertainty, agreement with a truth."""
