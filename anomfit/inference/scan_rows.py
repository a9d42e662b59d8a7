"""What a scan says of a point: parameters, prior, -2 ln L and chi^2 of every measurement, chosen signals."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.errors import reject
from anomfit.inference.devices import each
from anomfit.inference.evaluate import Forward, forward
from anomfit.inference.scan_points import Cube, Design
from anomfit.inference.undefined import undefined_values
from anomfit.problem import Problem

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
