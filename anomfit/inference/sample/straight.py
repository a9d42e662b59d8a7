"""Coordinates for the sampler in which the thin curved shells that measured rates leave in the prior are flat.

A rate known to 20 % is a shell some 0.02 prior widths thick, curved through the masses and couplings that it depends
on, and a rate that must not be too large is a wall: a sampler needs a hundred small steps to follow them. Parameters
to whose square a rate is proportional are counted from where the rate is right (see `amplitude`). The posterior does
not depend on how well that was learned (see `learning`), only the time does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.inference.sample.amplitude import Amplitude
from anomfit.inference.sample.conditional import Conditional


@dataclass(frozen=True)
class Straight:
    """Changes of single coordinates, in order, each of which may depend on those that earlier ones have changed.

    Steps of one kind are stacked (a leading axis of every leaf), so that they are one loop and are compiled once.
    """

    conditionals: Conditional | None = None
    amplitudes: Amplitude | None = None

    def to_normal(self, w: Float[Array, "coordinates"]) -> tuple[Float[Array, "coordinates"], Float[Array, ""]]:
        """Normal coordinates z of `Problem` at w, and ln |dz/dw|."""

        def one(carry, step):
            w, total = carry
            w, own = step.to_normal(w)
            return (w, total + own), None

        carry = w, jnp.zeros(())
        for steps in (self.conditionals, self.amplitudes):
            if steps is not None:
                carry, _ = jax.lax.scan(one, carry, steps)
        return carry

    def from_normal(self, z: Float[Array, "coordinates"]) -> Float[Array, "coordinates"]:
        """The inverse of `to_normal`."""
        for steps in (self.amplitudes, self.conditionals):
            if steps is not None:
                z, _ = jax.lax.scan(lambda z, step: (step.from_normal(z), None), z, steps, reverse=True)
        return z


jax.tree_util.register_dataclass(Straight, data_fields=["conditionals", "amplitudes"], meta_fields=[])


def stack(steps: Sequence):
    """Steps of one kind as one with leaves that have a leading axis; None for none."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *steps) if steps else None


def to_normal(coordinates: Straight | None, w: Float[Array, "coordinates"]):
    """Normal coordinates at the sampler's, and the logarithm of the Jacobian; the same where there is no change."""
    return (w, jnp.zeros(())) if coordinates is None else coordinates.to_normal(w)


def from_normal(coordinates: Straight | None, z: Float[Array, "coordinates"]):
    """The sampler's coordinates at normal ones."""
    return z if coordinates is None else coordinates.from_normal(z)
