import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import ToyMeasurement, ToyModel, banana_problem, linear_model, linear_problem, log_parameter

from anomfit.errors import InputError
from anomfit.inference.fit.minimise import FitSettings, minimise
from anomfit.inference.sample import chains as module
from anomfit.inference.sample.chains import SampleSettings, sample
from anomfit.inference.sample.diagnostics import diagnose, verdict
from anomfit.inference.sample.nuts import Tuning
from anomfit.inference.states import state_files
from anomfit.problem import build_problem

LONG = Tuning(warmup=200)  # a tuning is compiled for: few of them keep the tests quick
SHORT = SampleSettings(chains=2, draws=40, max_draws=40, tuning=Tuning(warmup=50, block=20))


@pytest.mark.slow
def test_nuts_samples_an_analytic_gaussian():
    samples = sample(linear_problem(), jax.random.key(1), SampleSettings(draws=1000, max_draws=4000, tuning=LONG))
    x, y = samples.values["x"].ravel(), samples.values["y"].ravel()
    assert samples.problems == ()
    assert min(d.ess_bulk for d in samples.diagnostics) > 1000
    assert abs(x.mean() - 0.5) < 0.1 * 0.2
    assert abs(y.mean() + 1.0) < 0.1 * 0.3
    assert x.std() == pytest.approx(0.2, rel=0.1)
    assert y.std() == pytest.approx(0.3, rel=0.1)
    assert np.corrcoef(x, y)[0, 1] == pytest.approx(0.5, abs=0.05)
    expected = -0.5 * np.einsum("ni,ij,nj->n", *_residuals(x, y))
    np.testing.assert_allclose(samples.stats["log_likelihood"].ravel(), expected, atol=1e-8)


def _residuals(x, y):
    residual = np.stack([x - 0.5, y + 1.0], axis=1)
    return residual, np.linalg.inv([[0.04, 0.03], [0.03, 0.09]]), residual


@pytest.mark.slow
def test_the_prior_is_log_uniform_over_the_open_region():
    """A likelihood that says nothing leaves the prior: ln x and ln y uniform over the triangle y < x."""
    parameters = (log_parameter("x", 1.0, np.e), log_parameter("y", 1.0, np.e))
    model = ToyModel("open", parameters, lambda p: 0.0 * p["x"][None], upper={"y": lambda v: v["x"]})
    problem = build_problem(model, [ToyMeasurement(jnp.zeros(1), jnp.eye(1))], "own", parameters, {})
    samples = sample(problem, jax.random.key(2), SampleSettings(draws=1500, max_draws=1500, tuning=Tuning(warmup=300)))
    ln_x, ln_y = np.log(samples.values["x"]).ravel(), np.log(samples.values["y"]).ravel()
    assert np.all(ln_y < ln_x)
    assert ln_x.mean() == pytest.approx(2 / 3, abs=0.03)
    assert ln_y.mean() == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize("stop", [20, 60, 80], ids=["in the warmup", "in the draws", "between runs"])
def test_a_killed_run_resumes_with_the_same_numbers(tmp_path, monkeypatch, stop):
    problem, key = linear_problem(), jax.random.key(3)
    whole = sample(problem, key, SHORT)
    advance = module.advance_chains

    def killed(problem, state, tuning):
        if int(np.asarray(state.i)[0]) >= stop:
            raise MemoryError
        return advance(problem, state, tuning)

    monkeypatch.setattr(module, "advance_chains", killed)
    with pytest.raises(MemoryError):
        sample(problem, key, SHORT, state_file=tmp_path / "state.npz")
    monkeypatch.setattr(module, "advance_chains", advance)
    resumed = sample(problem, key, SHORT, state_file=tmp_path / "state.npz")
    np.testing.assert_array_equal(resumed.z, whole.z)
    np.testing.assert_array_equal(resumed.stats["energy"], whole.stats["energy"])


def test_a_finished_run_can_be_extended(tmp_path):
    problem, key, file = linear_problem(), jax.random.key(3), tmp_path / "state.npz"
    first = sample(problem, key, SHORT, state_file=file)
    longer = SampleSettings(chains=2, draws=80, max_draws=80, tuning=SHORT.tuning)
    extended = sample(problem, key, longer, state_file=file)
    drawn = first.z.shape[1]
    assert extended.z.shape[1] >= 80
    np.testing.assert_array_equal(extended.z[:, :drawn], first.z)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("key", "the seed has changed"),
        ("data", "the data of toy:2020 have changed"),
        ("tuning", "the setting target_accept was 0.9 and is 0.8"),
    ],
)
def test_another_runs_state_is_refused(tmp_path, change, words):
    file = tmp_path / "state.npz"
    sample(linear_problem(), jax.random.key(3), SHORT, state_file=file)
    key = jax.random.key(4 if change == "key" else 3)
    problem = linear_problem(data=(0.1, 0.1)) if change == "data" else linear_problem()
    accept = 0.8 if change == "tuning" else 0.9
    settings = SampleSettings(chains=2, draws=40, max_draws=40, tuning=Tuning(warmup=50, target_accept=accept))
    with pytest.raises(InputError, match=f"another run: {words}; undo"):
        sample(problem, key, settings, state_file=file)


