from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads
from scipy.integrate import quad

from anomfit.physics.lepton_moments import (
    axial_moment,
    off_diagonal_scalar_moment,
    pseudoscalar_moment,
    scalar_moment,
    vector_moment,
)

M_MU, M_E, M_TAU = 0.1056583755, 0.51099895e-3, 1.77686  # GeV; the values of the reference numbers
RATIOS = [1e-4, 1e-3, 0.16, 1.0, 1.99, 2.0, 7.1, 33.0, 1e3, 1e5]


def integral(r, r_F, flip, keep):
    """int_0^1 dz z^2 [flip r_F + (1-z) keep]/Delta, adaptively, decade by decade from both ends; without 1/(8 pi^2)."""

    def delta(z, w):  # w = 1 - z; written so that nothing cancels at either end
        return w * r**2 + (z * (r_F**2 - 1.0 + z) if z < w else z * (r_F**2 - w))

    def positive(numerator):
        edges = np.concatenate([[0.0], 10.0 ** np.arange(-14, 0), [0.5]])
        ends = (
            lambda z: z**2 * numerator(1.0 - z) / delta(z, 1.0 - z),
            lambda w: (1.0 - w) ** 2 * numerator(w) / delta(1.0 - w, w),
        )
        return sum(quad(f, a, b, epsabs=0.0, epsrel=1e-12, limit=200)[0] for f in ends for a, b in pairwise(edges))

    return flip * r_F * positive(lambda w: 1.0) + keep * positive(lambda w: w)


@pytest.mark.parametrize("r", RATIOS)
def test_diagonal_moments_against_adaptive_quadrature(r):
    unit = 1.0 / (8.0 * np.pi**2)
    np.testing.assert_allclose(scalar_moment(1.0, r, 1.0), unit * integral(r, 1.0, 1.0, 1.0), rtol=1e-9)
    np.testing.assert_allclose(pseudoscalar_moment(1.0, r, 1.0), unit * integral(r, 1.0, -1.0, 1.0), rtol=1e-9)


STABLE = [
    (r, r_F)
    for r in (1e-4, 0.01, 0.3, 1.0, 5.0, 1e3, 1e5)
    for r_F in (0.0048, 0.06, 0.5, 0.71, 0.9999, 1.001, 16.8, 206.8, 3477.0)
    if r + r_F >= 1.0 + 1e-12
]


@pytest.mark.parametrize(("r", "r_F"), STABLE)
def test_off_diagonal_moment_against_adaptive_quadrature(r, r_F):
    expected = integral(r, r_F, 0.4 * -0.7, 0.5 * (0.4**2 + 0.7**2)) / (8.0 * np.pi**2)
    np.testing.assert_allclose(off_diagonal_scalar_moment(1.0, r_F, r, 0.4, -0.7), expected, rtol=1e-9)


@pytest.mark.parametrize(("r", "r_F"), [(0.16, 0.0048), (0.5, 0.3), (0.01, 0.9), (0.001, 0.06), (0.69, 0.3)])
def test_off_diagonal_moment_of_a_decaying_lepton_is_the_principal_value(r, r_F):
    flip, keep = 0.4 * 0.7, 0.5 * (0.4**2 + 0.7**2)
    low, high = np.sort(np.roots([1.0, r_F**2 - 1.0 - r**2, r**2]).real)
    middle = 0.5 * (low + high)

    def numerator(z):
        return z**2 * (flip * r_F + (1.0 - z) * keep)

    left = quad(lambda z: numerator(z) / (z - high), 0.0, middle, weight="cauchy", wvar=low, epsrel=1e-11, limit=500)
    right = quad(lambda z: numerator(z) / (z - low), middle, 1.0, weight="cauchy", wvar=high, epsrel=1e-11, limit=500)
    expected = (left[0] + right[0]) / (8.0 * np.pi**2)
    np.testing.assert_allclose(off_diagonal_scalar_moment(1.0, r_F, r, 0.4, 0.7), expected, rtol=1e-8)


def test_both_routes_agree_where_they_meet():
    """Across r^2 + r_F^2 + r r_F = 1 the quadrature hands over to the closed form."""
    r_F = 0.6
    edge = 0.5 * (-r_F + np.sqrt(4.0 - 3.0 * r_F**2))
    moments = [float(off_diagonal_scalar_moment(1.0, r_F, edge * (1.0 + x), 0.4, 0.7)) for x in (-1e-12, 1e-12)]
    np.testing.assert_allclose(moments[0], moments[1], rtol=2e-10)


