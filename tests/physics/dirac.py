"""Explicit 4x4 Dirac matrices and spinors: the oracle for squared amplitudes. NumPy only, metric (+,-,-,-)."""

import numpy as np

SIGMA = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], dtype=complex)
ONE = np.eye(4, dtype=complex)
GAMMA_0 = np.diag([1, 1, -1, -1]).astype(complex)
GAMMA = [GAMMA_0] + [np.block([[np.zeros((2, 2)), s], [-s, np.zeros((2, 2))]]) for s in SIGMA]
GAMMA_5 = 1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]
P_L, P_R = 0.5 * (ONE - GAMMA_5), 0.5 * (ONE + GAMMA_5)
CHARGE_CONJUGATION = 1j * GAMMA[2] @ GAMMA[0]
METRIC = np.diag([1.0, -1.0, -1.0, -1.0])


def dot(p, q):
    """Minkowski product."""
    return p @ METRIC @ q


def slash(p):
    """p-slash, a 4x4 matrix."""
    return sum(METRIC[mu, mu] * p[mu] * GAMMA[mu] for mu in range(4))


def four_momentum(mass, three_momentum):
    """On-shell four-momentum."""
    return np.concatenate([[np.sqrt(mass**2 + three_momentum @ three_momentum)], three_momentum])


def u_spinors(p, mass):
    """The two spinors u(p, s), sum over s of u ubar = pslash + mass."""
    root = np.sqrt(p[0] + mass)
    sigma_p = sum(p[i + 1] * SIGMA[i] for i in range(3))
    return [np.concatenate([root * chi, sigma_p @ chi / root]) for chi in np.eye(2, dtype=complex)]


def v_spinors(p, mass):
    """The two spinors v(p, s) = C ubar^T(p, s)."""
    return [CHARGE_CONJUGATION @ bar(u) for u in u_spinors(p, mass)]


def bar(spinor):
    """The Dirac adjoint."""
    return spinor.conj() @ GAMMA_0


def random_direction(rng):
    """An isotropic unit vector."""
    vector = rng.normal(size=3)
    return vector / np.linalg.norm(vector)


def boost(p, beta):
    """p seen from a frame in which its own frame moves with velocity `beta`."""
    gamma, along = 1.0 / np.sqrt(1.0 - beta @ beta), beta @ p[1:]
    energy = gamma * (p[0] + along)
    return np.concatenate([[energy], p[1:] + beta * (gamma * p[0] + gamma**2 / (gamma + 1.0) * along)])
