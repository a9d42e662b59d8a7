"""Nested sampling: the evidence and the posterior of Gaussians, which are known."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import banana_problem, linear_problem

from anomfit.errors import InputError
from anomfit.inference import nested
from anomfit.inference.nested import sample_nested
from anomfit.inference.nested_samples import equal_draws, nested_samples
from anomfit.inference.sample import SampleSettings


@pytest.mark.slow
def test_evidence_and_posterior_of_a_gaussian():
    """exp(-chi^2/2) far inside a box of 10 x 10: evidence 2 pi sqrt(det C) / 100, mean and covariance those of data."""
    found = sample_nested(linear_problem(), jax.random.key(1), live=400, effective=4000)
    covariance = np.array([[0.04, 0.03], [0.03, 0.09]])
    assert found.log_evidence == pytest.approx(np.log(2 * np.pi * np.sqrt(np.linalg.det(covariance)) / 100), abs=0.05)
    assert found.ess > 3900
    x, y = found.values["x"], found.values["y"]
    assert found.mean(x) == pytest.approx(0.5, abs=5 * 0.2 / np.sqrt(found.ess))
    assert found.mean(y) == pytest.approx(-1.0, abs=5 * 0.3 / np.sqrt(found.ess))
    assert found.mean((x - 0.5) * (y + 1.0)) == pytest.approx(0.03, rel=0.15)


@pytest.mark.slow
def test_equal_draws_in_the_form_of_chains_stop_and_go_on(tmp_path, monkeypatch):
    """Interrupted after a few hundred likelihoods and resumed: the posterior of data with known covariance."""
    problem, settings = linear_problem(), SampleSettings(chains=2, draws=400)
    arguments = (problem, jax.random.key(1), settings, 300, tmp_path / "nested.h5")
    real, calls = nested.log_posteriors, []

    def interrupted(*given):
        calls.append(1)
        if len(calls) == 20:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(nested, "log_posteriors", interrupted)
    with pytest.raises(KeyboardInterrupt):
        nested_samples(*arguments)
    samples = nested_samples(*arguments)
    assert samples.method == "nested"
    assert samples.z.shape == (2, 400, len(problem.names))
    assert samples.problems == ()
    assert samples.evidence.ess >= 2400
    x, y = (samples.values[name].ravel() for name in ("x", "y"))
    assert x.mean() == pytest.approx(0.5, abs=5 * 0.2 / np.sqrt(800))
    assert np.cov(x, y)[0, 1] == pytest.approx(0.03, abs=0.006)
    at = {name: jnp.asarray(values[0, 0]) for name, values in samples.values.items()}
    assert samples.stats["log_likelihood"][0, 0] == pytest.approx(float(problem.log_likelihood(at)), rel=1e-9)


def test_a_damaged_state_is_one_sentence(tmp_path):
    (tmp_path / "nested.h5").write_bytes(b"no HDF5")
    with pytest.raises(InputError, match=r"nested\.h5.*damaged"):
        sample_nested(linear_problem(), jax.random.key(1), live=300, state_file=tmp_path / "nested.h5")


def test_too_few_points_are_refused():
    with pytest.raises(InputError, match="live"):
        sample_nested(banana_problem(), jax.random.key(1), live=3)


def test_a_missing_nautilus_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "nautilus", None)
    with pytest.raises(InputError, match="pip install nautilus-sampler"):
        sample_nested(linear_problem(), jax.random.key(1))


def test_equal_draws_follow_the_weights_and_hardly_repeat():
    """Each index comes floor(w n) or one more time; the mean is that of the weights to a step."""
    rng = np.random.default_rng(3)
    weights = rng.exponential(size=3000)
    weights /= weights.sum()
    chosen = equal_draws(weights, 500, jax.random.key(4))
    times = np.bincount(chosen, minlength=len(weights))
    assert np.all((times >= np.floor(500 * weights)) & (times <= np.floor(500 * weights) + 1))
    assert np.any(np.diff(chosen) < 0)
    centres = np.cumsum(weights) - 0.5 * weights
    assert centres[chosen].mean() == pytest.approx(0.5, abs=2e-3)


def test_likelihoods_before_a_resumption_count(tmp_path):
    """A finished run that is opened again computes nothing and still knows how many likelihoods it took."""
    arguments = {"live": 100, "effective": 200.0, "state_file": tmp_path / "nested.h5"}
    first = sample_nested(linear_problem(), jax.random.key(1), **arguments)
    again = sample_nested(linear_problem(), jax.random.key(1), **arguments)
    assert again.calls == first.calls > 100
