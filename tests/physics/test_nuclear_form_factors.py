import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads
from scipy import constants as codata
from scipy.integrate import quad
from scipy.special import spherical_jn

from anomfit.beams.booster import miniboone_beam
from anomfit.constraints.dark_photon_reference import benchmark, interactions
from anomfit.physics.constants import M_C12
from anomfit.physics.kinematics import momentum_transfer_limits
from anomfit.physics.nuclear_form_factors import (
    B_CARBON_12,
    exponential,
    fourier_bessel,
    helm,
    helm_radius_squared,
    measured,
)
from anomfit.physics.nuclei import charge_density, nucleus
from anomfit.physics.targets import FormFactors, of_nucleus
from anomfit.physics.vector_exchange import electric_part

HBAR_C = codata.hbar * codata.c / codata.e * 1e6  # GeV fm
Q_SQUARED = np.array([1e-8, 1e-4, 1e-3, 0.00415, 0.0042, 0.01, 0.05, 0.2, 1.0])  # GeV^2, both sides of the series' end


@pytest.mark.parametrize("mass_number", [12, 16, 40])
def test_helm_is_the_bessel_function_times_the_skin(mass_number):
    radius = np.sqrt((1.23 * mass_number ** (1 / 3) - 0.6) ** 2 + 7 / 3 * np.pi**2 * 0.52**2 - 5 * 0.9**2)
    q = np.sqrt(Q_SQUARED) / HBAR_C
    expected = 3.0 * spherical_jn(1, q * radius) / (q * radius) * np.exp(-0.5 * (0.9 * q) ** 2)
    np.testing.assert_allclose(helm(Q_SQUARED, mass_number), expected, rtol=1e-9, atol=1e-15)


def test_helm_of_carbon_is_the_fourier_transform_of_a_smeared_sphere():
    """A uniform sphere convolved with a Gaussian of width s, transformed numerically."""
    radius, q = float(jnp.sqrt(helm_radius_squared(12))), np.sqrt(0.02) / HBAR_C
    sphere = quad(lambda r: 3.0 * r**2 / radius**3 * np.sinc(q * r / np.pi), 0.0, radius, epsrel=1e-12)[0]
    np.testing.assert_allclose(helm(0.02, 12), sphere * np.exp(-0.5 * (0.9 * q) ** 2), rtol=1e-10)


def test_helm_starts_at_one_with_the_slope_of_its_radius():
    """-(R^2/10 + s^2/2): a sixth of the mean squared radius."""
    value, slope = jax.value_and_grad(helm)(0.0, 12)
    assert value == 1.0
    expected = -(float(helm_radius_squared(12)) / 10.0 + 0.9**2 / 2.0) / HBAR_C**2
    np.testing.assert_allclose(slope, expected, rtol=1e-9)


def test_rms_radius_of_carbon():
    """5 % above the charge radius, 2.470 fm (Angeli and Marinova 2013), as the docstring says."""
    slope = jax.grad(helm)(0.0, 12)
    radius = np.sqrt(-6.0 * float(slope)) * HBAR_C
    assert radius == pytest.approx(2.58, abs=0.01)
    assert radius / 2.470 == pytest.approx(1.05, abs=0.005)


scaled_helm = jax.jit(lambda x: helm(0.01 * x, 12))
curvature = jax.jit(jax.grad(jax.grad(helm)))


@pytest.mark.parametrize("q_squared", [0.0, 0.0041, 0.0043, 0.1])
def test_helm_gradients(q_squared):
    if q_squared > 0.0:
        check_grads(scaled_helm, (100.0 * q_squared,), order=1, modes=["rev"], rtol=1e-6)
    assert np.isfinite(curvature(q_squared, 12))


def test_series_and_closed_form_meet():
    edge = HBAR_C**2 / float(helm_radius_squared(12))
    slopes = jax.vmap(jax.grad(lambda x: helm(x, 12)))(edge * jnp.array([1.0 - 1e-9, 1.0 + 1e-9]))
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-7)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.floats(0.0, 3.0), st.integers(4, 208))
def test_helm_never_exceeds_one(q_squared, mass_number):
    assert abs(float(helm(q_squared, mass_number))) <= 1.0


