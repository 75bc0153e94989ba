"""The dock "Train a model", and what every training in a dock shares."""