@pytest.mark.parametrize(
    ("m_lepton", "couplings", "masses", "expected", "rtol"),
    [  # the library's physics reference, section 16
        (M_MU, (1e-3,), (0.017,), 1.45541792e-8, 1e-8),
        (M_MU, (1e-3,), (0.750,), 7.37116998e-10, 1e-8),
        (M_MU, (1.6e-4,), (0.017,), 3.726e-10, 2e-4),
        (M_MU, (15.9e-4,), (0.750,), 1.864e-9, 3e-4),
        (M_MU, (1.6e-4, 15.9e-4), (0.017, 0.750), 2.236e-9, 3e-4),
        (M_E, (0.23e-4, 2.29e-4), (0.017, 0.750), 3.96e-14, 1e-3),
        (M_MU, (6.3e-4 * 0.28, 6.3e-4 * np.sqrt(1.0 - 0.28**2)), (0.023, 0.106), 2.730e-9, 2e-4),
    ],
)
def test_reference_values(m_lepton, couplings, masses, expected, rtol):
    total = sum(float(scalar_moment(m_lepton, m, y)) for m, y in zip(masses, couplings))
    assert total == pytest.approx(expected, rel=rtol)


def test_published_moments_of_the_benchmark():
    """arXiv:2010.06159: Delta a_mu = 2.24e-9 of which h' gives 16.6 % (its text; of the total), Delta a_e = 4e-14."""
    light, heavy = float(scalar_moment(M_MU, 0.017, 1.6e-4)), float(scalar_moment(M_MU, 0.750, 15.9e-4))
    assert light + heavy == pytest.approx(2.24e-9, abs=0.005e-9)
    assert light / (light + heavy) == pytest.approx(0.166, abs=1e-3)


def test_electron_moment_of_the_companion_paper_with_an_internal_tau():
    """Section 16: y_e = (0.45, 1.5)e-4 at 23, 106 MeV and y_et y_te = -5.6e-7 shared as sin^2, cos^2 (0.28)."""
    total, root = 0.0, np.sqrt(5.6e-7)
    for m_scalar, y_e, mixing in ((0.023, 0.45e-4, 0.28), (0.106, 1.5e-4, np.sqrt(1.0 - 0.28**2))):
        total += float(scalar_moment(M_E, m_scalar, y_e))
        total += float(off_diagonal_scalar_moment(M_E, M_TAU, m_scalar, root * mixing, -root * mixing))
    assert total == pytest.approx(-8.72e-13, rel=2e-3)


def test_limits():
    heavy, light = 1e4, 1e-7
    logarithm = np.log(heavy**2)
    unit = 1.0 / (8.0 * np.pi**2)
    np.testing.assert_allclose(scalar_moment(1.0, heavy, 1.0), unit / heavy**2 * (logarithm - 7.0 / 6.0), rtol=1e-6)
    np.testing.assert_allclose(
        pseudoscalar_moment(1.0, heavy, 1.0), -unit / heavy**2 * (logarithm - 11.0 / 6.0), rtol=1e-6
    )
    np.testing.assert_allclose(scalar_moment(1.0, light, 1.0), 1.5 * unit, rtol=1e-6)
    np.testing.assert_allclose(scalar_moment(1.0, 0.0, 1.0), 1.5 * unit, rtol=1e-9)
    np.testing.assert_allclose(pseudoscalar_moment(1.0, light, 1.0), -0.5 * unit, rtol=1e-6)
    chirality_flip = 0.3 * 0.4 / (16.0 * np.pi**2) * M_E / M_TAU  # no logarithm
    np.testing.assert_allclose(off_diagonal_scalar_moment(M_E, M_TAU, 1e-5, 0.3, 0.4), chirality_flip, rtol=1e-3)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.floats(1e-4, 10.0), st.floats(1e-6, 1.0), st.floats(1e-4, 1e3))
def test_laws(m_scalar, y, scale):
    scalar, pseudoscalar = float(scalar_moment(M_MU, m_scalar, y)), float(pseudoscalar_moment(M_MU, m_scalar, y))
    assert scalar > 0.0 > pseudoscalar
    assert scalar + pseudoscalar > 0.0  # the difference of the integrands is 2 (1-x)^2 x / Delta
    assert float(scalar_moment(M_MU, m_scalar, 2.0 * y)) == pytest.approx(4.0 * scalar, rel=1e-13)
    assert float(scalar_moment(scale * M_MU, scale * m_scalar, y)) == pytest.approx(scalar, rel=1e-10)
    assert float(off_diagonal_scalar_moment(M_MU, M_MU, m_scalar, y, y)) == pytest.approx(scalar, rel=1e-12)
    assert float(off_diagonal_scalar_moment(M_MU, M_MU, m_scalar, y, -y)) == pytest.approx(pseudoscalar, rel=1e-12)


