"""Gaussian mixtures fitted to points, many sets of points at once: what new points are drawn from, and how likely.

Expectation and maximisation (Dempster, Laird and Rubin, J. R. Stat. Soc. B 39 (1977) 1) from centres that are far from
each other (Arthur and Vassilvitskii 2007, k-means++), in coordinates in which a set has unit covariance. The covariance
of a component is drawn a little towards a ball, as if a few more points had been found there, so that a component of
few points keeps a volume.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import gammaln

ROUNDS = 40  # of expectation and maximisation
ADDED, WIDTH = 5.0, 0.1  # points added to each component, and their variance in units of the component's mean one
LEAST = 1e-8  # of a variance, in the given coordinates and in those of unit covariance

Points = Float[np.ndarray, "sets points coordinates"]


class Mixtures(NamedTuple):
    """One mixture for each set: logarithms of weights, means and Cholesky factors in coordinates y of unit covariance,
    and the way back: x = centre + spread y.
    """

    log_weights: Float[np.ndarray, "sets components"]
    means: Float[np.ndarray, "sets components coordinates"]
    factors: Float[np.ndarray, "sets components coordinates coordinates"]
    centre: Float[np.ndarray, "sets 1 coordinates"]
    spread: Float[np.ndarray, "sets coordinates coordinates"]


def fitted_mixtures(rng: np.random.Generator, points: Points, components: int) -> Mixtures:
    """A mixture of so many Gaussians for each set of points, which alone it depends on, beside the random centres."""
    _, number, dimension = points.shape
    centre = points.mean(axis=1, keepdims=True)
    off = points - centre
    spread = np.linalg.cholesky(np.swapaxes(off, 1, 2) @ off / number + LEAST * np.eye(dimension))
    y = _whitened(points, centre, spread)
    products = _products(y)
    shares = _nearest(y, _distant(rng, y, components))
    found = _maximised(products, shares, dimension)
    for _ in range(ROUNDS):
        each = _log_densities(products, *found)
        shares = np.exp(each - each.max(axis=-1, keepdims=True))
        found = _maximised(products, shares / shares.sum(axis=-1, keepdims=True), dimension)
    return Mixtures(*found, centre, spread)


def _maximised(products: np.ndarray, shares: np.ndarray, dimension: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, means and factors of components that have these shares of the points (set, point, component)."""
    sets, number, components = shares.shape
    ball = np.eye(dimension)
    counts = shares.sum(axis=1) + 1e-9
    moments = np.swapaxes(shares, 1, 2) @ products / counts[..., None]
    means, squares = moments[..., 1 : 1 + dimension], moments[..., 1 + dimension :]
    covariance = squares.reshape(sets, components, dimension, dimension) - means[..., :, None] * means[..., None, :]
    mean_variance = np.maximum(np.trace(covariance, axis1=2, axis2=3) / dimension, 0.0)[..., None, None]
    of_points = counts[..., None, None]
    covariance = (of_points * covariance + ADDED * WIDTH * mean_variance * ball) / (of_points + ADDED)
    log_weights = np.log((counts + 1.0) / (number + components))  # one more point: no component dies out
    return log_weights, means, np.linalg.cholesky(covariance + LEAST * ball)


def redrawn_points(rng: np.random.Generator, mixtures: Mixtures, points: Points, number: int) -> Points:
    """`points` of which so many coordinates, other ones of each set, are drawn anew, given the coordinates that stay.

    The density of what is drawn over that of what was there is the ratio of the mixture's density at both points.
    """
    sets, _, dimension = points.shape
    each, kept = np.arange(sets)[:, None], dimension - number
    order = np.argsort(rng.uniform(size=(sets, dimension)), axis=1)  # coordinates that stay come first
    means = mixtures.centre + mixtures.means @ np.swapaxes(mixtures.spread, 1, 2)
    turned = (mixtures.spread[:, None] @ mixtures.factors)[each, :, order]  # (set, coordinate, component, of unit ones)
    factors = np.swapaxes(np.linalg.qr(np.moveaxis(turned, 1, 3), mode="r"), 2, 3)  # triangular, of the same covariance
    off = points[each, :, order[:, :kept]][:, :, None] - means[each, :, order[:, :kept]][..., None]
    unit = np.linalg.solve(factors[..., :kept, :kept], np.swapaxes(off, 1, 2))  # (set, component, coordinate, point)
    volume = np.log(np.abs(np.diagonal(factors[..., :kept, :kept], axis1=2, axis2=3))).sum(axis=-1)
    shares = (mixtures.log_weights - volume)[..., None] - 0.5 * np.sum(unit**2, axis=2)
    component = np.argmax(shares + rng.gumbel(size=shares.shape), axis=1)
    known = np.take_along_axis(unit, component[:, None, None, :], axis=1)[:, 0]
    of_points = factors[each, component, kept:]  # (set, point, coordinate drawn, of unit ones)
    all_units = np.concatenate([np.swapaxes(known, 1, 2), rng.normal(size=(*points.shape[:2], number))], axis=-1)
    at = means[each[..., None], component[..., None], order[:, None, kept:]]
    drawn = at + np.einsum("snij,snj->sni", of_points, all_units)
    new = points.copy()
    np.put_along_axis(new, np.broadcast_to(order[:, None, kept:], at.shape), drawn, axis=2)
    return new


