import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads
from scipy.optimize import minimize

from anomfit.physics.scalar_sector import (
    Quartics,
    charged_mass_squared,
    cp_odd_mass_squared,
    higgs_mass,
    is_bounded_from_below,
    is_perturbative,
    is_tachyonic,
    mass_matrix,
    masses_from_potential,
    mu_H_from_quartics,
    potential_from_masses,
    rotation,
)

V = 246.0
TABLE_1 = (0.750, 0.017, 0.1)  # m_H, m_hprime (GeV), sin_delta: arXiv:2010.06159 Table I
HALF_TURN = np.sqrt(0.5)


@pytest.mark.parametrize(
    "masses",
    [TABLE_1, (0.75, 0.017, -0.1), (0.106, 0.023, 0.28), (1.0, 1e-4, 0.01), (0.3, 0.29, 0.9), (10.0, 1e-3, 0.0)],
)
def test_round_trip(masses):
    back = masses_from_potential(*potential_from_masses(*masses, V), V)
    np.testing.assert_allclose(back, masses, rtol=1e-10, atol=1e-15)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.floats(0.01, 10.0), st.floats(1e-2, 0.99), st.floats(-0.99, 0.99))
def test_round_trip_everywhere(m_H, ratio, sin_delta):
    back = masses_from_potential(*potential_from_masses(m_H, ratio * m_H, sin_delta, V), V)
    np.testing.assert_allclose(back, (m_H, ratio * m_H, sin_delta), rtol=1e-10, atol=1e-12)


def test_light_state_is_limited_by_the_inputs_digits_alone():
    """m_h' << m_H: the determinant's relative error is eps sin^2 m_H^2/m_h'^2, that of the potential's own rounding."""
    m_H, m_hprime, sin_delta = 1.0, 1e-4, 0.5
    back = masses_from_potential(*potential_from_masses(m_H, m_hprime, sin_delta, V), V)
    limit = 4.0 * np.finfo(float).eps * (sin_delta * m_H / m_hprime) ** 2
    np.testing.assert_allclose(back.m_hprime, m_hprime, rtol=limit)


