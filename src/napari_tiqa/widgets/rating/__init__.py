"""The dock "Rate images"."""
