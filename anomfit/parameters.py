"""Parameters and nuisance parameters: name, symbol, unit, bounds, prior, scale."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Literal, get_args

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.errors import InputError, quoted

PriorKind = Literal["log-uniform", "uniform", "gaussian"]
PRIORS: tuple[PriorKind, ...] = get_args(PriorKind)
FLATTEST = 1e6  # of a Gaussian prior: standard deviations in units of the range
Point = Mapping[str, Float[Array, ""]]


@dataclass(frozen=True)
class Parameter:
    """One number that a model depends on.

    `low` and `high` are hard bounds in `unit` (GeV or 1); the prior is uniform in the value or in its logarithm between
    them, which also is the scale of axes and starts. A log-uniform parameter has low > 0. A Gaussian prior has a `mean`
    between the bounds and a standard deviation `sigma`, in `unit`, is truncated at the bounds, and its axes are linear.
    """

    name: str
    symbol: str
    unit: str
    low: float
    high: float
    prior: PriorKind
    description: str
    mean: float | None = None
    sigma: float | None = None

    def __post_init__(self):
        if self.prior not in PRIORS:
            words = f"the prior {quoted(self.prior)} is not known"
            raise InputError(f"{self.name}: {words}; use one of {', '.join(PRIORS)}")
        _check_finite(self.name, low=self.low, high=self.high)
        if not self.low < self.high:
            raise InputError(f"{self.name}: the range [{self.low}, {self.high}] is empty; give low < high")
        if self.prior == "log-uniform" and not self.low > 0.0:
            raise InputError(f"{self.name}: a log-uniform prior needs a lower bound above 0, got {self.low}")
        if self.is_gaussian != (self.mean is not None) or self.is_gaussian != (self.sigma is not None):
            raise InputError(f"{self.name}: a Gaussian prior has a mean and a sigma, and no other prior has; give both")
        if self.is_gaussian:
            self._check_gaussian(self.mean, self.sigma)  # type: ignore[arg-type]

    def _check_gaussian(self, mean: float, sigma: float) -> None:
        _check_finite(self.name, mean=mean, sigma=sigma)
        if not sigma > 0.0:
            raise InputError(f"{self.name}: the sigma of a Gaussian prior must be above 0, got {sigma:g}")
        if not self.low <= mean <= self.high:
            words = f"the mean {mean:g} of its prior is not between the bounds {self.low:g} and {self.high:g}"
            raise InputError(f"{self.name}: {words}; move the mean or the range")
        if sigma > FLATTEST * (self.high - self.low):
            words = f"a Gaussian prior of sigma {sigma:g} is flat in a range of {self.high - self.low:g}"
            raise InputError(f'{self.name}: {words}; write prior = "uniform"')

    @property
    def is_gaussian(self) -> bool:
        """Whether the prior is Gaussian."""
        return self.prior == "gaussian"

    @property
    def prior_words(self) -> str:
        """The prior in a few words, without its range."""
        return f"gaussian, {self.mean:g} +- {self.sigma:g}" if self.is_gaussian else self.prior

    @property
    def is_log(self) -> bool:
        """Whether axes, starts and the prior are logarithmic."""
        return self.prior == "log-uniform"

    def within(self, low: float, high: float, prior: PriorKind | None = None) -> "Parameter":
        """The same parameter with another range and, if given, another prior (see `gaussian` for a Gaussian one)."""
        if prior in (None, self.prior):
            return replace(self, low=low, high=high)
        return replace(self, low=low, high=high, prior=prior, mean=None, sigma=None)

    def gaussian(self, mean: float, sigma: float) -> "Parameter":
        """The same parameter with a Gaussian prior, truncated at its bounds; `mean` and `sigma` in its unit.

        Raises InputError for a mean outside the bounds and for a sigma that is not above 0.
        """
        return replace(self, prior="gaussian", mean=mean, sigma=sigma)

    def deviations(self, value):
        """How many standard deviations of its Gaussian prior a value is above the mean."""
        return (value - self.mean) / self.sigma

    def at_deviations(self, deviations):
        """The value so many standard deviations of its Gaussian prior above the mean."""
        return self.mean + self.sigma * deviations


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

    def value_in(self, values: Point) -> Float[Array, ""]:
        """Its physical value among these by name, its mean where it is not given."""
        return jnp.asarray(values.get(self.name, self.mean))


@dataclass(frozen=True, eq=False)
class Parametrisation:
    """A set of parameters and the map from them to the model's physical point.

    `upper` gives, for some parameters, a bound that depends on the ones listed before them (an open decay: m_N1 below
    m_N2 - m_hprime); the prior stays uniform (or log-uniform) over the region so bounded. `absorbs` names the model's
    nuisances that a parameter here already contains (a product with an uncertain matrix element).
    """

    name: str
    parameters: tuple[Parameter, ...]
    to_physical: Callable[[Point], dict[str, Float[Array, ""]]]
    from_physical: Callable[[Point], dict[str, Float[Array, ""]]]
    upper: Mapping[str, Callable[[Point], Float[Array, ""]]]
    absorbs: tuple[str, ...] = ()

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
