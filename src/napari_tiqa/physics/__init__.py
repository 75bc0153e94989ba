"""Physical figures of a slice in its own units: noise, contrast, edge width, resolution, rings."""
