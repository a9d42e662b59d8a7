"""Deep-inelastic scattering by a light vector: the structure function against data, the integral against SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import dblquad

from anomfit.physics import deep_inelastic
from anomfit.physics.constants import GEV2_TO_CM2
from anomfit.physics.deep_inelastic import LEAST, LIGHTEST_HADRONS, M, cross_section, proton_structure, quark_charges

BARYON = {"m_vector": 0.8, "g": 0.0145, "c_u": 1e-4, "c_d": 1e-4}


NMC = (  # hep-ph/9610231, 90 GeV: x, Q^2, F_2 of the proton, error
    (0.0125, 1.22, 0.3022, 0.0076),
    (0.0254, 2.35, 0.3504, 0.0065),
    (0.0696, 3.45, 0.3841, 0.0079),
    (0.1399, 5.46, 0.3601, 0.0125),
    (0.2280, 6.81, 0.3205, 0.0132),
    (0.3511, 6.87, 0.2759, 0.0122),
)


def test_the_structure_function_of_the_proton_against_nmc():
    """chi^2 of six points, 2.5 per cent of normalisation added to each: below that of 5 per cent probability."""
    x, q_squared, measured, error = np.array(NMC).T
    found = np.asarray(proton_structure(x, q_squared))
    assert np.sum(((found - measured) / np.hypot(error, 0.025 * measured)) ** 2) < 12.6


def test_real_photons_have_a_finite_cross_section():
    """sigma = 4 pi^2 alpha F_2/Q^2 at Q^2 -> 0: 0.15 mb at 200 GeV in HERA (174 +- 13 microbarn)."""
    q_squared, W = 1e-4, 200.0
    x = q_squared / (q_squared + W**2)
    found = 4.0 * np.pi**2 / 137.036 * float(proton_structure(x, q_squared)) / q_squared * 0.3894e3  # microbarn
    assert found == pytest.approx(174.0, rel=0.15)


def test_charges_of_quarks_are_those_of_nucleons():
    for c_u, c_d in ((2.0 / 3.0, -1.0 / 3.0), (1.0 / 3.0, 1.0 / 3.0)):
        found = quark_charges(2.0 * c_u + c_d, c_u + 2.0 * c_d)
        assert [float(c) for c in found] == pytest.approx([c_u, c_d], abs=1e-12)


def test_a_photon_like_vector_has_the_structure_function_of_the_photon():
    alike = cross_section(100.0, 0.8, 1.0, 2.0 / 3.0, -1.0 / 3.0)
    baryon = cross_section(100.0, 0.8, 1.0, 1.0 / 3.0, 1.0 / 3.0)
    assert float(baryon / alike) == pytest.approx(2.0 / 5.0, rel=1e-12)


@pytest.mark.parametrize("least", [0.0, 10.0])
def test_the_integral_against_an_adaptive_one(least):
    energy, m = 110.0, 0.8

    def density(log_x, log_q):
        x, q_squared = np.exp(log_x), np.exp(log_q)
        y = q_squared / (2.0 * M * energy * x)
        shape = 1.0 - y + 0.5 * y**2 - (M * x * y) ** 2 / q_squared
        F_2 = (1.0 - 0.4 * x) * _allm(x, q_squared)
        return q_squared * shape * F_2 / (4.0 * np.pi * (q_squared + m**2) ** 2)

    def last(log_q):
        q_squared = np.exp(log_q)
        ends = [q_squared / (q_squared + LIGHTEST_HADRONS - M**2)]
        if least:
            ends.append(q_squared / (2.0 * M * least))
        return max(np.log(min(ends)), first(log_q))

    def first(log_q):
        return log_q - np.log(2.0 * M * energy)

    top = np.log(2.0 * M * energy)
    found, _ = dblquad(density, np.log(LEAST), top, first, last, epsrel=1e-5)
    charges = 0.5 * (1e-8 + 1e-8) / (5.0 / 18.0) * 0.0145**2
    assert float(cross_section(energy, **BARYON, least=least)) == pytest.approx(GEV2_TO_CM2 * charges * found, rel=2e-4)


def _allm(x, q_squared):
    """ALLM97 again, in plain NumPy."""
    t = np.log(np.log((q_squared + 0.52544) / 0.06527) / np.log(0.52544 / 0.06527))
    w = deep_inelastic.M_P**2 + q_squared * (1.0 / x - 1.0) - deep_inelastic.M_P**2

    def place(m):
        return (q_squared + m) / (q_squared + m + w)

    c = 0.28067 + (0.28067 - 0.22291) * (1.0 / (1.0 + t**2.1979) - 1.0)
    a = -0.0808 + (-0.0808 + 0.44812) * (1.0 / (1.0 + t**1.1709) - 1.0)
    b = 0.36292 + 1.8917 * t**1.8439
    pomeron = c * place(49.457) ** a * (1.0 - x) ** b
    c, a, b = 0.80107 + 0.97307 * t**3.4942, 0.584 + 0.37888 * t**2.6063, 0.01147 + 3.7582 * t**0.49338
    return q_squared / (q_squared + 0.31985) * (pomeron + c * place(0.15052) ** a * (1.0 - x) ** b)


@pytest.mark.parametrize("energy", [10.0, 1e3, 1e7])
def test_nodes_and_slopes(energy):
    few, many = (float(cross_section(energy, **BARYON, nodes=n)) for n in (48, 96))
    assert few == pytest.approx(many, rel=1e-5)

    def of_mass(m):
        return cross_section(energy, m, 0.0145, 1e-4, 1e-4)

    slope = float(jax.grad(of_mass)(jnp.asarray(0.8)))
    assert slope == pytest.approx(float(of_mass(0.8 + 1e-4) - of_mass(0.8 - 1e-4)) / 2e-4, rel=1e-5)


def test_nothing_below_the_energy_of_the_hadrons():
    assert float(cross_section(9.0, **BARYON, least=10.0)) == 0.0
