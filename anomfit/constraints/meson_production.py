"""Light scalars out of meson decays as the searches need them: a model's own rates, or those of its couplings."""

import math
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.capabilities import MESON_MODES, PredictsLightScalars, ProducesScalarsInMesonDecays
from anomfit.constraints.base import Constraint
from anomfit.parameters import Nuisance, Point
from anomfit.physics.meson_decays import GROSSMAN_NIR, kaon_to_pion_scalar

ACCEPTS = (ProducesScalarsInMesonDecays, PredictsLightScalars)
OWN_OR_CHIRAL = (
    "rate: the model's own, or u and d couplings at leading order of chiral perturbation theory, an order of magnitude "
    "(in a fit a factor of 3 either way, kaon_chiral_rate)"
)
CHIRAL_RATE = Nuisance(
    "kaon_chiral_rate",
    r"\ln\kappa_{K\pi\phi}",
    0.0,
    math.log(3.0),
    "logarithm of the factor on B(K -> pi phi) through light quarks, leading order of chiral perturbation theory: a "
    "factor of 3 either way, our estimate",
)


class Produced(NamedTuple):
    """Scalars made in one mode, one an entry: mass (GeV), mean life (s), rate (the meson's branching ratio), shares."""

    mass: Float[Array, " scalars"]
    lifetime: Float[Array, " scalars"]
    rate: Float[Array, " scalars"]
    to_electrons: Float[Array, " scalars"]
    to_photons: Float[Array, " scalars"]
    to_invisible: Float[Array, " scalars"]


def with_chiral_rate(constraint: Constraint) -> Constraint:
    """The constraint with the nuisance of the chiral rate, for models that have no rate of their own."""
    return replace(constraint, nuisances=(*constraint.nuisances, CHIRAL_RATE), exempt=ProducesScalarsInMesonDecays)


def produced(model: object, point: Point, mode: str, nuisances: Point = MappingProxyType({})) -> Produced:
    """What a model makes in one of `MESON_MODES`.

    For a model that only knows its light scalars: K+ by leading-order chiral perturbation theory times the factor of
    `CHIRAL_RATE`, K_L its Grossman-Nir maximum, nothing else (no coupling to top quarks); heavy neutrinos that they
    decay to are taken as seen.
    """
    assert mode in MESON_MODES
    if isinstance(model, ProducesScalarsInMesonDecays):
        found = model.meson_scalars(point)
        shares = (found.to_electrons, found.to_photons, found.to_invisible)
        return Produced(found.mass, found.lifetime, model.meson_branching_ratio(point, mode), *shares)
    assert isinstance(model, PredictsLightScalars)
    scalars = model.light_scalars(point)
    factor = jnp.exp(nuisances.get(CHIRAL_RATE.name, CHIRAL_RATE.mean))
    charged = factor * kaon_to_pion_scalar(scalars.mass, scalars.y_u, scalars.y_d)
    of_mode = {"K+ -> pi+": 1.0, "K_L -> pi0": GROSSMAN_NIR}.get(mode, 0.0)
    closed = jnp.zeros_like(charged)
    electrons, photons = scalars.to_electrons / scalars.width, closed + scalars.to_photons / scalars.width
    return Produced(scalars.mass, scalars.lifetime, of_mode * charged, electrons, photons, closed)
