"""Light bosons out of meson decays as the searches need them: a model's own rates, or those of its couplings."""

import math
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.capabilities import MESON_MODES, DecaysMesons, HasLightBosons
from anomfit.constraints.base import Constraint
from anomfit.parameters import Nuisance, Point
from anomfit.physics.light_bosons import LightBosons, joined
from anomfit.physics.meson_decays import GROSSMAN_NIR, kaon_to_pion_scalar
from anomfit.physics.meson_vector_decays import VECTOR_RATES

OWN_OR_CHIRAL = (
    "rate: the model's own, or u and d couplings at leading order of chiral perturbation theory, an order of magnitude "
    "(in a fit a factor of 3 either way, kaon_chiral_rate); vectors: K -> pi gamma* as measured"
)
CHIRAL_RATE = Nuisance(
    "kaon_chiral_rate",
    r"\ln\kappa_{K\pi\phi}",
    0.0,
    math.log(3.0),
    "logarithm of the factor on B(K -> pi phi) through light quarks, leading order of chiral perturbation theory: a "
    "factor of 3 either way, our estimate",
)


class MesonDecay(NamedTuple):
    """One mode of a meson: its branching ratio with each boson, and the bosons, of every spin."""

    rate: Float[Array, " bosons"]
    bosons: LightBosons


def with_chiral_rate(constraint: Constraint) -> Constraint:
    """The constraint with the nuisance of the chiral rate, for models that have no rate of their own."""
    return replace(constraint, nuisances=(*constraint.nuisances, CHIRAL_RATE), exempt=DecaysMesons)


def meson_decay(model: HasLightBosons, point: Point, mode: str, nuisances: Point = MappingProxyType({})) -> MesonDecay:
    """What a model makes in one of `MESON_MODES`, at rates of its own (`DecaysMesons`) or of its couplings.

    Scalars: K+ by leading-order chiral perturbation theory times the factor of `CHIRAL_RATE`, K_L its Grossman-Nir
    maximum, nothing else (no coupling to top quarks). Vectors: K+ and K_S as they go to a virtual photon, nothing for
    K_L (CP) and B mesons (loops).
    """
    assert mode in MESON_MODES
    families = model.light_bosons(point)
    if isinstance(model, DecaysMesons):
        rates = model.meson_branching_ratios(point, mode)
    else:
        rates = [_of_couplings(family, mode, nuisances) for family in families]
    return MesonDecay(jnp.concatenate(list(rates)), joined(families))


def _of_couplings(bosons: LightBosons, mode: str, nuisances: Point) -> Float[Array, " bosons"]:
    if bosons.spin == "vector" and mode in VECTOR_RATES:
        return VECTOR_RATES[mode](bosons.mass, bosons.g_u, bosons.g_d)
    of_mode = {"K+ -> pi+": 1.0, "K_L -> pi0": GROSSMAN_NIR}.get(mode, 0.0)
    if bosons.spin != "scalar" or not of_mode:
        return jnp.zeros_like(bosons.mass)
    factor = jnp.exp(nuisances.get(CHIRAL_RATE.name, CHIRAL_RATE.mean))
    return of_mode * (factor * kaon_to_pion_scalar(bosons.mass, bosons.g_u, bosons.g_d))
