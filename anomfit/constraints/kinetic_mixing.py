"""Kinetic mixing of a light vector: electroweak data, deep-inelastic scattering, the invisible width of the Z.

None of these cares what the vector decays to, but for the Z: it decays to the dark states with the coupling g_X t_W
epsilon. Effects go as epsilon^2, which is what the limits are on.
"""

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.capabilities import HasDarkNeutrinos, HasLightBosons, HasLightVectors, Needs
from anomfit.constraints.base import NOT_IN_TABLE, About, Constraint, Outcome, Physics, against_upper_limit
from anomfit.constraints.heavy_neutrino_curves import numbers_of
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics.constants import E_CHARGE, HBAR_C_M
from anomfit.physics.dark_neutrinos import DarkNeutrinos, pairs_of_states
from anomfit.physics.heavy_neutrinos import of_dark_photon
from anomfit.physics.light_bosons import LightBosons, of_spin
from anomfit.physics.neutrino_trident import SIN2_THETA_W
from anomfit.physics.vector_decays import width_to_chiral_pair, width_to_neutrinos
from anomfit.statistics.limits import Z_90

Z_95 = 1.959964
TAN2_THETA_W = SIN2_THETA_W / (1.0 - SIN2_THETA_W)
MEV = 1e3
NO_MIXING = "a boson of spin 0 mixes with no gauge boson"
FADING = 4  # power of the mass with which a ratio falls beyond the heaviest mass


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    light = "a vector below 10 GeV"
    return (
        _entry(
            "electroweak_fit",
            "electroweak-fit",
            "epsilon^2 from the coupling to electrons",
            "1",
            "1989-2014",
            f"{light}; the published fit, whatever the vector decays to",
            HasLightVectors,
            _squared_mixing,
        ),
        _entry(
            "oblique",
            "oblique-S",
            "S = 4 s_W^2 c_W^2 epsilon^2/alpha",
            "1",
            "1989-2020",
            f"{light}, whose dark states do not run; T is below 1e-5 and U a third of S",
            HasLightVectors,
            _oblique,
        ),
        _entry(
            "hera",
            "hera-dis",
            "epsilon^2 from the coupling to electrons",
            "1",
            "1994-2007",
            f"{light} that couples to charge; HERA's parton densities, of which a new fit may weaken it by about 2",
            HasLightVectors,
            _squared_mixing,
        ),
        _entry(
            "z_width",
            "z-invisible",
            "width of Z -> N_j N_k, nu N_j of which nothing is seen within 2 m",
            "MeV",
            "1989-1995",
            "half of the Z's energy for each N; the width from the line shape would count decays that are seen, too",
            HasDarkNeutrinos,
            _unseen_width,
        ),
    )


def _entry(
    part: str, name: str, quantity: str, unit: str, era: str, words: str, needs: Needs, physics: Physics
) -> Constraint:
    record = load_record("ee_colliders/kinetic_mixing").parts[part]
    about = About(
        name=name,
        title=record.title,
        quantity=quantity,
        unit=unit,
        kind="upper limit",
        era=era,
        source=record.source,
        assumption=words,
        references=record.references,
        accepts=(needs,),
        other_spins=NO_MIXING,
    )
    data = numbers_of(record)
    return Constraint({**data, "limit": np.asarray(data["limit"] * Z_90 / Z_95)}, about, physics)


# -- the mixing itself ----------------------------------------------------------------------------------------------


def _squared_mixing(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    return _of_vectors(of_spin(model.light_bosons(point), "vector"), 1.0, data)


def _oblique(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    per_mixing = oblique_parameters(1.0, 0.0, data["alpha"])[0]
    return _of_vectors(of_spin(model.light_bosons(point), "vector"), per_mixing, data)


def oblique_parameters(
    epsilon: ArrayLike, m_Zprime_over_m_Z: ArrayLike, alpha: ArrayLike
) -> tuple[Float[Array, "..."], Float[Array, "..."], Float[Array, "..."]]:
    """S, T, U of a dark photon to leading order: Holdom, Phys. Lett. B 259 (1991) 329; arXiv:2007.11813, B1 to B3.

    alpha S = 4 s^2 c^2 eps^2 (1 + mu^2), alpha T = -s^2 eps^2 mu^2/c^2, alpha U = 4 s^4 eps^2, mu = m_Z'/m_Z. B1 leaves
    out c^2; its number has it.
    """
    s2, c2 = SIN2_THETA_W, 1.0 - SIN2_THETA_W
    squared, mu2 = jnp.asarray(epsilon) ** 2 / jnp.asarray(alpha), jnp.asarray(m_Zprime_over_m_Z) ** 2
    return 4.0 * s2 * c2 * squared * (1.0 + mu2), -s2 * squared * mu2 / c2, 4.0 * s2**2 * squared


def _of_vectors(vectors: LightBosons, per_mixing: ArrayLike, data) -> Outcome:
    """What all vectors make together; beyond the heaviest mass nothing is published and the ratio falls."""
    squared = (vectors.g_e / E_CHARGE) ** 2
    kept = (data["heaviest"] / jnp.maximum(vectors.mass, data["heaviest"])) ** FADING
    predicted = jnp.sum(squared) * per_mixing
    ratio = jnp.sum(squared * kept) * per_mixing / data["limit"]
    limit = jnp.where(jnp.any(vectors.mass <= data["heaviest"]), data["limit"], NOT_IN_TABLE)
    return Outcome(predicted, limit, ratio)


# -- Z to dark states -----------------------------------------------------------------------------------------------


def widths_of_z(states: DarkNeutrinos, m_Z: ArrayLike) -> tuple[Float[Array, ""], Float[Array, " pairs"]]:
    """Widths (GeV) of Z -> light neutrinos by the dark current, and to each pair of `pairs_of_states`.

    L = g_X t_W epsilon Z_mu J_D^mu (arXiv:2007.11813, B4, with s_W chi = t_W epsilon): alpha_D |V_jk|^2 t_W^2 eps^2
    m_Z/3 for j != k, half of it for j = k. What the weak current adds by mixing is left out.
    """
    j, k = pairs_of_states(len(states.mass))
    with_light = k < 0
    factor = jnp.sqrt(TAN2_THETA_W) * states.epsilon
    g = factor * jnp.where(with_light, states.to_light[j], states.between[j, k])
    other = jnp.where(with_light, 0.0, states.size[k])
    eta = jnp.where(with_light, 0.0, states.parity(j, k))
    heavy = jnp.where(j == k, 0.5, 1.0) * width_to_neutrinos(m_Z, g, states.size[j], other, eta)
    return width_to_chiral_pair(m_Z, factor * states.light, 0.0, 0.0), heavy


def _unseen_width(model: HasDarkNeutrinos, point: Point, nuisances: Point, data) -> Outcome:
    states = model.dark_neutrinos(point)
    light, heavy = widths_of_z(states, data["m_Z"])
    found = of_dark_photon(states)
    size = jnp.minimum(states.size, 0.4 * data["m_Z"])
    momentum = jnp.sqrt((0.5 * data["m_Z"]) ** 2 - size**2)
    decays = -jnp.expm1(-data["size"] * found.width * states.size / (HBAR_C_M * momentum))
    hidden = 1.0 - found.visible / found.width * decays
    j, k = pairs_of_states(len(states.mass))
    both = hidden[j] * jnp.where(k < 0, 1.0, hidden[k])
    return against_upper_limit(MEV * (light + jnp.sum(heavy * both)), data["limit"])
