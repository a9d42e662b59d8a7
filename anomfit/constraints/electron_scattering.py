"""nu_mu e -> N e by a light vector, over the neutral current of the Standard Model: CHARM-II and MINERvA.

A vector of baryon number reaches electrons through kinetic mixing alone. The target is an electron at rest with its
charge; N needs m_N + m_N^2/(2 m_e) of energy: 2.5 GeV for 50 MeV.
"""

from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.capabilities import HasLightVectors, Upscatters
from anomfit.constraints.base import About, Constraint, Outcome, against_upper_limit
from anomfit.constraints.made_neutrinos import made_alone
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics.constants import G_F, GEV2_TO_CM2, M_E
from anomfit.physics.kinematics import momentum_transfer_limits, threshold_energy
from anomfit.physics.light_bosons import of_spin
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.vector_exchange import VectorExchange, electric_part, magnetic_part

SIN2_THETA_W = 0.2387  # at low Q^2, PDG 2024
SCALARS = "a scalar flips the electron's helicity: at these energies nothing of the forward electrons is left"


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return _sample("charm2", "charm2-electrons", "1987-1991"), _sample("minerva", "minerva-electrons", "2010-2012")


def _sample(part: str, name: str, era: str) -> Constraint:
    record = load_record("accelerators/single_photons").parts[part]
    about = About(
        name=name,
        title=record.title,
        quantity="nu_mu e -> N e over the Standard Model",
        unit="1",
        kind="recalled",
        era=era,
        source=record.source,
        assumption="at the mean energy, with the electron's spectrum of the Standard Model; nu_mu alone",
        references=record.references,
        accepts=((Upscatters, HasLightVectors),),
        other_spins=SCALARS,
    )
    data = {key: np.asarray(record.values[key]) for key in ("energy", "limit")}
    return Constraint(data, about, _ratio)


def _ratio(model: Any, point: Point, nuisances: Point, data) -> Outcome:
    vectors = of_spin(model.light_bosons(point), "vector")
    new = jnp.zeros(())
    for made in made_alone(model, point, nuisances):
        exchange = made.exchange
        if isinstance(exchange, VectorExchange):  # its vectors are the light ones, in their order
            section = section_on_electron(data["energy"], exchange.m_N, exchange.mass, exchange.g, vectors.g_e)
            new = new + made.unseen * section
    return against_upper_limit(new / standard_model(data["energy"]), data["limit"])


def section_on_electron(
    e_nu: ArrayLike,
    m_N: ArrayLike,
    m_vector: Float[Array, " n"],
    g: Float[Array, " n"],
    g_e: Float[Array, " n"],
    nodes: int = 48,
) -> Float[Array, ""]:
    """Cross section (cm^2) of nu e -> N e at an energy (GeV), vectors added in the amplitude; 0 where it is closed."""
    e_nu, m_N = jnp.asarray(e_nu), jnp.asarray(m_N)
    low, high = momentum_transfer_limits(e_nu, m_N, M_E)
    opened = e_nu > threshold_energy(m_N, M_E)
    light = jnp.min(m_vector) ** 2
    u, w = unit_legendre(nodes)
    stretch = jnp.log(jnp.where(opened, (high + light) / (low + light), 2.0))
    q_squared = (low + light) * jnp.exp(stretch * u) - light
    amplitude = jnp.sum(g * g_e / (q_squared[:, None] + m_vector**2), axis=-1)
    squared = electric_part(q_squared, e_nu, m_N, M_E) + magnetic_part(q_squared, m_N)
    density = amplitude**2 * squared / (64.0 * jnp.pi * M_E**2 * e_nu**2)
    return GEV2_TO_CM2 * jnp.where(opened, jnp.sum(w * stretch * (q_squared + light) * density), 0.0)


def standard_model(e_nu: ArrayLike) -> Float[Array, ""]:
    """nu_mu e -> nu_mu e, 2 G_F^2 m_e E/pi (g_L^2 + g_R^2/3) in cm^2, g_L = -1/2 + s_W^2, g_R = s_W^2."""
    left, right = -0.5 + SIN2_THETA_W, SIN2_THETA_W
    return GEV2_TO_CM2 * 2.0 * G_F**2 * M_E * jnp.asarray(e_nu) / jnp.pi * (left**2 + right**2 / 3.0)
