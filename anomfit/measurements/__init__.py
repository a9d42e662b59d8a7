"""Measurements: one file an experiment or family of limits; `anomfit.catalogue` finds them by name."""
