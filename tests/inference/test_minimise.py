import jax
import jax.numpy as jnp
import numpy as np
import pytest
from iminuit import Minuit
from scipy.stats import norm
from toys import (
    ToyMeasurement,
    ToyModel,
    banana_problem,
    edge_problem,
    linear_model,
    linear_parameter,
    linear_problem,
    log_parameter,
)

from anomfit.errors import InputError
from anomfit.inference.fit import minimise as module
from anomfit.inference.fit.minimise import FitSettings, minimise
from anomfit.parameters import Nuisance
from anomfit.problem import build_problem

QUICK = FitSettings(screened=256, starts=8)


def test_the_best_fit_of_a_gaussian_is_its_data():
    fit = minimise(linear_problem(), jax.random.key(1), QUICK)
    assert fit.values["x"] == pytest.approx(0.5, abs=1e-5)
    assert fit.values["y"] == pytest.approx(-1.0, abs=1e-5)
    assert fit.twice_nll == pytest.approx(0.0, abs=1e-8)
    assert fit.converged
    assert fit.reached == fit.starts == 8
    assert len(fit.optima) == 1


def _two_wells(point):
    x, y = point["x"], point["y"]
    return jnp.stack([x**2 - 3.0 - 0.2 * x, y - jnp.sin(x), 0.4 * x])


def two_wells_problem():
    """Local minima near x = -2 and x = 2; the third number prefers the positive one."""
    parameters = (linear_parameter("x"), linear_parameter("y"))
    data = ToyMeasurement(jnp.array([1.0, 0.3, 1.0]), jnp.diag(jnp.array([2.0, 9.0, 1.0])))
    return build_problem(ToyModel("wells", parameters, _two_wells), [data], "own", parameters, {})


def test_multi_start_agrees_with_minuit_started_elsewhere():
    """MINUIT, without our gradient and from a grid of other starts, finds no lower -2 ln L and the same best one."""
    fit = minimise(two_wells_problem(), jax.random.key(2), QUICK)

    def twice_nll(x, y):
        return 2.0 * (x**2 - 4.0 - 0.2 * x) ** 2 + 9.0 * (y - np.sin(x) - 0.3) ** 2 + (0.4 * x - 1.0) ** 2

    found = []
    for x in (-4.0, -1.0, 1.0, 4.0):
        fitter = Minuit(twice_nll, x=x, y=-3.0)
        fitter.errordef, fitter.tol = 1.0, 1e-3
        found.append(fitter.migrad().fval)
    assert fit.twice_nll == pytest.approx(min(found), abs=1e-5)
    assert len(fit.optima) == 2
    assert fit.optima[1].twice_nll == pytest.approx(max(found), abs=1e-3)
    assert fit.optima[0].starts + fit.optima[1].starts == 8


def test_a_degenerate_fit_with_a_plateau_converges():
    fit = minimise(banana_problem(), jax.random.key(3), QUICK)
    assert fit.values["x"] * fit.values["y"] == pytest.approx(2.0, rel=1e-4)
    assert fit.twice_nll < 1e-5
    assert fit.converged
    assert fit.message == "converged"
    assert fit.gradient_norm < 1e-2


def test_pulls_are_fitted_with_their_penalty():
    """A number 1 +- 0.3 that only a nuisance of mean 0.2 and width 0.4 can reach: the pull is the weighted mean's."""
    parameters = (linear_parameter("x"),)
    model = ToyModel("idle", parameters, lambda p: jnp.stack([0.0 * p["x"], p["x"]]))
    shift = Nuisance("shift", "s", 0.2, 0.4, "moves both numbers")
    data = ToyMeasurement(jnp.array([1.0, 2.0]), jnp.diag(jnp.array([1 / 0.09, 1.0])), nuisances=(shift,))
    fit = minimise(build_problem(model, [data], "own", parameters, {}), jax.random.key(4), QUICK)
    assert fit.pulls["shift"] == pytest.approx((0.8 / 0.3**2) * 0.4 / (1.0 + 0.4**2 / 0.3**2), abs=1e-3)
    assert fit.twice_nll == pytest.approx(0.8**2 / (0.3**2 + 0.4**2), abs=1e-5)


def test_a_bound_that_depends_on_another_parameter_holds():
    """Equal errors: ln x = ln y = ln sqrt(8), -2 ln L = 2 * 4 * (ln(2)/2)^2."""
    fit = minimise(edge_problem(), jax.random.key(5), QUICK)
    assert fit.values["y"] <= fit.values["x"] * (1.0 + 1e-12)
    assert fit.twice_nll == pytest.approx(8.0 * (0.5 * np.log(2.0)) ** 2, abs=1e-3)


def test_starts_on_a_closed_plateau_do_not_hide_the_open_side():
    """Flat and wrong for x below 1, right at 3: most of the prior is the plateau, where the gradient is exactly 0."""
    parameters = (log_parameter("x", 1e-4, 10.0),)
    model = ToyModel("threshold", parameters, lambda p: jnp.stack([jnp.maximum(jnp.log(p["x"]), 0.0)]))
    data = ToyMeasurement(jnp.log(jnp.array([3.0])), jnp.array([[400.0]]))
    fit = minimise(build_problem(model, [data], "own", parameters, {}), jax.random.key(6), QUICK)
    assert fit.values["x"] == pytest.approx(3.0, rel=1e-4)


def test_one_compile_serves_other_data_and_fixed_values():
    counter: list[int] = []
    model = linear_model(counter)
    minimise(linear_problem(model=model), jax.random.key(1), QUICK)
    traces = len(counter)
    fit = minimise(linear_problem(data=(1.5, 0.0), model=model, fixed=0.5), jax.random.key(2), QUICK)
    assert fit.values["x"] == pytest.approx(1.0, abs=1e-5)
    assert len(counter) == traces


