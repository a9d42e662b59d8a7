"""Beams: fluxes and the molecules they hit."""

from anomfit.beams.flux import Beam, Target, make_beam

__all__ = ["Beam", "Target", "make_beam"]
