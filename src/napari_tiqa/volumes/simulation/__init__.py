"""Simulated tomograms: microstructures, their X-ray acquisition with its faults, the plugin's sample data."""
