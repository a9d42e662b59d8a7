"""Widths, helicities and directions of light vectors against explicit Dirac matrices and polarisation vectors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.physics import vector_decays as physics
from anomfit.physics.constants import ALPHA, M_E, M_MU
from tests.physics import dirac


def polarisations(mass, momentum):
    """Helicity -1, 0, +1 of a vector that flies along z."""
    energy = np.hypot(mass, momentum)
    return (
        np.array([0.0, 1.0, -1.0j, 0.0]) / np.sqrt(2.0),
        np.array([momentum, 0.0, 0.0, energy]) / mass,
        np.array([0.0, 1.0, 1.0j, 0.0]) / np.sqrt(2.0),
    )


def slash(polarisation):
    return sum(dirac.METRIC[mu, mu] * polarisation[mu] * dirac.GAMMA[mu] for mu in range(4))


def pair_width(m_V, m_j, m_k, chirality, rng):
    """V -> N_j anti-N_k with the vertex gamma^mu chirality, mean over V's polarisations, from spinors."""
    momentum = np.sqrt((m_V**2 - (m_j + m_k) ** 2) * (m_V**2 - (m_j - m_k) ** 2)) / (2.0 * m_V)
    along = momentum * dirac.random_direction(rng)
    u, v = dirac.u_spinors(dirac.four_momentum(m_j, along), m_j), dirac.v_spinors(dirac.four_momentum(m_k, -along), m_k)
    squared = sum(
        abs(dirac.bar(one) @ slash(axis) @ chirality @ other) ** 2 for axis in np.eye(4)[1:] for one in u for other in v
    )
    return squared / 3.0 * momentum / (8.0 * np.pi * m_V**2)


@pytest.mark.parametrize("seed", range(3))
def test_pairs_against_explicit_matrices(seed):
    rng = np.random.default_rng(seed)
    m_V, m_j, m_k = rng.uniform(1.0, 2.0), *rng.uniform(0.05, 0.4, 2)
    expected = [pair_width(m_V, m_j, m_k, chirality, rng) for chirality in (dirac.GAMMA_5, dirac.ONE, dirac.P_L)]
    found = [physics.width_to_neutrinos(m_V, 1.0, m_j, m_k, eta) for eta in (1.0, -1.0)]
    found.append(physics.width_to_chiral_pair(m_V, 1.0, m_j, m_k))
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    same = pair_width(m_V, m_j, m_j, dirac.ONE, rng)
    np.testing.assert_allclose(physics.width_to_leptons(m_V, 1.0, m_j), same, rtol=1e-11)


def test_reference_numbers():
    """The library's physics reference, section 16, masses in MeV; and a dark photon well above the electrons."""
    found = [physics.width_to_neutrinos(1250.0, 1.0, 120.0, 185.0, eta) for eta in (1.0, -1.0)]
    np.testing.assert_allclose(found, [30.2406, 32.9781], rtol=3e-6)
    eps = 1e-3
    width = physics.width_to_leptons(1.0, np.sqrt(4.0 * np.pi * ALPHA) * eps, M_E)
    np.testing.assert_allclose(width, ALPHA * eps**2 / 3.0, rtol=1e-6)


def decay_at_rest(m_N, m_nu, m_V, chirality=dirac.P_L):
    """Squared amplitudes of N -> nu V, V along z: shape (helicity of V, spin of N), summed over the neutrino's spin."""
    momentum = np.sqrt((m_N**2 - (m_nu + m_V) ** 2) * (m_N**2 - (m_nu - m_V) ** 2)) / (2.0 * m_N)
    neutrino = dirac.u_spinors(dirac.four_momentum(m_nu, np.array([0.0, 0.0, -momentum])), m_nu)
    heavy = dirac.u_spinors(np.array([m_N, 0.0, 0.0, 0.0]), m_N)  # spin along z, then against
    squares = [
        [sum(abs(dirac.bar(u) @ slash(axis.conj()) @ chirality @ parent) ** 2 for u in neutrino) for parent in heavy]
        for axis in polarisations(m_V, momentum)
    ]
    return momentum, np.array(squares)


MASSES = [(0.42, 0.0, 0.03), (0.42, 0.0, 0.35), (1.0, 0.2, 0.3), (1.0, 0.6, 0.399)]


