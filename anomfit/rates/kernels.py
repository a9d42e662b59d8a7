"""Rates as couplings times kernels of the masses: by channel of N's decay, by target, by term of the exchange.

What a measurement counts of a reaction is linear in the branching ratios of its channels and in the products of
couplings of its exchange. Its values for each of them alone are the kernels. They depend on masses, flights, form
factors and what the measurement assumes, so that they can be tabulated; couplings, branching ratios and sigma terms
multiply them afterwards.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.physics.boson_strahlung import BosonStrahlung, Radiation
from anomfit.physics.exchange import Exchange, Flown
from anomfit.physics.reaction import AnyReaction, RadiatedReaction
from anomfit.physics.targets import Target, Targets, stack_targets

T = TypeVar("T")


class Recoupled(NamedTuple):
    """An exchange with other products of couplings, those of the targets that it is asked for."""

    exchange: Exchange
    products: Float[Array, "targets terms"]

    @property
    def m_N(self) -> Float[Array, ""]:
        """Mass of what is made, GeV."""
        return self.exchange.m_N

    @property
    def lightest(self) -> Float[Array, ""]:
        """Mass that sets the scale on which nodes in Q^2 lie, GeV."""
        return self.exchange.lightest

    def couplings(self, targets: Targets) -> Float[Array, "targets terms"]:
        """The products given, whatever the targets are: their number must be the same."""
        return self.products

    def kernel(self, e_nu, q_squared, targets: Targets) -> Float[Array, "... targets terms"]:
        """That of the exchange."""
        return self.exchange.kernel(e_nu, q_squared, targets)

    def polarised_kernel(self, e_nu, q_squared, flown: Flown, targets: Targets):
        """That of the exchange."""
        return self.exchange.polarised_kernel(e_nu, q_squared, flown, targets)


class RecoupledRadiation(NamedTuple):
    """A process that radiates a boson with other products of couplings."""

    process: Radiation
    products: Float[Array, "targets 1"]

    @property
    def m_N(self) -> Float[Array, ""]:
        """Mass of the heavy neutrino, GeV."""
        return self.process.m_N

    @property
    def bare(self) -> BosonStrahlung:
        """The process with couplings of 1."""
        return self.process.bare

    def couplings(self, targets: Targets) -> Float[Array, "targets 1"]:
        """The products given, whatever the targets are."""
        return self.products


def _recoupled(reaction: AnyReaction, products: Float[Array, "targets terms"]) -> AnyReaction:
    if isinstance(reaction, RadiatedReaction):
        return replace(reaction, production=RecoupledRadiation(reaction.production, products))
    return replace(reaction, production=Recoupled(reaction.production, products))


def strengths(reaction: AnyReaction, scatterers: tuple[Target, ...]) -> Float[Array, "channels targets terms"]:
    """Branching ratio times product of couplings: what multiplies the kernels. scatterers: those of the beam."""
    return jnp.atleast_1d(reaction.branching)[:, None, None] * reaction.production.couplings(stack_targets(scatterers))


def kernels(count: Callable[[AnyReaction], T], reaction: AnyReaction, scatterers: tuple[Target, ...]) -> T:
    """What `count` gives for each channel (pair of a spread reaction), target and term alone.

    Branching ratio and product of couplings are then 1.

    count: a function of a reaction that is linear in both, on any pytree of arrays (what a measurement counts, with its
    beam and detector); scatterers: those of the beam. The arrays get three axes in front, (channels, targets, terms).
    The nodes are those of the reaction as it is: the sum over `strengths` times kernels is `count(reaction)` up to
    rounding. Couplings and branching ratios of `reaction` do not matter, but for that of a daughter's second pair.
    """
    number = jnp.size(reaction.branching)
    shape = jax.eval_shape(lambda: reaction.production.couplings(stack_targets(scatterers))).shape
    size = shape[0] * shape[1]

    def alone(branching, products):
        return count(_recoupled(reaction.with_branching(branching), products))

    by_term = jax.vmap(alone, in_axes=(None, 0))
    found = jax.vmap(by_term, in_axes=(0, None))(jnp.eye(number), jnp.eye(size).reshape(size, *shape))
    return jax.tree.map(lambda part: part.reshape(number, *shape, *part.shape[2:]), found)


def coupled(kernel: T, strength: Float[Array, "channels targets terms"]) -> T:
    """The sum of kernels times strengths, over channels, targets and terms: on each array of a pytree."""
    return jax.tree.map(lambda part: jnp.tensordot(strength, part, axes=3), kernel)
