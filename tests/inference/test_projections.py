"""Other projections of fitted events against the measurement's own chi^2."""

import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.cards import load_card, problem_from_card
from anomfit.catalogue import find_measurement, other_projections
from anomfit.inference.compare.significance import projection_fits, with_draws, with_projections
from anomfit.measurements.base import Prediction

BEST = {"sin2_2theta": 0.807, "delta_m2": 0.043}


def test_projections_are_other_eras_of_the_same_events_in_several_bins():
    found = other_projections(find_measurement("miniboone"), {"selection": "overlap-8", "covariance": "recommended"})
    assert {m.era for m in found} == {
        "evis-costheta",
        "evis",
        "costheta",
        "evis-antineutrino",
        "costheta-antineutrino",
    }
    assert all(m.choices["pair selection"].startswith("overlap-8") for m in found)  # and covariance is not known to it
    assert other_projections(find_measurement("g-2-muon"), {}) == ()
    assert {m.era for m in other_projections(find_measurement("koto:2021"), {})} == set()


@pytest.mark.slow
def test_chi_squared_with_and_without_new_physics():
    problem = problem_from_card(load_card("oscillation"))
    shape = find_measurement("miniboone:costheta")
    other = with_projections(problem, [shape])
    (found,) = projection_fits(other, BEST, {})
    values = {n.name: n.mean for n in shape.nuisances}
    nothing = Prediction({"appearance": jnp.zeros(len(shape.bins()))}, {})
    assert found.null == pytest.approx(float(shape.chi_squared(nothing, values)), rel=1e-12)
    expected = shape.predict(problem.model, {k: jnp.asarray(v) for k, v in BEST.items()}, values)
    assert found.best == pytest.approx(float(shape.chi_squared(expected, values)), rel=1e-9)
    draws = {name: np.full(5, value) for name, value in BEST.items()}
    (drawn,) = with_draws(other, [found], draws)
    assert drawn.posterior == pytest.approx((found.best,) * 3, rel=1e-9)
