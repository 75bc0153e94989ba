"""The tab "Apply"."""
