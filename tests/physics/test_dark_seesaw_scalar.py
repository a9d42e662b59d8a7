"""The light scalar of the dark seesaw: couplings against the mass matrix and the potential, widths against traces."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.physics import dark_seesaw_scalar as scalar
from anomfit.physics.constants import ALPHA, V_EW
from anomfit.physics.dark_seesaw import M_HIGGS, benchmark_bosons, benchmark_entries, mass_states, vertices
from anomfit.physics.light_bosons import width_to_majorana_pair
from anomfit.physics.scalar_decays import width_fermion_to_fermion_scalar

NAMES = ("BP-A", "BP-B", "BP-C", "BP-D")


def found_at(name, sin=0.0):
    entries, v_Phi = benchmark_entries(name), benchmark_bosons(name).v_Phi
    states = mass_states(entries)
    return entries, v_Phi, states, scalar.scalar_vertices(states.masses, vertices(states, entries, v_Phi), sin)


@pytest.mark.parametrize("name", NAMES)
def test_the_vertices_are_the_slopes_of_the_mass_matrix(name):
    """phi' is a shift of v_Phi: g = U^T (dM/dv_Phi) U, whose diagonal is dm/dv_Phi."""
    entries, v_Phi, _, found = found_at(name)
    stretch = 1e-3

    def scaled(factor):
        return entries._replace(Lambda_L=factor * entries.Lambda_L, Lambda_R=factor * entries.Lambda_R)

    slope = (mass_states(scaled(1.0 + stretch)).masses - mass_states(scaled(1.0 - stretch)).masses)[1:]
    expected = slope / (2.0 * stretch * v_Phi)
    largest = float(jnp.max(jnp.abs(expected)))
    np.testing.assert_allclose(np.diag(found.g)[1:], expected, rtol=2e-3, atol=1e-5 * largest)


def test_the_higgs_part_is_the_slope_in_v():
    entries, v_Phi, states, _ = found_at("BP-B")
    alone = scalar.scalar_vertices(states.masses, vertices(states, entries, v_Phi), 1.0)
    M_D = np.zeros((6, 6))
    M_D[0, 1:4] = M_D[1:4, 0] = np.asarray(entries.M_D)[0] / V_EW
    np.testing.assert_allclose(alone.g, np.asarray(states.mixing).T @ M_D @ np.asarray(states.mixing), atol=1e-14)


# -- traces -----------------------------------------------------------------------------------------------------------

_ONE, _NONE = np.eye(2), np.zeros((2, 2))
_PAULI = [np.array(m) for m in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]
GAMMA = [np.block([[_NONE, _ONE], [_ONE, _NONE]])] + [np.block([[_NONE, s], [-s, _NONE]]) for s in _PAULI]
GAMMA5 = np.diag([-1.0, -1.0, 1.0, 1.0])


def slash(p):
    return p[0] * GAMMA[0] - sum(x * g for x, g in zip(p[1:], GAMMA[1:], strict=True))


def squared(g, p, sign_p, m_p, q, sign_q, m_q):
    """Spins summed: Tr[(p + s m)(Re g + i Im g gamma5)(q + s' m')(Re g + i Im g gamma5)] of the two states."""
    vertex = g.real * np.eye(4) + 1j * g.imag * GAMMA5
    conjugate = GAMMA[0] @ vertex.conj().T @ GAMMA[0]
    return np.trace(
        (slash(p) + sign_p * m_p * np.eye(4)) @ vertex @ (slash(q) + sign_q * m_q * np.eye(4)) @ conjugate
    ).real


