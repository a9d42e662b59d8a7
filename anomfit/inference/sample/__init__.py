"""Draws from posteriors, and evidences."""
