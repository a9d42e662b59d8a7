"""Models: one file a model; `anomfit.models.catalogue` finds them by name."""
