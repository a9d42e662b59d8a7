"""Heavy neutrinos made by exchanged scalars, in terms that couplings, heavier scalars and dipoles multiply.

A term is a product of charges (`charges`) times a function of the momentum transfer (`transfers`).
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.beams import Beam
from anomfit.detectors.surroundings import OWN_COMPONENTS
from anomfit.physics.exchange import ScalarExchange, fully_polarised
from anomfit.physics.reaction import Channel, Pair, Reaction
from anomfit.physics.targets import FormFactors, Targets, stack_targets
from anomfit.rates.pair_events import Nodes, PairEvents, pair_events
from anomfit.tables.exchanged.charges import Groups, strongest, weights
from anomfit.tables.exchanged.transfers import Family, at_transfer, transfers


@dataclass(frozen=True)
class Scattering:
    """What is static of how N is made: families of functions and groups of charges (`charges.groups_of`) of nuclei and
    nucleons, and form factors.

    The nucleon's own form factor is in the functions; `nucleus` and `bound` are words of `FormFactors`. A block is a
    kind (nuclei, then nucleons) and a power of the heavier scalars' amplitude; its terms are groups of charges times
    functions, the latter changing fastest.
    """

    nuclei: Family
    nucleons: Family
    charges: tuple[Groups, Groups]
    nucleus: str
    bound: str

    @property
    def families(self) -> tuple[Family, Family]:
        """Of the two kinds of components: coherent, incoherent."""
        return self.nuclei, self.nucleons

    @property
    def strongest(self) -> list[Float[np.ndarray, "terms"]]:
        """By block, what the coefficients of its terms can be for couplings of 1."""
        return [
            np.outer(strongest(groups), functions).ravel()
            for family, groups in zip(self.families, self.charges, strict=True)
            for functions in transfers(family).strongest
        ]


class Made(NamedTuple):
    """Exchange of one light scalar by charges of 1, with 1 in the place of a function of Q^2, and with Q^2.

    products: what of these two each target has; nucleus and bound: words of `FormFactors`.
    """

    m_N: Float[Array, ""]
    lightest: Float[Array, ""]
    products: Float[Array, "targets 2"]
    nucleus: str
    bound: str

    def couplings(self, targets: Targets) -> Float[Array, "targets 2"]:
        """Those given."""
        return self.products

    def kernel(self, e_nu, q_squared, targets: Targets) -> Float[Array, "... targets 2"]:
        """That of the light scalar, times 1 and Q^2."""
        one = jnp.ones(1)
        form_factors = FormFactors("constant", self.nucleus, 1.0, self.bound)
        light = ScalarExchange(self.m_N, self.lightest[None], one, one, one, form_factors)
        common = light.kernel(e_nu, q_squared, targets)
        # the products ask for them one by one: the barrier has them computed once
        return jax.lax.optimization_barrier(common * jnp.stack([jnp.ones_like(q_squared), q_squared], axis=-1))

    def polarised_kernel(self, e_nu, q_squared, flown, targets: Targets):
        """Fully polarised, as scalar exchange is."""
        return fully_polarised(self.kernel(e_nu, q_squared, targets), flown)


@dataclass(frozen=True)
class ByTarget(Beam):
    """A beam whose rates have every target as a component of its own, for a molecule with one of each."""

    def counts(self) -> Float[np.ndarray, "component targets"]:
        """One of each."""
        return np.eye(len(self.scatterers))


jax.tree_util.register_dataclass(
    ByTarget, data_fields=["flux", "first", "step", "exposure"], meta_fields=["composition", "surroundings"]
)


def events_by_function(
    m_N: Float[Array, ""],
    pair: Float[Array, ""],
    daughters: Float[Array, "energies"],
    beam: Beam,
    nodes: Nodes,
    scattering: Scattering,
) -> tuple[PairEvents, Float[Array, "energies directions functions beams"]]:
    """Events with one channel a daughter, and rates by target and function of Q^2: nuclei, then nucleons, the function
    of each changing fastest.
    """
    targets = stack_targets(beam.scatterers)
    channels = tuple(Channel(jnp.ones(()), daughter) for daughter in daughters)
    apart = ByTarget(beam.flux, beam.first, beam.step, beam.exposure, beam.composition, beam.surroundings)

    def events_of(products, beam: Beam) -> PairEvents:
        each = jnp.broadcast_to(products, (len(targets.mass), 2))
        made = Made(m_N, pair, each, scattering.nucleus, scattering.bound)
        return pair_events(Reaction(made, jnp.zeros(()), Pair(pair, None), channels, prompt=True), beam, nodes)

    # with 1 and with Q^2 in the place of a function: the ratio of rates is Q^2 at the nodes
    rate, moment = jax.vmap(lambda products: events_of(products, apart).rate)(jnp.eye(2))
    total = jnp.sum(rate, axis=-1)
    is_made = total > 0.0
    q_squared = jnp.where(is_made, jnp.sum(moment, axis=-1) / jnp.where(is_made, total, 1.0), 0.0)
    found = []
    for family, is_own in zip(scattering.families, (targets.is_nucleus, ~targets.is_nucleus), strict=True):
        transfer = q_squared[..., is_own]
        by_power = at_transfer(family, transfer)
        functions = jnp.concatenate(
            [(transfer + pair**2)[..., None] ** power * one for power, one in enumerate(by_power)], axis=-1
        )
        each = functions[..., None] * rate[..., is_own, None, :]
        found.append(each.reshape(*each.shape[:2], -1, each.shape[-1]))
    return events_of(jnp.eye(2)[0], beam), jnp.concatenate(found, axis=2)


def to_terms(
    by_function: Float[Array, "functions ..."], beam: Beam, scattering: Scattering
) -> Float[Array, "terms places ..."]:
    """What is linear in rates by target and function, by term, as in `Scattering`, and place of birth: in the detector,
    and in its surroundings if there are any.
    """
    targets, counts = stack_targets(beam.scatterers), beam.counts()
    terms, first = [], 0
    kinds = zip(scattering.families, scattering.charges, (targets.is_nucleus, ~targets.is_nucleus), strict=True)
    for kind, (family, groups, is_own) in enumerate(kinds):
        charge = weights(targets)[is_own][:, [group[0] for group in groups]]
        number = counts[[kind, *range(OWN_COMPONENTS, len(counts))]][:, is_own]
        sizes = [one.shape[1] for one in transfers(family).functions]
        own = by_function[first : first + len(charge) * sum(sizes)].reshape(len(charge), sum(sizes), -1)
        first += len(charge) * sum(sizes)
        for end, size in zip(np.cumsum(sizes).tolist(), sizes, strict=True):
            found = jnp.einsum("xfn,xg,px->gfpn", own[:, end - size : end], charge, number)
            terms.append(found.reshape(-1, len(number), *by_function.shape[1:]))
    return jnp.concatenate(terms)
