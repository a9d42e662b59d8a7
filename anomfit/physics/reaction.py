"""A chain as a value: a heavy neutrino N is made in the scattering and decays to a light boson, the boson to a pair;
or the boson is radiated in the scattering itself.

Nothing here knows which model stands behind it, nor a beam or a detector.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.boson_strahlung import Radiation
from anomfit.physics.exchange import Exchange
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.quadrature import unit_legendre

SHORTEST = 1e-6  # m: a flight that is as good as none

T = TypeVar("T")
Species = Literal["e+e-", "gamma gamma", "e+e- and gamma gamma"]


class Second(NamedTuple):
    """A pair that N's daughter decays to as well: its branching ratio, and the daughter's flight c tau / m (m/GeV).

    pairs: the daughter's own pairs, whose branching ratios add up to `branching`; their axis stands behind all others.
    None where a model does not say, which rates of one pair do not ask.
    """

    branching: Float[Array, ""]
    flight: Float[Array, ""]
    pairs: "Spectrum | None" = None

    def unseen(self, momentum: Float[Array, "..."], path: float) -> Float[Array, "..."]:
        """Chance that the daughter, of this momentum (GeV), makes no pair along a path of this length (m)."""
        longest = jnp.maximum(self.flight * momentum, SHORTEST)
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

    flight: None where the boson is virtual, or decays at once wherever its pairs are seen: rates leave its flight out.
    alignment: A of the density 1 + A P_2(cos) of its leptons (`aligned_pairs`); None where they are isotropic.
    """

    mass: Float[Array, ""]
    flight: Float[Array, ""] | None
    alignment: Float[Array, ""] | None = None


@dataclass(frozen=True)
class Reaction:
    """nu + target -> N + target, N -> daughter + boson, boson -> pair. A closed channel has branching ratio 0.

    flight: c tau / m of N, m/GeV. asymmetry: alpha of N's decays (`scalar_asymmetry`, `vector_asymmetry`): the boson's
    direction in N's rest frame goes as 1 + alpha P cos, P the polarisation of N; None: isotropic. species and prompt
    are static; prompt: wherever its pairs are seen, N decays where it is made, and rates leave its flight out.
    among: of how many pairs this is one, if it is a part of a `SpreadReaction`: all of them share their nodes.
    """

    production: Exchange
    flight: Float[Array, ""]
    pair: Pair
    channels: tuple[Channel, ...]
    asymmetry: ArrayLike | None = None
    species: Species = "e+e-"
    prompt: bool = False
    among: "Spectrum | None" = None

    @property
    def visible(self) -> Float[Array, ""]:
        """Branching ratio of N to the pair and anything."""
        return jnp.sum(self.branching)

    @property
    def branching(self) -> Float[Array, " channels"]:
        """Branching ratios of the channels."""
        return jnp.stack([channel.branching for channel in self.channels])

    def with_branching(self, branching: Float[Array, " channels"]) -> "Reaction":
        """The same with other branching ratios."""
        pairs = zip(self.channels, branching, strict=True)
        return replace(self, channels=tuple(channel._replace(branching=own) for channel, own in pairs))


class Spectrum(NamedTuple):
    """Pairs of N's decays to three bodies, as decays to pairs of some masses; every array has the axis `pairs`.

    branching: of N to this pair, weight of its mass included; daughter_mass and mass: GeV; flight: c tau / m (m/GeV) of
    what decays to the pair, 0 if that is virtual, None as in `Pair`; alignment and asymmetry as in `Pair` and
    `Reaction`, second as in `Channel`, its arrays with the axis too.
    """

    branching: Float[Array, " pairs"]
    daughter_mass: Float[Array, " pairs"]
    mass: Float[Array, " pairs"]
    flight: Float[Array, " pairs"] | None
    alignment: Float[Array, " pairs"] | None = None
    asymmetry: Float[Array, " pairs"] | None = None
    second: Second | None = None


@dataclass(frozen=True)
class SpreadReaction:
    """nu + target -> N + target, N -> daughter + e+e- with pairs of any mass; fields as those of `Reaction`.

    The pairs may belong to several daughters, and to real and virtual bosons. masses: static, how many pairs in a row
    are masses of one decay, in rising order; None if a model does not say.
    """

    production: Exchange
    flight: Float[Array, ""]
    pairs: Spectrum
    species: Species = "e+e-"
    prompt: bool = False
    masses: int | None = None

    @property
    def visible(self) -> Float[Array, ""]:
        """Branching ratio of N to a pair and anything."""
        return jnp.sum(self.pairs.branching)

    @property
    def branching(self) -> Float[Array, " pairs"]:
        """Branching ratios of the pairs."""
        return self.pairs.branching

    def with_branching(self, branching: Float[Array, " pairs"]) -> "SpreadReaction":
        """The same with other branching ratios."""
        return replace(self, pairs=self.pairs._replace(branching=branching))

    def of(self, one: Spectrum) -> Reaction:
        """The part with one of the pairs, given without its axis."""
        return Reaction(
            self.production,
            self.flight,
            Pair(one.mass, one.flight, one.alignment),
            (Channel(one.branching, one.daughter_mass, one.second),),
            one.asymmetry,
            self.species,
            self.prompt,
            self.pairs,
        )


