"""What a result predicts: the nuisance parameters are those of the fit and of each draw."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest
from toys import LINEAR, LINEAR_PARAMETERS, ToyMeasurement

from anomfit.parameters import Nuisance
from anomfit.problem import build_problem
from anomfit.results.opened import OpenedResult
from anomfit.results.predicting import predict_result

SHIFT = Nuisance("shift", "s", 0.3, 0.5, "a common shift")


def opened(draws: int = 900):
    """A result in name only: a best fit, draws, and a card that lists one measurement."""
    measurement = ToyMeasurement(jnp.array([0.5, -1.0]), jnp.diag(jnp.array([100.0, 4.0])), nuisances=(SHIFT,))
    problem = build_problem(LINEAR, [measurement], "own", LINEAR_PARAMETERS[:2], {"offset": 0.7})
    rng = np.random.default_rng(6)
    values = {name: rng.normal(size=(2, draws // 2)) for name in ("x", "y", "shift")}
    samples = SimpleNamespace(values=values, z=np.stack(list(values.values()), axis=-1))
    fit = SimpleNamespace(point={"x": 1.0, "y": 2.0, "shift": -0.4})
    choice = SimpleNamespace(name="toy", options=())
    card = SimpleNamespace(measurements=(choice,), sampling=SimpleNamespace(seed=1))
    return OpenedResult(None, SimpleNamespace(fit=fit, samples=samples), card, problem)


def test_the_best_fit_has_the_fits_nuisances_and_each_draw_its_own():
    one = opened()
    found = predict_result(one, "toy", {})
    shift = 0.3 - 0.4 * 0.5
    np.testing.assert_allclose(found.report.total, [1.0 + 0.7 + shift, 2.0 + shift], rtol=1e-14)
    assert found.report.point == {"x": 1.0, "y": 2.0, "offset": pytest.approx(0.7)}
    kept = {name: x.ravel()[::3] for name, x in one.result.samples.values.items()}  # 400 at most, evenly spaced
    signal = np.stack([kept["x"] + 0.7, kept["y"]], axis=-1) + (0.3 + 0.5 * kept["shift"])[:, None]
    assert found.posterior.draws == 300
    np.testing.assert_allclose(found.posterior.signal.median, np.median(signal, axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.posterior.signal.low_95, np.quantile(signal, 0.02275, axis=0), rtol=1e-12)
    spread = np.subtract(found.posterior.data.high_68, found.posterior.data.low_68) / 2.0
    np.testing.assert_allclose(spread, np.hypot(signal.std(axis=0), [0.1, 0.5]), rtol=0.15)
