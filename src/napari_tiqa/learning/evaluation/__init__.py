"""A model beside its baselines, on the same images."""
