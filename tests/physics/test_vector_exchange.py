"""Scattering by vectors, on nuclei and nucleons: amplitudes against explicit matrices, integrals against SciPy."""

from dataclasses import replace

import dirac
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.physics.constants import ALPHA, GEV2_TO_CM2, M_C12, M_N, M_P
from anomfit.physics.exchange import d_sigma_d_q_squared
from anomfit.physics.kinematics import momentum_transfer_limits
from anomfit.physics.nuclear_form_factors import helm
from anomfit.physics.nucleon_vector import sachs_form_factors
from anomfit.physics.targets import FormFactors, Target, stack_targets
from anomfit.physics.vector_exchange import VectorExchange
from anomfit.rates.interactions import cross_section

M_HEAVY = 0.42
FORMS = FormFactors("dipole", "helm", 1.0)
PROTON, NEUTRON = Target("proton", M_P, 1.0, 1, 0), Target("neutron", M_N, 1.0, 0, 1)
CARBON = Target("C12", M_C12, 1.0, 6, 6)


def exchange(mass, g, charge_p, charge_n=None, m_N=M_HEAVY) -> VectorExchange:
    vectors = (jnp.asarray(x, dtype=float) for x in (mass, g, charge_p))
    return VectorExchange(jnp.asarray(m_N), *vectors, None if charge_n is None else jnp.asarray(charge_n), FORMS)


def density(vectors, energy, q_squared, target) -> float:
    """d sigma/dQ^2 in cm^2/GeV^2."""
    at = (jnp.full(1, energy), jnp.full(1, q_squared))
    return float(d_sigma_d_q_squared(vectors, *at, stack_targets((target,)))[0])


def momenta(mass, energy, share):
    """(Q^2, k, p, k', p') at a share of the way from the lowest to the highest Q^2; the target at rest."""
    k, p = np.array([energy, 0.0, 0.0, energy]), np.array([mass, 0.0, 0.0, 0.0])
    low, high = (float(x) for x in momentum_transfer_limits(energy, M_HEAVY, mass))
    q_squared = low + share * (high - low)
    e_N = energy - q_squared / (2.0 * mass)
    p_N = np.sqrt(e_N**2 - M_HEAVY**2)
    cosine = (2.0 * energy * e_N - M_HEAVY**2 - q_squared) / (2.0 * energy * p_N)
    k_prime = np.array([e_N, p_N * np.sqrt(max(1.0 - cosine**2, 0.0)), 0.0, p_N * cosine])
    p_prime = p + k - k_prime
    assert dirac.dot(p_prime, p_prime) == pytest.approx(mass**2)
    return q_squared, k, p, k_prime, p_prime


def neutrino_currents(k, k_prime):
    """bar u(N) gamma^mu P_L u(nu) for every spin."""
    return [
        np.array([dirac.bar(u) @ gamma @ dirac.P_L @ v for gamma in dirac.GAMMA])
        for u in dirac.u_spinors(k_prime, M_HEAVY)
        for v in dirac.u_spinors(k, 0.0)
    ]


@pytest.mark.parametrize("number", [1, 2])
def test_the_nucleus_with_full_propagators_against_explicit_matrices(number):
    """Vectors that interfere; the part of a propagator along the momentum is kept, and drops out."""
    rng = np.random.default_rng(2)
    mass, g, charge_p, charge_n = rng.uniform(0.02, 1.0, (4, number))
    energy = 2.5
    q_squared, k, p, k_prime, p_prime = momenta(M_C12, energy, rng.uniform(0.0, 0.02))
    q, hadron = k - k_prime, p + p_prime
    strength = g * (6 * charge_p + 6 * charge_n) * float(helm(q_squared, 12))
    parts = [
        c / (q_squared + m**2) * (hadron - q * dirac.dot(q, hadron) / m**2) for c, m in zip(strength, mass, strict=True)
    ]
    vertex = dirac.slash(sum(parts)) @ dirac.P_L
    squared = sum(
        abs(dirac.bar(u) @ vertex @ v) ** 2 for u in dirac.u_spinors(k_prime, M_HEAVY) for v in dirac.u_spinors(k, 0.0)
    )
    expected = GEV2_TO_CM2 * squared / (64.0 * np.pi * M_C12**2 * energy**2)
    found = density(exchange(mass, g, charge_p, charge_n), energy, q_squared, CARBON)
    assert found == pytest.approx(expected, rel=1e-8)