@pytest.mark.parametrize("content", [b"", b"not a state", None])
def test_after_damage_the_state_before_is_used_with_the_same_numbers(tmp_path, content):
    file = tmp_path / "state.npz"
    whole = sample(linear_problem(), jax.random.key(3), SHORT, state_file=file)
    damaged = file.read_bytes()[:-200] if content is None else content
    file.write_bytes(damaged)
    again = sample(linear_problem(), jax.random.key(3), SHORT, state_file=file)
    np.testing.assert_array_equal(again.z, whole.z)
    for one in state_files(file):
        one.write_bytes(damaged)
    with pytest.raises(InputError, match=r"state\.npz and .*state\.before\.npz: damaged"):
        sample(linear_problem(), jax.random.key(3), SHORT, state_file=file)


def test_one_compile_serves_other_data_and_resumed_blocks():
    counter: list[int] = []
    model = linear_model(counter)
    sample(linear_problem(model=model), jax.random.key(1), SHORT)
    traces = len(counter)
    sample(linear_problem(data=(1.0, 1.0), model=model, fixed=0.3), jax.random.key(2), SHORT)
    assert len(counter) == traces


def test_an_interrupt_keeps_the_draws(interrupt):
    interrupt(module, "advance_chains", 5)
    samples = sample(linear_problem(), jax.random.key(3), SHORT)
    assert samples.z.shape[1] == 30
    assert not samples.complete
    assert samples.problems[0] == "the run was interrupted before it was done"
    with pytest.raises(KeyboardInterrupt):
        sample(linear_problem(), jax.random.key(3), SHORT)


def test_sampling_extends_until_the_chains_are_good():
    settings = SampleSettings(chains=4, draws=20, max_draws=2000, tuning=LONG)
    samples = sample(linear_problem(), jax.random.key(5), settings)
    assert 20 < samples.z.shape[1] < 2000
    assert all(d.good for d in samples.diagnostics)
    assert samples.problems == ()


def test_chains_start_apart_at_the_optima_of_a_fit():
    problem = banana_problem()
    fit = minimise(problem, jax.random.key(1), FitSettings(screened=256, starts=8))
    starts = module.chain_starts(problem, jax.random.key(2), 4, fit)
    assert starts.shape == (4, 3)
    assert len(np.unique(np.round(starts[:, 2], 6))) == 4
    product = [float(v["x"] * v["y"]) for v in (problem.from_normal(jnp.asarray(z))[0] for z in starts)]
    assert np.all(abs(np.log(np.array(product) / 2.0)) < 2.0)  # jittered in a prior of +-13 e-folds


def test_derived_quantities_that_vary_are_kept():
    samples = sample(linear_problem(), jax.random.key(1), SHORT)
    np.testing.assert_allclose(samples.derived["total"], samples.values["x"] + samples.values["y"], rtol=1e-12)
    assert list(samples.derived) == ["total"]  # the fixed offset does not vary


def test_diagnostics_know_good_chains_from_bad():
    rng = np.random.default_rng(1)
    good = rng.normal(size=(4, 500))
    stuck = good + np.array([[0.0], [0.0], [0.0], [3.0]])
    (fine, bad) = diagnose({"good": good, "stuck": stuck})
    assert fine.good
    assert not bad.good
    assert bad.r_hat > 1.2
    assert fine.q16 == pytest.approx(-1.0, abs=0.1)
    assert verdict([fine], 0, chains=4) == ()
    assert "stuck" in verdict([fine, bad], 0, chains=4)[0]
    assert verdict([fine], 3, chains=4) == (
        "3 divergent transitions: raise target_accept, the posterior has narrow corners",
    )


def test_a_single_chain_is_not_called_good():
    """R-hat of one chain compares its quarters, which see a drift; whether other chains end elsewhere they cannot."""
    rng = np.random.default_rng(1)
    single, drifting = diagnose({"x": rng.normal(size=(1, 2000)), "y": rng.normal(size=(1, 2000)).cumsum(axis=1)})
    assert single.r_hat < 1.01
    assert single.ess_bulk > 1000
    assert drifting.r_hat > 1.2
    (sentence,) = verdict([single], 0, chains=1)
    assert sentence.startswith("one chain cannot show")
    assert sentence.endswith("run several, chains = 4")
    assert all("longer chains" not in sentence for sentence in verdict([drifting], 0, chains=1))
    assert all("points or moves" in sentence for sentence in verdict([drifting], 0, chains=4, populations=True))


def test_advice_to_nested_sampling_is_about_its_draws():
    (few,) = diagnose({"x": np.random.default_rng(1).normal(size=(2, 100))})
    (sentence,) = verdict([few], 0, chains=2, independent=True)
    assert sentence.startswith("fewer than 400 equal draws are kept for x")
    assert sentence.endswith("raise chains or draws in [sampling]")
    assert verdict(diagnose({"x": np.random.default_rng(1).normal(size=(2, 500))}), 0, 2, independent=True) == ()


@pytest.mark.parametrize("bad", [{"chains": 0}, {"draws": 0}, {"max_draws": 10}])
def test_bad_settings_are_refused(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        SampleSettings(**bad)


@pytest.mark.parametrize("bad", [{"warmup": 0}, {"target_accept": 1.0}, {"max_tree_depth": 0}, {"block": 0}])
def test_bad_tuning_is_refused(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        Tuning(**bad)
