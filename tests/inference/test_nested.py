"""Nested sampling: the evidence and the posterior of Gaussians, which are known."""

import os
import signal
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import banana_problem, linear_problem

from anomfit import interrupts
from anomfit.errors import InputError
from anomfit.inference.sample import likelihoods, nested, workers
from anomfit.inference.sample.chains import SampleSettings
from anomfit.inference.sample.likelihoods import equal_draws
from anomfit.inference.sample.nested import nested_samples, sample_nested
from anomfit.inference.sample.workers import Workers

SHORT = {"live": 60, "effective": 100.0}


def wide_problem(data=(0.5, -1.0), fixed=0.0):
    """A posterior nearly as wide as the prior: found in a few shells."""
    return linear_problem(data, ((4.0, 1.0), (1.0, 4.0)), fixed=fixed)


@pytest.fixture
def alone(monkeypatch):
    """No process can be started; the work of workers is done here, which is also quicker than starting some."""

    def refused(*given, **options):
        raise OSError("Resource temporarily unavailable")

    monkeypatch.setattr(workers.subprocess, "Popen", refused)


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
def test_equal_draws_in_the_form_of_chains():
    """The posterior of data with known covariance."""
    problem = linear_problem()
    samples = nested_samples(problem, jax.random.key(1), SampleSettings(chains=2, draws=400), live=300)
    assert samples.method == "nested"
    assert samples.z.shape == (2, 400, len(problem.names))
    assert samples.problems == ()
    assert samples.evidence.ess >= 800
    x, y = (samples.values[name].ravel() for name in ("x", "y"))
    assert x.mean() == pytest.approx(0.5, abs=5 * 0.2 / np.sqrt(800))
    assert np.cov(x, y)[0, 1] == pytest.approx(0.03, abs=0.006)
    at = {name: jnp.asarray(values[0, 0]) for name, values in samples.values.items()}
    assert samples.stats["log_likelihood"][0, 0] == pytest.approx(float(problem.log_likelihood(at)), rel=1e-9)


class Killed(BaseException):
    """What ends a run at a moment of the test's choice."""


@pytest.fixture(scope="module")
def undisturbed():
    return sample_nested(wide_problem(), jax.random.key(1), **SHORT)


def test_a_run_killed_at_any_moment_goes_on_with_the_same_numbers(alone, tmp_path, monkeypatch, undisturbed):
    """Amid a batch, amid the training of networks, and with the last state damaged; each state is kept, none twice."""
    monkeypatch.setattr(nested, "WRITING", 1e9)  # every batch
    real, calls, file = likelihoods.log_posteriors, [], tmp_path / "nested.h5"
    arguments = {**SHORT, "state_file": file}

    def killed(*given):
        calls.append(1)
        if len(calls) in (6, 11):
            raise Killed
        return real(*given)

    def trained(pool, function, items):
        raise Killed

    monkeypatch.setattr(likelihoods, "log_posteriors", killed)
    for _ in range(2):
        with pytest.raises(Killed):
            sample_nested(wide_problem(), jax.random.key(1), **arguments)
    with monkeypatch.context() as patch:
        patch.setattr(Workers, "map", trained)
        with pytest.raises(Killed):
            sample_nested(wide_problem(), jax.random.key(1), **arguments)
    file.write_bytes(file.read_bytes()[:-1000])
    again = sample_nested(wide_problem(), jax.random.key(1), **arguments)
    np.testing.assert_array_equal(again.z, undisturbed.z)
    np.testing.assert_array_equal(again.weights, undisturbed.weights)
    assert again.calls == undisturbed.calls


def test_a_resumed_run_counts_the_time_before(tmp_path, monkeypatch):
    """A finished run that is asked again takes no time, and says what it took."""
    arguments = {**SHORT, "state_file": tmp_path / "nested.h5"}
    first = sample_nested(wide_problem(), jax.random.key(1), **arguments)
    assert 0.5 * first.seconds < nested._seconds_of(arguments["state_file"]) <= first.seconds
    monkeypatch.setattr(nested, "_seconds_of", lambda file: 1000.0)
    again = sample_nested(wide_problem(), jax.random.key(1), **arguments)
    assert 1000.0 < again.seconds < 1000.0 + first.seconds