def vertices(target, charges, q_squared, transfer):
    """F_1 gamma^mu + i F_2 sigma^{mu nu} (p' - p)_nu / 2M of a nucleon with these charges of proton and neutron."""
    other = "neutron" if target.name == "proton" else "proton"
    own, mirrored = (sachs_form_factors(name, q_squared, target.mass) for name in (target.name, other))
    electric, magnetic = (float(charges[0] * a + charges[1] * b) for a, b in zip(own, mirrored, strict=True))
    tau = q_squared / (4.0 * target.mass**2)
    dirac_1, pauli = (electric + tau * magnetic) / (1.0 + tau), (magnetic - electric) / (1.0 + tau)
    # i sigma^{mu nu} q_nu = -(gamma^mu qslash - qslash gamma^mu)/2
    return [dirac_1 * g - pauli * (g @ transfer - transfer @ g) / (4.0 * target.mass) for g in dirac.GAMMA]


@pytest.mark.parametrize("target", [PROTON, NEUTRON], ids=["proton", "neutron"])
@pytest.mark.parametrize("charges", [(0.3, None), (0.3, 0.3), (0.2, -0.7)], ids=["photon", "baryon", "any"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.6, 1.0])
def test_a_nucleon_against_explicit_matrices(target, charges, share):
    """Two vectors that interfere, spin of the target averaged."""
    energy, mass, g = 1.7, np.array([0.03, 0.5]), np.array([0.1, -0.2])
    q_squared, k, p, k_prime, p_prime = momenta(target.mass, energy, share)
    of_p, of_n = (np.array([c or 0.0, 2.0 * (c or 0.0)]) for c in charges)
    transfer = dirac.slash(p_prime - p)
    each = [vertices(target, pair, q_squared, transfer) for pair in zip(of_p, of_n, strict=True)]
    strength = g / (q_squared + mass**2)
    whole = [sum(c * v[mu] for c, v in zip(strength, each, strict=True)) for mu in range(4)]
    squared = 0.0
    for lepton in neutrino_currents(k, k_prime):
        for u in dirac.u_spinors(p_prime, target.mass):
            for v in dirac.u_spinors(p, target.mass):
                hadron = np.array([dirac.bar(u) @ vertex @ v for vertex in whole])
                squared += 0.5 * abs(dirac.dot(lepton, hadron)) ** 2
    expected = GEV2_TO_CM2 * squared / (64.0 * np.pi * target.mass**2 * energy**2)
    found = density(exchange(mass, g, of_p, None if charges[1] is None else of_n), energy, q_squared, target)
    assert found == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("target", [PROTON, NEUTRON], ids=["proton", "neutron"])
def test_a_nucleon_is_known_by_its_charge_and_not_by_its_name(target):
    """LSND's are called free and bound."""
    vectors, bound = exchange([0.03], [0.1], [0.3]), replace(target, name=f"bound {target.name}")
    assert density(vectors, 1.7, 0.2, bound) == density(vectors, 1.7, 0.2, target)


@pytest.mark.parametrize("target", [PROTON, NEUTRON, CARBON], ids=["proton", "neutron", "carbon"])
def test_the_cross_section_against_an_adaptive_integral(target):
    energy, vectors = (6.0 if target.is_nucleus else 1.3), exchange([0.03], [1e-3], [1e-3])
    low, high = (float(x) for x in momentum_transfer_limits(energy, M_HEAVY, target.mass))
    high = min(high, 2.0) if target.is_nucleus else high  # no form factor beyond
    integrand = lambda x: np.exp(x) * density(vectors, energy, np.exp(x), target)  # noqa: E731
    expected = quad(integrand, np.log(low), np.log(high), epsrel=1e-8, epsabs=0.0, limit=200)[0]
    assert float(cross_section(vectors, energy, target)) == pytest.approx(expected, rel=1e-6)


def test_nothing_is_made_below_the_threshold():
    assert float(cross_section(exchange([0.03], [1.0], [1.0]), 0.3, PROTON)) == 0.0


@pytest.mark.parametrize(
    ("target", "value"), [(CARBON, 3.3040e-40), (PROTON, 1.1054e-40), (NEUTRON, 1.6833e-41)],
    ids=["carbon", "proton", "neutron"],
)  # fmt: skip
def test_the_dark_seesaw_reference(target, value):
    """At 0.8 GeV for m_N = 120 MeV, m_V = 1.25 GeV, |V|^2 = 22.2e-8, eps^2 = 4.6e-4, alpha_D = 0.39."""
    g, charge = np.sqrt(4.0 * np.pi * 0.39 * 22.2e-8), np.sqrt(4.0 * np.pi * ALPHA * 4.6e-4)
    found = float(cross_section(exchange([1.25], [g], [charge], m_N=0.120), 0.8, target))
    assert found == pytest.approx(value, rel=5e-4)
