"""K+ -> pi+ pi0 hides a boson near the mass of a pion: what is seen there is small, with the slope of its value."""

import jax
import jax.numpy as jnp
import pytest
from scipy.stats import norm

from anomfit.catalogue import find_constraint
from anomfit.detectors.resolution import outside
from anomfit.models.two_higgs_doublet import two_higgs_doublet

LOW, HIGH, WIDTH = 0.1, 0.165, 0.002  # GeV


@pytest.mark.parametrize("mass", [0.05, 0.0999, 0.104, 0.1167, 0.1325, 0.15, 0.1651, 0.3])
def test_share_outside_is_the_sum_of_two_tails(mass):
    share, slope = jax.value_and_grad(outside)(jnp.asarray(mass), LOW, HIGH, WIDTH)
    low, high = (mass - LOW) / WIDTH, (HIGH - mass) / WIDTH
    assert float(share) == pytest.approx(norm.sf(low) + norm.cdf(low) * norm.sf(high), rel=1e-12, abs=1e-300)
    falls = -norm.pdf(low) * norm.cdf(high) + norm.cdf(low) * norm.pdf(high)
    assert float(slope) == pytest.approx(falls / WIDTH, rel=1e-9, abs=1e-30)


def test_deep_in_the_gap_value_and_slope_belong_together():
    """At 117 MeV, more than 8 widths inside, one less a product of two shares that round to 1 would be 0."""
    row = find_constraint("Kplus-piplus-line-paper")
    point = {name: jnp.asarray(value) for name, value in two_higgs_doublet.points["table-I"].items()}

    @jax.jit
    def log_ratio(m_hprime):
        return jnp.log(row.outcome(two_higgs_doublet, point | {"m_hprime": m_hprime}, {}).ratio)

    mass, step = jnp.asarray(0.1167), 1e-6
    slope = float(jax.jit(jax.grad(log_ratio))(mass))
    difference = float(log_ratio(mass + step) - log_ratio(mass - step)) / (2.0 * step)
    assert slope == pytest.approx(difference, rel=1e-5)
    assert slope < -1000.0  # per GeV: a Gaussian tail falls by 8.4 in its logarithm with each width


@pytest.mark.parametrize(("mass", "limit"), [(0.02, 4e-6), (0.08, 4e-6), (0.18, 2e-5), (0.25, 2e-5)])
def test_stopped_kaons_see_heavy_bosons_worse(mass, limit):
    row = find_constraint("Kplus-piplus-line")
    point = {name: jnp.asarray(value) for name, value in two_higgs_doublet.points["table-I"].items()}
    alone = point | {"m_hprime": jnp.asarray(mass), "m_H": jnp.asarray(0.6)}  # H is too heavy for the kaon
    found = row.outcome(two_higgs_doublet, alone, {})
    assert float(found.ratio) == pytest.approx(float(found.predicted) / limit, rel=1e-6)
    hidden = row.outcome(two_higgs_doublet, alone | {"m_hprime": jnp.asarray(0.13)}, {})
    assert float(hidden.ratio) < 1e-8 * float(hidden.predicted) / 4e-6
