import dirac
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads
from scipy.optimize import brentq

from anomfit.errors import InputError
from anomfit.physics.constants import M_E, M_MU, M_TAU
from anomfit.physics.scalar_decays import (
    decay_length_m,
    fermion_loop,
    lifetime_seconds,
    majorana_coupling,
    photon_coupling,
    width_fermion_to_fermion_scalar,
    width_to_fermions,
    width_to_massless_neutrino,
    width_to_photons,
)


def at_rest(mass, m_1, m_2, rng):
    """Momentum from energy conservation, and the two daughters' four-momenta in a random direction."""
    momentum = brentq(lambda p: np.hypot(p, m_1) + np.hypot(p, m_2) - mass, 0.0, mass, xtol=1e-16)
    direction = dirac.random_direction(rng)
    return momentum, dirac.four_momentum(m_1, momentum * direction), dirac.four_momentum(m_2, -momentum * direction)


def two_body_width(squared, momentum, mass):
    """Gamma = |M|^2 p/(8 pi m^2) for an isotropic |M|^2."""
    return squared * momentum / (8.0 * np.pi * mass**2)


@pytest.mark.parametrize("seed", range(4))
def test_scalar_to_fermions_from_spinors(seed):
    rng = np.random.default_rng(seed)
    mass, m_f, y = rng.uniform(0.5, 2.0), rng.uniform(0.01, 0.2), rng.normal()
    momentum, p_1, p_2 = at_rest(mass, m_f, m_f, rng)
    squared = sum(abs(dirac.bar(u) @ v) ** 2 for u in dirac.u_spinors(p_1, m_f) for v in dirac.v_spinors(p_2, m_f))
    expected = 3.0 * two_body_width(y**2 * squared, momentum, mass)
    np.testing.assert_allclose(width_to_fermions(mass, y, m_f, colours=3), expected, rtol=1e-11)


def fermion_squared(p_parent, p_daughter, m_parent, m_daughter, vertex):
    """Average over the parent's, sum over the daughter's spins of |ubar_1 vertex u_2|^2."""
    return 0.5 * sum(
        abs(dirac.bar(u_1) @ vertex @ u_2) ** 2
        for u_1 in dirac.u_spinors(p_daughter, m_daughter)
        for u_2 in dirac.u_spinors(p_parent, m_parent)
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("relative_cp", "vertex"), [(1, dirac.ONE), (-1, 1j * dirac.GAMMA_5)])
def test_fermion_to_fermion_scalar_from_spinors(seed, relative_cp, vertex):
    rng = np.random.default_rng(seed)
    m_2, m_1, m_phi, g = rng.uniform(0.5, 2.0), rng.uniform(0.0, 0.3), rng.uniform(0.0, 0.2), rng.normal()
    momentum, p_1, _ = at_rest(m_2, m_1, m_phi, rng)
    squared = g**2 * fermion_squared(np.array([m_2, 0.0, 0.0, 0.0]), p_1, m_2, m_1, vertex)
    expected = two_body_width(squared, momentum, m_2)
    width = width_fermion_to_fermion_scalar(m_2, m_1, m_phi, g, relative_cp)
    np.testing.assert_allclose(width, expected, rtol=1e-11)


def test_opposite_cp_is_a_mass_of_opposite_sign():
    """A Majorana field with mass eigenvalue -m_1 has the spin sum pslash - m_1: the trace gives eta = -1."""
    rng = np.random.default_rng(3)
    m_2, m_1, m_phi = 0.130, 0.085, 0.017
    momentum, p_1, _ = at_rest(m_2, m_1, m_phi, rng)
    p_2 = np.array([m_2, 0.0, 0.0, 0.0])
    trace = np.trace((dirac.slash(p_1) - m_1 * dirac.ONE) @ (dirac.slash(p_2) + m_2 * dirac.ONE)).real
    expected = two_body_width(0.5 * trace, momentum, m_2)
    np.testing.assert_allclose(width_fermion_to_fermion_scalar(m_2, m_1, m_phi, 1.0, -1), expected, rtol=1e-10)


