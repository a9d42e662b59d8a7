"""Complex mass matrices of the dark seesaw, any n, d and number of generations, against 100 decimal digits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.physics.constants import V_EW
from anomfit.physics.dark_seesaw import (
    Bosons,
    Entries,
    benchmark_entries,
    field_rows,
    loop_correction,
    mass_matrix,
    mass_states,
    relative_parity,
    vertex_phases,
    vertices,
)
from tests.physics import many_digits

V_PHI = 0.5
BOSONS = Bosons(1.25, 1.0, V_PHI)
SHAPES = [(1, 1, 1), (1, 3, 1), (3, 3, 2)]  # generations, sterile states, dark pairs


@jax.jit
def everything(entries):
    states = mass_states(entries)
    return states, vertices(states, entries, V_PHI), loop_correction(states, entries, BOSONS)


def random_entries(seed, active, n, d):
    """M_D a hundred times smaller than the rest: light masses of 1e-4."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return rng.normal(size=shape) + 1j * rng.normal(size=shape)

    M_N = draw(n, n)
    return Entries(1e-2 * draw(active, n), M_N + M_N.T, draw(n, d), draw(n, d), draw(d, d))


def charges(entries):
    """Of the fields under U(1)', and 1 for active ones."""
    rows, size = field_rows(entries), len(mass_matrix(entries))
    dark, active = np.zeros(size), np.zeros(size)
    dark[rows.left], dark[rows.right], active[rows.active] = 1, -1, 1
    return dark, active


def products(matrix_real, matrix_imaginary):
    return many_digits.solve_takagi_products(matrix_real, matrix_imaginary)


def squared(real, imaginary, charge):
    """Re and Im of V_jk^2, V = sum_a q_a U_aj^* U_ak, from Re and Im of U_aj U_bj: decimals."""
    weights = np.outer(many_digits.exact(charge), many_digits.exact(charge))
    pairs = list(zip(real, imaginary, strict=True))
    of_real = [[np.sum(weights * (a * c + b * d)) for c, d in pairs] for a, b in pairs]
    of_imaginary = [[np.sum(weights * (a * d - b * c)) for c, d in pairs] for a, b in pairs]
    return np.array(of_real, dtype=object), np.array(of_imaginary, dtype=object)


@pytest.mark.parametrize("shape", SHAPES)
def test_masses_vertices_and_loops(shape):
    """V and C entry by entry, the light ones with as many digits; S, H and loops beside their largest entry."""
    entries = random_entries(1, *shape)
    matrix = np.asarray(mass_matrix(entries))
    masses, real, imaginary = products(matrix.real, matrix.imag)
    states, found, loops = everything(entries)
    np.testing.assert_allclose(states.masses, np.array(masses, float), rtol=1e-14)
    dark, active = charges(entries)
    for charge, vertex in ((dark, found.V), (active, found.C)):
        re, im = (x.astype(float) for x in squared(real, imaginary, charge))
        np.testing.assert_allclose(np.asarray(vertex) ** 2, re + 1j * im, rtol=1e-10, atol=1e-26)
    re, im = (x.astype(float) for x in squared(real, imaginary, dark))
    eta = np.asarray(relative_parity(states.masses, found.V))
    np.testing.assert_allclose(eta, re / np.hypot(re, im), atol=1e-9)
    np.testing.assert_allclose(eta, np.cos(2.0 * np.asarray(vertex_phases(found.V))), atol=1e-12)

    T = np.array([a.astype(float) + 1j * b.astype(float) for a, b in zip(real, imaginary, strict=True)])
    rows, size = field_rows(entries), len(matrix)
    yukawa, higgs = np.zeros((size, size), complex), np.zeros((size, size), complex)
    yukawa[rows.sterile, rows.left], yukawa[rows.sterile, rows.right] = entries.Lambda_L, entries.Lambda_R
    higgs[rows.sterile, rows.active] = entries.M_D.T
    for coupling, v, vertex in ((yukawa, V_PHI, found.S), (higgs, V_EW, found.H)):
        both = coupling + coupling.T
        expected = 2.0 / v**2 * np.einsum("ab,cd,jac,kbd->jk", both, both, T, T, optimize=True)
        largest = np.max(np.abs(expected))
        np.testing.assert_allclose(np.asarray(vertex) ** 2, expected, rtol=1e-10, atol=1e-14 * largest)

    m = np.array(masses, float)

    def f(x):
        return np.log(x) / (x - 1.0)

    expected = np.zeros((size, size), complex)
    for row, Lambda in ((rows.left, entries.Lambda_L), (rows.right, entries.Lambda_R)):
        scalar = np.einsum("na,mb,knm,k->ab", Lambda, Lambda, T[:, rows.sterile, rows.sterile], m * f(m**2))
        vector = np.einsum("kab,k->ab", T[:, row, row].conj(), 3.0 * m**3 * f((m / 1.25) ** 2))
        expected[row, row] = (scalar + vector) / (16.0 * np.pi**2 * V_PHI**2)
    standard = m**3 * (3.0 * f((m / BOSONS.m_Z) ** 2) + f((m / BOSONS.m_h) ** 2)) / (16.0 * np.pi**2 * V_EW**2)
    expected[rows.active, rows.active] = np.einsum("kab,k->ab", T[:, rows.active, rows.active].conj(), standard)
    np.testing.assert_allclose(loops, expected, rtol=1e-9, atol=1e-13 * np.max(np.abs(expected)))