@pytest.mark.parametrize("phase", [0.0, 0.5 * np.pi, 0.6])
def test_widths_are_those_of_traces(phase):
    m_phi, m_1, m_2, g = 0.3, 0.08, 0.15, 0.2 * np.exp(1j * phase)
    eta = np.cos(2.0 * phase)
    p = np.sqrt((m_phi**2 - (m_1 + m_2) ** 2) * (m_phi**2 - (m_1 - m_2) ** 2)) / (2.0 * m_phi)
    first, other = np.array([np.hypot(m_1, p), 0, 0, p]), np.array([np.hypot(m_2, p), 0, 0, -p])
    expected = squared(g, first, 1, m_1, other, -1, m_2) * p / (8.0 * np.pi * m_phi**2)
    assert float(scalar.width_to_states(m_phi, m_1, m_2, abs(g) ** 2, eta)) == pytest.approx(expected, rel=1e-12)

    m_j, m_k, m_phi = 0.3, 0.08, 0.135
    p = np.sqrt((m_j**2 - (m_k + m_phi) ** 2) * (m_j**2 - (m_k - m_phi) ** 2)) / (2.0 * m_j)
    parent, daughter = np.array([m_j, 0, 0, 0]), np.array([np.hypot(m_k, p), 0, 0, p])
    expected = 0.5 * squared(g, daughter, 1, m_k, parent, 1, m_j) * p / (8.0 * np.pi * m_j**2)
    width = scalar.width_to_state_and_scalar(m_j, m_k, m_phi, abs(g) ** 2, eta)
    assert float(width) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("eta", [1, -1])
def test_widths_of_real_vertices_are_the_other_functions(eta):
    for m_1, m_2 in ((0.05, 0.11), (0.1, 0.25)):  # open, closed
        expected = width_to_majorana_pair(0.2, m_1, m_2, 0.3, eta)
        np.testing.assert_allclose(scalar.width_to_states(0.2, m_1, m_2, 0.09, eta), expected, rtol=1e-12)
    for m_k in (0.05, 0.15):
        expected = width_fermion_to_fermion_scalar(0.22, m_k, 0.135, 0.3, eta)
        np.testing.assert_allclose(scalar.width_to_state_and_scalar(0.22, m_k, 0.135, 0.09, eta), expected, rtol=1e-12)


def test_identical_states_count_half():
    """|S_jj|^2 m/(32 pi) of one state far below threshold, |S_jk|^2 m/(16 pi) of two."""
    g = jnp.zeros((4, 4)).at[1, 1].set(0.2).at[1, 2].set(0.3).at[2, 1].set(0.3)
    states = scalar.ScalarVertices(jnp.asarray([0.0, 1e-6, -2e-6, 9.0]), g)
    widths = scalar.scalar_widths(0.4, 1e-4, states, 3).to_heavy
    S = np.sqrt(2.0) * np.array([0.2, 0.3])
    expected = S**2 * 0.4 / np.pi / np.array([32.0, 16.0])
    np.testing.assert_allclose([widths[1], widths[3]], expected, rtol=1e-9)


# -- the Higgs boson --------------------------------------------------------------------------------------------------


def test_the_higgs_to_scalars_is_the_third_derivative_of_the_potential():
    sin, v_Phi, m_phi = 0.3, 60.0, 20.0  # large, so that no part is small
    cos = np.sqrt(1.0 - sin**2)
    turn = np.array([[cos, sin], [-sin, cos]])  # (h0, phi') of (h, phi)
    squares = turn @ np.diag([M_HIGGS**2, m_phi**2]) @ turn.T
    lambda_H, lambda_Phi = squares[0, 0] / (2 * V_EW**2), squares[1, 1] / (2 * v_Phi**2)
    portal = squares[0, 1] / (V_EW * v_Phi)

    def potential(fields):
        h0, of_phi = turn @ fields
        H, Phi = 0.5 * ((V_EW + h0) ** 2 - V_EW**2), 0.5 * ((v_Phi + of_phi) ** 2 - v_Phi**2)
        return lambda_H * H**2 + lambda_Phi * Phi**2 + portal * H * Phi

    second = jax.hessian(potential)(jnp.zeros(2))
    np.testing.assert_allclose(second, np.diag([M_HIGGS**2, m_phi**2]), atol=1e-8)
    coupling = float(jax.jacfwd(jax.hessian(potential))(jnp.zeros(2))[0, 1, 1])
    p = 0.5 * np.sqrt(M_HIGGS**2 - 4.0 * m_phi**2)
    expected = 0.5 * coupling**2 * p / (8.0 * np.pi * M_HIGGS**2)
    assert float(scalar.higgs_to_scalars(sin, v_Phi, m_phi)) == pytest.approx(expected, rel=1e-10)


