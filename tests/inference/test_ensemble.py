import jax
import pytest
from oracles.emcee_ensemble import sample_ensemble
from toys import banana_problem

from anomfit.inference.fit.minimise import FitSettings, minimise
from anomfit.inference.sample.chains import SampleSettings, sample
from anomfit.inference.sample.nuts import Tuning


@pytest.mark.slow
def test_nuts_and_emcee_agree_on_a_degenerate_posterior():
    """Means within 0.1 sigma and widths within 10 % in ln(value), at least 1000 effective samples each.

    An ensemble that has lost a walker, one key in a few, says that it is not to be trusted, and is not compared.
    """
    import numpy as np

    problem = banana_problem()
    fit = minimise(problem, jax.random.key(1), FitSettings(screened=256, starts=8))
    nuts = sample(problem, jax.random.key(2), SampleSettings(draws=1500, tuning=Tuning(warmup=400)), fit)
    tried = (sample_ensemble(problem, jax.random.key(key), walkers=32, steps=4000, fit=fit) for key in range(3, 8))
    ensemble = next(one for one in tried if one.trustworthy)
    assert min(ensemble.ess.values()) > 1000
    assert min(d.ess_bulk for d in nuts.diagnostics) > 1000
    for name in problem.names:
        one, other = np.log(nuts.values[name]), np.log(ensemble.values[name])
        assert abs(one.mean() - other.mean()) < 0.1 * other.std()
        assert one.std() == pytest.approx(other.std(), rel=0.1)
