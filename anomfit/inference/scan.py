"""The points of a scan, and what is said of them.

Points go by their number: the i-th is the same whatever the number of points and whoever makes it. A row holds
parameters, prior, -2 ln L and chi^2 of every measurement, and chosen signals.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.stats import qmc

from anomfit.errors import reject
from anomfit.inference.compiled import Forward, forward
from anomfit.inference.devices import each
from anomfit.inference.undefined import undefined_values
from anomfit.problem import Problem

WIDTH = 4096  # points that are drawn together
BITS = 32  # of a Sobol coordinate, the most of SciPy's fast_forward
DESIGNS = {
    "prior": "drawn from the prior, each point apart",
    "sobol": "a scrambled Sobol sequence in the prior's quantiles",
    "lattice": "a regular lattice in the prior's quantiles",
}
MOST = {"prior": 2**32, "sobol": 2**BITS, "lattice": 2**53}  # points: fold_in takes 32 bits, an index is a double


@dataclass(frozen=True)
class Design:
    """How the points of a scan are spread: `kind` is a key of DESIGNS, `seed` of the first two kinds.

    shape: nodes along each free parameter, in the problem's order, of a lattice.
    """

    kind: str = "prior"
    seed: int = 1
    shape: tuple[int, ...] = ()

    def __post_init__(self):
        if self.kind not in DESIGNS:
            raise reject("--from", self.kind, f"use one of {', '.join(DESIGNS)}")


@dataclass
class Cube:
    """The points of a design in so many dimensions. Rows that are asked for in ascending order are made fastest."""

    design: Design
    dimensions: int
    _sobol: qmc.Sobol | None = field(default=None, init=False, repr=False)

    def rows(self, first: int, last: int) -> Float[np.ndarray, "points dimensions"]:
        """The points first, ..., last - 1."""
        if self.design.kind == "prior":
            return _drawn(self.design.seed, self.dimensions, first, last)
        if self.design.kind == "sobol":
            return self._of_sobol(first, last)
        return _nodes(self.design.shape, first, last)

    def _of_sobol(self, first: int, last: int) -> np.ndarray:
        """I. M. Sobol's sequence with Joe and Kuo's directions, scrambled by SciPy (Matousek 1998).

        Coordinates are multiples of 2^-32, here the middles of cells of that width, so that none is on a bound.
        """
        if self._sobol is None or self._sobol.num_generated > first:
            numbers = np.random.default_rng(self.design.seed)  # "seed" is what SciPy 1.14 calls it too
            self._sobol = qmc.Sobol(self.dimensions, scramble=True, bits=BITS, seed=numbers)  # type: ignore[call-arg]
        if first > self._sobol.num_generated:
            self._sobol.fast_forward(first - self._sobol.num_generated)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The balance properties")  # of a part of the sequence
            return self._sobol.random(last - first) + 0.5 / 2.0**BITS


def lattice_shape(number: int, dimensions: int) -> tuple[int, ...]:
    """As many nodes along every dimension, `number` in all; InputError where that is no such power."""
    side = round(number ** (1.0 / dimensions))
    nearby = [n for n in (side - 1, side, side + 1) if n > 0]
    for n in nearby:
        if n**dimensions == number:
            return (n,) * dimensions
    powers = [n**dimensions for n in nearby]
    near = sorted({max((p for p in powers if p < number), default=powers[0]), min(p for p in powers if p > number)})
    parameters = f"{dimensions} free parameters" if dimensions > 1 else "1 free parameter"
    remedy = f"a lattice of {parameters} has {' or '.join(map(str, near))} points, or name its sides, as 100x50"
    raise reject("--number", number, remedy)


def check_shape(shape: tuple[int, ...], dimensions: int) -> None:
    """InputError for a lattice with another number of sides than there are free parameters."""
    if len(shape) != dimensions:
        remedy = f"give as many sides as there are free parameters, {dimensions}, in the card's order"
        raise reject("--number", "x".join(map(str, shape)), remedy)


def _drawn(seed: int, dimensions: int, first: int, last: int) -> np.ndarray:
    width = -(-(last - first) // WIDTH) * WIDTH  # one program for all short blocks
    indices = np.minimum(np.arange(first, first + width), last - 1).astype(np.uint32)
    drawn = _uniform(jax.random.key(seed), jnp.asarray(indices), dimensions=dimensions)
    return np.asarray(drawn, dtype=float)[: last - first]


@partial(jax.jit, static_argnames=("dimensions",))
def _uniform(key, indices, dimensions: int):
    return each(lambda i: jax.random.uniform(jax.random.fold_in(key, i), (dimensions,)), indices)


def _nodes(shape: tuple[int, ...], first: int, last: int) -> np.ndarray:
    """Middles of the cells of a lattice, the last side running fastest."""
    indices = np.arange(first, last)
    places = []
    for i, side in enumerate(shape):
        behind = math.prod(shape[i + 1 :])
        places.append((indices // behind % side + 0.5) / side)
    return np.stack(places, axis=1)


BLOCK = 4096  # points whose whole predictions are in memory together
BINS = "/bins"  # after a measurement's name: its signal in every bin
TWICE_NLL = "twice_nll"
OTHERS = ("index", "physical", "ln_prior", "ln_weight", TWICE_NLL, "chi_squared", "signal", "bins")  # columns
Columns = dict[str, np.ndarray]


class ScanRows:
    """The rows of a scan of a problem. Pulls of nuisance parameters are 0.

    keep: measurements ("miniboone", "miniboone:enuqe", "all") whose total signal is a column too, with "/bins" after
    the name the signal in every bin. Raises InputError for a name that the problem does not have, and for parameters of
    the name of another column.
    """

    def __init__(self, problem: Problem, design: Design, keep: Sequence[str] = ()):
        self.problem = problem
        self._cube = Cube(design, len(problem.free))
        self._names = measurement_names(problem)
        self._totals, self._bins = kept_measurements(self._names, keep)
        self._physical = _own_physical(problem)
        for parameter in problem.free:
            if parameter.name in OTHERS or parameter.name.partition(".")[0] in OTHERS:
                raise reject("parameter name", parameter.name, "it names a column of the table; choose another")

    def columns(self, first: int, last: int) -> Columns:
        """The columns of the rows first, ..., last - 1: arrays with the rows as their leading axis.

        index: the row. A parameter by its name; physical.X: the model's physical quantity X where it is no free
        parameter. ln_prior: log density of the prior in the parameters' own units; ln_weight: log of the prior's
        density over that of the points, not 0 where a range ends early at an open decay. twice_nll: -2 ln L, infinite
        where the likelihood is 0, NaN where it is undefined (see `undefined`); twice_nll.M and chi_squared.M: those of
        measurement M; signal.M: all its components and bins together; bins.M: (rows, bins), all components together.
        """
        blocks = [self._block(low, min(low + BLOCK, last)) for low in range(first, last, BLOCK)]
        return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}

    def _block(self, first: int, last: int) -> Columns:
        n = last - first
        cube = self._cube.rows(first, last)
        padded = np.concatenate([cube, np.repeat(cube[-1:], BLOCK - n, axis=0)])  # one shape, one program
        placed = jax.tree.map(lambda x: np.asarray(x)[:n], _placed(self.problem, jnp.asarray(padded)))
        said = forward(self.problem, placed.free)
        columns = {"index": np.arange(first, last)}
        columns |= {p.name: placed.free[p.name] for p in self.problem.free}
        columns |= {f"physical.{name}": placed.physical[name] for name in self._physical}
        columns |= {"ln_prior": placed.ln_prior, "ln_weight": placed.ln_weight}
        return columns | self._said(said)

    def _said(self, said: Forward) -> Columns:
        columns = {TWICE_NLL: np.where(undefined_values(said), np.nan, said.twice_nll)}
        parts = zip(self._names, said.log_likelihood, strict=True)
        columns |= {f"{TWICE_NLL}.{name}": -2.0 * np.asarray(log_likelihood) for name, log_likelihood in parts}
        parts = zip(self._names, said.chi_squared, strict=True)
        columns |= {f"chi_squared.{name}": np.asarray(chi_squared) for name, chi_squared in parts}
        for i, name in enumerate(self._names):
            if i in self._totals or i in self._bins:
                signal = np.sum([np.asarray(x) for x in said.signal[i].values()], axis=0)
                columns |= {f"signal.{name}": signal.sum(axis=-1)} if i in self._totals else {}
                columns |= {f"bins.{name}": signal} if i in self._bins else {}
        return columns


def measurement_names(problem: Problem) -> tuple[str, ...]:
    """ "miniboone:enuqe"; one that the problem has twice, with other options, gets a number."""
    found: list[str] = []
    for measurement in problem.measurements:
        name = f"{measurement.name}:{measurement.era}"
        tries: Iterator[str] = (name if i == 1 else f"{name}#{i}" for i in range(1, 2 + len(found)))
        found.append(next(one for one in tries if one not in found))
    return tuple(found)


def kept_measurements(names: Sequence[str], keep: Sequence[str]) -> tuple[frozenset[int], frozenset[int]]:
    """Places of the measurements of which the total signal is kept, and the bins; InputError for an unknown name."""
    totals: set[int] = set()
    bins: set[int] = set()
    for word in keep:
        asked = word.removesuffix(BINS)
        places = [i for i, name in enumerate(names) if asked in ("all", name, name.partition(":")[0])]
        if not places:
            raise reject("--keep", word, f"the card has {', '.join(names)}; name one of these, or all")
        (bins if word.endswith(BINS) else totals).update(places)
    return frozenset(totals), frozenset(bins)


def _own_physical(problem: Problem) -> tuple[str, ...]:
    """Physical quantities that no free parameter's column says already: by name, and by value in the prior's middle."""
    free, _ = problem.from_cube(jnp.full(len(problem.free), 0.5))
    point = problem.physical_point(free)
    scalars = [name for name, value in point.items() if jnp.ndim(value) == 0]
    return tuple(name for name in scalars if name not in free or float(point[name]) != float(free[name]))


class _Placed(NamedTuple):
    """What points are before any likelihood: free parameters and scalar physical quantities by name, and the prior."""

    free: Any
    physical: Any
    ln_prior: Any
    ln_weight: Any


@jax.jit
def _placed(problem: Problem, cube) -> _Placed:
    def one(u):
        free, ln_weight = problem.from_cube(u)
        physical = {name: jnp.asarray(x) for name, x in problem.physical_point(free).items()}
        scalars = {name: x for name, x in physical.items() if x.ndim == 0}
        return _Placed(free, scalars, problem.log_prior(free), ln_weight)

    return each(one, cube)
