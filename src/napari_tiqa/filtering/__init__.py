"""Filters of a slice, pipelines of them, and what a filter costs in detail."""
