"""How a fit stands: goodness, significance, tension, what excludes it, and toys."""
