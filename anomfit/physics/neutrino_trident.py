"""nu_mu + nucleus -> N + mu+ mu- + nucleus by scalar exchange, against the Standard Model's trident; GeV.

Equivalent photons: sigma = Z^2 alpha/pi int ds/s sigma(nu gamma; s) int dQ^2/Q^2 F^2(Q^2) from Q = s/2E, coherent part
only, as arXiv:1406.2332 uses for muons at these energies. In the ratio of the two most of the approximation cancels.
"""

from functools import lru_cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.constants import ALPHA, G_F, M_MU
from anomfit.physics.extremes import smallest
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.nuclear_form_factors import helm
from anomfit.physics.polynomials import chebyshev
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.two_body import kallen

SIN2_THETA_W = 0.23121  # PDG
C_V, C_A = 0.5 + 2.0 * SIN2_THETA_W, 0.5
LARGEST_Q = 0.6  # GeV: beyond, nothing coherent is left


def pair_squared(w, off_shell, d_1, d_2):
    """Sum over spins of |M|^2/(e^2 y^2) of gamma(q) phi*(l) -> mu-(p) mu+(p'), l^2 = -off_shell, w = (p + p')^2.

    d_i = 2 q p_i, which add up to w + off_shell. With A = 2 (p/d_1 - p'/d_2) and B = 1/d_1 + 1/d_2: -A^2 4 (pp' - m^2)
    + 4 B^2 d_1 d_2 + 4 B [(pA) d_2 - (p'A) d_1].
    """
    m2 = M_MU**2
    pp = 0.5 * w - m2
    a_squared = 4.0 * (m2 / d_1**2 + m2 / d_2**2 - 2.0 * pp / (d_1 * d_2))
    p_a, pp_a = 2.0 * (m2 / d_1 - pp / d_2), 2.0 * (pp / d_1 - m2 / d_2)
    b = 1.0 / d_1 + 1.0 / d_2
    return -4.0 * a_squared * (pp - m2) + 4.0 * b**2 * d_1 * d_2 + 4.0 * b * (p_a * d_2 - pp_a * d_1)


def scalar_photon_cross_section(
    s: Float[Array, " n"],
    m_N,
    masses: Float[Array, " scalars"],
    couplings: Float[Array, " scalars"],
    nodes: tuple[int, int] = (12, 12),
) -> Float[Array, " n"]:
    """sigma(nu gamma -> N mu mu) in GeV^-2 at photon-neutrino s (GeV^2): couplings are y_nu y_mu of each scalar.

    1/(4 s) int dw/(2 pi) dL/(8 pi s) (m_N^2 + L) [sum y_nu y_mu/(L + m^2)]^2 e^2 int dPhi_2 `pair_squared`: neutrino
    left handed, photon averaged over its two polarisations. 0 below (2 m_mu + m_N)^2. nodes: in w and in L, static.
    """
    u, u_weight = unit_legendre(nodes[0])
    # the pair's velocity opens as a square root at the lowest w, N's momentum at the highest: the map is even at both
    x, x_weight = u**2 * (3.0 - 2.0 * u), 6.0 * u * (1.0 - u) * u_weight
    y, y_weight = unit_legendre(nodes[1])
    lowest = 4.0 * M_MU**2
    top = (safe_sqrt(s) - m_N) ** 2
    opened = (safe_sqrt(s) > m_N) & (top > lowest)
    top = jnp.where(opened, top, 2.0 * lowest)[:, None]
    w = lowest * (top / lowest) ** x
    w_weight = x_weight * w * jnp.log(top / lowest)
    low, high = _transfer_limits(s[:, None], w, m_N)
    light = smallest(masses) ** 2
    stretch = jnp.log((high + light) / (low + light))[..., None]
    transfer = (low + light)[..., None] * jnp.exp(stretch * y) - light
    t_weight = y_weight * stretch * (transfer + light)
    exchange = jnp.sum(couplings / (transfer[..., None] + masses**2), axis=-1) ** 2 * (m_N**2 + transfer)
    total = jnp.sum(t_weight * exchange * pair_phase_space(w[..., None], transfer), axis=-1)
    integral = jnp.sum(w_weight * total, axis=-1) * 4.0 * jnp.pi * ALPHA / (16.0 * jnp.pi**2)
    return jnp.where(opened, integral / (4.0 * s**2), 0.0)


def standard_model_photon_cross_section(s: ArrayLike) -> Float[Array, "..."]:
    """sigma(nu_mu gamma -> nu_mu mu mu) in GeV^-2, leading logarithm: arXiv:1406.2332, equation 4; 0 where negative.

    (C_V^2 + C_A^2)/2 2 alpha G_F^2/(9 pi^2) s [ln(s/m^2) - 19/6].
    """
    s = jnp.asarray(s)
    bracket = jnp.maximum(jnp.log(s / M_MU**2) - 19.0 / 6.0, 0.0)
    return 0.5 * (C_V**2 + C_A**2) * 2.0 * ALPHA * G_F**2 / (9.0 * jnp.pi**2) * s * bracket


