"""P(bin | true visible energy, true angle) of one electromagnetic shower, as a table that no model parameter enters.

The table holds coefficients: Chebyshev in ln E (axis `energies`), Legendre in cos theta (axis `waves`). In that basis
the azimuth about a parent's direction and the smearing of the direction are exact products (addition theorem; a
Gaussian on the sphere multiplies wave l by exp(-l(l+1) sigma^2/2)), so that a prediction is a few matrix products. It
is computed once with NumPy from the resolution and the bins, whose energy edges may depend on the measured angle, as
those of E_nu^QE do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial import chebyshev
from scipy.special import eval_legendre, ndtr, roots_legendre

from anomfit.capabilities import PairEvents
from anomfit.detectors.pairs import Seen
from anomfit.detectors.resolution import Resolution
from anomfit.physics.kinematics import safe_sqrt

# Visible energies in GeV between which the table stands; the efficiency is zero outside (0.1, 2.1).
LOWEST, HIGHEST = 0.095, 2.2


@dataclass(frozen=True)
class Binning:
    """Bins of measured energy and angle: bin k takes energies between low and high[k](cos) where cos is in its range.

    cos_edges: increasing, splits the angular integration; energy_edges(cos) gives (low, high), each (bins,), in GeV for
    a measured cos theta; an empty interval (high <= low) keeps the bin out of that angle.
    """

    bins: int
    cos_edges: tuple[float, ...]
    energy_edges: Callable[[float], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class ShowerResponse:
    """The table: coefficients by (energies, waves, bins), a pytree leaf."""

    table: Float[Array, "energies waves bins"]


jax.tree_util.register_dataclass(ShowerResponse, data_fields=["table"], meta_fields=[])


def build_response(binning: Binning, resolution: Resolution, energies: int = 64, waves: int = 40) -> ShowerResponse:
    """The table for these bins; `energies` x `waves` coefficients; benchmarks/convergence.py gives
    the error.
    """
    nodes = chebyshev.chebpts1(energies)
    energy = _energy_of(nodes)
    sigma_energy = np.asarray(resolution.sigma_energy(energy))
    sigma_theta = np.asarray(resolution.sigma_theta(energy))
    angular = np.zeros((energies, waves, binning.bins))
    wave = np.arange(waves)
    for cosine, weight in _angle_nodes(binning.cos_edges):
        low, high = binning.energy_edges(cosine)
        inside = ndtr((high - energy[:, None]) / sigma_energy[:, None]) - ndtr(
            (low - energy[:, None]) / sigma_energy[:, None]
        )
        inside = np.where(high > low, inside, 0.0)
        angular += weight * ((wave + 0.5) * eval_legendre(wave, cosine))[None, :, None] * inside[:, None, :]
    angular *= np.exp(-0.5 * wave * (wave + 1) * sigma_theta[:, None] ** 2)[:, :, None]
    return ShowerResponse(jnp.asarray(np.einsum("ie,elk->ilk", _transform(energies), angular)))


def see_energies(energies: int) -> np.ndarray:
    """Pair energies in GeV at which an acceptance is to be evaluated: the Chebyshev points of the table."""
    return _energy_of(chebyshev.chebpts1(energies))


def expected(response: ShowerResponse, events: PairEvents, seen: Seen) -> Float[Array, "component beam bins"]:
    """Events in each bin; `seen` holds what is seen of pairs of the energies `see_energies`.

    Pairs are projected on the basis, turned into visible showers by the acceptance at the table's energies, and
    contracted with the table: the order in which the cost hardly depends on the number of bins.
    """
    n, waves, _ = response.table.shape
    # the barrier keeps XLA from computing the cheap upstream arrays again inside every product below; what is made
    # stays outside, or a likelihood, which does not need it, would compute it
    events = events._replace(made=jnp.zeros(()))
    events, seen = jax.lax.optimization_barrier((events, seen))
    of_pair, of_shower = _each(lambda e: _energy_basis(e, n), events.energy, seen.energy)
    rates = events.rate.reshape(*events.rate.shape[:2], -1)
    # number of pairs around each of the table's energies, by wave: what multiplies the acceptance there
    pairs = _by_wave(_legendre, waves, events, rates, events.share, of_pair)
    if events.spin is not None:
        spin = events.spin
        share, across = events.share * spin.cos_star, events.share * spin.sin_star
        pairs += _by_wave(_legendre, waves, events, rates * spin.along[..., None], share, of_pair)
        pairs += _by_wave(_associated, waves, events, rates * spin.across[..., None], across, of_pair)
    pairs = pairs @ _transform(n)
    wave = np.arange(waves)
    tilted = pairs * jnp.exp(-0.25 * (wave * (wave + 1))[:, None, None] * seen.tilt)
    visible = jnp.einsum("ew,ewi->ei", seen.weight, of_shower)
    counts = jnp.einsum("lxi,ilk->xk", tilted @ visible, response.table)
    return counts.reshape(*events.rate.shape[2:], -1)


def _by_wave(basis, waves: int, events: PairEvents, rates, share, of_pair):
    """Pairs by wave, (component, beam) and Chebyshev polynomial of their energy; the azimuth is integrated."""
    made = jnp.einsum("elt,etx->elx", basis(events.cos_parent, waves), rates)
    made = jnp.einsum("ep,elx->plx", events.onto, made)
    decays = jnp.einsum("pld,pdi->pli", basis(events.cos_decay, waves) * share[:, None, :], of_pair)
    return jnp.einsum("plx,pli->lxi", made, decays)


def _each(function, *arrays):
    """function of every array, evaluated on all of them at once (one graph): a new last axis."""
    values = function(jnp.concatenate([array.reshape(-1) for array in arrays]))
    ends = np.cumsum([array.size for array in arrays])
    return tuple(
        values[end - array.size : end].reshape(*array.shape, -1) for array, end in zip(arrays, ends, strict=True)
    )


def _energy_basis(energy, n: int):
    """Chebyshev polynomials in ln E, 0 for energies outside the table (where nothing is seen)."""
    x = _place(energy)
    inside = (x > -1.0) & (x < 1.0)
    return jnp.where(inside[..., None], _chebyshev(jnp.where(inside, x, 0.0), n), 0.0)


def _transform(n: int) -> np.ndarray:
    """Values at the Chebyshev points of the first kind to coefficients."""
    matrix = (2.0 / n) * chebyshev.chebvander(chebyshev.chebpts1(n), n - 1).T
    matrix[0] *= 0.5
    return matrix


def _energy_of(x):
    return np.exp(0.5 * (np.log(LOWEST * HIGHEST) + x * np.log(HIGHEST / LOWEST)))


def _place(energy):
    return (2.0 * jnp.log(energy) - np.log(LOWEST * HIGHEST)) / np.log(HIGHEST / LOWEST)


def _angle_nodes(cos_edges):
    """Gauss-Legendre nodes and weights in the measured cos theta, 24 in each interval, denser than any response
    needs.
    """
    per_interval = max(24, 240 // (len(cos_edges) - 1))
    x, w = roots_legendre(per_interval)
    for low, high in pairwise(cos_edges):
        yield from zip(0.5 * (low + high) + 0.5 * (high - low) * x, 0.5 * (high - low) * w, strict=True)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _chebyshev(x, n: int):
    """T_0 ... T_{n-1} on a new last axis: blocks of eight by T_{a+b} = 2 T_a T_b - T_{a-b}, a short graph."""
    rows = [jnp.ones_like(x), x]
    for _ in range(2, 9):
        rows.append(2.0 * x * rows[-1] - rows[-2])
    first, step = jnp.stack(rows[:8], axis=-1), rows[8]
    heads, blocks, before = [jnp.ones_like(x), step], [first], jnp.stack([step, *rows[7:0:-1]], axis=-1)
    for block in range(1, -(-n // 8)):
        head = heads[block]
        blocks.append(2.0 * head[..., None] * first - before)  # before[b] is T_{8 block - b}
        heads.append(2.0 * step * head - heads[block - 1])
        before = jnp.concatenate([heads[block + 1][..., None], blocks[-1][..., :0:-1]], axis=-1)
    return jax.lax.optimization_barrier(jnp.concatenate(blocks, axis=-1)[..., :n])


@_chebyshev.defjvp
def _chebyshev_jvp(n, primals, tangents):
    # one matrix product in place of the derivative of the recurrence: less to compile and less to compute
    basis = _chebyshev(primals[0], n)
    return basis, (basis @ _derivative(n)) * tangents[0][..., None]


@lru_cache
def _derivative(n: int) -> np.ndarray:
    """Matrix D with T_k' = sum_j T_j D_jk."""
    return np.stack([np.pad(chebyshev.chebder(row), (0, n))[:n] for row in np.eye(n)], axis=-1)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _legendre(x, n: int):
    """P_0 ... P_{n-1} on a new last axis but one, so that x runs fastest."""
    rows = [jnp.ones_like(x), x]
    for l in range(1, n - 1):
        rows.append(((2 * l + 1) * x * rows[l] - l * rows[l - 1]) / (l + 1))
    return jax.lax.optimization_barrier(jnp.stack(rows[:n], axis=-2))


@_legendre.defjvp
def _legendre_jvp(n, primals, tangents):
    waves = _legendre(primals[0], n)
    return waves, _slopes(waves) * tangents[0][..., None, :]


def _slopes(waves):
    """P_0' ... P_{n-1}' from P_0 ... P_{n-1}, laid out alike."""
    n = waves.shape[-2]
    slopes = [jnp.zeros_like(waves[..., 0, :]), waves[..., 0, :]]
    for l in range(1, n - 1):
        slopes.append(slopes[l - 1] + (2 * l + 1) * waves[..., l, :])
    return jnp.stack(slopes[:n], axis=-2)


def _associated(x, n: int):
    """sqrt(1 - x^2) P_l'(x) / sqrt(l (l + 1)), laid out as `_legendre`; the product at two angles is what the azimuth's
    cosine leaves of P_l (addition theorem).
    """
    l = np.arange(n)
    norm = np.where(l > 0, 1.0 / np.sqrt(np.maximum(l * (l + 1), 1)), 0.0)[:, None]
    return norm * safe_sqrt((1.0 - x) * (1.0 + x))[..., None, :] * _slopes(_legendre(x, n))
