"""A user's model and measurement are tried at a few points before anything is computed with them.

What they state is looked at in `anomfit.declarations`; here their functions are called: shapes and kinds of what comes
back, finite values and gradients, symbols that can be drawn. What ships is never probed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.answers import checked_likelihood, checked_values, is_number, kind_of
from anomfit.capabilities import Model
from anomfit.declarations import fault
from anomfit.errors import InputError, quoted, shortened
from anomfit.explaining import blamed_on
from anomfit.measurements.base import Measurement
from anomfit.parameters import Nuisance, Parametrisation
from anomfit.problem import Problem
from anomfit.user_modules import home_of

POINTS = 9  # of the prior, the middle first
STEPS = np.sqrt([2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0, 23.0, 29.0, 31.0, 37.0])  # irrational, one a parameter
LONGEST = 1500  # operations of a likelihood, above which compiling its gradient here would take too long
NOT_FINITE = "a square root, logarithm or power at 0, or a jnp.where whose other branch is infinite, does this"


def probe_leaves(home: Path, measurement: Measurement) -> None:
    """Refuse, with an InputError, a user's measurement that is no pytree or has something else than numbers as data."""
    kind = type(measurement).__name__
    if jax.tree_util.all_leaves([measurement]):
        words = "it is not a pytree; decorate its class with jax.tree_util.register_dataclass"
        raise fault(home, measurement, "__init__", f"{kind}: {words}")
    leaves = jax.tree.leaves(measurement)
    for name, value in getattr(measurement, "__dict__", {}).items():
        if isinstance(value, jax.Array | np.ndarray) and not any(value is leaf for leaf in leaves):
            words = "is an array and stands in meta_fields; list it in data_fields instead, or make words a tuple"
            raise fault(home, measurement, "__init__", f"{kind}: {name} {words}")
    for leaf in leaves:
        if np.asarray(leaf).dtype.kind not in "buif":
            words = "no number or array; list that field in meta_fields instead of data_fields"
            raise fault(home, measurement, "__init__", f"{kind}: {quoted(leaf)} among its data is {words}")


def probe_problem(problem: Problem, say: Callable[[str], None] | None = None) -> None:
    """Try every pair of model and measurement of which one is a user's: shapes first, then values and gradients.

    `say` gets a sentence for a likelihood or gradient that is finite at some of the points only. Raises InputError,
    which names the file and, where there is one, the line, for one that is finite at none, for whatever fails or has
    the wrong shape or kind, and for symbols that no figure can show.
    """
    model, say = problem.model, say or (lambda sentence: None)
    owners = [(home_of(owner), owner) for owner in (model, *problem.measurements)]
    users = [(home, owner) for home, owner in owners if home is not None]
    if not users:
        return
    for home, owner in users:
        _check_symbols(home, owner, owner.nuisances)
    home_of_model = owners[0][0]
    if home_of_model is not None:
        _check_symbols(home_of_model, model, problem.parametrisation.parameters)
        _check_parametrisation(home_of_model, model, problem.parametrisation)
    points = _prior_points(problem)
    for home, measurement in owners[1:]:
        blamed = home or home_of_model
        if blamed is not None:
            _check_values(blamed, replace(problem, measurements=(measurement,)), points, say)


# -- a model alone --------------------------------------------------------------------------------------------------


def _check_symbols(home: Path, owner: object, entries: Sequence[Any]) -> None:
    from matplotlib.mathtext import MathTextParser

    from anomfit.plotting.style import mathematics

    for entry in entries:
        try:
            MathTextParser("agg").parse(mathematics(entry.symbol))
        except ValueError as error:
            reason = shortened(str(error).strip().splitlines()[-1])
            words = f"the symbol {quoted(entry.symbol)} of {entry.name} cannot be drawn by matplotlib ({reason})"
            member = "nuisances" if isinstance(entry, Nuisance) else "parametrisations"
            raise fault(home, owner, member, f"{words}; write it in matplotlib's mathtext, such as $m_{{N}}$") from None


def _check_parametrisation(home: Path, model: Model, chosen: Parametrisation) -> None:
    """Both maps and the bounds of a parametrisation at points of its prior and at the named points."""
    problem = Problem(model, (), chosen, chosen.parameters, {}, (), jnp.zeros(0))

    def wrong(sentence: str) -> InputError:
        return fault(home, model, "parametrisations", f"parametrisation {chosen.name!r}: {sentence}")

    def mapped(u):
        for i, parameter in enumerate(chosen.parameters):
            if parameter.name in chosen.upper:
                earlier = {p.name: jnp.asarray(p.high) for p in chosen.parameters[:i]}
                with blamed_on(home, f"upper bound of {parameter.name}, which knows the parameters before it"):
                    bound = chosen.upper[parameter.name](earlier)
                if not is_number(bound):
                    raise wrong(f"the upper bound of {parameter.name} must be one number, not {kind_of(bound)}")
        values, _ = problem.from_cube(u)
        with blamed_on(home, f"to_physical of {chosen.name}"):
            point = problem.physical_point(values)
        if not isinstance(point, Mapping) or not all(isinstance(name, str) for name in point):
            raise wrong(f"to_physical must return a dictionary of numbers by name, not {kind_of(point)}")
        for name, value in point.items():
            if not is_number(value):
                raise wrong(f"to_physical must give one real number for {name}, not {kind_of(value)}")
        return {name: jnp.asarray(value, dtype=float) for name, value in point.items()}

    with blamed_on(home, f"parametrisation {chosen.name!r}"):
        point = jax.device_get(jax.jit(jax.vmap(mapped))(_cube(len(chosen.parameters))))
    for name, values in point.items():
        if not np.isfinite(values).any():
            words = f"to_physical gives no finite {name} at any of {POINTS} points of the prior"
            raise wrong(f"{words} ({values[0]} in its middle); {NOT_FINITE}")
    for name in model.points:
        checked_values(model, chosen, name)


