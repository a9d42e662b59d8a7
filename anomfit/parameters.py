"""Parameters and nuisance parameters: name, symbol, unit, bounds, prior, scale."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Literal

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.errors import InputError, quoted

PriorKind = Literal["log-uniform", "uniform"]
Point = Mapping[str, Float[Array, ""]]


@dataclass(frozen=True)
class Parameter:
    """One number that a model depends on.

    `low` and `high` are hard bounds in `unit` (GeV or 1); the prior is uniform in the value or in its logarithm between
    them, which also is the scale of axes and starts. A log-uniform parameter has low > 0.
    """

    name: str
    symbol: str
    unit: str
    low: float
    high: float
    prior: PriorKind
    description: str

    def __post_init__(self):
        if self.prior not in ("log-uniform", "uniform"):
            words = f"the prior {quoted(self.prior)} is not known"
            raise InputError(f"{self.name}: {words}; use 'log-uniform' or 'uniform'")
        _check_finite(self.name, low=self.low, high=self.high)
        if not self.low < self.high:
            raise InputError(f"{self.name}: the range [{self.low}, {self.high}] is empty; give low < high")
        if self.prior == "log-uniform" and not self.low > 0.0:
            raise InputError(f"{self.name}: a log-uniform prior needs a lower bound above 0, got {self.low}")

    @property
    def is_log(self) -> bool:
        """Whether axes, starts and the prior are logarithmic."""
        return self.prior == "log-uniform"

    def within(self, low: float, high: float, prior: PriorKind | None = None) -> "Parameter":
        """The same parameter with another range and, if given, another prior."""
        return replace(self, low=low, high=high, prior=prior or self.prior)


@dataclass(frozen=True)
class Nuisance:
    """A parameter that a measurement or a model constrains: a Gaussian of `mean` and `sigma`, declared by its owner.

    Its value is mean + sigma * pull; inference works with the pull, whose penalty in -2 ln L is pull^2. `bounds` are
    two numbers that the value comes close to but never passes: near the mean nothing changes, further out the distance
    from it is the bound's times a hyperbolic tangent.
    """

    name: str
    symbol: str
    mean: float
    sigma: float
    description: str
    bounds: tuple[float, float] | None = None

    def __post_init__(self):
        _check_finite(self.name, mean=self.mean, sigma=self.sigma)
        if not self.sigma > 0.0:
            raise InputError(f"{self.name}: the width of a nuisance parameter must be above 0, got {self.sigma}")
        if self.bounds is not None:
            _check_finite(self.name, lower_bound=self.bounds[0], upper_bound=self.bounds[1])
            if not self.bounds[0] < self.mean < self.bounds[1]:
                raise InputError(f"{self.name}: the mean {self.mean} is not between the bounds {self.bounds}")

    def value(self, pull: Float[Array, ""]) -> Float[Array, ""]:
        """The physical value for a pull in standard deviations; two derivatives are continuous at the mean."""
        shift = self.sigma * pull
        if self.bounds is None:
            return self.mean + shift
        below, above = self.mean - self.bounds[0], self.bounds[1] - self.mean
        room = jnp.where(shift > 0.0, above, below)
        return self.mean + room * jnp.tanh(shift / room)


@dataclass(frozen=True, eq=False)
class Parametrisation:
    """A set of parameters and the map from them to the model's physical point.

    `upper` gives, for some parameters, a bound that depends on the ones listed before them (an open decay: m_N1 below
    m_N2 - m_hprime); the prior stays uniform (or log-uniform) over the region so bounded. `absorbs` names the model's
    nuisances that a parameter here already contains (a product with an uncertain matrix element). `amplitudes` names
    parameters to whose square the signal of some measurement is (nearly) proportional: a hint to the sampler, on which
    no result depends.
    """

    name: str
    parameters: tuple[Parameter, ...]
    to_physical: Callable[[Point], dict[str, Float[Array, ""]]]
    from_physical: Callable[[Point], dict[str, Float[Array, ""]]]
    upper: Mapping[str, Callable[[Point], Float[Array, ""]]]
    absorbs: tuple[str, ...] = ()
    amplitudes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Parameter:
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        known = ", ".join(parameter.name for parameter in self.parameters)
        raise InputError(f"parameter {quoted(name)} is not known to the parametrisation {self.name!r}; it has {known}")

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names in order."""
        return tuple(parameter.name for parameter in self.parameters)


def _check_finite(name: str, **numbers: float) -> None:
    for field, number in numbers.items():
        if not isinstance(number, Real) or not math.isfinite(number):
            raise InputError(f"{quoted(name)}: {field} must be a finite number, not {quoted(number)}")
