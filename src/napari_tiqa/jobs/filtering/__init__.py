"""Tuning, comparing and exporting filter pipelines."""
