"""Radiated scalars for couplings of 1 at given masses, as a detector is to count them."""

from dataclasses import dataclass

import jax.numpy as jnp

from anomfit.physics.boson_strahlung import BosonStrahlung, Coherent, Isoscalar
from anomfit.physics.reaction import Pair, RadiatedReaction
from anomfit.physics.targets import FormFactors
from anomfit.tables.radiated.grid import Masses


@dataclass(frozen=True)
class Strahlung:
    """What is static of how scalars are made: words of `FormFactors` and of `BosonStrahlung`."""

    nucleus: str
    bound: str
    slope: float
    isoscalar: Isoscalar
    coherent: Coherent

    def reaction(self, masses: Masses) -> RadiatedReaction:
        """With couplings of 1 and scalars that are all pairs, at once."""
        one = jnp.ones(())
        forms = FormFactors("constant", self.nucleus, 1.0, self.bound, self.slope)
        process = BosonStrahlung(*masses, one, one, one, forms, self.isoscalar, self.coherent)
        return RadiatedReaction(process, Pair(masses.m_scalar, jnp.zeros(())), one)