def test_exponential_squares_to_the_papers_rate_factor():
    np.testing.assert_allclose(exponential(Q_SQUARED, B_CARBON_12) ** 2, np.exp(-50.0 * Q_SQUARED), rtol=1e-13)
    assert exponential(0.0, B_CARBON_12) == 1.0


# -- the measured radius ----------------------------------------------------------------------------------------------

# Fourier-Bessel coefficients (fm^-3, R = 8 fm) of the charge density of 12C: de Vries et al., Atom. Data Nucl. Data
# Tabl. 36 (1987) 495, table IV, second set, as two public codes quote it alike; their charge and radius close below
FOURIER_BESSEL = [
    0.15737e-1, 0.38897e-1, 0.37085e-1, 0.14795e-1, -0.44831e-2, -0.10057e-1, -0.68696e-2, -0.28813e-2,
    -0.77229e-3, 0.66908e-4, 0.10636e-3, -0.36864e-4, -0.50135e-5, 0.94550e-5, -0.47687e-5,
]  # fmt: skip


def of_electron_scattering(q_squared):
    """Form factor of that density, each j_0(k pi r/R) transformed in closed form; normalised to its charge."""
    k = np.pi / 8.0 * np.arange(1, len(FOURIER_BESSEL) + 1)
    charge = 4.0 * np.pi * np.sum(FOURIER_BESSEL * -(np.cos(k * 8.0)) * 8.0 / k**2)
    assert charge == pytest.approx(6.0, rel=1e-4)
    q = np.sqrt(np.asarray(q_squared))[..., None] / HBAR_C
    radial = np.sin(q * 8.0) * np.cos(k * 8.0) / (q * (q**2 - k**2))  # integral of r^2 j_0(kr) j_0(qr) up to R
    return 4.0 * np.pi * np.sum(FOURIER_BESSEL * radial, axis=-1) / charge


@pytest.mark.parametrize("name", ["C12", "O16", "Si28", "Ar40"])
def test_the_measured_radius_is_that_of_the_form_factor(name):
    radius = nucleus(name).charge_radius
    slope = jax.grad(measured)(0.0, radius)
    assert np.sqrt(-6.0 * float(slope)) * HBAR_C == pytest.approx(radius, rel=1e-12)


def test_the_radius_of_carbon_and_argon():
    assert nucleus("C12").charge_radius == pytest.approx(2.470, abs=5e-4)
    assert nucleus("Ar40").charge_radius == pytest.approx(3.427, abs=5e-4)


def test_carbon_agrees_with_electron_scattering_where_it_scatters():
    q_squared = np.array([1e-4, 1e-3, 0.005, 0.01, 0.02, 0.03])
    expected = of_electron_scattering(q_squared)
    np.testing.assert_allclose(measured(q_squared, nucleus("C12").charge_radius), expected, atol=0.015)
    assert np.max(np.abs(np.asarray(helm(q_squared, 12)) - expected)) > 0.03


def test_the_density_of_electron_scattering_has_its_published_radius():
    small = 1e-5
    assert np.sqrt(6.0 * (1.0 - float(of_electron_scattering(small))) / small) * HBAR_C == pytest.approx(
        2.464, abs=2e-3
    )


