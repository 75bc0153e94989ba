"""The tab "Tune"."""
