"""Recoils of nuclei at COHERENT: against integrals by hand and published numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.constraints import coherent_recoils, constraint_table
from anomfit.data import load_record
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics.constants import G_F, GEV2_TO_CM2, M_MU
from anomfit.physics.nuclear_form_factors import measured
from anomfit.physics.nuclei import nucleus

TABLE_I = two_higgs_doublet.points["table-I"]
ROWS = {entry.name: entry for entry in coherent_recoils.constraints()}
ARGON, CSI = (load_record("accelerators/coherent").parts[name] for name in ("argon", "csi"))
SELECTED = load_record("accelerators/coherent_argon_efficiency").columns


def row(name, **changes):
    return constraint_table(two_higgs_doublet, {**TABLE_I, **changes}, [ROWS[name]])[0]


def released(recoil):
    """Analysis A's efficiency for argon, of the recoil energy in GeV."""
    return np.interp(1e6 * recoil, SELECTED["recoil_keV"], SELECTED["efficiency"])


def mean_over_flux(cross_section):
    """nu_mu of 29.8 MeV, nu_e and anti-nu_mu of a muon at rest, one of each."""
    end = 0.5 * M_MU
    late = quad(lambda e: 64 / M_MU**4 * e**2 * (0.75 * M_MU - e) * cross_section(e, "numubar"), 0, end, epsrel=1e-4)[0]
    early = quad(lambda e: 192 / M_MU**4 * e**2 * (0.5 * M_MU - e) * cross_section(e, "nue"), 0, end, epsrel=1e-4)[0]
    return (cross_section(0.02979, "numu") + late + early) / 3


def test_the_standard_model_on_argon():
    """What stands in the record, and the share that the released efficiency leaves of it."""
    argon = nucleus("Ar40")
    weak_charge = 22 - (1 - 4 * 0.2386) * 18

    def selected(efficiency):
        def one(energy, _):
            recoil = np.linspace(0.0, 2 * energy**2 / (argon.mass + 2 * energy), 201)
            form = np.asarray(measured(jnp.asarray(2 * argon.mass * recoil), argon.charge_radius))
            density = (1 - argon.mass * recoil / (2 * energy**2)) * form**2 * efficiency(recoil)
            strength = GEV2_TO_CM2 * G_F**2 * argon.mass * weak_charge**2 / (4 * np.pi)
            return strength * float(np.trapezoid(density, recoil))

        return mean_over_flux(one)

    everything = selected(np.ones_like)
    assert 1e39 * everything == pytest.approx(ARGON.values["standard_model"], rel=0.01)
    assert selected(released) / everything == pytest.approx(float(ROWS["coherent-argon"].data["share_seen"]), rel=0.003)


def test_scalars_on_argon_against_an_adaptive_integral():
    """|M|^2 by hand: (m^2 + Q^2) 4 M^2 c^2 F^2/(64 pi M^2 E^2), recoils above the threshold."""
    at = {**TABLE_I, "m_N2": 0.02, "m_N1": 0.005, "m_hprime": 0.012, "y_nu": 0.05, "y_u": 1e-5, "y_d": 1e-5}
    physical = {key: jnp.asarray(value) for key, value in at.items()}
    argon, exchange = nucleus("Ar40"), two_higgs_doublet.exchange(physical, {})
    mass, made = argon.mass, at["m_N2"]
    charge = np.asarray(exchange.y * (18 * exchange.F_p + 22 * exchange.F_n))
    squared = np.asarray(exchange.mass) ** 2

    def one(energy, flavour):
        if flavour == "nue" or energy <= made + made**2 / (2 * mass):
            return 0.0
        s = mass**2 + 2 * mass * energy
        k, e_out = (s - mass**2) / (2 * np.sqrt(s)), (s + made**2 - mass**2) / (2 * np.sqrt(s))
        p_out = np.sqrt(max(e_out**2 - made**2, 0.0))
        low, high = (2 * k * (e_out + sign * p_out) - made**2 for sign in (-1, 1))
        q = np.linspace(low, high, 401)
        form = np.asarray(measured(jnp.asarray(q), argon.charge_radius))
        amplitude = np.sum(charge / (q[:, None] + squared), axis=1) * form * np.sqrt(released(q / (2 * mass)))
        density = (made**2 + q) * 4 * mass**2 * amplitude**2 / (64 * np.pi * mass**2 * energy**2)
        return GEV2_TO_CM2 * float(np.trapezoid(density, q))

    found = float(coherent_recoils.selected_section(exchange, ("Ar40",), ROWS["coherent-argon"].data))
    assert found == pytest.approx(mean_over_flux(one), rel=2e-3)
    assert row("coherent-argon", **at).predicted < 1e-10  # every N_2 decays to a pair there: its recoil is not alone


def test_a_heavy_neutrino_above_the_end_of_the_spectrum_is_not_made_there():
    assert row("coherent-argon").predicted == 0.0
    assert row("coherent-argon", m_N2=0.06, m_N1=0.02, m_hprime=0.01).predicted == 0.0


def test_caesium_iodide_has_the_cross_section_of_the_standard_model():
    """COHERENT: 189 +- 6 e-40 cm^2 a nucleus, with another form factor."""
    found = 0.5e39 * sum(coherent_recoils.standard_model(name) for name in coherent_recoils.NUCLEI["csi"])
    assert found == pytest.approx(CSI.values["standard_model"], rel=0.06)


def test_caesium_iodide_selects_by_photoelectrons():
    """A recoil of 15 keV: 0.0554628 T + ... of light, 13.35 photoelectrons a keV, thrown a hundred thousand times."""
    t = 15e-3
    light = 1e3 * (0.0554628 * t + 4.30681 * t**2 - 111.707 * t**3 + 840.384 * t**4)
    shape = 1.0 + 9.56 * light
    photoelectrons = np.random.default_rng(1).gamma(shape, 13.35 * light / shape, 100_000)
    selected = np.maximum(1.32045 / (1.0 + np.exp(-0.285979 * (photoelectrons - 10.8646))) - 0.333322, 0.0)
    recoil, efficiency = coherent_recoils.efficiency_of_csi(CSI.values)
    assert np.interp(15e-6, recoil, efficiency) == pytest.approx(float(np.mean(selected)), abs=0.005)


@pytest.mark.parametrize("name", ["coherent-argon", "coherent-csi"])
def test_ratios_have_finite_gradients(name):
    def ratio(point):
        return ROWS[name].outcome(two_higgs_doublet, point, {}).ratio

    slope = jax.jit(jax.value_and_grad(ratio))
    for changes in ({}, {"m_N2": 0.03, "m_N1": 0.01, "m_hprime": 0.005}, {"m_hprime": 0.0015}, {"m_N2": 0.0528}):
        value, slopes = slope({key: jnp.asarray(float(x)) for key, x in {**TABLE_I, **changes}.items()})
        assert np.isfinite(float(value))
        assert all(np.isfinite(float(one)) for one in slopes.values())
