"""Nested sampling: the evidence and the posterior of Gaussians, which are known."""

import sys

import jax
import numpy as np
import pytest
from toys import banana_problem, linear_problem

from anomfit.errors import InputError
from anomfit.inference.nested import sample_nested


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


def test_too_few_points_are_refused():
    with pytest.raises(InputError, match="live"):
        sample_nested(banana_problem(), jax.random.key(1), live=3)


def test_a_missing_nautilus_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "nautilus", None)
    with pytest.raises(InputError, match=r"anomfit\[compare\]"):
        sample_nested(linear_problem(), jax.random.key(1))
