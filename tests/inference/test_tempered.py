"""Tempered populations: Gaussians and two arms, which are known; runs that were stopped; refusals."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import ToyMeasurement, ToyModel, linear_parameter, linear_problem

from anomfit.errors import InputError
from anomfit.inference.sample import likelihoods
from anomfit.inference.sample.chains import SampleSettings
from anomfit.inference.sample.populations import descent_starts, led_populations, samples_of_populations
from anomfit.inference.sample.stages import stages_of
from anomfit.inference.sample.tempered import Tempered, sample_tempered
from anomfit.parameters import Nuisance
from anomfit.problem import build_problem


def plane(point):
    return jnp.stack([point["x"], point["y"]])


SHORT = {"populations": 2, "points": 64, "moves": 3}


def two_arms(share=0.25):
    """x at 2 or at -2, to 0.2, the second with the odds share : 1; y is measured to 1."""
    odds = np.log(share)

    def arms(point):
        near = jnp.stack([-0.5 * ((point["x"] - 2.0) / 0.2) ** 2, odds - 0.5 * ((point["x"] + 2.0) / 0.2) ** 2])
        return jnp.stack([jnp.sqrt(-2.0 * (jax.nn.logsumexp(near) - np.log1p(share)) + 1.0), point["y"]])

    parameters = (linear_parameter("x"), linear_parameter("y"))
    data = ToyMeasurement(jnp.zeros(2), jnp.diag(jnp.array([1.0, 1.0])))
    return build_problem(ToyModel("arms", parameters, arms), [data], "own", parameters, {})


@pytest.mark.slow
def test_evidence_and_posterior_of_a_gaussian():
    """exp(-chi^2/2) far inside a box of 10 x 10: evidence 2 pi sqrt(det C) / 100, mean and covariance those of data."""
    found = sample_tempered(linear_problem(), jax.random.key(1), populations=4, points=1000, moves=20)
    covariance = np.array([[0.04, 0.03], [0.03, 0.09]])
    expected = np.log(2 * np.pi * np.sqrt(np.linalg.det(covariance)) / 100)
    assert np.mean(found.log_evidence) == pytest.approx(expected, abs=0.08)
    values, _ = jax.vmap(linear_problem().from_normal)(jnp.asarray(found.z.reshape(-1, 2)))
    x, y = np.asarray(values["x"]), np.asarray(values["y"])
    assert x.mean() == pytest.approx(0.5, abs=0.02)
    assert y.mean() == pytest.approx(-1.0, abs=0.03)
    assert np.cov(x, y) == pytest.approx(covariance, rel=0.15)


class QuickToy(ToyMeasurement):
    """One that samplers look at first."""

    is_quick = True


class LimitToy(ToyMeasurement):
    """A limit that is an integral."""

    is_light = False
    predicts_ratio = True


class TableToy(ToyMeasurement):
    """One that stands in for a slower one."""

    exact = property(lambda self: self)
    is_looked_up = True

    def holds_at(self, model, point, nuisances):
        return jnp.array(True)


for kind in (QuickToy, LimitToy, TableToy):
    jax.tree_util.register_dataclass(
        kind, ["data", "inverse"], ["name", "era", "title", "samples", "accepts", "nuisances", "references"]
    )


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("quick slow table", [["quick", "table"], ["slow"]]),
        ("quick table", [["quick"], ["table"]]),
        ("slow table", [["table"], ["slow"]]),
        ("limit quick slow", [["quick"], ["slow"], ["limit"]]),
        ("limit slow", [["slow"], ["limit"]]),
        ("slow", [["slow"]]),
        ("quick", [["quick"]]),
    ],
)
def test_tables_are_looked_up_before_what_is_slow_and_after_what_is_quick(kinds, expected):
    types = {"quick": QuickToy, "slow": ToyMeasurement, "limit": LimitToy, "table": TableToy}
    data = [types[k](jnp.zeros(2), jnp.eye(2), name=k, samples=frozenset({k})) for k in kinds.split()]
    parameters = (linear_parameter("x"), linear_parameter("y"))
    stages = stages_of(build_problem(ToyModel("sum", parameters, plane), data, "own", parameters, {}))
    assert [[m.name for m in part.measurements] for part in stages.parts] == expected


@pytest.mark.slow
@pytest.mark.parametrize("last", [0.0, 0.4])
def test_stages_that_pull_against_each_other_give_the_evidence_and_posterior_of_their_product(last):
    """x + y, quick, and x - y and x: two Gaussians whose product is known, two deviations apart. A share of the second
    may be asked apart, as a third stage.
    """
    parameters = (linear_parameter("x"), linear_parameter("y"))
    first, second = np.array([0.7, 0.0]), np.array([0.2, -0.8])
    quick, slow = np.full((2, 2), 1 / 0.09), np.array([[1 / 0.04 + 1 / 0.16, -1 / 0.04], [-1 / 0.04, 1 / 0.04]])
    data = [
        QuickToy(jnp.asarray(first), jnp.asarray(quick), name="quick", samples=frozenset({"quick"})),
        ToyMeasurement(jnp.asarray(second), jnp.asarray((1.0 - last) * slow)),
    ]
    if last:
        limit = LimitToy(jnp.asarray(second), jnp.asarray(last * slow), name="limit", samples=frozenset({"limit"}))
        data.append(limit)
    problem = build_problem(ToyModel("sum", parameters, plane), data, "own", parameters, {})
    stages = stages_of(problem)
    expected = [["quick"], ["toy"], ["limit"]][: len(data)]
    assert [[m.name for m in part.measurements] for part in stages.parts] == expected
    found = sample_tempered(problem, jax.random.key(7), populations=4, points=1000, moves=20)
    assert found.calls < 0.7 * found.proposals
    precision = quick + slow
    mean = np.linalg.solve(precision, quick @ first + slow @ second)
    apart = first @ quick @ first + second @ slow @ second - mean @ precision @ mean
    log_evidence = np.log(2 * np.pi / np.sqrt(np.linalg.det(precision)) / 100) - 0.5 * apart
    assert np.mean(found.log_evidence) == pytest.approx(log_evidence, abs=0.08)
    values, _ = jax.vmap(problem.from_normal)(jnp.asarray(found.z.reshape(-1, 2)))
    x, y = np.asarray(values["x"]), np.asarray(values["y"])
    assert [x.mean(), y.mean()] == pytest.approx(mean, abs=0.02)
    assert np.cov(x, y) == pytest.approx(np.linalg.inv(precision), rel=0.15, abs=2e-3)


@pytest.mark.slow
def test_two_arms_keep_their_odds():
    """One of five points is in the lesser arm, whose odds are 1 : 4, in every population."""
    found = sample_tempered(two_arms(), jax.random.key(3), populations=4, points=1000, moves=20)
    shares = np.mean(found.z[:, :, 0] < 0.0, axis=1)
    assert shares == pytest.approx(np.full(4, 0.2), abs=0.07)
    assert shares.mean() == pytest.approx(0.2, abs=0.035)


def narrow_arm(share=0.6, narrow=0.5):
    """Two Gaussians in six coordinates: of width 1 about -1.5, and of width `narrow`, with this share, about 1.5."""
    names = [f"x{i}" for i in range(6)]
    peak = 10.0  # above the greatest ln L of the normalised sum: ToyMeasurement wants its square root

    def arms(point):
        x = jnp.stack([point[name] for name in names])
        wide = np.log(1.0 - share) - 0.5 * jnp.sum((x + 1.5) ** 2)
        other = np.log(share) - 6.0 * np.log(narrow) - 0.5 * jnp.sum(((x - 1.5) / narrow) ** 2)
        return jnp.stack([jnp.sqrt(2.0 * (peak - jnp.logaddexp(wide, other))), 0.0 * x[0]])

    parameters = tuple(linear_parameter(name) for name in names)
    data = ToyMeasurement(jnp.zeros(2), jnp.eye(2))
    return build_problem(ToyModel("arms", parameters, arms), [data], "own", parameters, {}), peak


@pytest.mark.slow
def test_a_narrow_arm_that_is_found_late_gets_its_weight():
    """0.6 of the posterior in a 64th of the volume: few points are there until beta is near 1."""
    problem, peak = narrow_arm()
    found = sample_tempered(problem, jax.random.key(1), populations=16, points=512, moves=20)
    shares = np.mean(found.z.mean(axis=2) > 0.0, axis=1)
    assert shares.mean() == pytest.approx(0.6, abs=0.02)
    assert shares.std(ddof=1) < 0.04  # of 512 independent draws 0.022
    log_evidence = np.logaddexp.reduce(found.log_evidence) - np.log(16)
    assert log_evidence == pytest.approx(3.0 * np.log(2.0 * np.pi) - 6.0 * np.log(10.0) - peak, abs=0.1)


@pytest.mark.slow
def test_pulls_follow_their_prior_and_the_data():
    """x + shift measured to 0.2, the shift's own width 1, x free within 5: the pull keeps its prior."""
    shift = Nuisance("shift", "s", 0.0, 1.0, "a toy shift")
    parameters = (linear_parameter("x"), linear_parameter("y"))
    data = ToyMeasurement(jnp.array([0.5, -1.0]), jnp.diag(jnp.array([25.0, 25.0])), nuisances=(shift,))
    problem = build_problem(ToyModel("sum", parameters, plane), [data], "own", parameters, {})
    found = sample_tempered(problem, jax.random.key(5), populations=4, points=500, moves=30)
    values, _ = jax.vmap(problem.from_normal)(jnp.asarray(found.z.reshape(-1, 3)))
    x, y, pull = (np.asarray(values[name]) for name in ("x", "y", "shift"))
    assert np.std(x + pull) == pytest.approx(0.2, rel=0.1)
    assert np.mean(x + pull) == pytest.approx(0.5, abs=0.03)
    assert np.std(y + pull) == pytest.approx(0.2, rel=0.1)
    assert np.std(pull) == pytest.approx(1.0, rel=0.12)
    assert np.mean(pull) == pytest.approx(0.0, abs=0.15)


