"""The dock "Evaluate a model"."""
