"""Directions in the decay of a polarised N against explicit spinors."""

import dirac
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from anomfit.physics.polarised_decay import (
    longitudinal_polarisation,
    scalar_asymmetry,
)

MASS, M_S = 0.416, 0.133
ENERGY = (MASS**2 - M_S**2) / (2.0 * MASS)  # of the neutrino


def squared(cosine, a_L, a_R):
    """sum over nu spins |ubar(nu) (a_L P_L + a_R P_R) u(N, spin up)|^2; cosine is S's, the neutrino flies opposite."""
    sine = np.sqrt(1.0 - cosine**2)
    nu = dirac.four_momentum(0.0, -ENERGY * np.array([sine, 0.0, cosine]))
    up = dirac.u_spinors(np.array([MASS, 0.0, 0.0, 0.0]), MASS)[0]
    vertex = a_L * dirac.P_L + a_R * dirac.P_R
    return sum(abs(dirac.bar(u) @ vertex @ up) ** 2 for u in dirac.u_spinors(nu, 0.0))


@settings(max_examples=30, deadline=None)
@given(st.floats(-1.0, 1.0), st.floats(-2.0, 2.0), st.floats(0.1, 2.0))
def test_direction_of_the_scalar_against_spinors(cosine, a_L, a_R):
    norm = quad(lambda c: squared(c, a_L, a_R), -1.0, 1.0)[0]
    found = 0.5 * (1.0 + float(scalar_asymmetry(a_L, a_R)) * cosine)
    np.testing.assert_allclose(found, squared(cosine, a_L, a_R) / norm, rtol=1e-6, atol=1e-9)


def test_equal_couplings_are_isotropic_and_chiral_ones_maximal():
    assert float(scalar_asymmetry(0.7, 0.7)) == 0.0
    assert float(scalar_asymmetry(0.7, -0.7)) == 0.0
    assert float(scalar_asymmetry(0.0, 0.3)) == 1.0
    assert float(scalar_asymmetry(0.3, 0.0)) == -1.0
    assert float(scalar_asymmetry(0.0, 0.0)) == 0.0


def helicity_states(p, mass):
    """Spinors of helicity +1/2 and -1/2 of a particle with momentum p."""
    direction = p[1:] / np.linalg.norm(p[1:])
    spin = sum(direction[i] * np.kron(np.eye(2), dirac.SIGMA[i]) for i in range(3))
    basis = np.stack(dirac.u_spinors(p, mass), axis=1)
    states = []
    for sign in (1, -1):
        projected = 0.5 * (np.eye(4) + sign * spin) @ basis
        column = projected[:, np.argmax(np.linalg.norm(projected, axis=0))]
        states.append(column / np.linalg.norm(column) * np.sqrt(2.0 * p[0]))
    return states


@pytest.mark.parametrize("momentum", [0.05, 0.4, 3.0])
@pytest.mark.parametrize("cos_theta", [1.0, 0.98, 0.3, -0.7])
def test_helicity_of_what_a_left_handed_neutrino_makes(momentum, cos_theta):
    """|ubar(N, helicity) P_L u(nu)|^2 with the beam along z."""
    sine = np.sqrt(1.0 - cos_theta**2)
    N = dirac.four_momentum(MASS, momentum * np.array([sine, 0.0, cos_theta]))
    nu = dirac.four_momentum(0.0, np.array([0.0, 0.0, 1.0]))
    plus, minus = (
        sum(abs(dirac.bar(state) @ dirac.P_L @ u) ** 2 for u in dirac.u_spinors(nu, 0.0))
        for state in helicity_states(N, MASS)
    )
    expected = (plus - minus) / (plus + minus)
    np.testing.assert_allclose(longitudinal_polarisation(cos_theta, momentum / N[0]), expected, atol=1e-12)