@pytest.mark.parametrize("masses", MASSES)
def test_heavy_neutrino_to_vector_against_explicit_matrices(masses):
    momentum, squares = decay_at_rest(*masses)
    width = 0.5 * np.sum(squares) * momentum / (8.0 * np.pi * masses[0] ** 2)
    np.testing.assert_allclose(physics.width_fermion_to_fermion_vector(*masses, 1.0), width, rtol=1e-10)
    by_helicity = np.sum(squares, axis=1) / np.sum(squares)
    np.testing.assert_allclose(physics.transverse_fraction(*masses), by_helicity[0] + by_helicity[2], rtol=1e-10)
    along, against = np.sum(squares, axis=0) / np.sum(squares)
    np.testing.assert_allclose(physics.vector_asymmetry(*masses), along - against, rtol=1e-9)


def test_antineutrinos_compensate_the_asymmetry_of_a_majorana_neutrino():
    """N -> nubar V goes with gamma^mu P_R (charge conjugation): the same width, the opposite direction."""
    momentum, squares = decay_at_rest(0.42, 0.0, 0.03)
    _, conjugate = decay_at_rest(0.42, 0.0, 0.03, dirac.P_R)
    majorana = 0.5 * np.sum(squares + conjugate) * momentum / (8.0 * np.pi * 0.42**2)
    np.testing.assert_allclose(
        2.0 * physics.width_fermion_to_fermion_vector(0.42, 0.0, 0.03, 1.0), majorana, rtol=1e-10
    )
    np.testing.assert_allclose(np.sum(squares + conjugate, axis=0)[0], np.sum(squares + conjugate, axis=0)[1])


def test_massless_neutrinos_have_the_closed_forms():
    x = (0.03 / 0.42) ** 2
    width = 0.42**3 / (32.0 * np.pi * 0.03**2) * (1.0 - x) ** 2 * (1.0 + 2.0 * x)
    np.testing.assert_allclose(physics.width_fermion_to_fermion_vector(0.42, 0.0, 0.03, 1.0), width, rtol=1e-12)
    np.testing.assert_allclose(physics.transverse_fraction(0.42, 0.0, 0.03), 2.0 * x / (1.0 + 2.0 * x), rtol=1e-12)
    np.testing.assert_allclose(physics.vector_asymmetry(0.42, 0.0, 0.03), (1.0 - 2.0 * x) / (1.0 + 2.0 * x), rtol=1e-12)


def test_hadrons_peak_at_the_rho_and_are_quarks_above_it():
    """|F|^2 beta^3/4 of a Breit-Wigner at the rho; nothing below two pions; R = 2."""
    peak = 0.25 * (1.0 - (2.0 * 0.13957 / 0.77526) ** 2) ** 1.5 * (0.77526 / 0.1474) ** 2
    assert float(physics.hadronic_ratio(0.77526)) == pytest.approx(peak, rel=2e-3)
    assert float(physics.width_to_hadrons(0.27, 1.0)) == 0.0
    assert float(physics.width_to_hadrons(2.0, 1e-3)) == pytest.approx(2.0 * ALPHA * 1e-6 * 2.0 / 3.0, rel=0.02)


def test_closed_channels_have_no_width_and_no_gradient():
    functions = (
        lambda m: physics.width_to_leptons(m, 1.0, M_MU),
        lambda m: physics.width_to_hadrons(m, 1.0),
        lambda m: physics.width_to_neutrinos(m, 1.0, 0.1, 0.12, 1.0),
        lambda m: physics.width_fermion_to_fermion_vector(0.02, 0.0, m, 1.0),
        lambda m: physics.transverse_fraction(0.02, 0.0, m),
        lambda m: physics.vector_asymmetry(0.02, 0.0, m),
    )
    for function in functions:
        for mass in (0.15, 0.02):  # 0.02: on the last three's threshold
            value, slope = jax.value_and_grad(function)(mass)
            assert (float(value), float(slope)) == (0.0, 0.0)
    slopes = jax.grad(lambda m: physics.vector_asymmetry(0.42, 0.0, m))(jnp.asarray(1e-3))
    assert np.isfinite(slopes)