def turned(entries, seed):
    """The same physics: nu, D_L and D_R with other phases."""
    rng = np.random.default_rng(seed)
    nu, left, right = (np.exp(1j * rng.uniform(0.0, 2.0 * np.pi, k)) for k in (len(entries.M_D), 1, 1))
    dark = (left * entries.Lambda_L, right * entries.Lambda_R, (left * right) * entries.M_X)
    return Entries(nu[:, None] * entries.M_D, entries.M_N, *dark)


def test_phases_of_fields_are_not_physical():
    """Masses and V^2, CP parities with them, stay where nu, D_L and D_R change their phases."""
    entries = random_entries(2, 1, 3, 1)
    here, there = everything(entries), everything(turned(entries, 3))
    np.testing.assert_allclose(there[0].masses, here[0].masses, rtol=1e-13)
    np.testing.assert_allclose(np.asarray(there[1].V) ** 2, np.asarray(here[1].V) ** 2, rtol=1e-11, atol=1e-24)
    np.testing.assert_allclose(np.asarray(there[1].S) ** 2, np.asarray(here[1].S) ** 2, rtol=1e-10, atol=1e-20)


def with_light_cancelled(seed):
    """BP-B with random phases and an M_D3 that leaves 1e-10 of the light mass's terms."""
    rng = np.random.default_rng(seed)
    entries = jax.tree.map(
        lambda x: np.asarray(x) * np.exp(1j * rng.uniform(-1.0, 1.0, x.shape)), benchmark_entries("BP-B")
    )
    entries = entries._replace(M_N=np.diag(np.diag(entries.M_N)))
    matrix = np.asarray(mass_matrix(entries))
    G = np.linalg.inv(matrix[1:, 1:])[:3, :3]
    d = entries.M_D[0].copy()
    roots = np.roots([G[2, 2], 2.0 * G[2, :2] @ d[:2], d[:2] @ G[:2, :2] @ d[:2]])
    d[2] = roots[0] * (1.0 + 1e-10)
    return entries._replace(M_D=d[None])


@pytest.mark.parametrize("seed", range(2))
def test_the_light_mass_keeps_its_digits(seed):
    """A complex cancellation of 1e-10, a mass of 1e-18 of the heaviest: 1e-12 of it, and its vertices to 1e-11."""
    entries = with_light_cancelled(seed)
    matrix = np.asarray(mass_matrix(entries))
    masses, real, imaginary = products(matrix.real, matrix.imag)
    states, found, _ = everything(entries)
    assert float(masses[0]) < 1e-16 * float(masses[-1])
    assert float(states.masses[0]) == pytest.approx(float(masses[0]), rel=1e-12)
    re, im = (x.astype(float) for x in squared(real, imaginary, charges(entries)[0]))
    np.testing.assert_allclose(np.asarray(found.V)[0] ** 2, (re + 1j * im)[0], rtol=1e-11, atol=1e-25)


# -- gradients ------------------------------------------------------------------------------------------------------


@jax.jit
def slopes_along(entries, direction):
    def outputs(entries):
        states = mass_states(entries)
        V = vertices(states, entries, V_PHI).V
        return states.masses, jnp.abs(V) ** 2, jnp.real(V * V)

    return jax.jvp(outputs, (entries,), (direction,))[1]


def exact_slopes(entries, direction):
    """Of masses, |V|^2 and Re V^2 along a complex direction, from differences of 100 digits."""
    charge = charges(entries)[0]

    def outputs(both):
        size = len(both) // 2
        masses, real, imaginary = products(both[:size], both[size:])
        re, _ = squared(real, imaginary, charge)
        _, ordinary, rest = many_digits.solve_takagi(both[:size], both[size:])
        return masses, many_digits.vertices_squared(ordinary, charge, rest), re

    def both(x):
        matrix = np.asarray(mass_matrix(x))
        return np.concatenate([matrix.real, matrix.imag])

    return many_digits.slopes(outputs, both(entries), both(direction))


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 3, 1)])
def test_gradients(shape):
    entries, direction = random_entries(4, *shape), random_entries(5, *shape)
    found = slopes_along(entries, direction)
    for slope, expected in zip(found, exact_slopes(entries, direction), strict=True):
        np.testing.assert_allclose(slope, expected, rtol=1e-9, atol=1e-12)


def test_gradients_of_a_quasi_dirac_pair():
    """N and D_R are nearly one Dirac state with D_L: masses that differ by some 1e-8 of themselves.

    Slopes of |V|^2 are up to 1/gap. The difference of the masses is known to rounding over the gap.
    """
    full, direction = random_entries(6, 1, 1, 1), random_entries(7, 1, 1, 1)
    entries = full._replace(M_N=1e-8 * full.M_N, Lambda_R=1e-8 * full.Lambda_R)
    masses = np.asarray(everything(entries)[0].masses)
    assert 1e-9 < masses[3] / masses[2] - 1.0 < 1e-7
    found, expected = slopes_along(entries, direction), exact_slopes(entries, direction)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-12, atol=1e-12)
    for slope, exact in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_allclose(slope, exact, rtol=1e-6, atol=1e-6 * np.max(np.abs(exact)))


def test_absent_vertices_have_finite_phases_and_slopes():
    """BP-A with complex entries of phase 0: V_43 and others vanish."""
    entries = jax.tree.map(lambda x: x + 0j, benchmark_entries("BP-A"))

    @jax.jit
    def slope(entries):
        def total(entries):
            V = vertices(mass_states(entries), entries, V_PHI).V
            return jnp.sum(jnp.cos(2.0 * vertex_phases(V)) * jnp.abs(V) ** 2)

        return jax.grad(total)(entries)

    assert all(np.all(np.isfinite(leaf)) for leaf in slope(entries))
    assert float(jax.grad(lambda x: vertex_phases(x + 0j))(0.0)) == 0.0