def test_the_same_key_gives_the_same_fit():
    first, second = (minimise(two_wells_problem(), jax.random.key(7), QUICK) for _ in range(2))
    assert first.point == second.point


def test_progress_is_reported_in_order():
    seen = []
    minimise(linear_problem(), jax.random.key(1), QUICK, lambda *report: seen.append(report))
    stages = [stage for stage, _, _ in seen]
    assert list(dict.fromkeys(stages)) == ["screening", "minimising", "polishing"]
    assert ("screening", 256, 256) in seen
    assert ("minimising", 8, 8) in seen
    assert seen[-1] == ("polishing", 1, 1)  # one end is distinct


def narrow_problem():
    """A shallow minimum at y = -2 whatever x, and one far deeper that is 1e-3 wide: no point of the prior is inside."""

    def wells(p):
        deep = -40.0 * jnp.exp(-0.5 * (((p["x"] - 1.0) / 1e-3) ** 2 + ((p["y"] - 2.0) / 1e-3) ** 2))
        return jnp.stack([jnp.sqrt(50.0 + (p["y"] + 2.0) ** 2 + deep)])

    parameters = (linear_parameter("x"), linear_parameter("y"))
    data = ToyMeasurement(jnp.array([0.0]), jnp.array([[1.0]]))
    return build_problem(ToyModel("narrow", parameters, wells), [data], "own", parameters, {})


def normal(problem, x, y):
    """Normal coordinates of x and y, uniform in -5 to 5."""
    return norm.ppf((np.array([x, y]) + 5.0) / 10.0)


def test_descents_from_draws_find_a_minimum_that_the_prior_misses():
    problem = narrow_problem()
    assert minimise(problem, jax.random.key(1), QUICK).twice_nll == pytest.approx(50.0, abs=1e-4)
    draws = np.stack([normal(problem, 1.0005, 1.9995), normal(problem, -3.0, -3.0)])
    fit = minimise(problem, jax.random.key(1), QUICK, draws=draws)
    assert (fit.start_from, fit.screened, fit.starts) == ("draws", 2, 2)
    assert fit.values == pytest.approx({"x": 1.0, "y": 2.0}, abs=1e-5)
    assert fit.twice_nll == pytest.approx(50.0 + 16.0 - 40.0, abs=1e-3)
    assert fit.reached == 1
    assert [optimum.starts for optimum in fit.optima] == [1, 1]


def test_draws_are_taken_in_their_order_and_none_whose_gradient_is_not_finite(monkeypatch):
    """The root has no slope at and below 0 (one `where` outside): not the second draw but the third one follows."""
    began, descend = [], module.descend

    def seen(evaluate, starts, *rest):
        began.append(5.0 * np.sin(starts))
        return descend(evaluate, starts, *rest)

    monkeypatch.setattr(module, "descend", seen)
    parameters = (linear_parameter("x"), linear_parameter("y"))
    model = ToyModel("root", parameters, lambda p: jnp.stack([jnp.where(p["x"] > 0.0, jnp.sqrt(p["x"]), -0.2), p["y"]]))
    problem = build_problem(model, [ToyMeasurement(jnp.ones(2), jnp.eye(2))], "own", parameters, {})
    draws = np.stack([normal(problem, *point) for point in ((2.0, 4.0), (-1.0, 1.0), (3.0, -4.0), (1.1, 1.1))])
    fit = minimise(problem, jax.random.key(1), FitSettings(starts=2), draws=draws)
    assert began[0] == pytest.approx(np.array([[2.0, 4.0], [3.0, -4.0]]))
    assert (fit.screened, fit.starts, fit.reached) == (4, 2, 2)
    assert fit.values == pytest.approx({"x": 1.0, "y": 1.0}, abs=1e-4)
    assert "the gradient is not finite at" in fit.problems[0]
    with pytest.raises(InputError, match="no draw of the populations has a finite likelihood"):
        minimise(linear_problem(data=(np.nan, 0.0)), jax.random.key(1), QUICK, draws=draws)


def test_draws_at_the_ends_of_a_range_have_a_slope_to_leave_on():
    """Normal coordinates of +-40 are the bounds themselves, where the minimiser's angle has none."""
    fit = minimise(linear_problem(), jax.random.key(1), QUICK, draws=np.array([[40.0, -40.0]]))
    assert fit.values == pytest.approx({"x": 0.5, "y": -1.0}, abs=1e-5)


def test_an_interrupt_returns_the_best_so_far(interrupt):
    interrupt(module, "descend")
    fit = minimise(linear_problem(), jax.random.key(1), QUICK)
    assert not fit.converged
    assert fit.message.startswith("interrupted")
    assert fit.starts == 0
    interrupt(module, "forward")
    with pytest.raises(KeyboardInterrupt):
        minimise(linear_problem(), jax.random.key(1), QUICK)


def test_nothing_free_and_no_finite_point_are_refused():
    counter: list[int] = []
    model = linear_model(counter)
    data = ToyMeasurement(jnp.zeros(2), jnp.eye(2))
    fixed = build_problem(model, [data], "own", [], {"x": 0.0, "y": 0.0, "offset": 0.0})
    with pytest.raises(InputError, match="at least one parameter free"):
        minimise(fixed, jax.random.key(1), QUICK)
    with pytest.raises(InputError, match="finite likelihood"):
        minimise(linear_problem(data=(np.nan, 0.0)), jax.random.key(1), QUICK)


@pytest.mark.parametrize("bad", [{"starts": 0}, {"screened": 4}, {"tolerance": 0.0}, {"rounds": -1}])
def test_bad_settings_are_refused(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        FitSettings(**bad)