def test_the_dark_photon_makes_as_many_interactions_as_with_the_charge_density():
    """Of arXiv:1807.09877 on carbon at MiniBooNE: 9070 with Helm's radius, 9620 with the charge density."""
    values, beam = benchmark(), miniboone_beam("numu-only", "neutrino")
    m_N, m_V = values["m_N"], values["m_V"]
    threshold = m_N + 0.5 * m_N**2 / M_C12
    energy = threshold + (float(beam.highest_energy) - threshold) * np.linspace(1e-3, 1.0, 300)[:, None] ** 2
    low, high = (np.asarray(x) for x in momentum_transfer_limits(energy, m_N, M_C12))
    u, w = (0.5 * (x + shift) for x, shift in zip(np.polynomial.legendre.leggauss(96), (1.0, 0.0), strict=True))
    span = np.log((np.minimum(high, 0.5) + m_V**2) / (low + m_V**2))
    shifted = (low + m_V**2) * np.exp(span * u)
    q_squared = shifted - m_V**2
    kernel = np.asarray(electric_part(q_squared, energy, m_N, M_C12)) / shifted * span * w
    flux = np.asarray(beam.flux_at(jnp.asarray(energy[:, 0])))[:, 0]

    def events(form_factor):
        by_energy = np.sum(kernel * np.asarray(form_factor) ** 2, axis=1) / energy[:, 0] ** 2
        return np.trapezoid(by_energy * flux, energy[:, 0])

    by_helm, by_density = events(helm(q_squared, 12)), events(of_electron_scattering(q_squared))
    by_radius = events(measured(q_squared, nucleus("C12").charge_radius))
    shipped = interactions(beam, values["U_mu4_squared_published"])[0]
    assert shipped == pytest.approx(9070, rel=5e-3)  # dark_photon_reference keeps Helm's radius, as its source
    assert shipped * by_density / by_helm == pytest.approx(9620, rel=5e-3)
    assert 0.990 < by_radius / by_density < 1.0  # 0.8 % below: radius 2.470 and not 2.464 fm, and Helm's shape


# -- the charge density -----------------------------------------------------------------------------------------------

DENSITIES = ("C12", "O16", "Al27", "Si28", "Ar40", "Ca40", "Ti48", "Fe56", "Pb208")


def rho(name, r):
    """The density in 1/fm^3 at radii in fm."""
    density = charge_density(name)
    assert density is not None
    order = np.arange(1, len(density.coefficients) + 1)
    return density.coefficients @ np.sinc(order[:, None] * r / density.cut_off_radius)


@pytest.mark.parametrize("name", DENSITIES)
def test_fourier_bessel_is_the_transform_of_its_density(name):
    """Against a direct integral over the density, at qR = n pi and on both sides of qR = 1 too; charge and radius."""
    density = charge_density(name)
    assert density is not None
    u, w = np.polynomial.legendre.leggauss(400)
    R = density.cut_off_radius
    r = 0.5 * R * (1.0 + u)
    weight = 0.5 * R * w * 4.0 * np.pi * r**2 * rho(name, r)
    assert np.sum(weight) == pytest.approx(nucleus(name).protons, rel=2e-4)
    assert np.sqrt(np.sum(weight * r**2) / np.sum(weight)) == pytest.approx(nucleus(name).charge_radius, rel=0.015)
    q = np.concatenate([[0.0, 0.3, 0.999, 1.001], np.pi * np.arange(1, 6), np.linspace(1.0, 20.0, 30)]) / R
    direct = np.sinc(q[:, None] * r / np.pi) @ weight / np.sum(weight)
    found = fourier_bessel((q * HBAR_C) ** 2, *density)
    np.testing.assert_allclose(found, direct, rtol=1e-10, atol=1e-12)
    slopes = jax.vmap(jax.grad(lambda q_squared: fourier_bessel(q_squared, *density)))((q * HBAR_C) ** 2)
    assert np.all(np.isfinite(slopes))
    assert float(slopes[0]) == pytest.approx(-np.sum(weight * r**2) / np.sum(weight) / 6.0 / HBAR_C**2, rel=1e-9)


def test_nuclei_without_a_density_take_their_radius():
    assert charge_density("Na23") is None
    both = [of_nucleus(Q_SQUARED, "Na23", FormFactors("dipole", word, 1.0)) for word in ("fourier-bessel", "measured")]
    np.testing.assert_array_equal(*both)
    density = charge_density("C12")
    assert density is not None
    np.testing.assert_allclose(density.coefficients, FOURIER_BESSEL, rtol=1e-12)
