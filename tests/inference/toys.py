"""Small models and measurements with known answers; nothing of the package's physics."""

from dataclasses import dataclass, replace
from types import MappingProxyType

import jax
import jax.numpy as jnp

from anomfit.measurements.base import Bin, Prediction
from anomfit.parameters import Nuisance, Parameter, Parametrisation
from anomfit.problem import build_problem
from anomfit.statistics.throws import correlated_gaussian


class Numbers:
    """The toy capability: a model predicts a vector of numbers."""

    def numbers(self, point): ...


def identity(point):
    return dict(point)


class ToyModel(Numbers):
    """Predicts `function(point)` from parameters given in order."""

    title, references, nuisances = "a toy", (), ()

    def __init__(self, name, parameters, function, upper=None, physical=identity):
        self.name, self.function, self.points = name, function, {}
        self.parametrisations = {"own": Parametrisation("own", tuple(parameters), physical, identity, upper or {})}

    def numbers(self, point):
        return self.function(point)


@dataclass(frozen=True)
class ToyMeasurement:
    """Numbers with a covariance, shifted by nuisances; Gaussian."""

    data: jax.Array
    inverse: jax.Array
    name: str = "toy"
    era: str = "2020"
    title: str = "Toy numbers"
    samples: frozenset[str] = frozenset({"toy"})
    accepts: tuple[type, ...] = (Numbers,)
    nuisances: tuple[Nuisance, ...] = ()
    references: tuple[str, ...] = ("toy",)
    choices = MappingProxyType({})

    @property
    def independent_numbers(self):
        return self.data.size

    def simulate(self, prediction, nuisances, key):
        return replace(self, data=correlated_gaussian(key, prediction.total, jnp.linalg.inv(self.inverse)))

    def bins(self):
        errors = jnp.sqrt(jnp.diag(jnp.linalg.inv(self.inverse)))
        return [
            Bin(f"number {i}", float("nan"), float("nan"), "1", float(x), 0.0, float(e))
            for i, (x, e) in enumerate(zip(self.data, errors, strict=True))
        ]

    def predict(self, model, point, nuisances):
        shift = sum((nuisances[n.name] for n in self.nuisances), jnp.zeros(()))
        return Prediction({"all": model.numbers(point) + shift}, {})

    def chi_squared(self, prediction, nuisances):
        residual = prediction.total - self.data
        return residual @ self.inverse @ residual

    def log_likelihood(self, prediction, nuisances):
        return -0.5 * self.chi_squared(prediction, nuisances)

    def pulls(self, prediction, nuisances):
        return (self.data - prediction.total) * jnp.sqrt(jnp.diag(self.inverse))


jax.tree_util.register_dataclass(
    ToyMeasurement,
    data_fields=["data", "inverse"],
    meta_fields=["name", "era", "title", "samples", "accepts", "nuisances", "references"],
)


def log_parameter(name, low=1e-3, high=1e3):
    return Parameter(name, name, "1", low, high, "log-uniform", "a toy parameter")


def linear_parameter(name, low=-5.0, high=5.0):
    return Parameter(name, name, "1", low, high, "uniform", "a toy parameter")


def banana(point):
    """A product, one of its factors, and a third number that does not matter below 1."""
    x, y, z = point["x"], point["y"], point["z"]
    return jnp.stack([jnp.log(x * y), jnp.log(x), jnp.maximum(jnp.log(z), 0.0)])


def banana_problem(nuisances=()):
    """A degenerate fit with a plateau: x*y = 2 +- 1 %, x = 3 +- 30 %, z below 1 (anything below is as good)."""
    parameters = tuple(log_parameter(n) for n in "xyz")
    model = ToyModel("banana", parameters, banana)
    data = jnp.array([jnp.log(2.0), jnp.log(3.0), 0.0])
    measurement = ToyMeasurement(data, jnp.diag(jnp.array([1e4, 1 / 0.09, 1.0])), nuisances=nuisances)
    return build_problem(model, [measurement], "own", parameters, {})


def edge_problem():
    """y, best at 4, must stay below x, best at 2: the constrained best is x = y between them."""
    parameters = (log_parameter("x", 0.1, 10.0), log_parameter("y", 0.1, 10.0))
    model = ToyModel("edge", parameters, lambda p: jnp.log(jnp.stack([p["x"], p["y"]])), upper={"y": lambda v: v["x"]})
    data = ToyMeasurement(jnp.log(jnp.array([2.0, 4.0])), jnp.diag(jnp.array([4.0, 4.0])))
    return build_problem(model, [data], "own", parameters, {})


def one_parameter_problem(function, data, sigma=1.0, low=-5.0, high=5.0):
    """x between two bounds, and `function(x)`, a number or several, measured as `data` with errors `sigma`."""
    parameters = (linear_parameter("x", low, high),)
    model = ToyModel("one", parameters, lambda p: jnp.atleast_1d(function(p["x"])))
    centre = jnp.atleast_1d(jnp.asarray(data, dtype=float))
    measurement = ToyMeasurement(centre, jnp.diag(jnp.broadcast_to(1.0 / jnp.asarray(sigma) ** 2, centre.shape)))
    return build_problem(model, [measurement], "own", parameters, {})


def linear_problem(data=(0.5, -1.0), covariance=((0.04, 0.03), (0.03, 0.09)), model=None, fixed=0.0):
    """x and y measured directly, correlated, far inside their ranges: the posterior is the Gaussian of the data."""
    measurement = ToyMeasurement(jnp.asarray(data), jnp.linalg.inv(jnp.asarray(covariance)))
    return build_problem(model or LINEAR, [measurement], "own", LINEAR_PARAMETERS[:2], {"offset": fixed})


def linear_model(counter=None):
    """The linear model; `counter`, a list, grows by one whenever the model is traced."""

    def plane(point):
        if counter is not None:
            counter.append(1)
        return jnp.stack([point["x"] + point["offset"], point["y"]])

    return ToyModel("linear", LINEAR_PARAMETERS, plane, physical=lambda p: {**p, "total": p["x"] + p["y"]})


LINEAR_PARAMETERS = (linear_parameter("x"), linear_parameter("y"), linear_parameter("offset"))
LINEAR = linear_model()
