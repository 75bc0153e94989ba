"""Readers: a file of each format as a Volume, or one sentence on why not; docs/formats.md has the checks."""
