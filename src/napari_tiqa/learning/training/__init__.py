"""From labelled groups to a model bundle."""
