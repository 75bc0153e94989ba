"""Volumes written slice by slice, so that an interrupted export resumes where it stopped."""
