"""Points of a scan by their number: the i-th point is the same whatever the number of points and whoever makes it.

All points lie in the unit cube of prior quantiles (`Problem.from_cube`), one coordinate a free parameter, so that every
point of an evenly spread design stands for the same share of the prior.
"""

import math
import warnings
from dataclasses import dataclass, field
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.stats import qmc

from anomfit.errors import reject
from anomfit.inference.devices import each

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