def test_majorana_bilinears_add():
    """The second term of lambda_12 (N1bar N2 + N2bar N1) has the amplitude -vbar_2 v_1 = ubar_1 u_2: they add."""
    rng = np.random.default_rng(4)
    m_2, m_1 = 0.130, 0.085
    p_2, p_1 = dirac.four_momentum(m_2, rng.normal(size=3)), dirac.four_momentum(m_1, rng.normal(size=3))
    for s_1 in range(2):
        for s_2 in range(2):
            first = dirac.bar(dirac.u_spinors(p_1, m_1)[s_1]) @ dirac.u_spinors(p_2, m_2)[s_2]
            second = -dirac.bar(dirac.v_spinors(p_2, m_2)[s_2]) @ dirac.v_spinors(p_1, m_1)[s_1]
            np.testing.assert_allclose(first + second, float(majorana_coupling(1.0)) * first, rtol=1e-12, atol=1e-14)
    assert majorana_coupling(0.3, "once") == 0.3


@pytest.mark.parametrize(("majorana", "states"), [(False, 1), (True, 2)])
def test_massless_neutrino_from_spinors(majorana, states):
    rng = np.random.default_rng(5)
    mass, m_phi, y = 0.42, 0.13, 0.7
    momentum, p_1, _ = at_rest(mass, 0.0, m_phi, rng)
    squared = y**2 * fermion_squared(np.array([mass, 0.0, 0.0, 0.0]), p_1, mass, 0.0, dirac.P_R)
    expected = states * two_body_width(squared, momentum, mass)
    np.testing.assert_allclose(width_to_massless_neutrino(mass, m_phi, y, majorana), expected, rtol=1e-11)


def test_reference_widths():
    """The library's physics reference, section 16 (masses in MeV: the width scales with them)."""
    widths = [float(width_fermion_to_fermion_scalar(130.0, 85.0, 17.0, 1.0, eta)) for eta in (1, -1)]
    np.testing.assert_allclose(widths, [3.71454, 0.140379], rtol=3e-6)
    light, companion = width_to_fermions(0.017, 0.23e-4, M_E), width_to_fermions(0.023, 0.45e-4, M_E)
    assert float(lifetime_seconds(light)) == pytest.approx(1.85e-12, rel=2e-3)
    assert float(lifetime_seconds(companion)) == pytest.approx(3.56e-13, rel=2e-3)


def test_lifetime_of_N2_is_shorter_than_the_paper_says():
    """arXiv:2010.06159 states 1e-17 s; its Table I gives 8e-21 to 8e-19 s for every choice of CP and counting."""
    times = [
        float(
            lifetime_seconds(width_fermion_to_fermion_scalar(0.130, 0.085, 0.017, majorana_coupling(74.6e-3, n), eta))
        )
        for eta in (1, -1)
        for n in ("twice", "once")
    ]
    assert min(times) == pytest.approx(8e-21, rel=0.05)
    assert max(times) == pytest.approx(8.4e-19, rel=0.02)


def test_branching_ratios_of_the_dark_scalar():
    """DKM BP1 (arXiv:2005.08920 Table I): S -> gamma gamma with the tree coupling, e+e-, and nu nubar."""
    mass, v, eta_d, g_D, U_mu4 = 0.133, 246.0, 0.56, 0.29, 4.5e-3
    photons = float(width_to_photons(mass, 0.42e-3))
    electrons = float(width_to_fermions(mass, eta_d * M_E / v, M_E))
    neutrinos = float(width_to_fermions(mass, g_D * U_mu4**2, 0.0))  # 1 - |U_D4|^2 = |U_mu4|^2
    shares = np.array([photons, electrons, neutrinos]) / (photons + electrons + neutrinos)
    np.testing.assert_allclose(shares, [0.9158, 3.18e-3, 0.0810], rtol=2e-3)