def test_draws_come_in_the_form_of_chains():
    problem = linear_problem()
    settings = SampleSettings(chains=2, draws=40)
    found = led_populations(problem, jax.random.key(1), settings, points=64, moves=4)
    samples = samples_of_populations(problem, found, settings, jax.random.key(1))
    assert samples.method == "tempered"
    assert samples.z.shape == (2, 40, len(problem.names))
    at = {name: jnp.asarray(values[0, 0]) for name, values in samples.values.items()}
    assert samples.stats["log_likelihood"][0, 0] == pytest.approx(float(problem.log_likelihood(at)), rel=1e-9)
    assert samples.evidence.calls > 0
    assert 0.0 < samples.evidence.ess <= 128.0


@pytest.mark.parametrize(("apart", "is_said"), [(0.4, False), (2.6, True)])
def test_populations_that_hold_different_parts_of_the_posterior_say_so(apart, is_said):
    problem, settings = linear_problem(), SampleSettings(chains=2, draws=40)
    found = led_populations(problem, jax.random.key(1), settings, points=64, moves=4)
    found = replace(found, log_evidence=np.array([-30.0, -30.0 + apart]))
    samples = samples_of_populations(problem, found, settings, jax.random.key(1))
    assert any("evidences of the populations differ by a factor of e^2.6" in s for s in samples.problems) == is_said


