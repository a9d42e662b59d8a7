"""Fixed quadrature nodes, computed once with NumPy: one graph for every point, smooth in the limits of integration."""

from functools import lru_cache

import numpy as np
from scipy.special import roots_hermitenorm, roots_legendre


@lru_cache
def unit_legendre(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on (0, 1); exact for polynomials of degree 2n - 1."""
    x, w = roots_legendre(n)
    return 0.5 * (x + 1.0), 0.5 * w


@lru_cache
def unit_midpoint(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Midpoint nodes and weights on (0, 1): spectrally exact for an even periodic function over half its period."""
    return (np.arange(n) + 0.5) / n, np.full(n, 1.0 / n)


@lru_cache
def normal_hermite(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Hermite nodes and weights for the average over a standard normal variable."""
    x, w = roots_hermitenorm(n)
    return x, w / w.sum()


@lru_cache
def interpolation(coarse: int, fine: int) -> np.ndarray:
    """Values at the `fine` Legendre nodes from those at the `coarse` ones (barycentric, exact for polynomials)."""
    x, w = unit_legendre(coarse)
    barycentric = (-1.0) ** np.arange(coarse) * np.sqrt(x * (1.0 - x) * w)
    difference = unit_legendre(fine)[0][:, None] - x
    on_node = np.abs(difference) < 1e-14
    terms = barycentric / np.where(on_node, 1.0, difference)
    matrix = terms / terms.sum(axis=1, keepdims=True)
    return np.where(on_node.any(axis=1, keepdims=True), on_node, matrix)


@lru_cache
def unit_anti_legendre(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on (0, 1) of the anti-Gaussian rule: the opposite error of Gauss-Legendre's with n - 1 nodes.

    So it is for polynomials of degree 2n - 1 and less; what both rules miss of a function mostly cancels in their mean
    (Laurie, Math. Comp. 65 (1996) 739). The nodes interlace with those of that rule. n of 2 and more.
    """
    k = np.arange(1.0, n)
    squared = k**2 / (4.0 * k**2 - 1.0)
    squared[-1] *= 2.0
    off = np.sqrt(squared)
    x, vectors = np.linalg.eigh(np.diag(off, 1) + np.diag(off, -1))
    return 0.5 * (x + 1.0), vectors[0] ** 2


def interpolation_from(nodes: np.ndarray, fine: int) -> np.ndarray:
    """Values at the `fine` Legendre nodes from those at any distinct `nodes` in (0, 1) (barycentric), (fine, nodes)."""
    apart = nodes[:, None] - nodes + np.eye(len(nodes))
    barycentric = 1.0 / np.prod(4.0 * apart, axis=1)
    difference = unit_legendre(fine)[0][:, None] - nodes
    on_node = np.abs(difference) < 1e-14
    terms = barycentric / np.where(on_node, 1.0, difference)
    matrix = terms / terms.sum(axis=1, keepdims=True)
    return np.where(on_node.any(axis=1, keepdims=True), on_node, matrix)