@pytest.mark.parametrize(
    "tau", [1e-8, 1e-3, 0.29999, 0.30001, 0.6, 0.8999, 0.9001, 0.999999, 1.000001, 1.1001, 3.0, 1e3, 1e6]
)
def test_fermion_loop_against_the_textbook_form(tau):
    root = np.sqrt(complex(1.0 - 1.0 / tau))
    above = -0.25 * (np.log((1.0 + root) / (1.0 - root)) - 1j * np.pi) ** 2
    f = above if tau > 1.0 else np.arcsin(np.sqrt(tau)) ** 2
    expected = 2.0 * (tau + (tau - 1.0) * f) / tau**2
    rtol = max(1e-11, 1e-15 / tau**2) if tau < 1.0 else 1e-9  # the textbook form itself loses digits
    if tau > 1e-4:
        np.testing.assert_allclose(complex(fermion_loop(tau)), expected, rtol=rtol)
    else:
        np.testing.assert_allclose(complex(fermion_loop(tau)), 4.0 / 3.0 + 14.0 / 45.0 * tau, rtol=1e-13)


def test_fermion_loop_is_smooth_across_its_pieces_and_the_threshold():
    real = jax.jit(jax.vmap(jax.value_and_grad(lambda t: jnp.real(fermion_loop(t)))))
    imaginary = jax.jit(jax.vmap(jax.value_and_grad(lambda t: jnp.imag(fermion_loop(t)))))
    for edge in (0.3, 0.9, 1.1):
        slopes = real(edge + np.array([-1e-9, 0.0, 1e-9]))[1]
        np.testing.assert_allclose(slopes, slopes[1], rtol=1e-7)
    value, slope = real(1.0 + np.array([-1e-14, 0.0, 1e-14]))
    np.testing.assert_allclose(value, 2.0, rtol=1e-12)
    np.testing.assert_allclose(slope, np.pi**2 / 2.0 - 2.0, rtol=1e-6)
    value, slope = imaginary(np.array([0.5, 1.0, 1.0 + 1e-14]))
    np.testing.assert_allclose(value, 0.0, atol=1e-12)
    np.testing.assert_allclose(slope, 0.0, atol=2e-6)


def test_fermion_loop_gradients():
    tau, step = np.array([0.1, 0.29, 0.5, 0.8, 0.95, 1.05, 1.3, 4.0]), 1e-5
    for part in (jnp.real, jnp.imag):
        slopes = jax.jit(jax.vmap(jax.grad(lambda t, part=part: part(fermion_loop(t)))))(tau)
        differences = (part(fermion_loop(tau + step)) - part(fermion_loop(tau - step))) / (2.0 * step)
        np.testing.assert_allclose(slopes, differences, rtol=1e-6)


def test_photon_width():
    """Heavy fermions: kappa_eff = kappa - (alpha/2 pi)(4/3) sum N_c Q^2 y/m; widths go as m^3 |kappa|^2/(64 pi)."""
    couplings, masses, colours = np.array([1e-3, 2e-3]), np.array([50.0, 80.0]), np.array([1.0, 4.0 / 3.0])
    kappa = photon_coupling(1e-3, 2e-6, couplings, masses, colours)
    loops = (1.0 / 137.035999 / (2.0 * np.pi)) * 4.0 / 3.0 * np.sum(colours * couplings / masses)
    np.testing.assert_allclose(complex(kappa), 2e-6 - loops, rtol=1e-8)
    np.testing.assert_allclose(width_to_photons(0.1, kappa), 1e-3 / (64.0 * np.pi) * (2e-6 - loops) ** 2, rtol=1e-7)
    open_loop = photon_coupling(0.017, 0.0, np.array([1e-4]), np.array([M_E]), np.array([1.0]))
    assert abs(complex(open_loop).imag) > 0.0


