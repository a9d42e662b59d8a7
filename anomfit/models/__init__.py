"""Models: one file a model; `anomfit.catalogue` finds them by name."""
