"""What a run with tables states is of the exact rule: best fits are polished with it, draws become its own by weights.

A stand-in that is known to be off takes the place of a table: a measurement whose numbers are shifted.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow.parquet as pq
import pytest

from anomfit import run
from anomfit.cards import card_from_text, problem_from_card
from anomfit.checks import Checks
from anomfit.citing import cited
from anomfit.errors import InputError
from anomfit.inference.compiled import exact_problem, forward, gradients, holds
from anomfit.inference.fit.minimise import FitSettings, minimise
from anomfit.inference.fit.refine import refined
from anomfit.inference.sample import tempered
from anomfit.inference.sample.chains import Evidence, SampleSettings, samples_of
from anomfit.inference.sample.diagnostics import pareto_smoothed
from anomfit.inference.sample.likelihoods import log_posteriors
from anomfit.inference.sample.nuts import Block
from anomfit.measurements.base import Prediction
from anomfit.results.files import load_result
from anomfit.results.summary import table_table
from anomfit.scanning import scan
from anomfit.tables import correction, using
from anomfit.tables.correction import corrected
from anomfit.tables.exchanged import planning as exchanged
from anomfit.tables.use import TableUse
from anomfit.tabulating import likelihoods_of, sampled_problem

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
CARD = f"""
model = "{EXAMPLES}/my_model.py:dark_photon"
[free]
epsilon = [1e-4, 3e-3]
[fixed]
m_dark = "30MeV"
[measurements]
"{EXAMPLES}/my_measurement.py:load" = {{scale = "1.0"}}
[fit]
screened = 64
starts = 2
[sampling]
method = "tempered"
chains = 2
points = 300
moves = 3
draws = 300
"""


@dataclass(frozen=True)
class Shifted:
    """`exact` with its prediction times `factor`, and nothing for couplings above `end`."""

    exact: object
    factor: jax.Array
    end: jax.Array

    is_looked_up = True

    def __getattr__(self, name):
        if name.startswith("__") or name in ("exact", "factor", "end"):
            raise AttributeError(name)
        return getattr(self.exact, name)

    def holds_at(self, model, point, nuisances):
        return point["epsilon"] <= self.end

    def predict(self, model, point, nuisances):
        said = self.exact.predict(model, point, nuisances)
        is_inside = self.holds_at(model, point, nuisances)
        return Prediction({k: jnp.where(is_inside, self.factor * x, jnp.nan) for k, x in said.signal.items()}, {})


jax.tree_util.register_dataclass(Shifted, data_fields=["exact", "factor", "end"], meta_fields=[])


@pytest.fixture(scope="module")
def exact():
    return problem_from_card(card_from_text(CARD))


def shifted(exact, factor=1.05, end=1.0):
    measurement = Shifted(exact.measurements[0], jnp.asarray(factor), jnp.asarray(end))
    return replace(exact, measurements=(measurement,))


def test_where_a_stand_in_does_not_hold_the_exact_one_is_asked(exact):
    fast, points = shifted(exact, 2.0, 1e-3), {"epsilon": np.array([5e-4, 9e-4, 2e-3, 1.5e-3])}
    assert np.asarray(holds(fast, points)).tolist() == [True, True, False, False]
    said, truth = forward(fast, points), forward(exact, points)
    np.testing.assert_allclose(said.signal[0]["moment"][:2], 2.0 * truth.signal[0]["moment"][:2], rtol=1e-12)
    np.testing.assert_array_equal(said.signal[0]["moment"][2:], truth.signal[0]["moment"][2:])
    np.testing.assert_array_equal(said.twice_nll[2:], truth.twice_nll[2:])
    s = np.log(points["epsilon"])[:, None]
    for found, wanted in zip(gradients(fast, s), gradients(exact, s), strict=True):
        assert np.isfinite(found).all()
        np.testing.assert_array_equal(found[2:], wanted[2:])
    z = jnp.array([[1.5], [0.9], [1.1]])
    values, _ = jax.vmap(exact.from_normal)(z)
    assert np.asarray(holds(fast, values)).tolist() == [False, False, False]
    np.testing.assert_allclose(log_posteriors(fast, z), log_posteriors(exact, z), rtol=1e-12)
    assert exact_problem(exact) is None
    assert exact_problem(fast).measurements[0] is exact.measurements[0]


def test_a_best_fit_is_led_to_the_exact_minimum(exact):
    settings = FitSettings(screened=64, starts=2)
    found = minimise(shifted(exact), jax.random.key(1), settings)
    fit = refined(exact, found, settings)
    reference = minimise(exact, jax.random.key(1), settings)
    assert found.values["epsilon"] < 0.99 * reference.values["epsilon"]
    assert fit.values["epsilon"] == pytest.approx(reference.values["epsilon"], rel=1e-5)
    assert fit.twice_nll == pytest.approx(reference.twice_nll, abs=1e-6)
    assert fit.converged
    asked = forward(exact, {"epsilon": np.array([one.values["epsilon"] for one in fit.optima])}).twice_nll
    np.testing.assert_allclose([one.twice_nll for one in fit.optima], asked, atol=1e-9)
    stopped = refined(exact, replace(found, message="interrupted: the best point so far"), settings)
    assert not stopped.converged
    assert stopped.message.startswith("interrupted")


def drawn(fast, draws=4000):
    """Draws of the posterior of `fast`, by the inverse of its distribution, in random order."""
    z = np.linspace(-6.0, 6.0, 20001)
    log_density = np.asarray(log_posteriors(fast, jnp.asarray(z)[:, None]))
    total = np.cumsum(np.exp(log_density - log_density.max()))
    order = np.random.default_rng(1).permutation(draws)
    chosen = np.interp((np.arange(draws) + 0.5) / draws, total / total[-1], z)[order].reshape(2, -1, 1)
    density = np.asarray(log_posteriors(fast, jnp.asarray(chosen.reshape(-1, 1)))).reshape(2, -1)
    nothing = np.zeros(density.shape)
    block = Block(chosen, density, -density, nothing + 1.0, nothing, nothing)
    evidence = float(log_density.max() + np.log(total[-1]))
    settings = SampleSettings(2, draws // 2, draws // 2)
    return samples_of(fast, block, settings, (1.0, 1.0), evidence=Evidence(evidence, 1, draws, "tempered", 0.001))


def test_weighted_draws_are_those_of_the_exact_posterior(exact):
    fast = shifted(exact)
    before, reference = drawn(fast), drawn(exact)
    found, said = corrected(exact, fast, before, jax.random.key(2))
    x, y, truth = (one.values["epsilon"] for one in (before, found, reference))
    assert abs(x.mean() - truth.mean()) > 0.05 * truth.std()
    assert y.mean() == pytest.approx(truth.mean(), abs=0.01 * truth.std())
    assert y.std() == pytest.approx(truth.std(), rel=0.01)
    assert said.mean * x.std() + x.mean() == pytest.approx(truth.mean(), abs=0.01 * truth.std())
    assert found.evidence.log_evidence == pytest.approx(reference.evidence.log_evidence, abs=0.003)
    assert found.evidence.error > before.evidence.error
    assert said.pareto_k < 0.7
    assert said.draws == 4000
    points = {"epsilon": y.ravel()}
    np.testing.assert_allclose(
        found.stats["log_likelihood"].ravel(), -0.5 * forward(exact, points).twice_nll, atol=1e-9
    )
    assert (
        "0.0% of 4000 points beyond it; 0 more outside" in said.errors
    )  # 5 % of 1e-9 events is far below any tolerance


def test_a_perfect_stand_in_changes_no_draw_and_a_bad_one_is_said(exact):
    before = drawn(exact, 400)
    found, said = corrected(exact, shifted(exact, 1.0), before, jax.random.key(2))
    np.testing.assert_array_equal(found.z, before.z)
    assert (said.mean, said.log_evidence, said.effective) == pytest.approx((0.0, 0.0, 400.0), abs=1e-9)
    fast = shifted(exact, 4.0)
    bad, said = corrected(exact, fast, drawn(fast, 400), jax.random.key(2))
    assert said.effective < 100.0
    assert said.pareto_k > 0.7
    assert any("run again with --exact" in sentence for sentence in bad.problems)


def test_the_tail_of_weights_that_are_close_to_one_does_not_matter(exact, monkeypatch):
    monkeypatch.setattr(correction, "pareto_smoothed", lambda log_weights: (pareto_smoothed(log_weights)[0], 1.2))
    for factor, is_said in ((1.001, False), (4.0, True)):
        fast = shifted(exact, factor)
        found, said = corrected(exact, fast, drawn(fast, 400), jax.random.key(2))
        assert said.pareto_k == 1.2
        assert any("run again with --exact" in sentence for sentence in found.problems) == is_said


def test_chains_take_the_exact_rule_where_a_table_leaves_out_some_of_the_prior(exact):
    tempered_card, told = card_from_text(CARD), []
    nuts_card = replace(tempered_card, sampling=replace(tempered_card.sampling, method="nuts"))
    narrow, wide = shifted(exact, end=1e-3), shifted(exact)
    assert sampled_problem(exact, wide, nuts_card, told.append) is wide
    assert sampled_problem(exact, narrow, tempered_card, told.append) is narrow
    assert not told
    assert likelihoods_of(nuts_card, True) > exchanged.SECONDS / exchanged.SAVED > likelihoods_of(nuts_card, False)
    assert sampled_problem(exact, narrow, nuts_card, told.append) is exact
    share = np.log(3.0) / np.log(30.0)  # of a log-uniform range from 1e-4 to 3e-3
    assert float(told[0].partition("%")[0]) == pytest.approx(100.0 * share, abs=3.0)


@pytest.mark.slow
def test_a_run_with_tables_ends_with_exact_numbers_and_goes_on_with_no_other_table(exact, monkeypatch, tmp_path):
    card, told = card_from_text(CARD), []
    for part in ("at_best_fit", "with_posterior"):  # constraints and figures know nothing of tables
        monkeypatch.setattr(Checks, part, lambda self, result: result)
    monkeypatch.setattr(run, "_draw", lambda *given: None)
    factor = [1.05]
    monkeypatch.setattr(
        run, "tabulated_for", lambda problem, *rest: problem if rest[-1] is False else shifted(problem, factor[0])
    )
    monkeypatch.setattr(using, "use_of", lambda fast: TableUse("my-muon:example", 1.0, "2026-01-01", "median 0", 0.0))
    monkeypatch.setattr(run, "refuse_without_tables", lambda problem: None)
    with monkeypatch.context() as stopping:
        real, calls = tempered._raised, []

        def stop(*given):
            calls.append(1)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return real(*given)

        stopping.setattr(tempered, "_raised", stop)
        with pytest.raises(KeyboardInterrupt, match="--resume goes on"):
            run.run_fit(card, tmp_path / "stopped", tables=True)
    gone_on = run.run_fit(card, tmp_path / "stopped", resume=True, tables=True)
    result = run.run_fit(card, tmp_path / "fast", say=told.append, tables=True)
    np.testing.assert_array_equal(gone_on.samples.z, result.samples.z)
    assert gone_on.table == result.table
    assert result.goodness.chi_squared == pytest.approx(0.0, abs=1e-4)  # one number, one parameter
    x, y = result.samples.values["epsilon"], drawn(exact, 1000).values["epsilon"]
    assert x.mean() == pytest.approx(y.mean(), abs=0.2 * y.std())
    assert any("Pareto k" in line for line in told)
    again = load_result(tmp_path / "fast" / "result.nc")
    assert again.table == result.table
    assert "Pareto Smoothed Importance Sampling" in str(cited(str(tmp_path / "fast")).entries)
    words = table_table(again).markdown()
    assert "my-muon:example, 1 MB" in words
    assert words in (tmp_path / "fast" / "report.md").read_text()
    factor[0] = 1.06
    with pytest.raises(InputError, match="the table of my-muon:example has changed"):
        run.run_fit(card, tmp_path / "fast", resume=True, tables=True)
    with pytest.raises(InputError, match="the table of my-muon:example is not used any more"):
        run.run_fit(card, tmp_path / "fast", resume=True, tables=False)
    with monkeypatch.context() as first:  # a fit of the exact rule goes on with it, with a table or without asking
        first.setattr(run, "tabulated_for", lambda problem, *rest: problem)
        first.setattr(using, "use_of", lambda fast: None)
        run.run_fit(card, tmp_path / "plain", sample=False, tables=True)
    asked = []
    monkeypatch.setattr(run, "tabulated_for", lambda problem, *rest: asked.append(rest[-1]) or problem)
    for tables in (True, None, False):
        run.run_fit(card, tmp_path / "plain", sample=False, resume=True, say=told.append, tables=tables)
    assert asked == [False, False, False]
    assert sum("is of the exact rule, so that the exact rule goes on" in line for line in told) == 1


@pytest.mark.slow
def test_a_scan_with_tables_says_so_and_is_no_scan_without(exact, monkeypatch, tmp_path):
    monkeypatch.setattr(scan, "_with_tables", lambda problem, *rest: shifted(problem, 1.05, 1e-3))
    monkeypatch.setattr(using, "use_of", lambda fast: TableUse("my-muon:example", 1.0, "2026-01-01", "median 0", 0.0))
    card, asked = card_from_text(CARD), scan.ScanSettings(number=64, design="sobol", keep=("my-muon",))
    found = scan.run_scan(card, tmp_path / "fast", asked, tables=True)
    assert json.loads((tmp_path / "fast" / "scan.json").read_text())["table"]["measurement"] == "my-muon:example"
    table = pq.read_table(found.points)
    epsilon, signal = (table[name].to_numpy() for name in ("epsilon", "signal.my-muon:example"))
    truth = forward(exact, {"epsilon": epsilon}).signal[0]["moment"][:, 0]
    np.testing.assert_allclose(signal / truth, np.where(epsilon <= 1e-3, 1.05, 1.0), rtol=1e-12)
    with pytest.raises(InputError, match="the table of my-muon:example is not used any more"):
        scan.run_scan(card, tmp_path / "fast", asked, resume=True)