def test_photon_width_has_a_gradient_below_at_and_above_the_threshold_of_pairs():
    def width(m):
        return width_to_photons(m, photon_coupling(m, 1e-3, np.array([1e-2]), np.array([0.1]), np.array([1.0])))

    slopes = jax.jit(jax.vmap(jax.grad(width)))(np.array([1e-6, 0.1, 0.2, 0.3]))
    assert np.all(np.isfinite(slopes))


@pytest.mark.parametrize(
    "width",
    [
        lambda m: width_to_fermions(m, 0.3, 0.05),
        lambda m: width_fermion_to_fermion_scalar(m, 0.06, 0.04, 0.3, 1),
        lambda m: width_fermion_to_fermion_scalar(m, 0.06, 0.04, 0.3, -1),
        lambda m: width_to_massless_neutrino(m, 0.1, 0.3, True),
    ],
)
def test_thresholds(width):
    masses = np.array([0.01, 0.05, 0.1 - 1e-12, 0.1 + 1e-12, 0.1 + 1e-6, 0.1 + 1e-3])
    value, slope = jax.jit(jax.vmap(jax.value_and_grad(width)))(masses)
    np.testing.assert_array_equal(value[:3], 0.0)
    np.testing.assert_array_equal(slope[:3], 0.0)
    assert np.all(np.isfinite(slope))
    assert np.all(np.diff(value[2:]) > 0.0)
    check_grads(jax.jit(width), (0.15,), order=1, modes=["rev"], rtol=1e-6)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.floats(1e-3, 10.0), st.floats(1e-3, 1.0), st.floats(0.1, 100.0))
def test_widths_scale_with_coupling_and_mass(mass, y, scale):
    width = float(width_to_fermions(mass, y, 0.2 * mass))
    assert width > 0.0
    assert float(width_to_fermions(mass, 2.0 * y, 0.2 * mass)) == pytest.approx(4.0 * width, rel=1e-13)
    assert float(width_to_fermions(scale * mass, y, 0.2 * scale * mass)) == pytest.approx(scale * width, rel=1e-12)
    same, opposite = (float(width_fermion_to_fermion_scalar(mass, 0.5 * mass, 0.2 * mass, y, eta)) for eta in (1, -1))
    assert same > opposite > 0.0


def test_lifetime_and_decay_length():
    """A muon of 1 GeV: tau = 2.197 us, L = (p/m) 658.6 m."""
    width = 1.1663788e-5**2 * M_MU**5 / (192.0 * np.pi**3) * (1.0 - 8.0 * (M_E / M_MU) ** 2) * 0.9958
    assert float(lifetime_seconds(width)) == pytest.approx(2.197e-6, rel=1e-3)
    boost = np.sqrt((1.0 / M_MU) ** 2 - 1.0)
    assert float(decay_length_m(M_MU, 1.0, width)) == pytest.approx(boost * 658.6, rel=1e-3)


def test_stable_and_resting_particles():
    assert lifetime_seconds(0.0) == np.inf
    assert decay_length_m(0.1, 1.0, 0.0) == np.inf
    assert decay_length_m(0.1, 0.1, 1e-15) == 0.0
    assert jax.grad(lifetime_seconds)(0.0) == 0.0
    for argument in range(3):
        assert np.isfinite(jax.grad(decay_length_m, argnums=argument)(0.1, 0.1, 1e-15))
        assert np.isfinite(jax.grad(decay_length_m, argnums=argument)(0.1, 1.0, 0.0))


def test_wrong_words_are_refused():
    with pytest.raises(InputError, match=r"relative_cp: 0 .* \+1"):
        width_fermion_to_fermion_scalar(1.0, 0.1, 0.1, 1.0, 0)
    with pytest.raises(InputError, match=r"counting: 'thrice' .* 'twice'"):
        majorana_coupling(1.0, "thrice")


def test_tau_channel_opens():
    width = jax.vmap(lambda m: width_to_fermions(m, 1e-3, M_TAU))(np.array([3.0, 4.0]))
    assert width[0] == 0.0
    assert width[1] > 0.0