@pytest.mark.parametrize("share", [0.5, 0.3, 0.02])
def test_a_population_gives_draws_in_proportion_to_its_evidence(share):
    """x is about -1 in one population and 1 in the other: the mean over the draws knows their evidences."""
    problem, settings = linear_problem(), SampleSettings(chains=2, draws=40)
    z = np.random.default_rng(1).normal(size=(2, 64, len(problem.names)))
    z[:, :, 0] = 0.1 * z[:, :, 0] + [[-1.0], [1.0]]
    at = np.log(np.array([share, 1.0 - share])) - 30.0
    found = Tempered(z, np.zeros((2, 64)), at, 1, 1, 1, 1.0)
    samples = samples_of_populations(problem, found, settings, jax.random.key(1))
    assert samples.z.shape == (2, 40, len(problem.names))
    assert np.mean(samples.z[..., 0] > 0.0) == pytest.approx(1.0 - share, abs=0.5 / 80)
    assert np.all(samples.z[1, :, 0] > 0.0)
    assert samples.evidence.log_evidence == pytest.approx(np.log(0.5) - 30.0)


def populations(*log_likelihoods, z):
    """Two populations of given points and likelihoods."""
    none = np.zeros(2)
    return Tempered(np.asarray(z, dtype=float), np.asarray(log_likelihoods, dtype=float), none, 1, 1, 1, 1.0)


