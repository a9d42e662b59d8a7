"""Directions of the leptons of N -> nu V, V -> l+ l-: the whole amplitude by explicit matrices, frames by boosts."""

import dirac
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.physics.aligned_pairs import lepton_alignment, quadrupole_in_flight
from anomfit.physics.vector_decays import transverse_fraction


def squared_amplitude(m_N, m_V, m_l, cosine):
    """Sum over spins of the chain with V on its shell; the leptons at an angle to V's flight in V's rest frame."""
    momentum = (m_N**2 - m_V**2) / (2.0 * m_N)
    energy = np.hypot(momentum, m_V)
    heavy = np.array([m_N, 0.0, 0.0, 0.0])
    neutrino = np.array([momentum, 0.0, 0.0, -momentum])
    vector = np.array([energy, 0.0, 0.0, momentum])
    at_rest = np.sqrt(0.25 * m_V**2 - m_l**2) * np.array([np.sqrt(1.0 - cosine**2), 0.0, cosine])
    beta = vector[1:] / energy
    leptons = [dirac.boost(dirac.four_momentum(m_l, sign * at_rest), beta) for sign in (1.0, -1.0)]
    total = 0.0
    for u in dirac.u_spinors(neutrino, 0.0):
        for parent in dirac.u_spinors(heavy, m_N):
            current = np.array([dirac.bar(u) @ gamma @ dirac.P_L @ parent for gamma in dirac.GAMMA])
            for one in dirac.u_spinors(leptons[0], m_l):
                for other in dirac.v_spinors(leptons[1], m_l):
                    pair = np.array([dirac.bar(one) @ gamma @ other for gamma in dirac.GAMMA])
                    along = dirac.dot(vector, current) * dirac.dot(vector, pair) / m_V**2
                    total += abs(dirac.dot(current, pair) - along) ** 2
    return total


@pytest.mark.parametrize(("m_N", "m_V", "m_l"), [(0.42, 0.03, 5.1e-4), (0.42, 0.3, 5.1e-4), (1.0, 0.3, 0.105)])
def test_leptons_against_the_whole_amplitude(m_N, m_V, m_l):
    cosines = np.array([-0.9, -0.2, 0.5, 1.0])
    found = [squared_amplitude(m_N, m_V, m_l, c) for c in cosines]
    alignment = float(lepton_alignment(transverse_fraction(m_N, 0.0, m_V), m_V, m_l))
    expected = 1.0 + alignment * (1.5 * cosines**2 - 0.5)
    np.testing.assert_allclose(found / found[0], expected / expected[0], rtol=1e-9)


def test_longitudinal_transverse_and_unpolarised_vectors():
    assert [float(lepton_alignment(x, 1.0, 0.0)) for x in (0.0, 2.0 / 3.0, 1.0)] == pytest.approx(
        [-1.0, 0.0, 0.5], abs=1e-15
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_turn_against_boosts(seed):
    """In V's rest frame: where N's frame and the laboratory move."""
    rng = np.random.default_rng(seed)
    m_N, m_V = 0.42, rng.uniform(0.03, 0.3)
    velocity = rng.uniform(0.3, 0.99) * dirac.random_direction(rng)
    p_star = (m_N**2 - m_V**2) / (2.0 * m_N)
    in_N = dirac.four_momentum(m_V, p_star * dirac.random_direction(rng))
    in_lab = dirac.boost(in_N, velocity)
    from_V = -in_lab[1:] / in_lab[0]
    frames = [dirac.boost(dirac.four_momentum(m_N, m_N * velocity / np.sqrt(1.0 - velocity @ velocity)), from_V)]
    frames.append(dirac.boost(np.array([1.0, 0.0, 0.0, 0.0]), from_V))
    directions = [frame[1:] / np.linalg.norm(frame[1:]) for frame in frames]
    cosine = directions[0] @ directions[1]
    e_N = m_N / np.sqrt(1.0 - velocity @ velocity)
    found = quadrupole_in_flight(e_N, m_N, in_lab[0], m_V, in_N[0])
    assert float(found) == pytest.approx(1.5 * cosine**2 - 0.5, rel=1e-9)


def test_gradients_are_finite_where_nothing_moves():
    slope = jax.grad(lambda e: quadrupole_in_flight(0.5, 0.42, e, 0.1, jnp.asarray(0.2)))
    assert np.isfinite(float(slope(0.1)))
    assert np.isfinite(float(jax.grad(lambda m: lepton_alignment(0.1, m, 0.05))(0.1)))
