"""Sub-fits and the parameter goodness of fit where it is known: Gaussian data, linear and curved models."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import LINEAR_PARAMETERS, ToyMeasurement, ToyModel

from anomfit.errors import InputError
from anomfit.inference import compiled
from anomfit.inference.compare.tension import tensions
from anomfit.inference.fit.minimise import FitSettings, minimise
from anomfit.parameters import Nuisance
from anomfit.problem import build_problem, with_measurements

KEY = jax.random.key(3)


def measurement(name, data, sigma, nuisances=()):
    data = jnp.atleast_1d(jnp.asarray(data))
    inverse = jnp.diag(1.0 / jnp.broadcast_to(jnp.asarray(sigma), data.shape) ** 2)
    return ToyMeasurement(data, inverse, name=name, samples=frozenset({name}), nuisances=nuisances)


def fitted(problem):
    fit = minimise(problem, KEY, FitSettings(screened=64, starts=4))
    return fit, {found.name.partition(":")[0]: found for found in tensions(problem, fit, KEY)}


@pytest.fixture(scope="module")
def three():
    """x measured three times, each with y, which has its own plane of one number a measurement."""
    model = ToyModel("line", LINEAR_PARAMETERS[:2], lambda p: jnp.stack([p["x"], p["y"]]))
    rows = [("a", (0.5, 1.0), (0.2, 0.5)), ("b", (1.3, 1.0), (0.3, 0.5)), ("c", (0.4, 0.2), (0.2, 1e3))]
    problem = build_problem(model, [measurement(*row) for row in rows], "own", LINEAR_PARAMETERS[:2], {})
    return problem, *fitted(problem)


def test_each_against_the_mean_of_the_others(three):
    """Two independent numbers: the part and the weighted mean of the rest, each with its own error."""
    _, _, found = three
    x, sigma = np.array([0.5, 1.3, 0.4]), np.array([0.2, 0.3, 0.2])
    y, tau = np.array([1.0, 1.0, 0.2]), np.array([0.5, 0.5, 1e3])

    def determined(weight):  # share of the range of 10 that this weight, 1/sigma^2, excludes
        return 100.0 * weight / (100.0 * weight + 12.0)

    for i, name in enumerate("abc"):
        expected, common = 0.0, 0.0
        for value, error in ((x, sigma), (y, tau)):
            weight = np.delete(error, i) ** -2.0
            mean = weight @ np.delete(value, i) / weight.sum()
            expected += (value[i] - mean) ** 2 / (error[i] ** 2 + 1.0 / weight.sum())
            common += determined(error[i] ** -2.0) + determined(weight.sum()) - determined(np.sum(error**-2.0))
        assert found[name].chi_squared == pytest.approx(expected, abs=2e-3)
        assert found[name].alone.paid + found[name].others.paid == pytest.approx(expected, abs=2e-3)
        assert found[name].degrees_of_freedom == pytest.approx(max(common, 1.0), abs=1e-3)
    assert found["a"].degrees_of_freedom == pytest.approx(2, abs=0.1)
    assert found["c"].degrees_of_freedom == pytest.approx(1, abs=0.1)  # its y says nothing within the range
    assert not any(entry.note for entry in found.values())


def test_only_the_parts_asked_for_are_compared(three):
    problem, fit, found = three
    (only,) = tensions(problem, fit, KEY, [1])
    assert only.name == "b:2020"
    assert only.chi_squared == pytest.approx(found["b"].chi_squared, abs=2e-3)


def test_the_programs_of_the_joint_fit_serve_every_sub_fit(three):
    problem, fit, _ = three
    before = compiled._gradients._cache_size()
    again = tensions(problem, fit, jax.random.key(8))
    assert compiled._gradients._cache_size() == before
    assert len(again) == 3


def test_parts_add_up_to_the_whole(three):
    problem, _, _ = three
    point = {"x": jnp.asarray(0.7), "y": jnp.asarray(0.1)}
    alone = [float(with_measurements(problem, (i,)).log_likelihood(point)) for i in range(3)]
    assert sum(alone) == pytest.approx(float(problem.log_likelihood(point)), rel=1e-12)
    assert float(with_measurements(problem, ()).log_likelihood(point)) == 0.0


def test_parts_that_are_met_exactly_leave_the_whole_chi_squared_to_the_tension():
    """x^2 = 4 has two solutions, of which x = -2.2 prefers one; each part alone has chi^2 = 0."""
    model = ToyModel("square", LINEAR_PARAMETERS[:1], lambda p: jnp.stack([p["x"] ** 2, p["x"]]))
    square = measurement("square", (4.0, 0.0), (0.1, 1e3))
    root = measurement("root", (0.0, -2.2), (1e3, 0.1))
    problem = build_problem(model, [square, root], "own", LINEAR_PARAMETERS[:1], {})
    fit, found = fitted(problem)
    assert fit.values["x"] < 0.0
    for entry in found.values():
        assert entry.alone.twice_nll == pytest.approx(0.0, abs=1e-3)
        assert entry.chi_squared == pytest.approx(fit.twice_nll, abs=2e-3)
        assert entry.degrees_of_freedom == pytest.approx(1, abs=0.02)


def test_a_shared_nuisance_softens_the_tension_and_is_said_where_both_sides_pull_it():
    shift = Nuisance("shift", "s", 0.0, 0.5, "a common error")
    lonely = ToyModel("line", LINEAR_PARAMETERS[:1], lambda p: p["x"][None])
    model_free = [measurement("a", 0.0, 0.3, (shift,)), measurement("b", 1.0, 0.4)]
    problem = build_problem(lonely, model_free, "own", LINEAR_PARAMETERS[:1], {})
    _, found = fitted(problem)
    assert found["a"].chi_squared == pytest.approx(1.0 / (0.3**2 + 0.4**2 + 0.5**2), abs=2e-3)
    fixed = ToyModel("fixed", LINEAR_PARAMETERS[:1], lambda p: 0.0 * p["x"][None])
    both = [measurement("a", 1.0, 0.3, (shift,)), measurement("b", 1.0, 0.4, (shift,))]
    _, found = fitted(build_problem(fixed, both, "own", LINEAR_PARAMETERS[:1], {}))
    assert "shift" in found["a"].note


def test_one_measurement_is_refused():
    model = ToyModel("line", LINEAR_PARAMETERS[:1], lambda p: p["x"][None])
    problem = build_problem(model, [measurement("a", 0.0, 0.3)], "own", LINEAR_PARAMETERS[:1], {})
    fit = minimise(problem, KEY, FitSettings(screened=8, starts=1))
    with pytest.raises(InputError, match="at least two"):
        tensions(problem, fit, KEY)
