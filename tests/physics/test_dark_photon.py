"""Production of a scalar against that of a vector: amplitudes against explicit matrices, integrals against SciPy."""

import numpy as np
import pytest
from scipy.integrate import dblquad, quad

from anomfit.physics import dark_photon as physics
from anomfit.physics.constants import M_E
from tests.physics import dirac


def annihilation_by_matrices(p_1, p_2, k, q, m, is_scalar):
    """(1/4) sum |M|^2 of e-(p_1) e+(p_2) -> gamma(k) X(q), unit couplings, massless electrons; -g for both vectors."""
    vertices = [(dirac.ONE, 1.0)] if is_scalar else [(dirac.GAMMA[nu], dirac.METRIC[nu, nu]) for nu in range(4)]
    total = 0.0
    for mu in range(4):
        gamma = dirac.GAMMA[mu]
        for vertex, sign in vertices:
            one = vertex @ dirac.slash(p_1 - k) @ gamma / dirac.dot(p_1 - k, p_1 - k)
            two = gamma @ dirac.slash(p_1 - q) @ vertex / dirac.dot(p_1 - q, p_1 - q)
            matrix = one + two
            for u in dirac.u_spinors(p_1, 0.0):
                for v in dirac.v_spinors(p_2, 0.0):
                    amplitude = dirac.bar(v) @ matrix @ u
                    polarisations = -dirac.METRIC[mu, mu] * (1.0 if is_scalar else -sign)
                    total += polarisations * abs(amplitude) ** 2
    return 0.25 * total


@pytest.mark.parametrize("is_scalar", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_annihilation_against_explicit_matrices(is_scalar, seed):
    rng = np.random.default_rng(seed)
    energy, m = rng.uniform(1.0, 5.0), rng.uniform(0.1, 1.0)
    p_1, p_2 = (dirac.four_momentum(0.0, sign * np.array([0.0, 0.0, energy])) for sign in (1.0, -1.0))
    momentum = (4.0 * energy**2 - m**2) / (4.0 * energy)
    direction = dirac.random_direction(rng)
    k, q = dirac.four_momentum(0.0, momentum * direction), dirac.four_momentum(m, -momentum * direction)
    s, t, u = dirac.dot(p_1 + p_2, p_1 + p_2), dirac.dot(p_1 - k, p_1 - k), dirac.dot(p_1 - q, p_1 - q)
    expected = annihilation_by_matrices(p_1, p_2, k, q, m, is_scalar)
    np.testing.assert_allclose(physics.annihilation_squared(s, t, u, m, is_scalar), expected, rtol=1e-9)


@pytest.mark.parametrize(("m", "root_s", "cos_max"), [(0.017, 1.02, 0.64), (0.75, 10.58, 0.95), (0.75, 1.02, 0.64)])
def test_annihilation_ratio_is_the_ratio_of_the_integrals(m, root_s, cos_max):
    s = root_s**2

    def integral(is_scalar):
        def integrand(c):
            t, u = -0.5 * (s - m**2) * (1.0 - c), -0.5 * (s - m**2) * (1.0 + c)
            return physics.annihilation_squared(s, t, u, m, is_scalar)

        return quad(integrand, -cos_max, cos_max, epsrel=1e-12)[0]

    expected = integral(True) / integral(False)
    np.testing.assert_allclose(physics.annihilation_ratio(m, root_s, cos_max), expected, rtol=1e-9)


def test_above_the_energy_of_the_collider_nothing_is_made():
    assert physics.annihilation_ratio(1.2, 1.02, 0.6) == 0.0


def radiation_by_matrices(p_1, p_2, k, is_scalar):
    """Sum |M|^2 of gamma* -> mu-(p_1) mu+(p_2) X(k), unit couplings; -g for the photon, and for a vector X."""
    vertices = [(dirac.ONE, 1.0)] if is_scalar else [(dirac.GAMMA[nu], -dirac.METRIC[nu, nu]) for nu in range(4)]
    total = 0.0
    for mu in range(4):
        for vertex, weight in vertices:
            one = vertex @ dirac.slash(p_1 + k) @ dirac.GAMMA[mu] / dirac.dot(p_1 + k, p_1 + k)
            two = dirac.GAMMA[mu] @ dirac.slash(-p_2 - k) @ vertex / dirac.dot(p_2 + k, p_2 + k)
            for u in dirac.u_spinors(p_1, 0.0):
                for v in dirac.v_spinors(p_2, 0.0):
                    total += -dirac.METRIC[mu, mu] * weight * abs(dirac.bar(u) @ (one + two) @ v) ** 2
    return total


@pytest.mark.parametrize("is_scalar", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_radiation_against_explicit_matrices(is_scalar, seed):
    rng = np.random.default_rng(10 + seed)
    m = rng.uniform(0.2, 1.0)
    p_1, p_2 = (dirac.four_momentum(0.0, rng.uniform(0.5, 3.0) * dirac.random_direction(rng)) for _ in range(2))
    k = dirac.four_momentum(m, rng.uniform(0.5, 3.0) * dirac.random_direction(rng))
    whole = p_1 + p_2 + k
    root_s = np.sqrt(dirac.dot(whole, whole))
    s_1, s_2 = dirac.dot(p_1 + k, p_1 + k), dirac.dot(p_2 + k, p_2 + k)
    expected = radiation_by_matrices(p_1, p_2, k, is_scalar)
    np.testing.assert_allclose(physics.radiation_squared(s_1, s_2, m, root_s, is_scalar), expected, rtol=1e-9)


@pytest.mark.parametrize("m", [0.3, 0.75, 3.0])
def test_radiation_ratio_against_an_adaptive_integral(m):
    root_s = 10.58
    s = root_s**2

    def integral(is_scalar):
        return dblquad(
            lambda b, a: np.exp(a + b) * physics.radiation_squared(np.exp(a), np.exp(b), m, root_s, is_scalar),
            np.log(m**2),
            np.log(s),
            lambda a: np.log(m**2 * s) - a,
            lambda a: np.log(s + m**2 - np.exp(a)),
            epsrel=1e-7,
        )[0]

    np.testing.assert_allclose(physics.radiation_ratio(m, root_s), integral(True) / integral(False), rtol=1e-5)


def test_a_dark_photon_below_the_muons_decays_to_electrons_and_above_to_everything():
    assert physics.vector_shares(0.017)[0] == pytest.approx(1.0)
    electrons, muons, hadrons = (float(x) for x in physics.vector_shares(0.77526))
    assert electrons + muons + hadrons == pytest.approx(1.0)
    assert muons < electrons < 0.2 < hadrons  # on the rho
    closed = physics.vector_shares(0.25)  # between the thresholds of muons and pions
    assert float(closed[2]) == 0.0
    assert 0.0 < float(closed[1]) < float(closed[0])
    assert float(physics.vector_shares(2.0 * M_E * 1.001)[0]) == pytest.approx(1.0)
