import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomfit.physics.majorana import (
    MajoranaStates,
    diagonalise,
    mass_matrix_of,
    takagi,
    with_positive_masses,
)
from tests.physics import many_digits

real_states, complex_states = jax.jit(diagonalise), jax.jit(takagi)


def symmetric(rng, size, imaginary=False):
    matrix = rng.normal(size=(size, size)) + (1j * rng.normal(size=(size, size)) if imaginary else 0.0)
    return matrix + matrix.T


def rotation(rng, size):
    return np.linalg.qr(rng.normal(size=(size, size)))[0]


def is_factorised(matrix, states, rtol=1e-14):
    scale = np.max(np.abs(matrix))
    mixing = np.asarray(states.mixing)
    np.testing.assert_allclose(mixing.conj().T @ mixing, np.eye(len(matrix)), atol=1e-14)
    np.testing.assert_allclose(mixing.T @ matrix @ mixing, np.diag(states.masses), atol=len(matrix) * rtol * scale)
    np.testing.assert_allclose(mass_matrix_of(states), matrix, atol=len(matrix) * rtol * scale)
    assert np.all(np.diff(np.abs(states.masses)) >= 0.0)


SIZE = 5
seeds = st.integers(0, 2**32 - 1)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(seeds, st.floats(0.0, 4.0))
def test_real_factorisation(seed, decades):
    """U^T M U = diag(m) with an orthogonal U; LAPACK has the same eigenvalues; also graded over `decades`."""
    rng = np.random.default_rng(seed)
    grading = 10.0 ** rng.uniform(-decades, 0.0, SIZE)
    matrix = symmetric(rng, SIZE) * np.outer(grading, grading)
    states = real_states(matrix)
    is_factorised(matrix, states)
    atol = 1e-14 * SIZE * np.max(np.abs(matrix))
    np.testing.assert_allclose(np.sort(states.masses), np.linalg.eigvalsh(matrix), atol=atol)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(seeds, st.floats(0.0, 4.0))
def test_takagi_factorisation(seed, decades):
    """U^T M U = diag(m), m >= 0, with a unitary U; the masses are LAPACK's singular values."""
    rng = np.random.default_rng(seed)
    grading = 10.0 ** rng.uniform(-decades, 0.0, SIZE)
    matrix = symmetric(rng, SIZE, imaginary=True) * np.outer(grading, grading)
    states = complex_states(matrix)
    is_factorised(matrix, states)
    singular = np.sort(np.linalg.svd(matrix, compute_uv=False))
    np.testing.assert_allclose(states.masses, singular, atol=1e-14 * SIZE * np.max(np.abs(matrix)))


@settings(deadline=None, derandomize=True, max_examples=30)
@given(seeds)
def test_masses_do_not_know_the_basis(seed):
    """Masses are unchanged by M -> W^T M W with a unitary W, and U goes to W^dagger U up to signs."""
    rng = np.random.default_rng(seed)
    matrix = symmetric(rng, 5, imaginary=True)
    change = np.linalg.qr(rng.normal(size=(5, 5)) + 1j * rng.normal(size=(5, 5)))[0]
    here, there = complex_states(matrix), complex_states(change.T @ matrix @ change)
    np.testing.assert_allclose(there.masses, here.masses, atol=1e-13)
    gap = np.min(np.diff(here.masses))
    overlap = np.asarray(here.mixing).conj().T @ change @ np.asarray(there.mixing)
    np.testing.assert_allclose(np.abs(np.real(overlap)), np.eye(5), atol=1e-13 / gap)


def test_other_sizes_converge():
    """One state, and many: complex ones converge last."""
    rng = np.random.default_rng(16)
    is_factorised(np.array([[-2.0]]), diagonalise([[-2.0]]))
    is_factorised(matrix := symmetric(rng, 16, imaginary=True), complex_states(matrix))


def test_one_real_matrix_both_ways():
    """Signed masses with real U, or positive masses with columns of opposite parity times i."""
    matrix = symmetric(np.random.default_rng(3), 5)
    signed, positive = real_states(matrix), complex_states(matrix)
    turned = with_positive_masses(signed)
    assert np.any(signed.masses < 0.0)
    is_factorised(matrix, turned)
    np.testing.assert_allclose(positive.masses, turned.masses, atol=1e-14)
    ratio = np.asarray(positive.mixing) / np.asarray(turned.mixing)
    np.testing.assert_allclose(ratio, np.broadcast_to(np.sign(ratio[0].real), (5, 5)), atol=1e-12)


def test_column_signs():
    matrix = symmetric(np.random.default_rng(5), 5)
    mixing = np.asarray(real_states(matrix).mixing)
    assert np.all(mixing[np.argmax(np.abs(mixing), axis=0), np.arange(5)] > 0.0)


