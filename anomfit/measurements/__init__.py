"""Measurements: one file an experiment or family of limits; `anomfit.measurements.catalogue` finds them by name."""
