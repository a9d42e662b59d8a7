"""Heavy neutrinos N that mix with light ones: lines in pi, K -> l N, decays in flight, lepton number.

Each state of a model is compared with the published curves at its own mass (`heavy_neutrino_lines`,
`heavy_neutrino_flights`); lepton number of kaons and nuclei sums over the states.
"""

from functools import lru_cache

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.capabilities import MixesHeavyNeutrinos
from anomfit.constraints import heavy_neutrino_flights, heavy_neutrino_lines
from anomfit.constraints.base import About, Constraint, Outcome, against_upper_limit
from anomfit.constraints.heavy_neutrino_curves import MIXES, numbers_of, search
from anomfit.parameters import Point
from anomfit.physics.constants import HBAR, M_MU
from anomfit.physics.heavy_neutrino_decays import meson_to_lepton_neutrino, width_to_lepton_pion
from anomfit.physics.heavy_neutrinos import HeavyNeutrinos
from anomfit.physics.meson_constants import M_CHARGED_KAON


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (*heavy_neutrino_lines.constraints(), *heavy_neutrino_flights.constraints(), _like_sign(), _double_beta())


def _like_sign() -> Constraint:
    record = search("NA62_like_sign")
    about = About(
        name="Kplus-like-sign-muons",
        title=record.title,
        quantity="B(K+ -> mu+ N, N -> mu+ pi-) at once",
        unit="1",
        kind="upper limit",
        era="2017",
        source=record.source,
        assumption="Majorana N alone; those that live longer than 100 ps leave the vertex of three tracks",
        references=record.references,
        ceiling=1.0,
        **MIXES["muon"],
    )
    return Constraint(numbers_of(record), about, _two_muons)


def _two_muons(model: MixesHeavyNeutrinos, point: Point, nuisances: Point, data) -> Outcome:
    states = model.heavy_neutrinos(point)
    each = like_sign_branching_ratio(states, data["branching_ratio"])
    early = -jnp.expm1(-data["longest"] * states.width / HBAR)
    total = jnp.sum(each)
    some = total > 0.0
    reach = jnp.where(some, jnp.sum(each * early) / jnp.where(some, total, 1.0), 0.0)
    return against_upper_limit(total, data["limit"], reach)


def like_sign_branching_ratio(states: HeavyNeutrinos, kaon_to_muon: ArrayLike) -> Float[Array, " states"]:
    """B(K+ -> mu+ N) B(N -> mu+ pi-) of each state, for B(K+ -> mu+ nu) as given; 0 for Dirac states."""
    made = kaon_to_muon * states.U_mu * meson_to_lepton_neutrino(M_CHARGED_KAON, M_MU, states.size)
    one_charge = width_to_lepton_pion(states.size, states.U_mu, M_MU) / states.width
    return jnp.where(states.majorana, made * one_charge, 0.0)


def _double_beta() -> Constraint:
    record = search("double_beta")
    about = About(
        name="neutrinoless-double-beta",
        title=record.title,
        quantity="effective mass of the heavy N in neutrinoless double beta decay",
        unit="eV",
        kind="upper limit",
        era="2011-2015",
        source=record.source,
        assumption=(
            "Majorana N, real mixings; <p^2> of (100 MeV)^2 and the weakest limit over nuclear matrix elements; light "
            "neutrinos are left out"
        ),
        references=record.references,
        **MIXES["electron"],
    )
    return Constraint(numbers_of(record), about, _effective_mass)


def _effective_mass(model: MixesHeavyNeutrinos, point: Point, nuisances: Point, data) -> Outcome:
    states = model.heavy_neutrinos(point)
    mass = effective_mass(states.mass, states.U_e, data["momentum"]) if states.majorana else jnp.zeros(())
    return against_upper_limit(1e9 * mass, data["limit"])


def effective_mass(mass: ArrayLike, mixing_squared: ArrayLike, momentum: ArrayLike) -> Float[Array, ""]:
    """|sum of m U^2/(1 + m^2/<p^2>)| in GeV, m signed: arXiv:2007.11813, equation B19 (which squares the modulus)."""
    mass = jnp.asarray(mass)
    total = jnp.sum(mass * jnp.asarray(mixing_squared) / (1.0 + (mass / jnp.asarray(momentum)) ** 2))
    return jnp.abs(total)
