"""What a paper's numbers are computed from, how far each input may move, and what that does to a number."""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.reproduce.statements import Computed, Statement, paper_file

Varied = Literal["last printed digit", "stated range", "stated error", "flux"]
PULLS = np.linspace(-1.0, 1.0, 201).tolist()  # standard deviations
NOISE = 1e-12  # of a number: what a slope of rounding errors amounts to


class Input(NamedTuple):
    """One input: half_width is half a unit of its last digit, half a range, or a standard deviation (a flux's too)."""

    value: float
    half_width: float
    varied: Varied


def load_inputs(paper: str, part: str = "inputs") -> dict[str, Input]:
    """The inputs of a paper by name, from its file; errors as `load_statements`."""
    entries = paper_file(paper)["parts"][part]["values"].items()
    return {name: Input(float(x["value"]), float(x["half_width"]), x["varied"]) for name, x in entries}


class Room(NamedTuple):
    """How far the inputs may move a number: what digits and ranges can do, all together, and one standard deviation."""

    bounds: float = 0.0
    error: float = 0.0

    def at(self, pull: float) -> float:
        """The room when the flux already takes `pull` of the one standard deviation that all errors share."""
        return self.bounds + self.error * math.sqrt(1.0 - pull**2)


def room_of(slopes: Mapping[str, float], inputs: Mapping[str, Input]) -> Room:
    """What the inputs may do to a number with these slopes, fluxes aside.

    Digits and ranges are bounds: the sum of what each can do. Errors are standard deviations: the root of the sum of
    squares.
    """
    by_kind: dict[str, list[float]] = {kind: [] for kind in get_args(Varied)}
    for name, slope in slopes.items():
        by_kind[inputs[name].varied].append(abs(slope) * inputs[name].half_width)
    bounds = sum(by_kind["last printed digit"]) + sum(by_kind["stated range"])
    return Room(bounds, math.hypot(*by_kind["stated error"]))


class Flux(NamedTuple):
    """The nuisance of a beam's flux, and what one standard deviation of it does to a number."""

    name: str
    moves: float


def flux_of(slopes: Mapping[str, float], inputs: Mapping[str, Input]) -> Flux | None:
    """The flux on which a number depends; None for one that knows no flux or in which it cancels."""
    found = [Flux(name, slope * inputs[name].half_width) for name, slope in slopes.items() if _is_flux(inputs[name])]
    assert len(found) < 2  # no number of a paper comes from two beams
    return found[0] if found else None


def _is_flux(given: Input) -> bool:
    return given.varied == "flux"


class Moved(NamedTuple):
    """A computed number that a flux moves by `moves` a standard deviation, with its statement and its room."""

    statement: Statement
    computed: float
    room: Room
    moves: float

    def holds(self, pull: float) -> bool:
        """Whether the number agrees with what is quoted when the flux is pulled so far."""
        return self.statement.excess(self.computed + pull * self.moves) <= self.room.at(pull)


def common_pull(rows: Iterable[Moved]) -> float:
    """The one pull of a beam's flux that all its rows share: the smallest, at most one standard deviation, with which
    the most of them hold. Literal readings have no say.
    """
    asked = [row for row in rows if row.statement.reading == "meant"]
    exact = [(row.statement.quoted - row.computed) / row.moves for row in asked]
    pulls = [*PULLS, *(pull for pull in exact if abs(pull) <= 1.0)]
    return min(pulls, key=lambda pull: (-sum(row.holds(pull) for row in asked), abs(pull)))


Numbers = Mapping[str, Any]
Group = Callable[..., tuple[Numbers, Numbers]]


@partial(jax.jit, static_argnames=("function", "model", "names"))
def _linearised(function: Group, model: object, names: tuple[str, ...], varied, fixed: Numbers, data: Any):
    """Numbers, the matrix of their slopes (inputs, numbers by name), other numbers; one matrix compiles quickly."""

    def numbers(inputs):
        found, others = function(model, {**fixed, **{name: inputs[i] for i, name in enumerate(names)}}, data)
        return jnp.stack([found[name] for name in sorted(found)]), (found, others)

    def along(direction):
        _, slopes, known = jax.jvp(numbers, (varied,), (direction,), has_aux=True)
        return slopes, known

    slopes, (found, others) = jax.vmap(along, out_axes=(0, None))(jnp.eye(len(names)))
    return found, slopes, others


class Linearised(NamedTuple):
    """Numbers by statement with their slopes by input, and other numbers, of which no slope is wanted."""

    numbers: Mapping[str, float]
    slopes: Mapping[str, Mapping[str, float]]
    others: Mapping[str, Any]

    def computed(self, name: str, detail: str = "") -> Computed:
        """The number of a statement with its slopes."""
        return Computed(self.numbers[name], detail, self.slopes[name])


def linearised(
    function: Group, model: object, point: Mapping[str, float], inputs: Iterable[str], data: Any = ()
) -> Linearised:
    """`function(model, point, data)`, two dictionaries of scalars, with the derivatives of the first in the inputs.

    function: a pure function of a module, so that it is compiled once; model: static; data: arrays.
    """
    names = tuple(inputs)
    fixed = {name: np.asarray(value, dtype=float) for name, value in point.items() if name not in names}
    varied = np.array([float(point[name]) for name in names])
    found, matrix, others = jax.device_get(_linearised(function, model, names, varied, fixed, data))
    slopes = {name: dict(zip(names, column.tolist(), strict=True)) for name, column in zip(sorted(found), matrix.T)}
    kept = {
        name: {key: slope for key, slope in row.items() if abs(slope) > NOISE * abs(found[name])}
        for name, row in slopes.items()
    }
    return Linearised({name: float(value) for name, value in found.items()}, kept, others)
