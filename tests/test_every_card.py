"""Every likelihood of every shipped card, over the card's own prior: finite, and with the slope of its differences.

The card's coordinates are standard normal, so that the points reach corners of the box, thresholds and closed channels.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.cards import load_card, problem_from_card
from anomfit.cards.finding import shipped_card_names
from anomfit.problem import parts_of

POINTS, COMPARED, STEP = 24, 12, 1e-4  # points that are finite, of which some are compared with differences
FEWER = {"dark-seesaw": 6, "zprime-two-higgs-doublet": 6}  # pairs of any mass, processes 2 -> 3: points cost most here
CONTAINED = (  # the rows of another card, all but two, over the same ranges
    "dark-seesaw-2020",
    "zprime-two-higgs-doublet-baryon",
    "zprime-two-higgs-doublet-caesium",
    "zprime-two-higgs-doublet-caesium-2008",
)
STENCIL = {1: 2.0 / 3.0, 2: -1.0 / 12.0}  # of a slope, to the fourth order in the step


def likelihoods(problem, z):
    """ln L of each measurement at normal coordinates."""
    values, _ = problem.from_normal(z)
    nuisances = problem.nuisance_values(values)
    pairs = zip(problem.measurements, problem.predictions(values), strict=True)
    return jnp.stack([measurement.log_likelihood(prediction, nuisances) for measurement, prediction in pairs])


@jax.jit
def with_slopes(problem, z, directions):
    return jax.lax.map(lambda at: jax.jvp(partial(likelihoods, problem), (at[0],), (at[1],)), (z, directions))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in shipped_card_names() if name not in CONTAINED])
def test_likelihoods_are_finite_and_slopes_are_those_of_differences(name):
    problem = problem_from_card(load_card(name))
    rng, number = np.random.default_rng(5), FEWER.get(name, POINTS)
    z = 1.5 * rng.standard_normal((number, len(problem.names)))
    directions = rng.standard_normal(z.shape)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    compared = min(number, COMPARED)
    shifts = [sign * k for k in STENCIL for sign in (1, -1)]
    moved = [z[:compared] + shift * STEP * directions[:compared] for shift in shifts]
    points = jnp.asarray(np.concatenate([z, *moved]))
    along = jnp.asarray(np.concatenate([directions, *[directions[:compared]] * len(shifts)]))
    values, slopes = np.empty((2, len(points), len(problem.measurements)))
    for places, part in parts_of(problem):
        values[:, list(places)], slopes[:, list(places)] = with_slopes(part, points, along)
    assert np.all(np.isfinite(values))
    assert np.all(np.isfinite(slopes))
    at = dict(zip(shifts, values[number:].reshape(len(shifts), compared, -1), strict=True))
    expected = sum(weight * (at[k] - at[-k]) for k, weight in STENCIL.items()) / STEP
    found = slopes[:compared]
    off = np.abs(found - expected) / (np.abs(expected) + 1e-7 * np.abs(values[:compared]) / STEP + 1e-6)
    for index, measurement in enumerate(problem.measurements):
        assert np.max(off[:, index]) < 1e-3, (measurement.name, int(np.argmax(off[:, index])))
