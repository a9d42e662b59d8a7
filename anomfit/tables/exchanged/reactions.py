"""What of a model's exchanged scalars multiplies the terms of a table, and whether the table is made for it."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from anomfit.capabilities import Upscatters
from anomfit.parameters import Point
from anomfit.physics.exchange import ScalarExchange
from anomfit.physics.nucleon_scalar import dipole
from anomfit.physics.reaction import Reaction
from anomfit.tables.exchanged.charges import Couplings, couplings_of, is_held, products
from anomfit.tables.exchanged.grid import Grid, Masses
from anomfit.tables.exchanged.scattering import Scattering
from anomfit.tables.exchanged.transfers import transfers


class Kind(NamedTuple):
    """What a model's reaction is known to be, static: which scalar of the exchange makes the pair, and which of the
    channels have a daughter without mass.
    """

    light: int
    massless: tuple[bool, ...]


def only_reaction(model: object, point: Point, nuisances: Point) -> Reaction:
    """The model's, of which there is one (`planning` has seen to it)."""
    assert isinstance(model, Upscatters)  # build_problem checks it for the user
    (reaction,) = model.reactions(point, nuisances)
    assert isinstance(reaction, Reaction)
    return reaction


def is_inside(reaction: Reaction, grid: Grid, scattering: Scattering, kind: Kind) -> Bool[Array, ""]:
    """Whether a table holds what the reaction needs: its masses, ratios F_n/F_p, dipole, and no second pair."""
    production, nucleons = _exchange(reaction), scattering.nucleons
    heavy = jnp.delete(production.mass, kind.light, assume_unique_indices=True)
    inside = grid.holds(Masses(production.m_N, reaction.pair.mass, reaction.pair.mass))
    inside &= jnp.all((heavy >= nucleons.heavy[0]) & (heavy <= nucleons.heavy[1]))
    if nucleons.dipole is not None:
        mass = jnp.asarray(production.form_factors.M_S)
        inside &= (mass >= nucleons.dipole[0]) & (mass <= nucleons.dipole[1])
    inside &= is_held(production)
    for channel in reaction.channels:
        if channel.second is not None:
            inside &= channel.second.branching == 0.0
    return inside


def coefficients(reaction: Reaction, scattering: Scattering, kind: Kind) -> list[Float[Array, "terms"]]:
    """Of the terms of each block: products of charges, in groups, times what functions of Q^2 are made of."""
    production = _exchange(reaction)
    each, light = couplings_of(production), kind.light
    heavy = [i for i in range(production.mass.shape[0]) if i != light]
    found = []
    for family, groups in zip(scattering.families, scattering.charges, strict=True):
        known = transfers(family)
        shape = 1.0 if family.dipole is None else dipole(known.nodes, production.form_factors.M_S) ** 2
        reach = [1.0 / (known.nodes + production.mass[i] ** 2) for i in heavy]
        nothing = jnp.zeros(family.nodes)
        own = Couplings(*(one[light] + nothing for one in each))
        others = Couplings(*(sum((one[i] * r for i, r in zip(heavy, reach, strict=True)), nothing) for one in each))
        for power, project in enumerate(known.project):
            left, right = ((own, own), (own, others), (others, others))[power]
            many = 2.0 if power == 1 else 1.0
            by_group = [many * shape * product @ project for product in products(left, right, groups)]
            found.append(jnp.concatenate(by_group))
    return found


def _exchange(reaction: Reaction) -> ScalarExchange:
    assert isinstance(reaction.production, ScalarExchange)
    return reaction.production
