"""What a model predicts for a measurement at given points: one compile for any number of them."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp

from anomfit.answers import checked_prediction
from anomfit.capabilities import Model, choices_of, require_offered
from anomfit.cards.building import chosen_parametrisation, named_parameter, point_values, stated_value
from anomfit.cards.card import Quantity
from anomfit.errors import InputError, quoted, reject
from anomfit.explaining import explained
from anomfit.inference.devices import each
from anomfit.measurements.base import Bin, CountsInteractions, Measurement, Prediction
from anomfit.parameters import Parametrisation, Point
from anomfit.plain_json import finite_or_none
from anomfit.precision import require_double_precision

SCHEMA_VERSION = 2
LARGEST_TABLE = 100_000_000  # bytes of a table of points
FEW, BATCH = 4, 32  # more points than a few are filled up to multiples of a batch: few programs to compile


@dataclass(frozen=True)
class PredictionReport:
    """One point's prediction beside the data; `signal` by component, one number a bin of `bins`.

    interactions: heavy neutrinos made, by state of the target, before any decay or efficiency; before_efficiency: what
    of them decays to what is looked for. Either is empty for measurements without.
    """

    model: str
    measurement: str
    era: str
    choices: Mapping[str, str]
    point: Mapping[str, float]
    bins: tuple[Bin, ...]
    signal: Mapping[str, tuple[float, ...]]
    before_efficiency: Mapping[str, float]
    interactions: Mapping[str, float]

    @property
    def total(self) -> tuple[float, ...]:
        """The signal in every bin, components added."""
        return tuple(sum(parts) for parts in zip(*self.signal.values(), strict=True))

    def as_json(self) -> dict[str, object]:
        """The object that `anomfit predict --json` prints; a number that is not finite (an edge of g-2) is None."""
        fields = ("label", "low", "high", "unit", "data", "background")
        bins = [
            {**{name: getattr(entry, name) for name in fields}, "signal": signal}
            for entry, signal in zip(self.bins, self.total, strict=True)
        ]
        return finite_or_none(
            {
                "schema_version": SCHEMA_VERSION,
                "model": self.model,
                "measurement": self.measurement,
                "era": self.era,
                "point": self.point,
                "bins": bins,
                "interactions": self.interactions,
                "before_efficiency": self.before_efficiency,
                "total_signal": sum(self.total),
            }
        )


@explained()
def predict(
    model: Model,
    measurement: Measurement,
    chosen: Parametrisation,
    points: Sequence[Mapping[str, float]],
    nuisances: Sequence[Mapping[str, float]] | None = None,
) -> list[PredictionReport]:
    """The predictions at `points`, each a full set of the parametrisation's values.

    `nuisances`: values by name in their own units, one set a point with the same names; what is not given is central.
    Raises InputError in single precision, when the model does not offer what the measurement needs, for a point that
    lacks a value, and for what fails in a user's file.
    """
    require_double_precision()
    require_offered(model, measurement)
    for point in points:
        missing = [name for name in chosen.names if name not in point]
        if missing:
            raise InputError(f"point: it has no value for {', '.join(missing)}; name a point or set each")
    columns = _columns(points, chosen.names)
    given = _columns(nuisances, tuple(nuisances[0])) if nuisances else {}
    bins = tuple(measurement.bins())
    found = _predict_all(measurement, columns, given, model=model, chosen=chosen, number_of_bins=len(bins))
    result, made = jax.device_get(found)
    return [
        PredictionReport(
            model=model.name,
            measurement=measurement.name,
            era=measurement.era,
            choices={**choices_of(model), **measurement.choices},
            point={name: float(point[name]) for name in chosen.names},
            bins=bins,
            signal={name: tuple(float(x) for x in values[i]) for name, values in result.signal.items()},
            before_efficiency={name: float(values[i]) for name, values in result.before_efficiency.items()},
            interactions={name: float(values[i]) for name, values in made.items()},
        )
        for i, point in enumerate(points)
    ]


def point_from_settings(
    model: Model, chosen: Parametrisation, point: str | None, settings: Mapping[str, Quantity]
) -> dict[str, float]:
    """The values of a named point (None: the model's first, if it has one) with the user's `settings` put on top."""
    start = point if point is not None else next(iter(model.points), None)
    values = point_values(model, chosen, start) if start is not None else {}
    return {
        **values,
        **{name: stated_value(named_parameter(chosen, name), value) for name, value in settings.items()},
    }


@dataclass(frozen=True)
class PointTable:
    """The text of a CSV of points: names of the columns, and for each row its line number and cells."""

    source: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def points_from_table(table: PointTable, chosen: Parametrisation, base: Mapping[str, float]) -> list[dict[str, float]]:
    """One point a row; parameters without a column come from `base`.

    Raises InputError, with the line, for an unknown name, a row of the wrong length and a cell that is no number.
    """
    parameters = [named_parameter(chosen, name) for name in table.header]
    points = []
    for number, row in table.rows:
        if len(row) != len(parameters):
            raise reject("points", table.source, f"line {number} has {len(row)} values for {len(parameters)} names")
        try:
            values = {p.name: stated_value(p, cell) for p, cell in zip(parameters, row, strict=True)}
        except InputError as error:
            raise InputError(f"points: line {number} of {quoted(table.source)}: {error}") from None
        points.append({**base, **values})
    return points


def read_point_table(path: Path) -> PointTable:
    """A CSV with a header of parameter names; InputError when it is missing, no text, empty or names a column twice."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_TABLE + 1)
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    except FileNotFoundError:
        raise reject("points", str(path), "there is no such file") from None
    except OSError as error:
        raise InputError(f"points: {quoted(str(path))} cannot be read ({error.strerror}); name a CSV table") from error
    except (ValueError, csv.Error) as error:  # no UTF-8, a null character in the name, a cell of 100 kB
        raise InputError(f"points: {quoted(str(path))} cannot be read as a CSV table ({error})") from error
    if len(content) > LARGEST_TABLE:
        raise reject("points", str(path), f"it has more than {LARGEST_TABLE // 10**6} MB; split it")
    header = tuple(name.strip() for name in rows[0]) if rows else ()
    body = tuple((number, tuple(row)) for number, row in enumerate(rows[1:], start=2) if row)
    if not header or not body:
        raise reject("points", str(path), "give one line of parameter names and at least one line of values")
    if len(set(header)) < len(header):
        raise reject("points", str(path), f"a parameter stands in two columns of {quoted(list(header))}")
    return PointTable(str(path), header, body)


def fitting_parametrisation(model: Model, name: str | None, used: Iterable[str]) -> Parametrisation:
    """The parametrisation called `name`; None means the physical one, or the first that knows all the names in `used`.

    Raises InputError for an unknown parametrisation; names that none of them knows are left for their own refusal.
    """
    if name is not None:
        return chosen_parametrisation(model, name)
    physical_first = sorted(model.parametrisations, key=lambda key: key != "physical")
    fitting = [key for key in physical_first if set(used) <= set(model.parametrisations[key].names)]
    return chosen_parametrisation(model, (fitting or physical_first)[0])


def _columns(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> dict[str, jax.Array]:
    """Columns of the rows, filled up to a number for which a program may have been compiled."""
    full = len(rows) if len(rows) <= FEW else -(-len(rows) // BATCH) * BATCH
    padded = [*rows, *[rows[-1]] * (full - len(rows))]
    return {name: jnp.asarray([float(row[name]) for row in padded]) for name in names}


@partial(jax.jit, static_argnames=("model", "chosen", "number_of_bins"))
def _predict_all(
    measurement: Measurement,
    columns: Point,
    given: Point,
    model: Model,
    chosen: Parametrisation,
    number_of_bins: int,
) -> tuple[Prediction, Mapping[str, jax.Array]]:
    central = {n.name: jnp.asarray(n.mean) for owner in (model, measurement) for n in owner.nuisances}

    def at(point_and_nuisances: tuple[Point, Point]):
        point, nuisances = chosen.to_physical(point_and_nuisances[0]), {**central, **point_and_nuisances[1]}
        found = checked_prediction(measurement, model, point, nuisances, number_of_bins)
        if not isinstance(measurement, CountsInteractions):
            return found, {}
        return found, dict(measurement.interactions(model, point, nuisances))

    return each(at, (columns, given))
