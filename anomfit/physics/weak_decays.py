"""Weak decays of a heavy neutrino N that mixes with a light one: N -> 3 nu and N -> nu l+ l-.

Widths in GeV, well below m_W; mixing_squared is |U|^2 with the flavour in question. A Dirac N decays to nu, a Majorana
N to nu and to nubar, twice as fast. arXiv:1805.08567, section 3.1.2.
"""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.constants import G_F
from anomfit.physics.neutrino_trident import SIN2_THETA_W
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.two_body import is_open

NODES = 32


def width_to_three_neutrinos(m_N: ArrayLike, mixing_squared: ArrayLike, *, majorana: bool) -> Float[Array, "..."]:
    """Width of N -> 3 nu, pairs of all flavours: G_F^2 m^5 |U|^2/(192 pi^3) (Dirac), whatever flavour N mixes with."""
    return _rate(m_N, mixing_squared, majorana)


def width_to_neutrino_leptons(
    m_N: ArrayLike, mixing_squared: ArrayLike, m_lepton: ArrayLike, *, charged_current: bool, majorana: bool
) -> Float[Array, ""]:
    """Width of N -> nu l+ l-, m_l kept, scalars; G_F^2 m^5 |U|^2 (g_L^2 + g_R^2)/(192 pi^3) (Dirac) for massless l.

    g_L = -1/2 + s_W^2 and g_R = s_W^2 if N mixes with another flavour than l's (U_mu4 and e+e-), whose Z alone makes
    the pair; with l's own flavour W adds 1 to g_L (charged_current). To 2e-8 for electrons, 1e-12 for muons.
    """
    left, right = SIN2_THETA_W - 0.5 + float(charged_current), SIN2_THETA_W
    m_N, m_l = jnp.asarray(m_N), jnp.asarray(m_lepton)
    opened = is_open(m_N, m_l, m_l)
    ratio = jnp.where(opened, m_l / jnp.where(opened, m_N, 1.0), 0.25)
    total = _rate(m_N, mixing_squared, majorana) * _phase_space(ratio, left, right)
    return jnp.where(opened, total, 0.0)


def _rate(m_N, mixing_squared, majorana):
    single = G_F**2 * jnp.asarray(m_N) ** 5 * jnp.asarray(mixing_squared) / (192.0 * jnp.pi**3)
    return 2.0 * single if majorana else single


def _phase_space(ratio, left, right):
    """g_L^2 + g_R^2 at ratio = m_l/m_N = 0, and its decrease with the mass.

    2 int dz beta (1 - z)^2 {[v^2 (1 + 2r) + a^2 (1 - 4r)] 2 (1 + 2z) + 12 a^2 r}, z = s/m_N^2, r = m_l^2/s, v and a =
    (g_L +- g_R)/2: what the pair's current makes of spin 1 and, where it is not conserved, of spin 0.
    """
    u, weight = unit_legendre(NODES)
    h, h_weight = 5.0 * u**4 - 4.0 * u**5, weight * 20.0 * u**3 * (1.0 - u)  # smooth in sqrt(s - 4 m_l^2)
    low = 4.0 * ratio**2
    z = low + (1.0 - low) * h
    r = ratio**2 / z
    beta = jnp.sqrt((1.0 - low) * h / z)
    vector, axial = 0.25 * (left + right) ** 2, 0.25 * (left - right) ** 2
    spin_1 = (vector * (1.0 + 2.0 * r) + axial * (1.0 - 4.0 * r)) * 2.0 * (1.0 + 2.0 * z)
    spectrum = beta * (1.0 - z) ** 2 * (spin_1 + 12.0 * axial * r)
    return 2.0 * (1.0 - low) * jnp.sum(h_weight * spectrum)