def log_density(mixtures: Mixtures, points: Points) -> Float[np.ndarray, "sets points"]:
    """Logarithm of each mixture's density at the points of its set, up to a constant that all of them share."""
    products = _products(_whitened(points, mixtures.centre, mixtures.spread))
    each = _log_densities(products, mixtures.log_weights, mixtures.means, mixtures.factors)
    return np.logaddexp.reduce(each, axis=-1)


def student_points(
    rng: np.random.Generator, mixtures: Mixtures, numbers: np.ndarray, freedom: float
) -> Float[np.ndarray, "points coordinates"]:
    """So many points of each set's mixture, its Gaussians widened to Student's t distributions of so much `freedom`."""
    drawn = []
    for i, number in enumerate(numbers):
        weights = np.exp(mixtures.log_weights[i] - np.logaddexp.reduce(mixtures.log_weights[i]))
        component = rng.choice(len(weights), int(number), p=weights)
        unit = rng.normal(size=(int(number), mixtures.means.shape[-1]))
        unit = unit / np.sqrt(rng.chisquare(freedom, (int(number), 1)) / freedom)
        y = mixtures.means[i][component] + np.einsum("nij,nj->ni", mixtures.factors[i][component], unit)
        drawn.append(mixtures.centre[i] + y @ mixtures.spread[i].T)
    return np.concatenate(drawn)


def log_student_density(
    mixtures: Mixtures, points: Float[np.ndarray, "points coordinates"], freedom: float
) -> Float[np.ndarray, "sets points"]:
    """The normalised logarithm of the density that `student_points` draws from, of each set's mixture."""
    dimension = points.shape[-1]
    y = _whitened(points[None], mixtures.centre, mixtures.spread)
    inverse = np.linalg.inv(mixtures.factors)
    off = y[:, None] - mixtures.means[:, :, None]
    squares = np.sum((off @ np.swapaxes(inverse, 2, 3)) ** 2, axis=-1)  # (set, component, point)
    volume = np.log(np.diagonal(mixtures.factors, axis1=2, axis2=3)).sum(axis=-1)
    weight = mixtures.log_weights - np.logaddexp.reduce(mixtures.log_weights, axis=1, keepdims=True) - volume
    each = weight[..., None] - 0.5 * (freedom + dimension) * np.log1p(squares / freedom)
    unit = gammaln(0.5 * (freedom + dimension)) - gammaln(0.5 * freedom) - 0.5 * dimension * np.log(np.pi * freedom)
    spread = np.log(np.diagonal(mixtures.spread, axis1=1, axis2=2)).sum(axis=-1)
    return np.logaddexp.reduce(each, axis=1) + unit - spread[:, None]


def _whitened(points, centre, spread):
    return np.swapaxes(np.linalg.solve(spread, np.swapaxes(points - centre, 1, 2)), 1, 2)


def _distant(rng: np.random.Generator, y: Points, components: int) -> np.ndarray:
    """Points of each set to begin with, each taken in proportion to its squared distance from those before it."""
    sets, number, _ = y.shape
    each, chosen = np.arange(sets), rng.integers(0, number, sets)
    centres, distance = [y[each, chosen]], np.full((sets, number), np.inf)
    for _ in range(components - 1):
        distance = np.minimum(distance, np.sum((y - centres[-1][:, None]) ** 2, axis=-1))
        upto = np.cumsum(distance, axis=1)
        chosen = np.minimum((upto < rng.uniform(size=(sets, 1)) * upto[:, -1:]).sum(axis=1), number - 1)
        centres.append(y[each, chosen])
    return np.stack(centres, axis=1)


def _nearest(y: Points, centres: np.ndarray) -> np.ndarray:
    """1 for the nearest centre of each point, 0 for the others (set, point, component)."""
    distance = np.sum((y[:, :, None] - centres[:, None]) ** 2, axis=-1)
    return (np.argmin(distance, axis=-1)[..., None] == np.arange(centres.shape[1])).astype(float)


def _products(y: Points) -> np.ndarray:
    """1, y and all products of two of its coordinates: what moments and quadratic forms are linear in."""
    pairs = y[..., :, None] * y[..., None, :]
    return np.concatenate([np.ones((*y.shape[:-1], 1)), y, pairs.reshape(*y.shape[:-1], -1)], axis=-1)


def _log_densities(products, log_weights, means, factors) -> np.ndarray:
    """Of every component with its weight, at points given by their products (set, point, component)."""
    inverse = np.linalg.inv(factors)
    precision = np.swapaxes(inverse, 2, 3) @ inverse
    slope = np.einsum("scij,scj->sci", precision, means)
    volume = np.log(np.diagonal(factors, axis1=2, axis2=3)).sum(axis=-1)
    constant = log_weights - volume - 0.5 * np.sum(slope * means, axis=-1)
    flat = -0.5 * precision.reshape(*precision.shape[:2], -1)
    return products @ np.swapaxes(np.concatenate([constant[..., None], slope, flat], axis=-1), 1, 2)
