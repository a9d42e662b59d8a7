"""A problem: one model, some measurements, which parameters are free; its log-likelihood is a pure function.

Coordinates. `values` are parameters in their own units. The unit cube `u` holds the free parameters' prior quantiles,
with bounds that depend on earlier parameters (an open decay) taken in turn. Samplers use `z`, the standard-normal
quantile of u, followed by the nuisance pulls, so that the prior is a standard normal in every coordinate times
`log_weight`. Minimisers use the angle `a` of which (1 + sin a)/2 is the fraction of the range, in the logarithm where
the prior is, so that a bound is reached at a finite place; a Gaussian prior does not matter to them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm
from jaxtyping import Array, Float

from anomfit.capabilities import Model, require_offered
from anomfit.errors import InputError, quoted, reject
from anomfit.measurements.base import ChoosesNuisances, Measurement, Prediction, is_light, is_prediction_alone
from anomfit.parameters import Nuisance, Parameter, Parametrisation, Point
from anomfit.precision import require_double_precision
from anomfit.statistics.forward import apart, with_forward_slopes
from anomfit.statistics.terms import minus_two
from anomfit.statistics.truncated_normal import Truncated, truncated

MANY = 3  # limits that are no integrals, from which on their slopes are worked out forwards


@dataclass(frozen=True)
class Problem:
    """A fit: a pytree whose leaves are the measurements' data, the fixed values and the nuisances' centres, so that
    none causes a recompile. An array that several measurements hold (one beam, say) is one leaf: then the compiler sees
    that what they compute from it is the same, and computes it once.
    """

    model: Model
    measurements: tuple[Measurement, ...]
    parametrisation: Parametrisation
    free: tuple[Parameter, ...]
    fixed: Mapping[str, float | Float[Array, ""]]
    nuisances: tuple[Nuisance, ...]
    centres: Float[Array, " nuisances"]  # what other data say of the nuisances, in pulls: 0 but in a toy
    leaf_of: tuple[int, ...] = field(init=False)  # which leaf each array of measurements and fixed values is

    def __post_init__(self):
        arrays = jax.tree.leaves((self.measurements, self.fixed, self.centres))
        distinct = {identity: i for i, identity in enumerate(dict.fromkeys(map(id, arrays)))}
        object.__setattr__(self, "leaf_of", tuple(distinct[id(array)] for array in arrays))

    @property
    def names(self) -> tuple[str, ...]:
        """The coordinates' names: free parameters, then nuisance pulls."""
        return tuple(p.name for p in self.free) + tuple(n.name for n in self.nuisances)

    # -- coordinates ------------------------------------------------------------------------------------------------

    def from_cube(self, u: Float[Array, "free"]) -> tuple[dict[str, Float[Array, ""]], Float[Array, ""]]:
        """Values of the free parameters, and the log-weight that makes the density the prior's over the open region."""
        return self._at_quantiles(u, 1.0 - u)

    def _at_quantiles(self, below: Float[Array, "free"], above: Float[Array, "free"]):
        """`from_cube` at the quantiles `below`; `above` is 1 - `below`, which the caller may know more exactly."""
        values, log_weight = {name: jnp.asarray(value) for name, value in self.fixed.items()}, jnp.zeros(())
        for parameter, quantile, rest in zip(self.free, below, above, strict=True):
            low, full = _scaled(parameter, parameter.low), _scaled(parameter, parameter.high)
            high = _effective_high(self.parametrisation, parameter, values, full, low)
            if parameter.is_gaussian:
                inside = _gaussian(parameter, high)
                values[parameter.name] = parameter.at_deviations(inside.at_quantile(quantile, rest))
                log_weight = log_weight + jnp.log(inside.probability / _gaussian(parameter, full).probability)
            else:
                values[parameter.name] = _unscaled(parameter, low + (high - low) * quantile)
                log_weight = log_weight + jnp.log((high - low) / (full - low))
        return {parameter.name: values[parameter.name] for parameter in self.free}, log_weight

    def from_fractions(self, fractions: Float[Array, "free"]) -> dict[str, Float[Array, ""]]:
        """Values of the free parameters at fractions of their ranges: `from_cube`, were no prior Gaussian."""
        values = {name: jnp.asarray(value) for name, value in self.fixed.items()}
        for parameter, fraction in zip(self.free, fractions, strict=True):
            low, full = _scaled(parameter, parameter.low), _scaled(parameter, parameter.high)
            high = _effective_high(self.parametrisation, parameter, values, full, low)
            values[parameter.name] = _unscaled(parameter, low + (high - low) * fraction)
        return {parameter.name: values[parameter.name] for parameter in self.free}

    def to_fractions(self, values: Point) -> Float[Array, "free"]:
        """The inverse of `from_fractions` for free parameters inside their bounds."""
        known, fractions = {**{k: jnp.asarray(v) for k, v in self.fixed.items()}, **values}, []
        for parameter in self.free:
            low, full = _scaled(parameter, parameter.low), _scaled(parameter, parameter.high)
            high = _effective_high(self.parametrisation, parameter, known, full, low)
            fractions.append((_scaled(parameter, known[parameter.name]) - low) / (high - low))
        return jnp.stack(fractions)

    def to_cube(self, values: Point) -> Float[Array, "free"]:
        """The inverse of `from_cube` for free parameters inside their bounds."""
        known, u = {**{k: jnp.asarray(v) for k, v in self.fixed.items()}, **values}, list(self.to_fractions(values))
        for i, parameter in enumerate(self.free):
            if parameter.is_gaussian:
                full, low = _scaled(parameter, parameter.high), _scaled(parameter, parameter.low)
                high = _effective_high(self.parametrisation, parameter, known, full, low)
                u[i] = _gaussian(parameter, high).quantile(parameter.deviations(known[parameter.name]))
        return jnp.stack(u)

    def log_prior(self, values: Point) -> Float[Array, ""]:
        """Log density of the free parameters' prior at `values`, by name, in their own units; -infinity outside.

        Each parameter's prior is normalised between its own two bounds. Where the open region ends earlier (an open
        decay), what lies beyond the end is cut off without a new normalisation. Nuisances are no part of it.
        """
        known, total = {**{k: jnp.asarray(v) for k, v in self.fixed.items()}, **values}, jnp.zeros(())
        for parameter in self.free:
            low, full = _scaled(parameter, parameter.low), _scaled(parameter, parameter.high)
            high = _effective_high(self.parametrisation, parameter, known, full, low)
            value = jnp.asarray(known[parameter.name], dtype=float)
            inside = (value >= parameter.low) & (value <= _unscaled(parameter, high))
            safe = jnp.where(inside, value, parameter.low)
            if parameter.is_gaussian:
                density = norm.logpdf(safe, parameter.mean, parameter.sigma)  # type: ignore[arg-type]  # it has both
                density = density - jnp.log(_gaussian(parameter, full).probability)
            else:
                density = -jnp.log(full - low) - (jnp.log(safe) if parameter.is_log else 0.0)
            total = total + jnp.where(inside, density, -jnp.inf)
        return total

    def from_normal(self, z: Float[Array, "coordinates"]) -> tuple[dict[str, Float[Array, ""]], Float[Array, ""]]:
        """Values and pulls at standard-normal coordinates, and the log-weight of the prior relative to the normal."""
        n = len(self.free)
        values, log_weight = self._at_quantiles(norm.cdf(z[:n]), norm.cdf(-z[:n]))
        return {**values, **dict(zip((x.name for x in self.nuisances), z[n:], strict=True))}, log_weight

    def from_angle(self, a: Float[Array, "coordinates"]) -> dict[str, Float[Array, ""]]:
        """Values and pulls at a minimiser's coordinates."""
        n = len(self.free)
        values = self.from_fractions(0.5 * (1.0 + jnp.sin(a[:n])))
        return {**values, **dict(zip((x.name for x in self.nuisances), a[n:], strict=True))}

    # -- physics ----------------------------------------------------------------------------------------------------

    def physical_point(self, parameters: Point) -> dict[str, Float[Array, ""]]:
        """The model's physical point for free `parameters` (nuisance pulls in it are ignored)."""
        chosen = {p.name: jnp.asarray(parameters[p.name], dtype=float) for p in self.free}
        return self.parametrisation.to_physical({**{k: jnp.asarray(v) for k, v in self.fixed.items()}, **chosen})

    def nuisance_values(self, parameters: Point) -> dict[str, Float[Array, ""]]:
        """Nuisance parameters in their own units; a pull that is not given is 0."""
        return {n.name: n.value(jnp.asarray(parameters.get(n.name, 0.0), dtype=float)) for n in self.nuisances}

    def predictions(self, parameters: Point) -> tuple[Prediction, ...]:
        """Every measurement's prediction, in order."""
        point, nuisances = self.physical_point(parameters), self.nuisance_values(parameters)
        return tuple(m.predict(self.model, point, nuisances) for m in self.measurements)

    def penalty(self, parameters: Point) -> Float[Array, ""]:
        """What the nuisances' own data say, in -2 ln L: the squared distances of the pulls from their centres."""
        pulls = [jnp.asarray(parameters.get(n.name, 0.0), dtype=float) for n in self.nuisances]
        return sum(((pull - centre) ** 2 for pull, centre in zip(pulls, self.centres, strict=True)), jnp.zeros(()))

    def log_likelihood(self, parameters: Point) -> Float[Array, ""]:
        """ln L of all measurements and of the nuisances (`penalty`), once; parameters by name (pulls default 0)."""
        return self.measured_log_likelihood(parameters) - 0.5 * self.penalty(parameters)

    def measured_log_likelihood(self, parameters: Point) -> Float[Array, ""]:
        """ln L of all measurements without what the nuisances' own data say."""
        chosen = {p.name: jnp.asarray(parameters[p.name], dtype=float) for p in self.free}
        chosen |= {n.name: jnp.asarray(parameters.get(n.name, 0.0), dtype=float) for n in self.nuisances}
        light = tuple(m for m in self.measurements if is_light(m))
        if len(light) < MANY:
            return self._sum_of(self.measurements, chosen)
        rest = tuple(m for m in self.measurements if not is_light(m))
        moved = {n.name for n in merged_nuisances(self.model, self.parametrisation, light)}
        idle = {n.name for n in self.nuisances} - moved  # no limit knows them: a direction less for each
        at = {name: x for name, x in chosen.items() if name not in idle}
        return self._sum_of(rest, chosen) + with_forward_slopes(lambda at: self._sum_of(light, at), at)

    def _sum_of(self, measurements: Sequence[Measurement], parameters: Point) -> Float[Array, ""]:
        point, nuisances = self.physical_point(parameters), self.nuisance_values(parameters)
        terms = [m.log_likelihood(m.predict(self.model, point, nuisances), nuisances) for m in measurements]
        return sum((apart(term) for term in terms), jnp.zeros(()))

    def log_posterior(self, z: Float[Array, "coordinates"]) -> Float[Array, ""]:
        """Log posterior density in normal coordinates, up to a constant (pulls are penalised once, by the
        likelihood).
        """
        parameters, log_weight = self.from_normal(z)
        return self.log_likelihood(parameters) + log_weight - 0.5 * jnp.sum(z[: len(self.free)] ** 2)

    def twice_nll(self, a: Float[Array, "coordinates"]) -> Float[Array, ""]:
        """-2 ln L at a minimiser's coordinates."""
        return minus_two(self.log_likelihood(self.from_angle(a)))