@dataclass(frozen=True)
class RadiatedReaction:
    """nu + target -> N + target + boson, boson -> pair: the boson is made in the scattering itself, not in a decay.

    branching: of the boson to the pair; pair: its flight is the boson's; species is static. The boson has spin 0: its
    pairs are isotropic. What becomes of N is not part of it.
    """

    production: Radiation
    pair: Pair
    branching: Float[Array, ""]
    species: Species = "e+e-"

    @property
    def visible(self) -> Float[Array, ""]:
        """Branching ratio of the boson to the pair."""
        return jnp.sum(self.branching)

    @property
    def prompt(self) -> bool:
        """Bosons are made where the neutrino scatters, so that only their own flight counts."""
        return True

    @property
    def among(self) -> None:
        """Its pairs have a single mass."""

    def with_branching(self, branching: Float[Array, " 1"]) -> "RadiatedReaction":
        """The same with another branching ratio."""
        return replace(self, branching=jnp.reshape(branching, ()))


jax.tree_util.register_dataclass(
    RadiatedReaction, data_fields=["production", "pair", "branching"], meta_fields=["species"]
)
jax.tree_util.register_dataclass(
    Reaction,
    data_fields=["production", "flight", "pair", "channels", "asymmetry", "among"],
    meta_fields=["species", "prompt"],
)
jax.tree_util.register_dataclass(
    SpreadReaction, data_fields=["production", "flight", "pairs"], meta_fields=["species", "prompt", "masses"]
)

OneReaction = Reaction | RadiatedReaction
"""What makes pairs of one mass."""

AnyReaction = OneReaction | SpreadReaction
"""What a model may list."""


def parts(reaction: AnyReaction) -> tuple[OneReaction, ...]:
    """The reaction itself, or one for each of its pairs; they share how N is made, and its nodes."""
    if not isinstance(reaction, SpreadReaction):
        return (reaction,)
    number = len(reaction.pairs.mass)
    return tuple(reaction.of(jax.tree.map(lambda array, i=i: array[i], reaction.pairs)) for i in range(number))


def with_masses(reaction: AnyReaction, number: int) -> AnyReaction:
    """The reaction with so many masses of the pairs of each decay, for rates that are smooth along the rule's nodes.

    Those left are some of the masses that there were. Masses are nodes of a Gauss-Legendre rule in a coordinate in
    which a narrow resonance is smooth too (`three_body_decays.pair_mass_nodes`); branching ratios are handed on so that
    every sum over polynomials in that coordinate below the degree `number` stays what it was. In the mass itself, where
    a resonance puts the nodes on top of each other, they would become huge with either sign. They may be negative.
    """
    if not isinstance(reaction, SpreadReaction) or reaction.masses is None or reaction.masses <= number:
        return reaction
    chosen, onto = _fewer_nodes(reaction.masses, number)
    handed_on = reaction.pairs.branching.reshape(-1, reaction.masses) @ onto
    rows = (np.arange(len(handed_on))[:, None] * reaction.masses + chosen).reshape(-1)
    pairs = jax.tree.map(lambda array: array[rows], reaction.pairs)
    return replace(reaction, pairs=pairs._replace(branching=handed_on.reshape(-1)), masses=number)


@lru_cache
def _fewer_nodes(many: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Which of `many` Gauss-Legendre nodes are left, dense at both ends, and (node, left): their Lagrange polynomials
    at all nodes.
    """
    chosen = np.round(0.5 * (many - 1) * (1.0 - np.cos(np.pi * (np.arange(number) + 0.5) / number))).astype(int)
    chosen = np.unique(chosen)
    rest = np.setdiff1d(np.arange(many), chosen)
    chosen = np.sort(np.append(chosen, rest[: number - len(chosen)]))
    place = unit_legendre(many)[0]
    at = place[chosen]
    own = np.eye(number, dtype=bool)
    between = np.where(own, 1.0, at[:, None] - at)
    apart = np.where(own, 1.0, place[:, None, None] - at)
    return chosen, np.prod(apart / between, axis=-1)


def over_parts(reaction: AnyReaction, of_one: Callable[[OneReaction], T]) -> T:
    """The sum of what `of_one` finds for each of `parts`, in one batch: what the pairs share is computed once."""
    if not isinstance(reaction, SpreadReaction):
        return of_one(reaction)
    found = jax.vmap(lambda one: of_one(reaction.of(one)))(reaction.pairs)
    return jax.tree.map(lambda array: jnp.sum(array, axis=0), found)


def summed(parts: Sequence):
    """The sum of equal pytrees, one a reaction."""
    return jax.tree.map(lambda *values: sum(values[1:], start=values[0]), *parts)
