"""What the functions of a user's model and measurement give back: looked at while a program is traced.

The shapes and kinds of the answers are known then, and nothing is computed twice. What ships is not looked at.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from anomfit.capabilities import Model
from anomfit.constraints.base import Constraint, Outcome
from anomfit.declarations import fault
from anomfit.errors import InputError, quoted
from anomfit.explaining import blamed_on
from anomfit.measurements.base import Measurement, Prediction
from anomfit.parameters import Parametrisation, Point
from anomfit.user_modules import home_of


def checked_values(model: Model, chosen: Parametrisation, name: str) -> dict[str, float]:
    """The parameters at a named point of the model, as far as the parametrisation gives them.

    InputError where a user's file fails in it, or gives something else than finite numbers by name.
    """
    home, physical = home_of(model), {key: jnp.asarray(float(value)) for key, value in model.points[name].items()}
    if home is None:
        values = chosen.from_physical(physical)
        return {key: float(values[key]) for key in chosen.names if key in values}
    with blamed_on(home, f"from_physical of {chosen.name} at the point {name!r}"):
        values = chosen.from_physical(physical)
    is_table = isinstance(values, Mapping) and all(is_number(value) for value in values.values())
    known = {key: float(values[key]) for key in chosen.names if key in values} if is_table else {}
    if not is_table or not all(map(math.isfinite, known.values())):
        words = f"from_physical of {chosen.name!r} must give finite numbers by name at the point {name!r}"
        raise fault(home, model, "parametrisations", f"{words}, not {quoted(known) if is_table else kind_of(values)}")
    return known


def checked_outcome(constraint: Constraint, model: object, point: Point, nuisances: Point) -> Outcome:
    """`constraint.outcome`; InputError where a user's file fails in it or gives something else than an outcome."""
    home = home_of(constraint) or home_of(model)
    if home is None:
        return constraint.outcome(model, point, nuisances)
    with blamed_on(home, f"physics of {constraint.name}"):
        outcome = constraint.outcome(model, point, nuisances)
    if not isinstance(outcome, Outcome) or not all(is_number(number) for number in outcome):
        words = "must return anomfit.constraints.Outcome, three real numbers (predicted, limit, ratio)"
        raise fault(home, constraint, "physics", f"physics of {constraint.name} {words}, not {kind_of(outcome)}")
    return outcome


def checked_prediction(
    measurement: Measurement, model: Any, point: Point, nuisances: Point, number_of_bins: int
) -> Prediction:
    """`measurement.predict`; InputError where a user's file fails in it or gives something else than a prediction."""
    home = home_of(measurement) or home_of(model)
    if home is None:
        return measurement.predict(model, point, nuisances)
    if isinstance(measurement, Constraint):
        checked_outcome(measurement, model, point, nuisances)
    with blamed_on(home, f"predict of {measurement.name} with {model.name}"):
        prediction = measurement.predict(model, point, nuisances)
    _check_prediction(home, measurement, "predict", prediction, number_of_bins)
    return prediction