_LEAVES = ("measurements", "fixed", "centres")


def _flatten(problem: Problem):
    arrays, structure = jax.tree.flatten(tuple(getattr(problem, name) for name in _LEAVES))
    leaves = dict(zip(problem.leaf_of, arrays, strict=True))
    static = {f.name: getattr(problem, f.name) for f in fields(problem) if f.name not in _LEAVES}
    return tuple(leaves.values()), (structure, tuple(static.items()))


def _unflatten(described, leaves) -> Problem:
    structure, static = described
    problem = object.__new__(Problem)  # the sharing of leaves is known, and must not be looked for among tracers
    for name, value in static:
        object.__setattr__(problem, name, value)
    parts = jax.tree.unflatten(structure, [leaves[i] for i in problem.leaf_of])
    for name, part in zip(_LEAVES, parts, strict=True):
        object.__setattr__(problem, name, part)
    return problem


jax.tree_util.register_pytree_node(Problem, _flatten, _unflatten)


def build_problem(
    model: Model,
    measurements: Sequence[Measurement],
    parametrisation: str,
    free: Sequence[Parameter],
    fixed: Mapping[str, float],
) -> Problem:
    """A checked problem: double precision, capabilities fit, no data sample twice, one definition a nuisance, every
    parameter placed once. InputError says what is not so.
    """
    require_double_precision()
    if not measurements:
        raise InputError("measurements: none is given; name at least one, see 'anomfit measurements'")
    chosen = model.parametrisations.get(parametrisation)
    if chosen is None:
        known = ", ".join(model.parametrisations)
        raise InputError(f"parametrisation {quoted(parametrisation)} is not known to {model.name}; use one of {known}")
    _check_places(chosen, [p.name for p in free], list(fixed))
    _check_samples(measurements)
    for measurement in measurements:
        _check_data(measurement)
        require_offered(model, measurement)
    ordered = tuple(sorted(free, key=lambda p: chosen.names.index(p.name)))
    nuisances = merged_nuisances(model, chosen, measurements)
    return Problem(
        model=model,
        measurements=tuple(measurements),
        parametrisation=chosen,
        free=ordered,
        fixed={name: jnp.asarray(float(fixed[name])) for name in chosen.names if name in fixed},
        nuisances=nuisances,
        centres=jnp.zeros(len(nuisances)),
    )


