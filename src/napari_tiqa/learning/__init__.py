"""From a few dozen images to a model: distortions, observers, labels, two training stages, evaluation."""
