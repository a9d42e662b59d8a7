"""Beams: fluxes and the molecules they hit."""

from anomfit.beams.flux import Beam, make_beam
from anomfit.physics.targets import Target

__all__ = ["Beam", "Target", "make_beam"]
