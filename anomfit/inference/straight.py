"""Coordinates for the sampler in which the thin curved shell that a measured rate leaves in the prior is flat.

A rate known to 20 % is a shell some 0.02 prior widths thick, curved through the masses and couplings that it depends
on: a sampler needs a hundred small steps to follow it. A parameter to whose square the rate is proportional (named by
the parametrisation) can be counted from where the rate is right. A small network learns that place from points of the
prior; the change of coordinates is exact and invertible whatever the network says, so that the posterior does not
depend on how well it was learned, only the time does.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.scipy.stats import norm
from jaxtyping import Array, Float

from anomfit.inference.evaluate import forward
from anomfit.problem import Problem

POINTS = 8192  # prior points to learn from
HIDDEN = (32, 32)  # units of the network
ROUNDS = 600  # of L-BFGS
DETECTED = 9.0  # chi^2 that a measurement must gain from a signal
FEWEST = 1000  # points that must be near the right rate
BASE = 1.7  # a logistic variable this much narrower is nearly a normal one


@dataclass(frozen=True)
class Straight:
    """The change of coordinates: w at `index` is counted from the quantile that the network predicts from the others.

    Given the others, the quantile is logistic about the predicted one, of width `width`, truncated to (0, 1).
    """

    layers: tuple[tuple[Float[Array, "..."], Float[Array, "..."]], ...]
    width: Float[Array, ""]
    index: int

    def to_normal(self, w: Float[Array, "coordinates"]) -> tuple[Float[Array, "coordinates"], Float[Array, ""]]:
        """Normal coordinates z of `Problem` at w, and ln |dz/dw|."""
        own = BASE * w[self.index]
        below, above, inside = self._tails(w)
        p, q = below + jax.nn.sigmoid(own) * inside, above + jax.nn.sigmoid(-own) * inside
        u = jnp.clip(self._centre(w) + self.width * (jnp.log(p) - jnp.log(q)), 1e-12, 1.0 - 1e-12)
        slope = jnp.log(self.width * inside * BASE) + jax.nn.log_sigmoid(own) + jax.nn.log_sigmoid(-own)
        z = norm.ppf(u)
        return w.at[self.index].set(z), slope - jnp.log(p) - jnp.log(q) - norm.logpdf(z)

    def from_normal(self, z: Float[Array, "coordinates"]) -> Float[Array, "coordinates"]:
        """The inverse of `to_normal`."""
        below, above, _ = self._tails(z)
        place = (norm.cdf(z[self.index]) - self._centre(z)) / self.width
        low, high = jax.nn.sigmoid(place) - below, jax.nn.sigmoid(-place) - above
        return z.at[self.index].set((jnp.log(jnp.maximum(low, 1e-15)) - jnp.log(jnp.maximum(high, 1e-15))) / BASE)

    def _centre(self, w):
        """The predicted quantile, kept in (0, 1) smoothly over one width."""
        place = _network(self.layers, jnp.concatenate([w[: self.index], w[self.index + 1 :]])) / self.width
        return self.width * (jax.nn.softplus(place) - jax.nn.softplus(place - 1.0 / self.width))

    def _tails(self, w):
        """Parts of the logistic distribution below 0, above 1 and between."""
        centre = self._centre(w)
        below, above = jax.nn.sigmoid(-centre / self.width), jax.nn.sigmoid((centre - 1.0) / self.width)
        return below, above, 1.0 - below - above


jax.tree_util.register_dataclass(Straight, data_fields=["layers", "width"], meta_fields=["index"])


def to_normal(coordinates: Straight | None, w: Float[Array, "coordinates"]):
    """Normal coordinates at the sampler's, and the logarithm of the Jacobian; the same where there is no change."""
    return (w, jnp.zeros(())) if coordinates is None else coordinates.to_normal(w)


def from_normal(coordinates: Straight | None, z: Float[Array, "coordinates"]):
    """The sampler's coordinates at normal ones."""
    return z if coordinates is None else coordinates.from_normal(z)


