"""From a card to a problem: names are looked up, quantities converted, ranges and values checked."""

import math
from collections.abc import Callable

from anomfit.answers import checked_values
from anomfit.capabilities import Model, with_targets
from anomfit.cards.card import Card, FreeParameter, Quantity
from anomfit.cards.reading import nearest
from anomfit.errors import InputError, reject
from anomfit.explaining import explained
from anomfit.parameters import Parameter, Parametrisation
from anomfit.probing import probe_problem
from anomfit.problem import Problem, build_problem
from anomfit.units import parse_quantity
from anomfit.userfiles import resolve_measurement, resolve_model


@explained()
def problem_from_card(card: Card, say: Callable[[str], None] | None = None) -> Problem:
    """The checked problem that a card describes; `say` gets a sentence for what a user's file does wrong in parts.

    Raises InputError for unknown names (with the nearest known one), a quantity of the wrong unit, a value or range
    outside the parameter's bounds, a parameter free and fixed or neither, and measurements that do not fit together.
    """
    model = with_targets(resolve_model(card.model), dict(card.targets))
    chosen = chosen_parametrisation(model, card.parametrisation)
    free = [_free_parameter(chosen, entry) for entry in card.free]
    stated = {name: stated_value(named_parameter(chosen, name), value) for name, value in card.fixed}
    clash = [entry.name for entry in free if entry.name in stated]
    if clash:
        raise InputError(f"card: the parameter {clash[0]!r} is both free and fixed; keep one of the two lines")
    at_point = point_values(model, chosen, card.point) if card.point is not None else {}
    rest = {name: value for name, value in at_point.items() if name not in {entry.name for entry in free}}
    measurements = [resolve_measurement(entry.full_name, **dict(entry.options)) for entry in card.measurements]
    problem = build_problem(model, measurements, _key_of(model, chosen), free, {**rest, **stated})
    probe_problem(problem, say)
    return problem


def chosen_parametrisation(model: Model, name: str | None) -> Parametrisation:
    """The model's parametrisation called `name`; None means the model's first. Unknown: InputError with the nearest."""
    if name is None:
        return next(iter(model.parametrisations.values()))
    if name not in model.parametrisations:
        raise reject("parametrisation", name, f"{nearest(name, model.parametrisations)}, for {model.name}")
    return model.parametrisations[name]


def point_values(model: Model, chosen: Parametrisation, point: str) -> dict[str, float]:
    """The values of a model's named point in a parametrisation; InputError for an unknown point, with the nearest."""
    if point not in model.points:
        raise reject("point", point, f"{nearest(point, model.points)}, for {model.name}")
    return checked_values(model, chosen, point)


def stated_value(parameter: Parameter, quantity: Quantity) -> float:
    """A user's value of a parameter, converted and within its hard bounds; a coupling may also be exactly 0."""
    value = parse_quantity(quantity, parameter.unit, parameter.name)
    switched_off = value == 0.0 and parameter.unit == "1"
    if not (parameter.low <= value <= parameter.high or switched_off):
        raise reject(parameter.name, quantity, f"give a value {_bounds(parameter)}")
    return value


def named_parameter(chosen: Parametrisation, name: str) -> Parameter:
    """The parameter of this name; an unknown one is refused with the nearest."""
    if name not in chosen.names:
        raise reject("parameter", name, f"{nearest(name, chosen.names)}, in the parametrisation {chosen.name!r}")
    return chosen[name]


def _free_parameter(chosen: Parametrisation, entry: FreeParameter) -> Parameter:
    parameter = named_parameter(chosen, entry.name)
    low = parameter.low if entry.low is None else parse_quantity(entry.low, parameter.unit, entry.name)
    high = parameter.high if entry.high is None else parse_quantity(entry.high, parameter.unit, entry.name)
    low = parameter.low if math.isclose(low, parameter.low, rel_tol=1e-12) else low  # a conversion may round
    high = parameter.high if math.isclose(high, parameter.high, rel_tol=1e-12) else high
    if low < parameter.low or high > parameter.high:
        raise reject(f"free.{entry.name}", [entry.low, entry.high], f"give a range {_bounds(parameter)}")
    if entry.mean is None or entry.sigma is None:
        return parameter.within(low, high, entry.prior)  # type: ignore[arg-type]
    mean, sigma = (parse_quantity(x, parameter.unit, entry.name) for x in (entry.mean, entry.sigma))
    return parameter.within(low, high, "uniform").gaussian(mean, sigma)


def _bounds(parameter: Parameter) -> str:
    unit = "" if parameter.unit == "1" else f" {parameter.unit}"
    return f"within the bounds of {parameter.name}, {parameter.low:g} to {parameter.high:g}{unit}"


def _key_of(model: Model, chosen: Parametrisation) -> str:
    return next(key for key, value in model.parametrisations.items() if value is chosen)
