"""l1 -> l2 gamma: integrals against SciPy, reference values, the heavy scalar, the magnetic moment, gradients."""

from itertools import pairwise

import jax
import numpy as np
import pytest
from scipy.integrate import dblquad, quad

from anomfit.physics.constants import ALPHA, M_E, M_MU, M_TAU
from anomfit.physics.lepton_moments import off_diagonal_scalar_moment
from anomfit.physics.radiative_lepton_decays import Dipole, dipole, dipole_loops, width

ONE = (1.0, 1.0)
loops = jax.jit(dipole_loops)


def by_quadrature(m_1, m_F, M):
    """The x integral by hand, that over z by an adaptive rule between the singular places."""
    cuts = {0.0, 1.0, 0.1, 0.5, 0.9, *10.0 ** np.arange(-12.0, -1.0), *(1.0 - 10.0 ** np.arange(-8.0, -1.0))}
    if m_1 > m_F + M:
        middle = m_1**2 + m_F**2 - M**2
        high = (middle + np.sqrt(middle**2 - 4.0 * m_1**2 * m_F**2)) / (2.0 * m_1**2)
        cuts |= {high, m_F**2 / (m_1**2 * high)}

    def parts(z):
        A = z * M**2 + (1.0 - z) * m_F**2
        y = z * (1.0 - z) * m_1**2 / A
        l = -(np.log(abs(1.0 - y)) - 1j * np.pi * (y > 1.0)) / y if y > 1e-9 else 1.0 + 0.5 * y + 0j
        return (1.0 - z) ** 2 * l / A, (1.0 - z) * (l - 1.0) / m_1**2

    def whole(i, part):
        edges = sorted(cuts)
        each = [quad(lambda z: getattr(parts(z)[i], part), *ends, limit=200, epsrel=1e-10) for ends in pairwise(edges)]
        return sum(value for value, _ in each)

    return [whole(i, "real") + 1j * whole(i, "imag") for i in range(2)]


@pytest.mark.filterwarnings("ignore::scipy.integrate.IntegrationWarning")
@pytest.mark.parametrize(
    "masses",
    [(M_TAU, M_E, 0.023), (M_TAU, M_TAU, 0.106), (M_TAU, M_MU, 0.5), (M_TAU, M_E, 1.7), (M_TAU, M_E, 3.0)],
    ids=["opened", "closed", "muon", "near", "heavy"],
)
def test_the_loops_against_an_adaptive_integral(masses):
    np.testing.assert_allclose(loops(*masses), by_quadrature(*masses), rtol=1e-7)


def test_the_loop_before_the_integral_over_x():
    """Equation as printed, over x and z, where nothing is singular."""
    m_1, m_F, M = 0.3, 0.2, 0.35

    def delta(x, z):
        return z * (M**2 - x * m_1**2) + (1.0 - z) * m_F**2

    flipped, _ = dblquad(lambda x, z: (1.0 - z) / delta(x, z), 0.0, 1.0, 0.0, lambda z: 1.0 - z)
    kept, _ = dblquad(lambda x, z: x * z / delta(x, z), 0.0, 1.0, 0.0, lambda z: 1.0 - z)
    np.testing.assert_allclose(loops(m_1, m_F, M), [flipped, kept], rtol=1e-7)


def test_reference_values():
    """Of an independent calculation, all couplings 1, in GeV^-1."""
    m_tau = 1.77686
    opened = complex(dipole(m_tau, M_E, 0.023, ONE, ONE).left)
    assert opened.real == pytest.approx(0.29665, rel=1e-4)
    assert opened.imag == pytest.approx(-8.08e-3, rel=1e-3)
    assert complex(dipole(m_tau, m_tau, 0.106, ONE, ONE).right) == pytest.approx(-0.436775, rel=1e-5)


def test_a_heavy_scalar():
    """-m_1 y y' (-4 + 3 ln(M^2/m_1^2))/(3 M^2), arXiv:1209.1397: only the next order in m_1^2/M^2 is left."""
    for M, allowed in ((30.0, 2e-2), (300.0, 3e-4)):
        expected = -M_TAU * (-4.0 + 3.0 * np.log(M**2 / M_TAU**2)) / (3.0 * M**2)
        assert complex(dipole(M_TAU, M_TAU, M, ONE, ONE).left) == pytest.approx(expected, rel=allowed)


def test_a_light_lepton_has_the_flipped_loop_of_its_magnetic_moment():
    """Delta a of a light lepton with F in the loop is m_l m_F y y'/(8 pi^2) times the loop."""
    y, y_prime = 3e-4, -2e-3
    for M in (0.05, 0.5, 5.0):
        expected = off_diagonal_scalar_moment(M_E, M_TAU, M, y, y_prime)
        kept = off_diagonal_scalar_moment(M_E, M_TAU, M, y, -y_prime)  # without the helicity flip: half of the sum
        flipped = M_E * M_TAU * y * y_prime * float(loops(M_E, M_TAU, M).flipped.real) / (8.0 * np.pi**2)
        assert 0.5 * float(expected - kept) == pytest.approx(flipped, rel=1e-6)


def test_the_width_of_one_massless_loop():
    """F and the scalar massless: |C| = y_e y_et/(2 m_tau), as the physics reference of the model has it."""
    y_e, y_et, y_te = 3e-4, 5e-4, 7e-4
    found = float(width(M_TAU, dipole(M_TAU, 1e-9, 1e-9, (y_e, y_e), (y_te, y_et))))
    expected = ALPHA * M_TAU * y_e**2 * (y_et**2 + y_te**2) / (4096.0 * np.pi**4)
    assert found == pytest.approx(expected, rel=1e-5)
    assert float(width(M_TAU, Dipole(3.0 + 4.0j, 0.0j))) == pytest.approx(25.0 * ALPHA * M_TAU**3 / (1024.0 * np.pi**4))


@pytest.fixture(scope="module")
def rate_and_slopes():
    def rate(masses):
        return width(masses[0], dipole(*masses, (0.3, 0.4), (0.5, 0.6)))

    return jax.jit(jax.value_and_grad(rate))


@pytest.mark.parametrize("masses", [(M_TAU, M_E, 0.023), (M_TAU, M_TAU, 0.106)], ids=["opened", "closed"])
def test_gradients(masses, rate_and_slopes):
    x = np.array(masses)
    moved = [(rate_and_slopes(x + d)[0] - rate_and_slopes(x - d)[0]) / (2.0 * d.sum()) for d in np.diag(1e-5 * x)]
    np.testing.assert_allclose(rate_and_slopes(x)[1], moved, rtol=1e-5)


def test_finite_on_the_threshold(rate_and_slopes):
    for m_scalar in (M_TAU - M_MU, np.nextafter(M_TAU - M_MU, 0.0), 1e-6):
        value, slopes = rate_and_slopes(np.array([M_TAU, M_MU, m_scalar]))
        assert np.isfinite(value)
        assert np.all(np.isfinite(slopes))