def learn(problem: Problem, key: Array) -> Straight | None:
    """Coordinates learned from `POINTS` points of the prior; None where no free parameter sets a measured rate."""
    found = _amplitude(problem)
    if found is None:
        return None
    index, measurement = found
    key_points, key_network = jax.random.split(key)
    z = jax.random.normal(key_points, (POINTS, len(problem.names)))
    points = {name: np.asarray(x) for name, x in _values(problem, z).items()}
    said = forward(problem, points)
    chi_squared = said.chi_squared[measurement]
    signal = np.sum([counts.sum(axis=-1) for counts in said.signal[measurement].values()], axis=0)
    right = _right_rate(chi_squared, signal)
    if right is None:
        return None
    parameter = problem.free[index]
    span = np.log(parameter.high / parameter.low)
    quantile = np.asarray(norm.cdf(z[:, index])) + 0.5 * (right[0] - np.log(np.maximum(signal, 1e-100))) / span
    near = (quantile > -0.5) & (quantile < 1.5)
    if near.sum() < FEWEST:
        return None
    layers, error = _train(np.delete(np.asarray(z), index, axis=1)[near], quantile[near], key_network)
    width = 0.55 * np.hypot(0.5 * right[1] / span, error)  # the logistic's for a standard deviation
    return Straight(layers, jnp.asarray(width), index)


def _amplitude(problem: Problem) -> tuple[int, int] | None:
    """Coordinate of a free log-uniform amplitude and the measurement of its rate."""
    for i, parameter in enumerate(problem.free):
        capability = problem.parametrisation.amplitudes.get(parameter.name)
        for k, measurement in enumerate(problem.measurements):
            if capability in measurement.accepts and parameter.is_log:
                return i, k
    return None


def _right_rate(chi_squared: np.ndarray, signal: np.ndarray) -> tuple[float, float] | None:
    """ln of the preferred total signal and its width; None where the data do not ask for one."""
    usable = np.isfinite(chi_squared) & (signal > 0.0)
    weight = np.where(usable, np.exp(-0.5 * (chi_squared - chi_squared[usable].min(initial=np.inf))), 0.0)
    if not weight.sum() > 0.0:
        return None
    log_signal = np.log(np.where(usable, signal, 1.0))
    mean = float(np.average(log_signal, weights=weight))
    nothing = usable & (log_signal < mean - np.log(1e3))
    if not nothing.any() or np.median(chi_squared[nothing]) - chi_squared[usable].min() < DETECTED:
        return None
    return mean, float(np.sqrt(np.average((log_signal - mean) ** 2, weights=weight)))


def _network(layers, x):
    for matrix, offset in layers[:-1]:
        x = jnp.tanh(x @ matrix + offset)
    matrix, offset = layers[-1]
    return (x @ matrix + offset)[..., 0]


def _train(inputs: np.ndarray, targets: np.ndarray, key: Array):
    """Least squares by L-BFGS, points inside (0, 1) first; the layers and the rms error there."""
    sizes = (inputs.shape[1], *HIDDEN, 1)
    keys = jax.random.split(key, len(sizes) - 1)
    layers = tuple(
        (jax.random.normal(k, (i, o)) / np.sqrt(i), jnp.zeros(o))
        for k, i, o in zip(keys, sizes[:-1], sizes[1:], strict=True)
    )
    weights = np.where((targets > -0.05) & (targets < 1.05), 1.0, 0.1)
    layers = _descend(layers, jnp.asarray(inputs), jnp.asarray(targets), jnp.asarray(weights / weights.sum()))
    error = np.asarray(_network(layers, jnp.asarray(inputs))) - targets
    return layers, float(np.sqrt(np.average(error**2, weights=weights)))


@jax.jit
def _descend(layers, inputs, targets, weights):
    def loss(layers):
        size = sum(jnp.sum(matrix**2) for matrix, _ in layers)
        return jnp.sum(weights * (_network(layers, inputs) - targets) ** 2) + 1e-6 * size

    optimiser = optax.lbfgs(memory_size=20)
    value_and_slope = optax.value_and_grad_from_state(loss)

    def step(carry, _):
        layers, state = carry
        value, slope = value_and_slope(layers, state=state)
        update, state = optimiser.update(slope, state, layers, value=value, grad=slope, value_fn=loss)
        return (optax.apply_updates(layers, update), state), value

    (layers, _), _ = jax.lax.scan(step, (layers, optimiser.init(layers)), length=ROUNDS)
    return layers


@jax.jit
def _values(problem: Problem, z):
    return jax.vmap(lambda x: problem.from_normal(x)[0])(z)