def checked_likelihood(measurement: Measurement, model: Any, point: Point, nuisances: Point, number_of_bins: int):
    """ln L at a point, and by method what else a fit asks for: the total prediction, the gradient of log_likelihood
    with respect to the signal, chi_squared and pulls.

    Raises InputError as `checked_prediction` does, for every method of the measurement.
    """
    home, name = home_of(measurement) or home_of(model) or Path(), measurement.name
    prediction = checked_prediction(measurement, model, point, nuisances, number_of_bins)
    with blamed_on(home, f"log_likelihood of {name}"):
        log_likelihood = measurement.log_likelihood(prediction, nuisances)
    with blamed_on(home, f"chi_squared of {name}"):
        chi_squared = measurement.chi_squared(prediction, nuisances)
    with blamed_on(home, f"pulls of {name}"):
        pulls = measurement.pulls(prediction, nuisances)
    for member, number in (("log_likelihood", log_likelihood), ("chi_squared", chi_squared)):
        if not is_number(number):
            raise fault(home, measurement, member, f"{member} of {name} must be one real number, not {kind_of(number)}")
    if jnp.result_type(log_likelihood) != jnp.result_type(float):
        words = f"log_likelihood of {name} is of the kind {jnp.result_type(log_likelihood)}"
        raise fault(home, measurement, "log_likelihood", f"{words}; compute it in double precision")
    if not _is_real(pulls) or jnp.shape(pulls) != (number_of_bins,):
        words = f"pulls of {name} must be an array of {number_of_bins} real numbers, one a bin of bins()"
        raise fault(home, measurement, "pulls", f"{words}, not {kind_of(pulls)}")
    _check_offers(home, measurement, prediction, nuisances)
    slope = jax.grad(lambda signal: measurement.log_likelihood(prediction._replace(signal=signal), nuisances))
    gradient = sum(slope(prediction.signal).values())
    return log_likelihood, {
        "predict": prediction.total,
        "log_likelihood": gradient,
        "chi_squared": chi_squared,
        "pulls": pulls,
    }


def _check_prediction(home: Path, measurement: Any, member: str, prediction: Any, number_of_bins: int) -> None:
    def wrong(sentence: str) -> InputError:
        return fault(home, measurement, member, f"{member} of {measurement.name} {sentence}")

    if not isinstance(prediction, Prediction):
        raise wrong(f"must return anomfit.measurements.base.Prediction, not {kind_of(prediction)}")
    for field in Prediction._fields:
        parts = getattr(prediction, field)
        if not isinstance(parts, Mapping) or not all(isinstance(key, str) for key in parts):
            raise wrong(f"must have a dictionary of arrays by name as {field}, not {kind_of(parts)}")
    if not prediction.signal:
        raise wrong("has no component in its signal; give at least one")
    for key, part in prediction.signal.items():
        if not _is_real(part) or jnp.shape(part) != (number_of_bins,):
            words = f"must give {number_of_bins} real numbers as the signal {key!r}, one a bin of bins()"
            raise wrong(f"{words}, not {kind_of(part)}")
    for key, part in prediction.before_efficiency.items():
        if not is_number(part):
            raise wrong(f"must give one real number as {key!r} before efficiency, not {kind_of(part)}")


def _check_offers(home: Path, measurement: Any, prediction: Prediction, nuisances: Any) -> None:
    """What only some measurements have: data thrown anew."""
    if hasattr(measurement, "simulate"):
        with blamed_on(home, f"simulate of {measurement.name}"):
            thrown = measurement.simulate(prediction, nuisances, jax.random.key(0))
        if type(thrown) is not type(measurement) or _shape(thrown) != _shape(measurement):
            words = "must return the measurement with other data of the same shapes and kinds"
            raise fault(home, measurement, "simulate", f"simulate of {measurement.name} {words}, not {kind_of(thrown)}")


def _is_real(value: Any) -> bool:
    try:
        kind = None if value is None else jnp.result_type(value)
    except (TypeError, ValueError):
        return False
    return kind is not None and (jnp.issubdtype(kind, jnp.floating) or jnp.issubdtype(kind, jnp.integer))


def is_number(value: Any) -> bool:
    """Whether it is one real number, traced or not."""
    return _is_real(value) and jnp.shape(value) == ()


def kind_of(value: Any) -> str:
    """What a sentence says of a value: shape and kind of an array, a number itself, else its class."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"an array of shape {tuple(value.shape)} and kind {value.dtype}"
    if isinstance(value, str | int | float | complex | None):
        return quoted(value)
    return f"an object of the class {type(value).__name__!r}"


def _shape(measurement: Any) -> object:
    leaves, structure = jax.tree.flatten(measurement)
    return structure, [(jnp.shape(leaf), jnp.result_type(leaf)) for leaf in leaves]