def test_exchange_of_the_two_couplings_changes_nothing():
    moments = [float(off_diagonal_scalar_moment(M_E, M_TAU, 0.02, *y)) for y in ((0.1, -0.3), (-0.3, 0.1))]
    assert moments[0] == pytest.approx(moments[1], rel=1e-14)


@jax.jit
def scaled_moment(log_masses, couplings, size):
    return off_diagonal_scalar_moment(*jnp.exp(log_masses), *couplings) / size


@jax.jit
def log_moment(log_mass):
    return jnp.log(scalar_moment(M_MU, jnp.exp(log_mass), 1e-3))


@pytest.mark.parametrize("masses", [(M_MU, M_TAU, 0.017), (M_MU, M_E, 0.75), (M_TAU, M_E, 0.017), (1.0, 0.6, 0.55)])
def test_gradients(masses):
    """In the logarithms of the masses and in the couplings; the moment is of the order of `size`."""
    size = abs(float(off_diagonal_scalar_moment(*masses, 0.3, 0.2)))
    moment = partial(scaled_moment, size=size)
    check_grads(moment, (np.log(masses), np.array([0.3, 0.2])), order=1, modes=["rev"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("m_scalar", [1e-5, 0.017, 0.75, 100.0])
def test_gradient_of_the_diagonal_moment(m_scalar):
    check_grads(log_moment, (np.log(m_scalar),), order=1, modes=["rev"], rtol=1e-6, atol=1e-7)


def test_everything_is_finite_under_vmap():
    """Scalars from far below to far above, the threshold l -> F phi (m_phi = m_l - m_F) among them."""
    m_scalar = jnp.concatenate([jnp.geomspace(1e-6, 1e3, 50), jnp.array([0.75])])
    moment = jax.jit(jax.vmap(jax.value_and_grad(lambda m: off_diagonal_scalar_moment(1.0, 0.25, m, 0.1, 0.2))))
    value, slope = moment(m_scalar)
    assert np.all(np.isfinite(value))
    assert np.all(np.isfinite(slope))


@pytest.mark.parametrize("r", RATIOS)
def test_moments_of_vectors_and_axial_vectors_against_adaptive_quadrature(r):
    def adaptive(numerator):
        def of(z, w):
            return numerator(z, w) / (z**2 + w * r**2)

        edges = np.concatenate([[0.0], 10.0 ** np.arange(-14, 0), [0.5]])
        ends = (lambda z: of(z, 1.0 - z), lambda w: of(1.0 - w, w))
        return sum(quad(f, a, b, epsabs=0.0, epsrel=1e-12, limit=200)[0] for f in ends for a, b in pairwise(edges))

    unit = 1.0 / (8.0 * np.pi**2)
    vector, axial = vector_moment(1.0, r, 1.0), axial_moment(1.0, r, 1.0)
    np.testing.assert_allclose(vector, unit * adaptive(lambda z, w: 2.0 * z**2 * w), rtol=1e-9)
    np.testing.assert_allclose(
        axial, unit * adaptive(lambda z, w: 2.0 * z * w * (z - 4.0) - 4.0 * z**3 / r**2), rtol=1e-9
    )


def test_vector_moments_in_the_limits_and_at_the_reference_point():
    """The library's physics reference, section 16: g^2 = 1e-6, M = 1250 MeV."""
    assert float(vector_moment(M_MU, 1.25, 1e-3)) == pytest.approx(5.64398399e-11, rel=1e-8)
    heavy = (M_MU / 500.0) ** 2 / (12.0 * np.pi**2)
    np.testing.assert_allclose(vector_moment(M_MU, 500.0, 1.0), heavy, rtol=1e-5)
    np.testing.assert_allclose(axial_moment(M_MU, 500.0, 1.0), -5.0 * heavy, rtol=1e-5)
    np.testing.assert_allclose(vector_moment(M_MU, 0.0, 1.0), 1.0 / (8.0 * np.pi**2), rtol=1e-10)


def test_moments_of_light_vectors_have_gradients():
    for moment in (vector_moment, axial_moment):
        for mass in (1e-6, 0.017, 2.0):
            step = 1e-5 * mass
            slope = jax.grad(moment, argnums=1)(M_MU, mass, 1e-3)
            difference = (moment(M_MU, mass + step, 1e-3) - moment(M_MU, mass - step, 1e-3)) / (2.0 * step)
            np.testing.assert_allclose(slope, difference, rtol=1e-6)
