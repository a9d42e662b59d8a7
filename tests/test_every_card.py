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
from anomfit.problem import parts_of, with_measurements

POINTS, COMPARED, STEP = 24, 12, 1e-4  # points that are finite, of which some are compared with differences
FEWER = {"dark-seesaw": 6, "zprime-two-higgs-doublet": 6}  # pairs of any mass, processes 2 -> 3: points cost most here
CONTAINED = (  # the rows of another card, all but two, over the same ranges
    "dark-seesaw-2020",
    "zprime-two-higgs-doublet-baryon",
    "zprime-two-higgs-doublet-caesium",
    "zprime-two-higgs-doublet-caesium-2008",
)
TOGETHER = 8  # limits in a program; all 46 of one card take more than twice as long to compile as eight at a time
STENCIL = {1: 2.0 / 3.0, 2: -1.0 / 12.0}  # of a slope, to the fourth order in the step


def likelihoods(problem, z):
    """ln L of each measurement at normal coordinates."""
    values, _ = problem.from_normal(z)
    nuisances = problem.nuisance_values(values)
    pairs = zip(problem.measurements, problem.predictions(values), strict=True)
    return jnp.stack([measurement.log_likelihood(prediction, nuisances) for measurement, prediction in pairs])


def few_at_once(problem):
    """Places of the measurements that go into one program."""
    for places, _ in parts_of(problem):
        yield from (list(places[first : first + TOGETHER]) for first in range(0, len(places), TOGETHER))


@jax.jit  # of one point: inside of a loop over points it takes 1.4 times as long to compile
def with_slopes(problem, z, direction):
    return jax.jvp(partial(likelihoods, problem), (z,), (direction,))


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
    points = np.concatenate([z, *moved])
    along = np.concatenate([directions, *[directions[:compared]] * len(shifts)])
    values, slopes = np.empty((2, len(points), len(problem.measurements)))
    for places in few_at_once(problem):
        part = with_measurements(problem, places)
        for index, at in enumerate(zip(points, along, strict=True)):
            values[index, places], slopes[index, places] = with_slopes(part, *at)
    assert np.all(np.isfinite(values))
    assert np.all(np.isfinite(slopes))
    at = dict(zip(shifts, values[number:].reshape(len(shifts), compared, -1), strict=True))
    expected = sum(weight * (at[k] - at[-k]) for k, weight in STENCIL.items()) / STEP
    found = slopes[:compared]
    off = np.abs(found - expected) / (np.abs(expected) + 1e-7 * np.abs(values[:compared]) / STEP + 1e-6)
    for index, measurement in enumerate(problem.measurements):
        assert np.max(off[:, index]) < 1e-3, (measurement.name, int(np.argmax(off[:, index])))
