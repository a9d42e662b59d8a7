"""Cross sections and rates of scalar upscattering: regression values of arXiv:2010.06159's benchmark, limits, scaling.

The numbers were derived independently of this code from the paper's formulas with the printed couplings of Table I
(doublet-like H: y_nu = 12.4e-3, y_u = y_d = 8e-6; h': y_nu = 1.25e-3 and a tenth of F), constant nucleon form factor
and exp(-2 b Q^2) in the rate on carbon.
"""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.beams.booster import CH2, miniboone_beam
from anomfit.physics.exchange import ScalarExchange, d_sigma_d_q_squared
from anomfit.physics.kinematics import momentum_transfer_limits
from anomfit.physics.nucleon_scalar import M_D, M_U, SIGMA_FRACTIONS, nucleon_coupling
from anomfit.physics.targets import FormFactors, stack_targets
from anomfit.rates.interactions import interactions

M_N2 = 0.130
AS_PUBLISHED = FormFactors("constant", "exponential", 0.775)
NAMES = [target.name for target in CH2]


def benchmark(scale=1.0, scalars=(True, True), y=(12.4e-3, 1.25e-3)) -> ScalarExchange:
    coupling = [
        float(nucleon_coupling(n, 8e-6, 8e-6, *SIGMA_FRACTIONS["agr1"].of(n), M_U, M_D)) for n in ("proton", "neutron")
    ]
    on = np.array(scalars, dtype=float)
    return ScalarExchange(
        m_N=jnp.asarray(M_N2),
        mass=jnp.array([0.750, 0.017]),
        y=jnp.asarray(scale * np.array(y) * on),
        F_p=jnp.array([1.0, 0.1]) * coupling[0],
        F_n=jnp.array([1.0, 0.1]) * coupling[1],
        form_factors=AS_PUBLISHED,
    )


def d_sigma(name, e_nu, q_squared, exchange):
    values = d_sigma_d_q_squared(exchange, jnp.full(3, e_nu), jnp.full(3, q_squared), stack_targets(CH2))
    return float(values[NAMES.index(name)])


def sigma(name, e_nu, exchange):
    mass = CH2[NAMES.index(name)].mass
    low, high = (float(x) for x in momentum_transfer_limits(e_nu, M_N2, mass))
    integrand = lambda x: np.exp(x) * d_sigma(name, e_nu, np.exp(x), exchange)  # noqa: E731
    return quad(integrand, np.log(low), np.log(high), epsrel=1e-6, epsabs=0.0, limit=100)[0]


@pytest.mark.parametrize(("name", "value"), [("proton", 1.5426e-41), ("C12", 4.5326e-41)])
def test_cross_section_of_the_benchmark(name, value):
    assert sigma(name, 0.8, benchmark()) == pytest.approx(value, rel=2e-4)


def test_differential_cross_section_of_the_benchmark():
    assert d_sigma("proton", 0.8, 0.1, benchmark()) == pytest.approx(1.0632e-41, rel=2e-4)


def made(exchange, flavours="numu-only"):
    """(coherent, incoherent) interactions in neutrino mode before any efficiency."""
    return np.asarray(interactions(exchange, miniboone_beam(flavours)))[:, 0]


def test_interactions_of_the_benchmark_before_efficiency():
    coherent, incoherent = made(benchmark())
    assert coherent == pytest.approx(2714, rel=1e-3)
    assert incoherent == pytest.approx(6555, rel=1e-3)


def test_shares_of_the_two_scalars_and_their_interference():
    both = made(benchmark()).sum()
    heavy, light = (made(benchmark(scalars=s)).sum() / both for s in ((True, False), (False, True)))
    assert round(heavy, 2) == 0.74
    assert round(light, 2) == 0.10
    assert round(1.0 - heavy - light, 2) == 0.16


def test_rate_goes_as_the_coupling_squared_and_is_positive():
    once, twice = made(benchmark()), made(benchmark(scale=2.0))
    np.testing.assert_allclose(twice, 4.0 * once, rtol=1e-12)
    assert np.all(once > 0.0)
    assert np.all(made(benchmark(y=(12.4e-3, -1.25e-3))) > 0.0)  # destructive interference too


def test_a_heavy_mediator_is_a_contact_interaction():
    heavy, heavier = (
        d_sigma("proton", 0.8, 0.2, benchmark(scalars=(True, False))._replace(mass=jnp.array([m, 0.017])))
        for m in (100.0, 1000.0)
    )
    assert heavier * 1e4 == pytest.approx(heavy, rel=1e-4)


def test_carbon_is_coherent_at_small_momentum_transfer():
    """144 F^2 M_A^2-normalised: at Q^2 -> 0 the spin-0 and spin-1/2 amplitudes differ by the charge alone."""
    one = benchmark()._replace(F_n=benchmark().F_p)
    ratio = d_sigma("C12", 0.8, 1e-7, one) / d_sigma("proton", 0.8, 1e-7, one)
    assert ratio == pytest.approx(144.0, rel=1e-4)
