"""Cells of a plane of two parameters, each minimised in all the others."""