def parts_of(problem: Problem) -> tuple[tuple[tuple[int, ...], Problem], ...]:
    """The problem in parts that are compiled apart, each with the places of its measurements: all light limits
    together, every other measurement alone.

    The time that a compiler takes over one program grows faster than what is in it; and a part that another problem
    has too, such as this one without a measurement, is not compiled again.
    """
    light = tuple(i for i, m in enumerate(problem.measurements) if is_light(m))
    groups = [(i,) for i, m in enumerate(problem.measurements) if not is_light(m)] + ([light] if light else [])
    return tuple((places, with_measurements(problem, places)) for places in groups)


def with_measurements(problem: Problem, places: Sequence[int]) -> Problem:
    """The problem with these of its measurements alone; parameters and nuisances stay."""
    return replace(problem, measurements=tuple(problem.measurements[i] for i in places))


def _scaled(parameter: Parameter, value):
    return jnp.log(value) if parameter.is_log else jnp.asarray(value, dtype=float)


def _gaussian(parameter: Parameter, high) -> Truncated:
    """The parameter's Gaussian prior up to the bound `high`, in standard deviations from its mean."""
    return truncated(parameter.deviations(parameter.low), parameter.deviations(high))


def _unscaled(parameter: Parameter, value):
    return jnp.exp(value) if parameter.is_log else value


