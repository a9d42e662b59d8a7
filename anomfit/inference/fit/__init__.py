"""Best fits and their errors."""
