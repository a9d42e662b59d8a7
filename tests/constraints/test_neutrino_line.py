"""K+ and pi+ -> mu+ N2 phi: what is seen of them, against the rates and lives by hand; gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.catalogue import shipped_constraints
from anomfit.constraints import constraint_table
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics import meson_decays
from anomfit.physics.meson_constants import M_CHARGED_KAON, M_CHARGED_PION

TABLE_I = two_higgs_doublet.points["table-I"]
ROWS = {entry.name: entry for entry in shipped_constraints()}
LONG = {"y_e": 1e-9, "y_mu": 1e-9, "m_hprime": 0.005}  # h' of metres at 1e-12 GeV: leaves every detector


def row(name, **changes):
    return constraint_table(two_higgs_doublet, {**TABLE_I, **changes}, [ROWS[name]])[0]


def test_a_scalar_that_lives_long_is_invisible():
    at = {**LONG, "m_N2": 0.1, "m_N1": 0.03, "y_nu": 0.3, "sin_delta": 0.1}
    rate = 0.6356 * float(meson_decays.scalar_off_neutrino(M_CHARGED_KAON, 0.1, 0.005, 0.03))
    found = row("Kplus-muN-invisible", **at)
    assert found.predicted == pytest.approx(rate, rel=1e-3)
    assert found.verdict == "excluded"
    pairs = row("Kplus-muN-pairs", **at)
    assert (pairs.verdict, pairs.predicted) == ("no public data", pytest.approx(rate, rel=1e-3))


def test_a_scalar_that_decays_in_the_detector_is_not():
    """Table I: a life of 1.85e-12 s, 0.7 m at 20 GeV; both scalars must get away."""
    found = row("Kplus-muN-invisible")
    assert found.predicted < 1e-60
    assert row("Kplus-muN-pairs").predicted == pytest.approx(
        0.6356 * float(meson_decays.scalar_off_neutrino(M_CHARGED_KAON, 0.130, 0.017, TABLE_I["y_nu"] * 0.1)), rel=0.02
    )


def test_the_pion_makes_only_what_is_lighter_than_its_mass_difference_to_the_muon():
    """34 MeV: N2 and h' together, or h' alone off the muon."""
    assert row("piplus-muN-invisible", **LONG, m_N2=0.03, m_N1=0.01).predicted < 1e-20
    at = {**LONG, "m_N2": 0.02, "m_N1": 0.001, "y_nu": 0.3, "sin_delta": 0.1}
    rate = float(meson_decays.scalar_off_neutrino(M_CHARGED_PION, 0.020, 0.005, 0.03))
    assert row("piplus-muN-invisible", **at).predicted == pytest.approx(rate, rel=1e-3)
    muon = {**LONG, "y_mu": 0.1, "sin_delta": 0.5}
    expected = float(meson_decays.scalar_off_muon(M_CHARGED_PION, 0.005, 0.05))
    assert row("piplus-muN-invisible", **muon).predicted == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", ["Kplus-muN-invisible", "piplus-muN-invisible", "Kplus-muN-pairs"])
def test_gradients_are_finite_on_both_sides_of_every_threshold(name):
    entry = ROWS[name]

    def numbers(point):
        found = entry.outcome(two_higgs_doublet, point, {})
        return found.predicted + found.ratio

    slope = jax.jit(jax.value_and_grad(numbers))
    for m_N2, m_hprime in ((0.130, 0.017), (0.38, 0.0079), (0.38, 0.0081), (0.028, 0.0058), (0.028, 0.006), (0.9, 0.5)):
        at = {**TABLE_I, "m_N2": m_N2, "m_hprime": m_hprime, "m_N1": 0.005, "y_e": 1e-6}
        value, slopes = slope({key: jnp.asarray(float(x)) for key, x in at.items()})
        assert np.isfinite(float(value))
        assert all(np.isfinite(float(one)) for one in slopes.values())
