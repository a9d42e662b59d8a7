"""Planes profiled with a cheap likelihood that is a little off: every number is still the exact likelihood's."""

import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import anomfit
from anomfit.errors import InputError
from anomfit.planes import compute
from anomfit.problem import build_problem

TOYS = Path(__file__).parents[1] / "inference"
sys.path.insert(0, str(TOYS))
from toys import ToyMeasurement, ToyModel, linear_parameter, log_parameter  # noqa: E402

SHIFT = np.array([0.004, 0.1, 0.05])  # of the cheap likelihood's data, in all 0.4, 0.3 and 0.5 of an error
ERRORS = np.array([0.01, 0.3, 0.1])


def curved(point):
    """A product, a factor of it, and a square: a narrow curved valley, and two minima in w."""
    return jnp.stack([jnp.log(point["u"] * point["v"] * point["t"]), jnp.log(point["u"]), point["w"] ** 2])


def problem(shift):
    parameters = (*(log_parameter(name) for name in "utv"), linear_parameter("w"))
    data = jnp.array([np.log(2.0), np.log(3.0), 1.0]) + shift
    measured = ToyMeasurement(data, jnp.diag(jnp.asarray(ERRORS**-2.0)))
    return build_problem(ToyModel("curved", parameters, curved), [measured], "own", parameters, {})


def profile(chosen):
    """-2 ln L of cells with u and t held: v makes the product what is asked for, w the square."""
    wanted = np.log(2.0) - np.log(chosen["u"] * chosen["t"])
    missing = wanted - np.clip(wanted, np.log(1e-3), np.log(1e3))  # v ends there
    return (missing / ERRORS[0]) ** 2 + ((np.log(chosen["u"]) - np.log(3.0)) / ERRORS[1]) ** 2


def of_two_valleys(point):
    """w near +1 or near -1, and near ln u: the lower valley changes where u passes 1."""
    return jnp.stack([point["w"] ** 2, point["w"] - jnp.log(point["u"]), jnp.log(point["t"])])


def problem_of_two_valleys(shift):
    parameters = (*(log_parameter(name) for name in "ut"), linear_parameter("w"))
    measured = ToyMeasurement(jnp.array([1.0 + shift, 0.0, 0.0]), jnp.diag(jnp.array([100.0, 1.0, 1.0])))
    return build_problem(ToyModel("valleys", parameters, of_two_valleys), [measured], "own", parameters, {})


OPTIONS = {"grid": (9, 8), "method": "profile", "constraints": False, "tables": True, "chunk": 20}


@pytest.fixture
def with_cheap(monkeypatch):
    """Have `tables` find this cheap likelihood."""

    def use(cheap):
        monkeypatch.setattr(compute, "tabulated", lambda exact, say, report: cheap)

    return use


def test_a_cheap_likelihood_changes_no_number_of_the_exact_plane(with_cheap, tmp_path, monkeypatch):
    exact = problem(0.0)
    with_cheap(problem(SHIFT))
    whole = anomfit.plane(exact, "u", "t", folder=tmp_path / "whole", **OPTIONS)
    assert set(whole.table["status"]) == {"converged"}
    np.testing.assert_allclose(whole.table["twice_nll"], profile(whole.table), atol=5e-3, rtol=1e-9)
    assert whole.lowest == pytest.approx(0.0, abs=1e-4)
    assert whole.table["gradients"].mean() < 4.0  # of the exact likelihood
    # stopped and gone on with: the same bytes; with another table: refused
    calls, real = [], compute.PlaneRows.columns

    def interrupted(self, first, last):
        calls.append(first)
        if len(calls) > 20:
            raise KeyboardInterrupt
        return real(self, first, last)

    with monkeypatch.context() as patch:
        patch.setattr(compute.PlaneRows, "columns", interrupted)
        with pytest.raises(KeyboardInterrupt):
            anomfit.plane(exact, "u", "t", folder=tmp_path / "stopped", **OPTIONS)
    with_cheap(problem(2.0 * SHIFT))
    with pytest.raises(InputError, match="it belongs to another run: with tables, the data of toy:2020 has changed"):
        anomfit.plane(exact, "u", "t", folder=tmp_path / "stopped", resume=True, **OPTIONS)
    with pytest.raises(InputError, match="the setting tables was True and is False"):
        anomfit.plane(exact, "u", "t", folder=tmp_path / "stopped", resume=True, **{**OPTIONS, "tables": False})
    with_cheap(problem(SHIFT))
    anomfit.plane(exact, "u", "t", folder=tmp_path / "stopped", resume=True, **OPTIONS)
    files = [sorted((tmp_path / name / "points").iterdir()) for name in ("whole", "stopped")]
    assert [one.read_bytes() for one in files[0]] == [one.read_bytes() for one in files[1]]


def test_a_valley_that_no_start_is_in_is_found_by_the_cheap_likelihood(with_cheap):
    with_cheap(problem_of_two_valleys(0.01))
    start = {"u": 10.0, "t": 1.0, "w": 1.0}
    plane = anomfit.plane(problem_of_two_valleys(0.0), "u", "t", start=start, **OPTIONS)
    w = np.linspace(-2.0, 2.0, 40001)[:, None]
    along = 100.0 * (w**2 - 1.0) ** 2 + (w - np.log(plane.table["u"])) ** 2
    np.testing.assert_allclose(plane.table["twice_nll"], along.min(axis=0) + np.log(plane.table["t"]) ** 2, atol=6e-3)
    assert set(np.sign(plane.table["w"])) == {-1.0, 1.0}


def test_tables_are_for_profiles_of_what_can_be_tabulated():
    with pytest.raises(InputError, match="--tables: True is not usable; tables help a profile alone"):
        anomfit.plane(problem(0.0), "u", "t", tables=True)
    with pytest.raises(InputError, match="tables: curved makes no pairs by scattering off targets"):
        anomfit.plane(problem(0.0), "u", "t", method="profile", constraints=False, tables=True)
