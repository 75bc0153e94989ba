"""The dock "Slice quality"."""
