"""Learning where measured rates are right (see `amplitude`) from points at which the likelihood is known."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm
from jaxtyping import Array
from scipy.optimize import nnls

from anomfit.inference.compiled import forward
from anomfit.inference.coordinates import values_at_normal
from anomfit.inference.sample.amplitude import CENTRES, Amplitude
from anomfit.inference.sample.network import Layers, first_layers, network, size_squared, train
from anomfit.inference.sample.points import Points, total_signal
from anomfit.problem import Problem

PROBES = 64  # prior points at which amplitudes are varied
HIDDEN = (32, 32)  # units of a network
ROUNDS = 600  # of L-BFGS; fewer for a network that has learned before
MORE_ROUNDS = 200
FEWEST = 1000  # points that must be near the right rate
TERMS = 48  # logistic terms of a density
SOFTENED = 0.25  # power of the likelihood that is averaged over the other parameters
FLOOR = 1e-7  # of a density, over its largest value: no term vanishes


def driven(problem: Problem) -> dict[int, int]:
    """Coordinates of free amplitudes and the measurement whose signal grows with their square, weakest coupled first.

    Where one drives several, the measurement in which the signal is most wanted stands for all.
    """
    found = {}
    for i, parameter in enumerate(problem.free):
        if parameter.name in problem.parametrisation.amplitudes and parameter.is_log:
            measurement = _measured_by(problem, i)
            if measurement is not None:
                found[i] = measurement
    # an amplitude whose rate depends on other amplitudes comes after them: that of the measurement with most bins
    return dict(sorted(found.items(), key=lambda pair: len(problem.measurements[pair[1]].bins())))


def learn_amplitudes(
    problem: Problem,
    measured: dict[int, int],
    points: Points,
    rows: int,
    key: Array,
    before: Sequence[Amplitude] = (),
) -> list[Amplitude]:
    """A change of coordinates for each of `measured` (see `driven`) that the points allow.

    rows: to which the points are filled up, so that all rounds share one program; before: what an earlier round with
    fewer points gave, to go on from.
    """
    known = np.array([i not in measured for i in range(len(problem.names))])
    learned = {int(step.index): step.layers for step in before}
    steps = []
    for (index, measurement), key_network in zip(measured.items(), jax.random.split(key, len(measured)), strict=True):
        layers = learned.get(index)
        rounds = ROUNDS if layers is None else MORE_ROUNDS
        layers = first_layers(key_network, known, HIDDEN, 1) if layers is None else layers
        step = _amplitude(problem, points, index, measurement, known, layers, (rounds, rows))
        if step is not None:
            steps.append(step)
        known = known | (np.arange(known.size) == index)
    return steps


def _measured_by(problem: Problem, index: int) -> int | None:
    z = np.asarray(jax.random.normal(jax.random.key(0), (PROBES, len(problem.names))))
    parameter = problem.free[index]
    points = values_at_normal(problem, z)
    more = {**points, parameter.name: points[parameter.name] * np.exp(0.5)}
    here, there = forward(problem, points), forward(problem, more)
    grown = [_growth(total_signal(here, k), total_signal(there, k)) for k in range(len(problem.measurements))]
    right = [k for k, growth in enumerate(grown) if abs(growth - 1.0) < 0.1]
    return max(right, key=lambda k: np.ptp(here.chi_squared[k]), default=None)


def _growth(here: np.ndarray, there: np.ndarray) -> float:
    """The median growth of ln(signal) where the signal is finite."""
    finite = np.isfinite(here) & np.isfinite(there)
    return float(np.median(np.log(there[finite] / here[finite]))) if finite.any() else np.nan


def _amplitude(problem, points: Points, index, measurement, known, layers, effort) -> Amplitude | None:
    signal, chi_squared = points.signal[measurement], points.chi_squared[measurement]
    parameter = problem.free[index]
    span = np.log(parameter.high / parameter.low)
    usable = np.isfinite(chi_squared) & (signal > 1e-99)
    if usable.sum() < FEWEST:
        return None
    wanted = _best_rate(np.log(signal[usable]), chi_squared[usable])
    quantile = np.asarray(norm.cdf(points.z[:, index]))
    place = quantile + 0.5 * (wanted - np.log(np.maximum(signal, 1e-100))) / span
    near = usable & (place > -0.5) & (place < 1.5)
    if near.sum() < FEWEST:
        return None
    inputs, counts = np.where(known, points.z, 0.0)[near], points.weight[near]
    layers = _train(layers, inputs, place[near], counts, *effort)
    misplaced = np.asarray(network(layers, jnp.asarray(inputs)))[:, 0] - place[near]
    likely = counts * np.exp(-0.5 * SOFTENED * (chi_squared[near] - chi_squared[near].min()))
    error = float(np.sqrt(np.average(misplaced**2, weights=likely)))
    density = _profile((quantile - place)[usable], chi_squared[usable], error)
    return Amplitude(layers, *_logistic_terms(*density), jnp.asarray(index))


def _best_rate(log_signal: np.ndarray, chi_squared: np.ndarray) -> float:
    """ln of the largest signal that the data like nearly as well as any: the far side of a band, or a wall."""
    first, last = np.quantile(log_signal, [0.001, 0.999])
    grid = np.linspace(first, last, 400)
    averaged = _averaged(log_signal, chi_squared, grid, 0.1)
    return float(grid[averaged < averaged.min() + 1.0].max())


def _averaged(place: np.ndarray, chi_squared: np.ndarray, grid: np.ndarray, reach: float) -> np.ndarray:
    """chi^2 near each place of the grid, averaged softly over the other parameters; the nearest known where unknown."""
    order = np.argsort(place)
    place, likelihood = place[order], np.exp(-0.5 * SOFTENED * np.minimum(chi_squared - chi_squared.min(), 1e3))[order]
    first, last = np.searchsorted(place, grid - reach), np.searchsorted(place, grid + reach)
    total = np.concatenate([[0.0], np.cumsum(likelihood)])
    count = last - first
    known = count >= 5
    mean = np.interp(grid, grid[known], (total[last] - total[first])[known] / count[known])
    return -2.0 / SOFTENED * np.log(np.maximum(mean, 1e-300))


def _profile(offset: np.ndarray, chi_squared: np.ndarray, error: float) -> tuple[np.ndarray, np.ndarray]:
    """Density of the quantile less the network's place, on a grid: the likelihood, blurred by the network's error."""
    low, high = CENTRES
    grid = np.linspace(-high, 1.0 - low, 2001)
    chi_squared = _averaged(offset, chi_squared, grid, 0.005)
    density = np.exp(-0.5 * (chi_squared - chi_squared.min()))
    step = grid[1] - grid[0]
    reach = int(np.ceil(4.0 * error / step))
    kernel = norm.pdf(np.arange(-reach, reach + 1) * step / error)
    blurred = np.convolve(np.pad(density, reach, mode="edge"), np.asarray(kernel / kernel.sum()), mode="valid")
    return grid, blurred / blurred.max()


def _logistic_terms(grid: np.ndarray, density: np.ndarray):
    """Weights, places and widths of logistic terms that follow the density, closest spaced about 0; none is 0."""
    x = np.linspace(-1.0, 1.0, TERMS) * np.arcsinh(1.6 / 0.06)
    places = 0.06 * np.sinh(x)
    widths = 0.6 * 0.06 * np.cosh(x) * (x[1] - x[0])
    at = (grid[:, None] - places) / widths
    shapes = np.exp(-np.abs(at)) / (1.0 + np.exp(-np.abs(at))) ** 2 / widths
    weights, _ = nnls(shapes, density)
    return jnp.asarray(np.maximum(weights, FLOOR * widths)), jnp.asarray(places), jnp.asarray(widths)


def _train(layers: Layers, inputs, targets, counts, rounds: int, rows: int) -> Layers:
    """Least squares, places inside the prior first."""
    weights = counts * np.where((targets > -0.05) & (targets < 1.05), 1.0, 0.1)
    more = rows - len(targets)
    data = [np.pad(x, [(0, more), *[(0, 0)] * (x.ndim - 1)]) for x in (inputs, targets, weights / weights.sum())]
    return train(_misplacement, layers, tuple(map(jnp.asarray, data)), rounds)


def _misplacement(layers, inputs, targets, weights):
    return jnp.sum(weights * (network(layers, inputs)[:, 0] - targets) ** 2) + 1e-6 * size_squared(layers)