def test_the_higgs_width_of_a_small_angle():
    """arXiv:2007.11813, equation B10, with the longitudinal Z' of its Lagrangian."""
    expected = 1e-8 * M_HIGGS**3 / (32.0 * np.pi * 0.5**2)
    assert float(scalar.higgs_to_scalars(1e-4, 0.5, 0.01)) == pytest.approx(expected, rel=1e-4)


def test_photons_know_the_W():
    """Below the electron's pair every loop is heavy: A = 4/3 for each fermion but the electron, and -7."""
    amplitude = scalar.photon_coupling(1e-5, 0.02)
    fermions = 4.0 / 3.0 * (3 * 1.0 + 2 * 4.0 / 3.0 + 1.0 / 3.0)
    expected = -ALPHA * 0.02 / (2.0 * np.pi * V_EW) * (fermions - 7.0)
    assert complex(amplitude).real == pytest.approx(expected, rel=1e-4)
    assert abs(complex(amplitude).imag) < 1e-20


# -- what is seen -----------------------------------------------------------------------------------------------------


def widths_of(to_heavy, heavier=0.0):
    none = jnp.zeros(())
    return scalar.ScalarWidths(none, none, none, none, jnp.asarray(0.1), jnp.asarray(to_heavy), jnp.asarray(heavier))


def test_what_never_shows_is_invisible_and_nothing_is_lost():
    widths = widths_of(np.arange(1.0, 10.0))
    never = scalar.split_by_sight(widths, jnp.zeros(3), jnp.zeros(3))
    assert float(never.to_invisible) == pytest.approx(45.1)
    assert float(never.to_semivisible) == 0.0
    near, far = jnp.asarray([0.0, 0.3, 0.8]), jnp.asarray([0.0, 0.7, 1.0])
    some = scalar.split_by_sight(widths, near, far)
    assert float(some.to_invisible + some.to_semivisible) == pytest.approx(45.1)
    expected = 1.0 + 2.0 + (3.0 + 4.0) * 0.3 + 5.0 * 0.3**2  # pairs of N_4 and light ones, of N_5, and of two N_5
    assert float(some.to_invisible) == pytest.approx(0.1 + expected)


def test_the_flight_shows_as_much_at_first():
    widths = widths_of(np.array([0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]), heavier=1.0)
    near, far = jnp.asarray([0.0, 0.3, 0.0]), jnp.asarray([0.0, 0.7, 0.0])
    found = scalar.split_by_sight(widths, near, far)
    hidden = found.to_invisible + found.to_semivisible * jnp.exp(-1.0 / found.flight)
    assert float(hidden) == pytest.approx(0.1 + 2.0 * 0.7)
    assert float(found.to_semivisible) == pytest.approx(2.0 * 0.7 + 1.0)


def test_slopes_are_finite_where_channels_are_closed():
    _, _, _, states = found_at("BP-A")

    def total(m_phi, sin, scale):
        moved = states._replace(masses=scale * states.masses)
        into = scalar.widths_to_scalar(m_phi, moved, 3)
        return scalar.scalar_widths(m_phi, sin, moved, 3).total + jnp.sum(into)

    slopes = jax.jit(jax.grad(total, argnums=(0, 1, 2)))
    for m_phi in (0.002, 0.0705, 0.135, 0.3, 0.9):
        assert np.all(np.isfinite(slopes(m_phi, 1e-3, 1.0)))
