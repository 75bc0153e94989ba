"""The model process, and scoring a slice or a volume through it."""