def seesaw_matrix(rng, light=3, heavy=5):
    """`light` fields without masses of their own, mixing by 1e-4 with a heavy block: masses of 1e-8 beside 1."""
    return np.block(
        [
            [np.zeros((light, light)), small := 1e-4 * rng.normal(size=(light, heavy))],
            [small.T, symmetric(rng, heavy)],
        ]
    )


@pytest.mark.parametrize("seed", range(4))
def test_light_states_keep_their_digits(seed):
    """Masses and |U|^2 of three generations beside masses 1e8 times larger, against 100 digits."""
    matrix = seesaw_matrix(np.random.default_rng(seed))
    exact, products = many_digits.solve(matrix)
    states = real_states(matrix)
    np.testing.assert_allclose(states.masses, np.array(exact, float), rtol=1e-15)
    squared = np.array([np.diag(p) for p in products], float).T
    np.testing.assert_allclose(np.asarray(states.mixing) ** 2, squared, rtol=1e-14)
    phases = np.diag(np.exp(1j * np.arange(8)))
    np.testing.assert_allclose(complex_states(phases @ matrix @ phases).masses, np.abs(states.masses), rtol=1e-12)


@pytest.mark.parametrize("size", [2, 5])
def test_takagi_against_100_digits(size):
    rng = np.random.default_rng(size)
    matrix = symmetric(rng, size, imaginary=True)
    masses, real, imaginary = many_digits.solve_takagi(matrix.real, matrix.imag)
    states = complex_states(matrix)
    np.testing.assert_allclose(states.masses, np.array(masses, float), rtol=1e-14)
    for j in range(size):
        product = np.outer(np.asarray(states.mixing)[:, j].conj(), np.asarray(states.mixing)[:, j])
        np.testing.assert_allclose(product, real[j].astype(float) + 1j * imaginary[j].astype(float), atol=1e-14)


# -- equal and nearly equal masses ----------------------------------------------------------------------------------


def nearly_degenerate(seed, second, gap):
    """A rotated diagonal matrix with |m_1| = 1 and |m_2| = 1 + gap, the latter with the sign `second`."""
    turn = rotation(np.random.default_rng(seed), 5)
    return turn @ np.diag([0.4, 1.0, second * (1.0 + gap), -2.0, 3.0]) @ turn.T


def factorised(matrix):
    return takagi(matrix) if jnp.iscomplexobj(matrix) else diagonalise(matrix)


@jax.jit
def slopes_along(matrix, direction):
    """Derivatives of the masses, and of |V_jk|^2 for charges 0, 0, 0, 1, -1 of the fields, as in the dark seesaw."""

    def outputs(matrix):
        states = factorised(matrix)
        charge = jnp.asarray([0.0, 0.0, 0.0, 1.0, -1.0])
        V = jnp.conj(states.mixing).T @ (charge[:, None] * states.mixing)
        return states.masses, jnp.abs(V) ** 2

    return jax.jvp(outputs, (matrix,), (direction,))[1]


@jax.jit
def of_the_pair(matrix, direction):
    """Sum of |U_a|^2 and of |m| over the second and third state, and their derivatives."""

    def both(matrix):
        states = factorised(matrix)
        return jnp.sum(jnp.abs(states.mixing[3, 1:3]) ** 2), jnp.sum(jnp.abs(states.masses[1:3]))

    return jax.jvp(both, (matrix,), (direction,))


def exactly(matrix):
    masses, products = many_digits.solve(matrix)
    return masses, many_digits.vertices_squared(products, [0, 0, 0, 1, -1])


