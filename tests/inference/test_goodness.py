from dataclasses import dataclass
from types import MappingProxyType

import jax
import jax.numpy as jnp
import pytest
from scipy import stats

from anomfit.cards import load_card, problem_from_card
from anomfit.cards.building import point_values
from anomfit.catalogue import find_measurement, find_model
from anomfit.inference.compare.goodness import goodness_of_fit
from anomfit.measurements.base import Bin, Prediction
from anomfit.parameters import Nuisance, Parameter, Parametrisation
from anomfit.problem import build_problem
from anomfit.statistics.terms import poisson_log_likelihood, saturated_deviance


class Counting:
    """The toy capability and model: `rate` events in every bin."""

    name, title, references, points, nuisances = "counting", "a toy", (), {}, ()

    def __init__(self):
        rate = Parameter("rate", "r", "1", 0.0, 20.0, "uniform", "events a bin")
        self.parametrisations = {"own": Parametrisation("own", (rate,), dict, dict, {})}


@dataclass(frozen=True)
class Counts:
    """Two Poisson bins with backgrounds 10 and 1."""

    data: jax.Array
    name: str = "counts"
    era: str = "2020"
    title: str = "Counts"
    samples: frozenset[str] = frozenset({"counts"})
    accepts: tuple[type, ...] = (Counting,)
    nuisances: tuple[Nuisance, ...] = (Nuisance("scale", "s", 1.0, 0.1, "scales the signal"),)
    references: tuple[str, ...] = ()
    choices = MappingProxyType({})
    background = (10.0, 1.0)
    independent_numbers = 2

    def bins(self):
        return [Bin(str(i), i, i + 1.0, "GeV", float(n), self.background[i], 3.0) for i, n in enumerate(self.data)]

    def predict(self, model, point, nuisances):
        return Prediction({"all": point["rate"] * nuisances["scale"] * jnp.ones(2)}, {})

    def chi_squared(self, prediction, nuisances):
        return jnp.sum(saturated_deviance(self.data, prediction.total + jnp.array(self.background)))

    def log_likelihood(self, prediction, nuisances):
        return jnp.sum(poisson_log_likelihood(self.data, prediction.total + jnp.array(self.background)))

    def pulls(self, prediction, nuisances):
        return (self.data - prediction.total - jnp.array(self.background)) / 3.0


jax.tree_util.register_dataclass(
    Counts, data_fields=["data"], meta_fields=["name", "era", "title", "samples", "accepts", "nuisances", "references"]
)


def _problem():
    model = Counting()
    return build_problem(model, [Counts(jnp.array([14.0, 3.0]))], "own", model.parametrisations["own"].parameters, {})


def test_deviance_degrees_of_freedom_and_p_value():
    """Rate 2 with a scale of 1.05: expectations 12.1 and 3.1; one bin below five events is announced."""
    found = goodness_of_fit(_problem(), {"rate": 2.0, "scale": 0.5}, effective_parameters=1)
    ratio = -2.0 * sum(stats.poisson(mu).logpmf(n) - stats.poisson(n).logpmf(n) for n, mu in ((14, 12.1), (3, 3.1)))
    assert found.measurements[0].chi_squared == pytest.approx(ratio, rel=1e-10)
    assert found.chi_squared == pytest.approx(ratio + 0.25, rel=1e-10)
    assert found.degrees_of_freedom == 1
    assert found.p_value == pytest.approx(stats.chi2.sf(ratio + 0.25, 1), rel=1e-10)
    assert found.measurements[0].p_value == pytest.approx(stats.chi2.sf(ratio, 2), rel=1e-10)
    assert found.measurements[0].note == "p-value asymptotic: 1 of 2 bins expect fewer than 5 events"
    assert found.measurements[0].largest_pull == pytest.approx(1.9 / 3.0)


def test_miniboone_counts_38_numbers_of_which_22_are_shown():
    """chi^2 is a form over 22 nu_e and 16 nu_mu bins; the data without signal have p = 0.013, not 2e-5."""
    model, measurement = find_model("oscillation"), find_measurement("miniboone")
    assert (measurement.independent_numbers, len(measurement.bins())) == (38, 22)
    problem = build_problem(model, [measurement], "physical", model.parametrisations["physical"].parameters, {})
    (found,) = goodness_of_fit(problem, {"sin2_2theta": 1e-12, "delta_m2": 1.0}, 0).measurements
    assert found.p_value == pytest.approx(stats.chi2.sf(found.chi_squared, 38), rel=1e-12)
    assert found.p_value == pytest.approx(0.013, abs=0.001)


def test_limits_parity_rows_and_shapes_are_no_degrees_of_freedom():
    """Only measured numbers that some point moves count; a limit's -2 ln L is reported apart."""
    numbers = {
        name: find_measurement(name).independent_numbers for name in ("e137", "na64", "pi0-ee-ktev", "trident-ccfr")
    }
    assert numbers == {"e137": 0, "na64": 0, "pi0-ee-ktev": 0, "trident-ccfr": 1}
    shapes = {era: find_measurement(f"lsnd:{era}").independent_numbers for era in ("energy", "cos-theta", "l-over-e")}
    assert shapes == {"energy": 0, "cos-theta": 0, "l-over-e": 11}
    assert find_measurement("lsnd:high-energy").independent_numbers == 1
    card = load_card("dark-scalar-2019")
    problem = problem_from_card(card)
    found = goodness_of_fit(problem, point_values(problem.model, problem.parametrisation, "bp1"), 0)
    measured = [m for m in found.measurements if m.numbers]
    assert found.numbers == sum(m.numbers for m in measured) < len(found.measurements)
    assert found.chi_squared == pytest.approx(sum(m.chi_squared for m in measured), rel=1e-12)
    assert found.limits == pytest.approx(sum(m.chi_squared for m in found.measurements if not m.numbers), rel=1e-12)
    assert all(m.p_value is None for m in found.measurements if not m.numbers)


def test_without_degrees_of_freedom_there_is_no_p_value():
    found = goodness_of_fit(_problem(), {"rate": 2.0, "scale": 0.0}, effective_parameters=2)
    assert found.p_value is None
    assert found.note.startswith("no degrees of freedom are left")
