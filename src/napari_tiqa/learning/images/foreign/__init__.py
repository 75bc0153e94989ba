"""Images that are not tomography slices, drawn or shipped with packages: what a model must not score."""
