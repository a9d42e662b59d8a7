"""A chain as a value: a heavy neutrino N is made in the scattering and decays to a light boson, the boson to a pair.

Nothing here knows which model stands behind it, nor a beam or a detector.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.exchange import Exchange
from anomfit.physics.kinematics import safe_sqrt

Species = Literal["e+e-", "gamma gamma", "e+e- and gamma gamma"]


class Second(NamedTuple):
    """A pair that N's daughter decays to as well: its branching ratio, and the daughter's flight c tau / m (m/GeV)."""

    branching: Float[Array, ""]
    flight: Float[Array, ""]

    def unseen(self, momentum: Float[Array, "..."], path: float) -> Float[Array, "..."]:
        """Chance that the daughter, of this momentum (GeV), makes no pair along a path of this length (m)."""
        longest = self.flight * jnp.maximum(momentum, 1e-6)
        return 1.0 + self.branching * jnp.expm1(-path / longest)


class Channel(NamedTuple):
    """N -> daughter + boson, boson -> pair: the branching ratio of both together, and the daughter's mass (GeV).

    second: None where the daughter is never seen.
    """

    branching: Float[Array, ""]
    daughter_mass: Float[Array, ""]
    second: Second | None = None

    def alone(self, daughter_energy: Float[Array, "..."], path: float) -> Float[Array, "..."] | float:
        """Chance that the pair stays the only one along a path of this length (m); energy of the daughter in GeV."""
        if self.second is None:
            return 1.0
        momentum = safe_sqrt(daughter_energy**2 - self.daughter_mass**2)
        return self.second.unseen(momentum, path)


class Pair(NamedTuple):
    """What is seen: the pair's mass (GeV) and the flight c tau / m (m/GeV) of the boson that decays to it.

    alignment: A of the density 1 + A P_2(cos) of its leptons (`aligned_pairs`); None where they are isotropic.
    """

    mass: Float[Array, ""]
    flight: Float[Array, ""]
    alignment: Float[Array, ""] | None = None


@dataclass(frozen=True)
class Reaction:
    """nu + target -> N + target, N -> daughter + boson, boson -> pair. A closed channel has branching ratio 0.

    flight: c tau / m of N, m/GeV. asymmetry: alpha of N's decays (`scalar_asymmetry`, `vector_asymmetry`): the boson's
    direction in N's rest frame goes as 1 + alpha P cos, P the polarisation of N; None: isotropic. species and prompt
    are static; prompt: wherever its pairs are seen, N decays where it is made, and rates leave its flight out.
    """

    production: Exchange
    flight: Float[Array, ""]
    pair: Pair
    channels: tuple[Channel, ...]
    asymmetry: ArrayLike | None = None
    species: Species = "e+e-"
    prompt: bool = False

    @property
    def visible(self) -> Float[Array, ""]:
        """Branching ratio of N to the pair and anything."""
        return sum((channel.branching for channel in self.channels), start=jnp.zeros(()))


jax.tree_util.register_dataclass(
    Reaction, data_fields=["production", "flight", "pair", "channels", "asymmetry"], meta_fields=["species", "prompt"]
)


def summed(parts: Sequence):
    """The sum of equal pytrees, one a reaction."""
    return jax.tree.map(lambda *values: sum(values[1:], start=values[0]), *parts)
