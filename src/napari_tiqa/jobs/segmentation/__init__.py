"""Segmenting volumes and training segmenters through the model process."""