LIFE = """
import sys
import jax
import numpy as np
from anomfit.inference.sample import nested
from test_nested import SHORT, wide_problem
nested.WRITING = 1e9
found = nested.sample_nested(wide_problem(), jax.random.key(1), **SHORT, state_file=nested.Path("nested.h5"))
np.savez("found.npz", z=found.z, weights=found.weights)
"""


@pytest.mark.slow
def test_three_kills_and_three_resumptions_in_other_processes_change_no_bit(tmp_path, undisturbed):
    """kill -9 amid the writing of a state, one later than the life began with; benchmarks/kills.py does more of it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for kill in range(4):
        known = _written(tmp_path / "nested.h5")
        life = subprocess.Popen([sys.executable, "-c", LIFE], cwd=tmp_path, env=environment)
        with life:
            while kill < 3 and life.poll() is None and _written(tmp_path / "nested.h5") == known:
                time.sleep(0.001)
            while kill < 3 and life.poll() is None and not (tmp_path / ".nested.part.h5").exists():
                time.sleep(0.0005)
            if kill < 3:
                life.kill()
        assert life.returncode == (-signal.SIGKILL if kill < 3 else 0)
    with np.load(tmp_path / "found.npz") as found:
        np.testing.assert_array_equal(found["z"], undisturbed.z)
        np.testing.assert_array_equal(found["weights"], undisturbed.weights)


def _written(file):
    return file.stat().st_mtime_ns if file.exists() else 0


def test_an_interrupt_keeps_all_that_is_done(alone, tmp_path, monkeypatch, undisturbed):
    """Ctrl-C sets a flag that is read between two batches: what was computed until then is never computed again."""
    real, calls = likelihoods.log_posteriors, []
    arguments = {**SHORT, "state_file": tmp_path / "nested.h5"}

    def counted(*given):
        calls.append(1)
        if len(calls) == 8:
            os.kill(os.getpid(), signal.SIGINT)
        return real(*given)

    monkeypatch.setattr(likelihoods, "log_posteriors", counted)
    with pytest.raises(KeyboardInterrupt), interrupts.handled():
        sample_nested(wide_problem(), jax.random.key(1), **arguments)
    again = sample_nested(wide_problem(), jax.random.key(1), **arguments)
    np.testing.assert_array_equal(again.z, undisturbed.z)
    assert len(calls) * nested.BATCH == undisturbed.calls


def test_the_draws_do_not_depend_on_the_workers(alone, undisturbed):
    """As where /dev/shm is read-only or no process can be started."""
    again = sample_nested(wide_problem(), jax.random.key(1), **SHORT)
    np.testing.assert_array_equal(again.z, undisturbed.z)
    np.testing.assert_array_equal(again.weights, undisturbed.weights)


def test_the_state_of_another_likelihood_is_refused_in_words(alone, tmp_path):
    arguments = {**SHORT, "effective": 20.0, "state_file": tmp_path / "nested.h5"}
    sample_nested(wide_problem(), jax.random.key(1), **arguments)
    for problem, key, words in (
        (wide_problem(data=(0.4, -1.0)), 1, "the data of toy:2020 have changed"),
        (wide_problem(fixed=0.1), 1, "the fixed offset was 0.0 and is 0.1"),
        (wide_problem(), 2, "the seed has changed"),
    ):
        with pytest.raises(InputError, match=rf"nested\.h5: it belongs to another run: {words}; undo this"):
            sample_nested(problem, jax.random.key(key), **arguments)


def test_a_damaged_state_is_one_sentence(tmp_path):
    (tmp_path / "nested.h5").write_bytes(b"no HDF5")
    with pytest.raises(InputError, match=r"nested\.h5: damaged"):
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


def test_likelihoods_before_a_resumption_count(alone, tmp_path):
    """A finished run that is opened again computes nothing and still knows how many likelihoods it took."""
    arguments = {**SHORT, "state_file": tmp_path / "nested.h5"}
    first = sample_nested(wide_problem(), jax.random.key(1), **arguments)
    again = sample_nested(wide_problem(), jax.random.key(1), **arguments)
    assert again.calls == first.calls > 100
