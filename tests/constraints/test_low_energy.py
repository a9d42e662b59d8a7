"""Neutrons on lead, the early universe: against integrals by hand and published numbers."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.catalogue import find_constraint, shipped_constraints
from anomfit.constraints import constraint_table
from anomfit.constraints.low_energy import dipole_of_exchange
from anomfit.data import load_record
from anomfit.errors import InputError
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics.constants import HBAR_C_FM, M_E, M_N

TABLE_I = two_higgs_doublet.points["table-I"]
ROWS = {entry.name: entry for entry in shipped_constraints()}
NUMBERS = load_record("accelerators/light_mediators").parts
MEV = 1e-3


def row(name, **changes):
    return constraint_table(two_higgs_doublet, {**TABLE_I, **changes}, [ROWS[name]])[0]


# -- neutrons on lead -----------------------------------------------------------------------------------------------


def test_the_recalled_limit_has_the_size_of_the_asymmetry_of_neutrons_on_lead():
    """Born: d sigma/d Omega = (sigma/4 pi)(1 + omega E cos theta), omega = 16 M^2 A g^2/(4 pi m^4 b): 2e-3 per keV."""
    b = 9.5121e-3 / HBAR_C_FM  # 1/MeV, bound coherent length of lead (Koester et al. 1995); HBAR_C_FM in GeV fm
    omega = 16.0 * (M_N / MEV) ** 2 * 208 * NUMBERS["neutron_lead"].values["limit"] / b  # 1/MeV
    assert 1e-3 * omega == pytest.approx(2.0e-3, rel=0.05)


@pytest.mark.parametrize("mass", [1.0, 3.0, 5.0, 30.0, 200.0])
def test_the_asymmetry_of_an_exchange_against_its_closed_form(mass):
    """3/2 of the integral of c/(m^2 + 2k^2 - 2k^2 c): Legendre's Q_1; m^-4 where k is far below m."""
    k = NUMBERS["neutron_lead"].values["momentum"] / MEV
    z = 1.0 + 0.5 * (mass / k) ** 2
    expected = 1.5 / k**2 * (0.5 * z * np.log((z + 1.0) / (z - 1.0)) - 1.0) / (2.0 * k**2)
    found = 1e-12 * float(dipole_of_exchange(mass * MEV, k * MEV))
    assert found == pytest.approx(expected, rel=1e-6)
    assert (found * mass**4 > 0.9) == (mass > 25.0)


def test_neutrons_exclude_light_scalars_with_large_quark_couplings_as_the_fourth_power_of_the_mass():
    """y_n^2/(4 pi m^4) by hand, from the model's own nucleon couplings."""
    at = {**TABLE_I, "m_hprime": 0.050, "y_u": 2e-4, "y_d": 2e-4}
    F_p, F_n = two_higgs_doublet.nucleon_couplings({key: jnp.asarray(value) for key, value in at.items()})
    mix = TABLE_I["sin_delta"] ** 2 / 50.0**4 + (1.0 - TABLE_I["sin_delta"] ** 2) / 750.0**4
    expected = float(F_n * (82 * F_p + 126 * F_n)) / 208 / (4 * np.pi) * mix
    assert row("neutron-lead", **at).predicted == pytest.approx(expected, rel=0.05)
    light = row("neutron-lead", m_hprime=0.002, y_u=2e-3, y_d=2e-3)
    assert light.verdict == "would be excluded"
    assert row("neutron-lead").verdict == "allowed"


def test_what_is_recalled_is_refused_in_a_fit():
    with pytest.raises(InputError, match="recalled"):
        find_constraint("neutron-lead")
    assert ROWS["neutron-lead"].about.kind == "recalled"


# -- the early universe ---------------------------------------------------------------------------------------------


def test_a_scalar_at_the_published_mass_is_on_the_limit():
    assert row("early-universe", m_hprime=3.7 * MEV).ratio == pytest.approx(1.0, rel=1e-6)
    assert row("early-universe", m_hprime=3.6 * MEV).verdict == "excluded"
    assert row("early-universe", m_hprime=3.8 * MEV).verdict == "allowed"


def test_a_scalar_that_never_reaches_equilibrium_is_left_alone():
    """Decays against the expansion at T = m, 1.66 sqrt(g) T^2/M_Planck: y_e sin(delta) below some 1e-11."""
    assert row("early-universe", m_hprime=2.5 * MEV, y_e=1e-13, sin_delta=0.1).verdict == "allowed"
    assert row("early-universe", m_hprime=2.5 * MEV, y_e=1e-8, sin_delta=0.1).verdict == "excluded"


def test_the_published_mass_lies_where_entropy_alone_puts_it():
    """Neutrinos leave at 2.3 MeV, what is in equilibrium then heats photons: N_eff against Planck's 2.99 +- 0.17."""

    def entropy(mass, degrees, fermion):  # over that of a massless boson of one degree of freedom, at 2.3 MeV
        x = mass / 2.3

        def integrand(y):
            energy = np.hypot(y, x)
            return y**2 * (energy + y**2 / (3 * energy)) / (np.exp(energy) + (1 if fermion else -1))

        return degrees * quad(integrand, 0, 60)[0] / (4 * np.pi**4 / 45)

    def n_eff(mass):
        bath = 2.0 + entropy(M_E / MEV, 4, True) + (entropy(mass, 1, False) if mass else 0.0)
        return 3.0 * (bath / 2.0 / (11.0 / 4.0)) ** (-4.0 / 3.0)

    assert n_eff(None) == pytest.approx(3.04, abs=0.05)
    two_sigma = 2.99 - 2 * 0.17
    assert n_eff(1.0) < n_eff(3.7) < two_sigma < n_eff(10.0) < n_eff(None)


# -- what a fit needs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["neutron-lead", "early-universe"])
def test_ratios_have_finite_gradients(name):
    entry = dataclasses.replace(ROWS[name], about=dataclasses.replace(ROWS[name].about, kind="upper limit"))

    def ratio(point):
        return entry.outcome(two_higgs_doublet, point, {}).ratio

    slope = jax.jit(jax.value_and_grad(ratio))
    for changes in ({}, {"m_N2": 0.03, "m_N1": 0.01, "m_hprime": 0.005}, {"m_hprime": 0.0015}, {"m_hprime": 0.0009}):
        value, slopes = slope({key: jnp.asarray(float(x)) for key, x in {**TABLE_I, **changes}.items()})
        assert np.isfinite(float(value))
        assert all(np.isfinite(float(one)) for one in slopes.values())
