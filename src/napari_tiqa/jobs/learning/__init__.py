"""Training and evaluating quality models."""