def _effective_high(parametrisation, parameter, values, full, low):
    bound = parametrisation.upper.get(parameter.name)
    if bound is None:
        return full
    limit = bound(values)
    safe = jnp.where(limit > parameter.low, limit, parameter.high)
    inside = jnp.minimum(_scaled(parameter, safe), full)
    return jnp.where(limit > parameter.low, inside, low + 1e-9)  # an empty interval keeps a finite, negligible weight


def _check_places(parametrisation: Parametrisation, free: list[str], fixed: list[str]) -> None:
    for name in free + fixed:
        parametrisation[name]  # raises with the known names
    for name in parametrisation.names:
        places = (free + fixed).count(name)
        if places > 1:
            raise InputError(f"parameter {name!r} is given {places} times; make it either free or fixed, once")
        if places == 0:
            raise InputError(f"parameter {name!r} is neither free nor fixed; give it a value or a range")


def _check_data(measurement: Measurement) -> None:
    if is_prediction_alone(measurement):
        name = f"{measurement.name}:{measurement.era}"
        remedy = f"it is a prediction without data; leave it out, and look at it with 'anomfit predict MODEL {name}'"
        raise reject("measurements", name, remedy)


def _check_samples(measurements: Sequence[Measurement]) -> None:
    for i, first in enumerate(measurements):
        for second in measurements[i + 1 :]:
            shared = sorted(first.samples & second.samples)
            if shared:
                raise InputError(
                    f"{first.name}:{first.era} and {second.name}:{second.era} use the same data ({', '.join(shared)}); "
                    f"fit one of them and look at the other as a posterior-predictive check with 'anomfit predict'"
                )


def merged_nuisances(
    model: Model, parametrisation: Parametrisation, measurements: Sequence[Measurement]
) -> tuple[Nuisance, ...]:
    """All nuisances by name, once; InputError where one name has two definitions."""
    merged: dict[str, Nuisance] = {}
    for owner in (model, *measurements):
        for nuisance in _nuisances_for(owner, model):
            if nuisance.name in parametrisation.absorbs:
                continue
            if merged.setdefault(nuisance.name, nuisance) != nuisance:
                raise InputError(f"nuisance {nuisance.name!r} has two definitions; {owner.name} must rename its own")
    return tuple(merged.values())


def _nuisances_for(owner: Model | Measurement, model: Model) -> tuple[Nuisance, ...]:
    """All of the owner's, or those that this model's prediction depends on where a measurement can say."""
    return owner.nuisances_for(model) if isinstance(owner, ChoosesNuisances) else owner.nuisances
