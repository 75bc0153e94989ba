"""What benchmarks/validity.py tests with: specimens and generators of faults that no model was trained on.

Nothing here shares code with what makes training images (``models``, ``learning.images.distortions``,
``volumes.simulation``): a model that has learned an implementation instead of a fault is to fail.
"""