@pytest.mark.parametrize("sin_delta", [0.1, -0.1, 0.28, -0.8])
def test_rotation_diagonalises_the_full_matrix(sin_delta):
    m_H, m_hprime, lambda_1 = 0.75, 0.017, 0.26
    potential = potential_from_masses(m_H, m_hprime, sin_delta, V)
    matrix = np.asarray(mass_matrix(lambda_1, 0.0, *potential, V))
    z = np.asarray(rotation(sin_delta))
    m_h = float(higgs_mass(lambda_1, V))
    expected = np.diag([m_h**2, m_H**2, m_hprime**2])
    np.testing.assert_allclose(z @ matrix @ z.T, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(z @ z.T, np.eye(3), atol=1e-15)
    eigenvalues, vectors = np.linalg.eigh(matrix[1:, 1:])
    np.testing.assert_allclose(eigenvalues, [m_hprime**2, m_H**2], rtol=1e-9)
    light = vectors[:, 0] * np.sign(vectors[1, 0])  # h' = s H2 + c H3
    np.testing.assert_allclose(light, [sin_delta, np.sqrt(1.0 - sin_delta**2)], rtol=1e-10)


def test_sign_and_size_of_the_angle_follow_equation_9():
    mu_H, mu_hprime, m_12 = 0.5, 0.02, 1e-4
    states = masses_from_potential(mu_H, mu_hprime, m_12, V)
    delta = np.arcsin(float(states.sin_delta))
    assert np.tan(2.0 * delta) == pytest.approx(np.sqrt(2.0) * m_12 * V / (mu_hprime - mu_H), rel=1e-12)
    assert delta < 0.0
    swapped = masses_from_potential(mu_hprime, mu_H, m_12, V)  # a light doublet: the heavy state is the singlet
    assert abs(float(swapped.sin_delta)) > HALF_TURN
    assert float(swapped.m_H) == pytest.approx(float(states.m_H), rel=1e-14)


def test_masses_follow_equation_10():
    mu_H, mu_hprime, m_12 = 0.5, 0.02, 3e-4
    root = np.sqrt((mu_H - mu_hprime) ** 2 + 2.0 * m_12**2 * V**2)
    states = masses_from_potential(mu_H, mu_hprime, m_12, V)
    np.testing.assert_allclose(states.m_H**2, 0.5 * (mu_H + mu_hprime + root), rtol=1e-14)
    np.testing.assert_allclose(states.m_hprime**2, 0.5 * (mu_H + mu_hprime - root), rtol=1e-12)


def test_companion_papers_numbers():
    """The library's physics reference, section 16: entries (102, 53.8, 37 MeV)^2 give 106.07, 22.83 MeV and 0.2811."""
    m_12 = -np.sqrt(2.0) * 0.0538**2 / V
    states = masses_from_potential(0.102**2, 0.037**2, m_12, V)
    np.testing.assert_allclose(states, [0.10607, 0.02283, 0.2811], rtol=3e-4)


def test_charged_and_cp_odd_masses():
    """With lambda_4 = lambda_5 and a light H, m_H+-^2 = m_A^2 = -v^2 lambda_5 (to m_H^2)."""
    lambda_5, m_H = -1.2, 0.75
    quartics = Quartics(*map(jnp.asarray, (0.26, 0.3, 2.5, lambda_5, lambda_5, 0.4, 0.0)))
    mu_2 = m_H**2 - 0.5 * (2.5 + 2.0 * lambda_5) * V**2
    assert float(mu_H_from_quartics(mu_2, quartics, V)) == pytest.approx(m_H**2, rel=1e-9)
    for squared in (charged_mass_squared(mu_2, quartics, V), cp_odd_mass_squared(mu_2, quartics, V)):
        assert float(squared) == pytest.approx(-(V**2) * lambda_5 + m_H**2, rel=1e-12)
    assert float(higgs_mass(0.259, V)) == pytest.approx(125.2, rel=1e-3)


def test_mass_splittings_are_second_derivatives_of_the_potential():
    """Equations 6, 11 and 12 against the Hessian of equation 2 in the fields, by automatic differentiation."""
    quartics = Quartics(*map(jnp.asarray, (0.26, 0.3, 1.1, -0.7, -0.4, 0.4, 0.2)))
    lambda_6, mu_2, mu_prime, m_12 = 0.15, 900.0, 400.0, 2.0

    def potential(fields):  # real fields H1, G, Re H2+, Im H2+, H2, A, H3 about the vacuum
        h1, g, c_re, c_im, h2, a, h3 = fields
        up, down, real, imag = (V + h1) / 2**0.5, g / 2**0.5, h2 / 2**0.5, a / 2**0.5
        phi_h, phi_H = up**2 + down**2, c_re**2 + c_im**2 + real**2 + imag**2
        product_re, product_im = up * real + down * imag, up * imag - down * real  # phi_h^dagger phi_H, no Goldstone +
        singlet = h3 / 2**0.5
        l = quartics
        mu_1, mu_12 = -0.5 * l.lambda_1 * V**2, 0.5 * lambda_6 * V**2
        value = phi_h * (0.5 * l.lambda_1 * phi_h + l.lambda_3 * phi_H + mu_1)
        value += phi_H * (0.5 * l.lambda_2 * phi_H + mu_2) + l.lambda_4 * (product_re**2 + product_im**2)
        value += singlet**2 * (l.lambda_2_prime * singlet**2 + mu_prime)
        value += l.lambda_5 * (product_re**2 - product_im**2)
        value += 2.0 * product_re * (lambda_6 * phi_h + l.lambda_5_prime * singlet**2 - mu_12)
        return value + 2.0 * singlet * m_12 * product_re

    gradient, hessian = jax.jit(lambda x: (jax.grad(potential)(x), jax.hessian(potential)(x)))(jnp.zeros(7))
    np.testing.assert_allclose(gradient, 0.0, atol=1e-8)
    mu_H = mu_H_from_quartics(mu_2, quartics, V)
    even = mass_matrix(quartics.lambda_1, lambda_6, mu_H, mu_prime, m_12, V)
    indices = np.array([0, 4, 6])
    np.testing.assert_allclose(hessian[indices][:, indices], even, rtol=1e-10, atol=1e-8)
    np.testing.assert_allclose(hessian[5, 5], cp_odd_mass_squared(mu_2, quartics, V), rtol=1e-10)
    np.testing.assert_allclose(0.5 * hessian[2, 2], charged_mass_squared(mu_2, quartics, V), rtol=1e-10)


def quartic_part(fields, q):
    """Quartic part of equation 2 for phi_h = (0, h), phi_H = (p, a + i b), phi_h' = s: all up to a gauge rotation."""
    h, p, a, b, s = fields
    phi_h, phi_H, product = h**2, p**2 + a**2 + b**2, h * (a + 1j * b)
    value = 0.5 * q.lambda_1 * phi_h**2 + 0.5 * q.lambda_2 * phi_H**2 + q.lambda_3 * phi_h * phi_H
    value = value + q.lambda_4 * abs(product) ** 2 + q.lambda_2_prime * s**4
    return value + (q.lambda_5 * product**2 + 2.0 * q.lambda_5_prime * s**2 * product).real


def test_stability_against_a_numerical_search():
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(5, 4000))
    directions /= np.linalg.norm(directions, axis=0)
    agreed = {True: 0, False: 0}
    for _ in range(150):
        couplings = rng.uniform(-2.0, 2.0, size=7)
        couplings[[0, 1, 5]] = rng.uniform(-0.05, 2.0, size=3)
        quartics = Quartics(*couplings)
        start = directions[:, np.argmin(quartic_part(directions, quartics))]
        found = minimize(lambda x, q=quartics: quartic_part(x / np.linalg.norm(x), q), start, tol=1e-12).fun
        if abs(found) < 1e-6:
            continue
        expected = found > 0.0
        agreed[expected] += 1
        assert bool(is_bounded_from_below(Quartics(*map(jnp.asarray, couplings)))) == expected, (couplings, found)
    assert min(agreed.values()) > 20