@pytest.mark.parametrize("second", [1.0, -1.0])
def test_gradients_at_a_small_gap(second):
    """At a relative gap of 1e-8 between masses of the same sign, and of opposite sign.

    For the same sign |V|^2 changes by up to 1/gap of the matrix's change, and the last digit of the masses' difference
    counts.
    """
    gap = 1e-8
    matrix = nearly_degenerate(1, second, gap)
    matrix = 0.5 * (matrix + matrix.T)  # exactly symmetric: else its 100 digits would be another matrix's
    direction = symmetric(np.random.default_rng(2), 5)
    slopes = many_digits.slopes(exactly, matrix, direction)
    signs = np.sign(np.array(exactly(matrix)[0], float))
    for dtype, sign in ((float, 1.0), (complex, signs)):
        found = slopes_along(matrix.astype(dtype), direction.astype(dtype))
        np.testing.assert_allclose(found[0], slopes[0] * sign, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(found[1], slopes[1], rtol=1e-7, atol=1e-7 * np.max(np.abs(slopes[1])))


@pytest.mark.parametrize("second", [1.0, -1.0])
@pytest.mark.parametrize("gap", [1e-8, 1e-10])
def test_states_at_a_small_gap(second, gap):
    """Masses to their last digit and U_aj U_bj to 1e-14, whatever the gap: U is corrected with more digits."""
    matrix = nearly_degenerate(7, second, gap)
    matrix = 0.5 * (matrix + matrix.T)
    masses, products = many_digits.solve(matrix)
    products = np.array(products, float)
    states = real_states(matrix)
    np.testing.assert_allclose(states.masses, np.array(masses, float), rtol=1e-15)
    U = np.asarray(states.mixing)
    np.testing.assert_allclose(np.einsum("aj,bj->jab", U, U), products, atol=1e-14)
    complex_U = np.asarray(complex_states(matrix).mixing)
    np.testing.assert_allclose(np.einsum("aj,bj->jab", complex_U.conj(), complex_U), products, atol=1e-14)


@pytest.mark.parametrize("gap", [0.0, 1e-8, 1e-11])
@pytest.mark.parametrize("second", [1.0, -1.0])
def test_what_does_not_see_the_choice_of_basis_has_its_gradient(gap, second):
    """The sum of the pair's |U_a|^2, and of its masses, is smooth through equality: against differences.

    What is lost is rounding over the gap.
    """
    matrix, direction = nearly_degenerate(4, second, gap), symmetric(np.random.default_rng(6), 5)
    atol = 1e-7 + (1e-15 / gap if gap > 0.0 else 0.0)
    for dtype in (float, complex):
        along, step = direction.astype(dtype), 1e-5
        slopes = of_the_pair(matrix.astype(dtype), along)[1]
        up, down = (of_the_pair(matrix + sign * step * along, along)[0] for sign in (1.0, -1.0))
        np.testing.assert_allclose(slopes[0], (up[0] - down[0]) / (2 * step), atol=atol)
        if second > 0.0:  # for opposite signs the sizes of two crossing masses have a kink
            np.testing.assert_allclose(slopes[1], (up[1] - down[1]) / (2 * step), atol=atol)


DEGENERATE = {
    "zero": np.zeros((4, 4)),
    "one": np.eye(4),
    "a Dirac pair and two massless states": np.pad([[0.0, 1.0], [1.0, 0.0]], (0, 2)),
    "opposite parities": np.diag([0.0, 0.0, 1.0, -1.0]),
    "two equal Dirac pairs": np.kron(np.eye(2), [[0.0, 2.0], [2.0, 0.0]]),
    "a seesaw of rank 2": np.block([[np.zeros((3, 3)), np.ones((3, 1))], [np.ones((1, 3)), np.eye(1)]]),
}


@jax.jit
def slopes_of_everything(matrix):
    def total(real, imaginary):
        states = takagi(real + 1j * imaginary)
        return jnp.sum(states.masses) + jnp.sum(jnp.abs(states.mixing) ** 4) + jnp.real(jnp.sum(states.mixing))

    return jax.grad(total, argnums=(0, 1))(jnp.real(matrix), jnp.imag(matrix))


@jax.jit
def real_slopes_of_everything(matrix):
    def total(matrix):
        states = diagonalise(matrix)
        return jnp.sum(states.masses) + jnp.sum(states.mixing**4) + jnp.sum(states.mixing)

    return jax.value_and_grad(lambda m: jnp.sum(jax.grad(total)(m)))(matrix)  # and of second order


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("phase", [1.0, np.exp(0.7j)])
def test_equal_masses_are_no_special_case(name, phase):
    """Factorised to rounding, and with finite derivatives of everything, for real matrices of second order too."""
    matrix = DEGENERATE[name]
    given = phase * matrix.astype(complex)
    is_factorised(given, complex_states(given))
    assert np.all(np.isfinite(slopes_of_everything(given)))
    is_factorised(matrix, real_states(matrix))
    assert all(np.all(np.isfinite(part)) for part in real_slopes_of_everything(matrix))


def test_trace_has_its_exact_second_derivative():
    """sum m^2 = tr(M^2): gradient 2M and a constant Hessian, also through the derivative of U."""
    rng = np.random.default_rng(8)
    matrix, direction = symmetric(rng, 4), symmetric(rng, 4)
    slope = jax.grad(lambda m: jnp.sum(diagonalise(m).masses ** 2))
    value, curvature = jax.jit(lambda m, t: jax.jvp(slope, (m,), (t,)))(matrix, direction)
    np.testing.assert_allclose(value, 2.0 * matrix, atol=1e-13)
    np.testing.assert_allclose(curvature, 2.0 * direction, atol=1e-12)


def test_batches():
    """vmap and jit give what one matrix at a time gives."""
    rng = np.random.default_rng(10)
    for factorise, imaginary in ((diagonalise, False), (takagi, True)):
        batch = np.stack([symmetric(rng, 5, imaginary) for _ in range(7)])
        together = jax.jit(jax.vmap(factorise))(batch)
        alone_compiled = real_states if factorise is diagonalise else complex_states
        for i, matrix in enumerate(batch):
            one = MajoranaStates(*(leaf[i] for leaf in together))
            alone = alone_compiled(matrix)
            np.testing.assert_allclose(one.masses, alone.masses, rtol=1e-13)
            np.testing.assert_allclose(one.mixing, alone.mixing, atol=1e-13)
