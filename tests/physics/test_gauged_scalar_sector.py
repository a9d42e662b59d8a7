"""A singlet that gives a Z' its mass: the paper's appendix A both ways, and the heaviest charged scalar by search."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.physics.gauged_scalar_sector import (
    SingletCouplings,
    couplings_from_potential,
    heavy_mass,
    potential_from_couplings,
    quartics,
    radiation_vertex,
    singlet_vacuum_value,
    strongest_lambda_5,
)
from anomfit.physics.scalar_sector import is_bounded_from_below, masses_from_potential, potential_from_masses

V, M_ZPRIME, G_D = 246.0, 0.8, 2.85
V_PRIME = M_ZPRIME / G_D
LAMBDA_1, LARGEST = (125.25 / V) ** 2, np.sqrt(4.0 * np.pi)


def appendix_a() -> SingletCouplings:
    """Entries (102 MeV)^2, -(53.8 MeV)^2 and (37 MeV)^2 of arXiv:2006.01948."""
    return SingletCouplings(0.102**2, 0.5 * 0.037**2 / V_PRIME**2, -(0.0538**2) / (V * V_PRIME))


def test_appendix_a_gives_table_one():
    """m_H = 106 MeV, m_h' = 23 MeV, sin delta = 0.28, from the eigenvalues of the matrix by NumPy too."""
    states = masses_from_potential(*potential_from_couplings(appendix_a(), V, V_PRIME), V)
    np.testing.assert_allclose(states, [0.10607, 0.02283, 0.2811], rtol=3e-4)
    matrix = np.array([[0.102**2, -(0.0538**2)], [-(0.0538**2), 0.037**2]])
    values, vectors = np.linalg.eigh(matrix)
    np.testing.assert_allclose([states.m_hprime**2, states.m_H**2], values, rtol=1e-10)
    assert abs(vectors[0, 0]) == pytest.approx(float(states.sin_delta), rel=1e-10)  # h' = s H2 + c H3


def test_there_and_back():
    masses = (0.106, 0.023, 0.28)
    couplings = couplings_from_potential(potential_from_masses(*masses, V), V_PRIME)
    again = masses_from_potential(*potential_from_couplings(couplings, V, V_PRIME), V)
    np.testing.assert_allclose(again, masses, rtol=1e-12)
    sine, cosine = 0.28, np.sqrt(1.0 - 0.28**2)
    off_diagonal = float(couplings.lambda_5_prime) * V * V_PRIME
    assert off_diagonal == pytest.approx(sine * cosine * (0.023**2 - 0.106**2), rel=1e-12)
    assert 2.0 * float(couplings.lambda_2_prime) * V_PRIME**2 == pytest.approx(
        sine**2 * 0.106**2 + cosine**2 * 0.023**2, rel=1e-12
    )


def test_the_vacuum_value_and_the_vertex_are_derivatives_of_the_kinetic_term():
    """Equation 11: (1/2) g_d^2 (v' + H_3)^2 Z'^2 has the mass and, in H_3, the vertex (twice, for two equal Z')."""

    def term(H3):
        return 0.5 * G_D**2 * (singlet_vacuum_value(M_ZPRIME, G_D) + H3) ** 2

    assert 2.0 * float(term(0.0)) == pytest.approx(M_ZPRIME**2)
    assert 2.0 * float(jax.grad(term)(0.0)) == pytest.approx(float(radiation_vertex(M_ZPRIME, G_D)))


def lowest(fields, l):
    """Equation B3 at rho = 1 over r^4, for directions of the fields."""
    theta, phi, gamma = fields
    c, s, C, S = np.cos(theta), np.sin(theta), np.cos(phi), np.sin(phi)
    doublets = 0.5 * l.lambda_1 * c**4 + 0.5 * l.lambda_2 * s**4
    doublets = doublets + (l.lambda_3 + l.lambda_4 + l.lambda_5 * np.cos(2.0 * gamma)) * (s * c) ** 2
    mixed = 2.0 * l.lambda_5_prime * c * s * (C * S) ** 2 * np.cos(gamma)
    return np.min(doublets * S**4 + l.lambda_2_prime * C**4 + mixed)


@pytest.mark.parametrize("strong", [False, True])
def test_the_strongest_coupling_is_the_edge_of_stability(strong):
    """By minimising over directions of the fields, with the singlet's couplings of Table I and with large ones."""
    singlet = SingletCouplings(0.01, 0.2, 0.4) if strong else appendix_a()
    edge = float(strongest_lambda_5(LAMBDA_1, singlet, LARGEST))
    angles = [np.linspace(0.0, np.pi / 2.0, 401), np.linspace(1e-3, np.pi / 2.0, 201), np.linspace(0.0, np.pi, 21)]
    grid = np.meshgrid(*angles, indexing="ij")
    for factor, stable in ((0.98, True), (1.02, False)):
        chosen = quartics(LAMBDA_1, LARGEST, factor * edge, SingletCouplings(*map(jnp.asarray, singlet)))
        assert bool(is_bounded_from_below(chosen)) == stable
        assert (lowest(grid, type(chosen)(*map(float, chosen))) > 0.0) == stable
    if not strong:
        assert float(heavy_mass(edge, 0.102**2, V)) == pytest.approx(369.0, abs=1.0)