def test_stability_limits_the_charged_higgs_mass():
    """lambda_4 = lambda_5 < 0 and |lambda_3| < sqrt(4 pi): m_H+- stays below 369 GeV (section 8 of the reference)."""
    lambda_1, largest = 125.25**2 / V**2, np.sqrt(4.0 * np.pi) * (1.0 - 1e-9)

    def allowed(mass):
        lambda_5 = -((mass / V) ** 2)
        quartics = Quartics(*map(jnp.asarray, (lambda_1, largest, largest, lambda_5, lambda_5, largest, 0.0)))
        return bool(is_bounded_from_below(quartics)) and bool(is_perturbative(quartics))

    masses = np.arange(300.0, 470.0, 0.5)
    assert masses[[allowed(m) for m in masses]].max() == pytest.approx(369.0, abs=1.0)


def test_flags():
    quartics = Quartics(*map(jnp.asarray, (0.26, 0.3, 0.1, -0.05, -0.05, 0.2, 0.0)))
    assert is_perturbative(quartics)
    assert not is_perturbative(quartics._replace(lambda_3=jnp.asarray(3.6)))
    assert is_perturbative(quartics._replace(lambda_3=jnp.asarray(-3.5)))
    assert not is_bounded_from_below(quartics._replace(lambda_2_prime=jnp.asarray(-0.1)))
    batch = is_bounded_from_below(quartics._replace(lambda_3=jnp.array([-3.0, 0.1])))
    np.testing.assert_array_equal(batch, [False, True])
    assert not is_tachyonic(*potential_from_masses(*TABLE_1, V), V)
    assert is_tachyonic(0.5, 0.02, 6e-4, V)


def test_gradients():
    potential = np.array(potential_from_masses(*TABLE_1, V))
    scale = jnp.abs(potential)
    for index in range(3):
        function = jax.jit(lambda x, i=index: masses_from_potential(*(x * scale), V)[i])
        check_grads(function, (potential / scale,), order=1, modes=["rev"], rtol=1e-5, atol=1e-6, eps=1e-6)
    forward = jax.jit(lambda x: jnp.stack(potential_from_masses(*x, V)))
    check_grads(forward, (np.array(TABLE_1),), order=1, modes=["rev"], rtol=1e-6)


@pytest.mark.parametrize(
    "potential", [(0.5, 0.5, 0.0), (0.5, 0.02, 6e-4), (0.5, 0.0, 0.0), (-0.1, -0.2, 0.0), (0.5, 0.5, 1e-4)]
)
def test_corners_are_finite(potential):
    states = masses_from_potential(*potential, V)
    slopes = jax.jacrev(lambda x: jnp.stack(masses_from_potential(*x, V)))(jnp.array(potential))
    assert np.all(np.isfinite(states))
    assert np.all(np.isfinite(slopes))
    if is_tachyonic(*potential, V):
        assert states.m_hprime == 0.0
        np.testing.assert_array_equal(slopes[1], 0.0)