# -- a model with a measurement -------------------------------------------------------------------------------------


def _check_values(home: Path, alone: Problem, points: list[dict[str, Any]], say: Callable[[str], None]) -> None:
    (measurement,) = alone.measurements
    number_of_bins = len(measurement.bins())

    def value(problem, values):
        (measurement,) = problem.measurements
        point, nuisances = problem.physical_point(values), problem.nuisance_values(values)
        return checked_likelihood(measurement, problem.model, point, nuisances, number_of_bins)

    with blamed_on(home, f"{measurement.name} with {alone.model.name}"):
        if _operations(jax.make_jaxpr(value)(alone, points[0]).jaxpr) > LONGEST:
            return  # its shapes and kinds are right, and the fit counts points that are not finite
        run = jax.jit(jax.value_and_grad(value, argnums=1, has_aux=True))
        found = [jax.device_get(run(alone, point)) for point in points]
    log_likelihood = np.array([result[0][0] for result in found])
    seen = [{name: np.all(np.isfinite(x)) for name, x in result[0][1].items()} for result in found]
    slopes = [{name: np.isfinite(slope) for name, slope in result[1].items()} for result in found]
    finite = np.isfinite(log_likelihood)
    at = f"at any of {len(points)} points of the prior"
    if not any(result["predict"] for result in seen):
        words = f"the prediction of {alone.model.name} for {measurement.name} is not finite {at}; {NOT_FINITE}"
        raise fault(home, measurement, "predict", words)
    if not finite.any():
        words = f"log_likelihood of {measurement.name} is not finite {at} ({log_likelihood[0]} in its middle)"
        theirs = "a sigma of 0 or a covariance that cannot be inverted does this"
        cure = theirs if home_of(measurement) else f"look at sign and size of what {alone.model.name} predicts"
        raise fault(home, measurement, "log_likelihood", f"{words}, though the prediction is; {cure}")
    for member in ("chi_squared", "pulls"):
        if not any(result[member] for result in seen):
            words = f"{member} of {measurement.name} is not finite {at}; an error of 0 does this"
            raise fault(home, measurement, member, words)
    broken = [name for name in slopes[0] if not any(s[name] for s, good in zip(slopes, finite, strict=True) if good)]
    if broken:
        words = f"the gradient of ln L of {measurement.name} with respect to {', '.join(broken)} is not finite {at}"
        member = "predict" if any(result["log_likelihood"] for result in seen) else "log_likelihood"
        raise fault(home, measurement, member, f"{words}, though ln L is; {NOT_FINITE}")
    flat = sum(good and not all(slope.values()) for slope, good in zip(slopes, finite, strict=True))
    if not finite.all():
        say(f"ln L of {measurement.name} is not finite at {(~finite).sum()} of {len(points)} points of the prior")
    if flat:
        where = f"at {flat} of {len(points)} points of the prior, where its value is finite"
        say(f"the gradient of ln L of {measurement.name} is not finite {where}; {NOT_FINITE}")


# -- points -------------------------------------------------------------------------------------------------------


def _cube(dimensions: int) -> np.ndarray:
    """A few points of the unit cube, its middle first, the others spread over it."""
    steps = np.resize(STEPS, dimensions) + np.arange(dimensions) // len(STEPS)
    return (0.5 + np.arange(POINTS)[:, None] * steps) % 1.0


def _prior_points(problem: Problem) -> list[dict[str, Any]]:
    """Values of the free parameters at a few points of the prior, and the named points inside it; pulls are 0."""
    rows = jax.jit(jax.vmap(lambda u: problem.from_cube(u)[0]))(_cube(len(problem.free)))
    points = [{name: column[i] for name, column in rows.items()} for i in range(POINTS if problem.free else 1)]
    for name in problem.model.points:
        values = checked_values(problem.model, problem.parametrisation, name)
        if all(p.name in values and p.low <= values[p.name] <= p.high for p in problem.free):
            points.append({p.name: jnp.asarray(values[p.name]) for p in problem.free})
    pulls = {nuisance.name: jnp.zeros(()) for nuisance in problem.nuisances}
    return [{**point, **pulls} for point in points]


def _operations(jaxpr: Any) -> int:
    """How many operations a program has, those inside its loops and calls counted once."""
    inner = [
        getattr(part, "jaxpr", part)
        for equation in jaxpr.eqns
        for value in equation.params.values()
        for part in (value if isinstance(value, tuple | list) else (value,))
    ]
    return len(jaxpr.eqns) + sum(_operations(part) for part in inner if hasattr(part, "eqns"))