def test_descents_start_at_the_best_of_each_population_and_at_what_is_far_from_them():
    """By hand: x of two populations; the better halves are -1, 0, 0.1 and 4, 5, 6, in units of one deviation."""
    z = np.zeros((2, 6, 2))
    z[:, :, 0] = [[0.0, 0.1, -1.0, -9.0, 9.0, 0.3], [4.0, 5.0, 6.0, -8.0, 8.0, 4.5]]
    found = populations([-1.0, -2.0, -3.0, -8.0, -8.0, -9.0], [-0.5, -2.0, -3.0, -7.0, -7.0, -9.0], z=z)
    starts = descent_starts(linear_problem(), found, 4)
    assert starts[:, 0].tolist() == [4.0, 0.0, 6.0, -1.0]
    assert descent_starts(linear_problem(), found, 1)[:, 0].tolist() == [4.0]
    assert len(descent_starts(linear_problem(), found, 12)) == 6  # of the better halves, each once


class Killed(BaseException):
    """What ends a run at a moment of the test's choice."""


def test_a_run_killed_at_any_moment_goes_on_with_the_same_numbers(tmp_path, monkeypatch):
    undisturbed = sample_tempered(linear_problem(), jax.random.key(1), **SHORT)
    real, calls = likelihoods.log_posteriors, []

    def killed(*given):
        calls.append(1)
        if len(calls) in (9, 12):
            raise Killed
        return real(*given)

    monkeypatch.setattr(likelihoods, "log_posteriors", killed)
    file = tmp_path / "tempered.npz"
    for _ in range(2):
        with pytest.raises(Killed):
            sample_tempered(linear_problem(), jax.random.key(1), **SHORT, state_file=file)
    again = sample_tempered(linear_problem(), jax.random.key(1), **SHORT, state_file=file)
    np.testing.assert_array_equal(again.z, undisturbed.z)
    np.testing.assert_array_equal(again.log_evidence, undisturbed.log_evidence)
    assert again.calls == undisturbed.calls


def test_a_finished_run_computes_nothing_again(tmp_path, monkeypatch):
    file = tmp_path / "tempered.npz"
    first = sample_tempered(linear_problem(), jax.random.key(1), **SHORT, state_file=file)
    monkeypatch.setattr(likelihoods, "log_posteriors", lambda *given: pytest.fail("a likelihood was computed"))
    again = sample_tempered(linear_problem(), jax.random.key(1), **SHORT, state_file=file)
    np.testing.assert_array_equal(again.z, first.z)
    assert again.calls == first.calls


def test_the_state_of_another_likelihood_is_refused_in_words(tmp_path):
    arguments = {**SHORT, "state_file": tmp_path / "tempered.npz"}
    sample_tempered(linear_problem(), jax.random.key(1), **arguments)
    with pytest.raises(
        InputError, match=r"tempered\.npz: it belongs to another run: the data of toy:2020 have changed"
    ):
        sample_tempered(linear_problem((0.4, -1.0)), jax.random.key(1), **arguments)
    with pytest.raises(InputError, match=r"the setting moves was 3 and is 4"):
        sample_tempered(linear_problem(), jax.random.key(1), **{**arguments, "moves": 4})


@pytest.mark.parametrize("points", [3, 65])
def test_points_that_span_nothing_are_refused(points):
    with pytest.raises(InputError, match="points: "):
        sample_tempered(linear_problem(), jax.random.key(1), points=points)


def test_points_without_a_likelihood_are_left_behind():
    """The half of the prior where ln L is not a number holds no draw, and a sentence says so."""
    parameters = (linear_parameter("x"), linear_parameter("y"))
    model = ToyModel("half", parameters, lambda p: jnp.stack([p["x"] / (p["y"] > 0.0), p["y"]]))
    data = ToyMeasurement(jnp.array([0.0, 1.0]), jnp.eye(2))
    problem = build_problem(model, [data], "own", parameters, {})
    found = sample_tempered(problem, jax.random.key(1), **SHORT)
    assert np.all(found.z[..., 1] > 0.0)
    assert len(found.undefined) == 1
    assert "not a number" in found.undefined[0]