def trident_excess(energy: float, mass_number: float, m_N, masses, couplings, nodes: int = 16) -> Float[Array, ""]:
    """sigma(scalar)/sigma(Standard Model) of the coherent trident at one neutrino energy on a nucleus (static).

    nodes: in s, static, from the threshold (2 m_mu + m_N)^2 on, near which the cross section rises as a power. 0 where
    the beam does not reach it.
    """
    flux = _photons(energy, mass_number)
    u, weight = unit_legendre(nodes)
    start = (2.0 * M_MU + m_N) ** 2
    opened = start < flux.highest
    start = jnp.where(opened, start, flux.lowest)
    span = jnp.log(flux.highest / start)
    s = start * jnp.exp(span * u**2)
    scalar = scalar_photon_cross_section(s, m_N, masses, couplings)
    found = jnp.sum(2.0 * u * weight * span * flux.at(s) * scalar)
    return jnp.where(opened, found / flux.standard, 0.0)


class _Photons(NamedTuple):
    """int dQ^2/Q^2 F^2(Q^2) from Q = s/2E on as a function of s, between two ends (GeV^2); Chebyshev coefficients in
    ln s. standard: int ds/s of it times the Standard Model's cross section.
    """

    lowest: float
    highest: float
    coefficients: np.ndarray
    standard: float

    def at(self, s: Float[Array, " n"]) -> Float[Array, " n"]:
        """The photons at s within the ends."""
        place = 2.0 * jnp.log(s / self.lowest) / np.log(self.highest / self.lowest) - 1.0
        return jnp.asarray(self.coefficients) @ chebyshev(place, len(self.coefficients))


@lru_cache(maxsize=8)
def _photons(energy: float, mass_number: float, degree: int = 32) -> _Photons:
    """Those that go with a neutrino of this energy (GeV); NumPy, once."""
    lowest, highest = 4.0 * M_MU**2, 2.0 * energy * LARGEST_Q
    span = np.log(highest / lowest)
    phase = np.pi * (np.arange(degree) + 0.5) / degree
    values = _photon_number(lowest * np.exp(0.5 * span * (1.0 + np.cos(phase))), energy, mass_number)
    coefficients = 2.0 / degree * np.cos(np.outer(np.arange(degree), phase)) @ values
    coefficients[0] *= 0.5
    x, w = unit_legendre(96)
    s = lowest * np.exp(span * x)
    standard = np.sum(w * span * _photon_number(s, energy, mass_number) * _standard_model_numpy(s))
    return _Photons(lowest, highest, coefficients, float(standard))


def _photon_number(s: np.ndarray, energy: float, mass_number: float) -> np.ndarray:
    x, w = unit_legendre(96)
    start = (s / (2.0 * energy)) ** 2
    depth = np.log(LARGEST_Q**2 / start)[:, None]
    return np.sum(w * depth * _helm_numpy(start[:, None] * np.exp(depth * x), mass_number) ** 2, axis=1)


def _helm_numpy(q_squared: np.ndarray, mass_number: float) -> np.ndarray:
    import jax

    with jax.ensure_compile_time_eval():
        return np.asarray(helm(q_squared, mass_number))


def _standard_model_numpy(s: np.ndarray) -> np.ndarray:
    import jax

    with jax.ensure_compile_time_eval():
        return np.asarray(standard_model_photon_cross_section(s))


def _transfer_limits(s, w, m_N):
    """L = -(k - k')^2 between its limits for nu gamma -> N (mu mu of mass^2 w)."""
    energy = s + m_N**2 - w
    momentum = safe_sqrt(kallen(s, m_N**2, w))
    high = 0.5 * (energy + momentum) - m_N**2
    low = jnp.maximum(0.5 * (energy - momentum) - m_N**2, 0.0)
    return low, jnp.maximum(high, low + 1e-12)


def pair_phase_space(w: ArrayLike, off_shell: ArrayLike) -> Float[Array, "..."]:
    """int dPhi_2(mu mu) of `pair_squared`, in closed form; w above 4 m_mu^2.

    With d_1,2 = D/2 (1 -+ beta cos theta), D = w + off_shell: (16 J + 64 K/D - 128 (pp' - m^2) K/D^2)/(8 pi), where J =
    artanh(beta) and K = beta w/4 - pp' J are the integrals of 1/(1 - x^2) and of m^2 (1 + x^2)/(1 - x^2)^2 - pp'/(1 -
    x^2) over x = beta cos theta from 0 to beta, and pp' = w/2 - m^2.
    """
    w, whole = jnp.asarray(w), jnp.asarray(w) + jnp.asarray(off_shell)
    beta = safe_sqrt(1.0 - 4.0 * M_MU**2 / w)
    pp = 0.5 * w - M_MU**2
    J = jnp.arctanh(jnp.minimum(beta, 1.0 - 1e-12))
    K = 0.25 * beta * w - pp * J
    return (16.0 * J + 64.0 * K / whole - 128.0 * (pp - M_MU**2) * K / whole**2) / (8.0 * jnp.pi)
