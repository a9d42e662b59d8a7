"""Pairs of a beam below edges in E theta^2, theta the measured angle to the beam: one table for every edge.

The chance to fall below an edge, averaged over the azimuth of the pair about its parent, depends on three numbers: the
parent's angle to the beam, the pair's angle to its parent, and its energy. No parameter of a model is among them, so
that it is a table, computed once. Parents that the beam makes are projected on Chebyshev polynomials of their angle;
every decay finds the coefficients of all of these at its own angle and energy: the two sums over production and decay
never meet.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.detectors.resolution import normal_cdf
from anomfit.detectors.surroundings import OWN_COMPONENTS
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.polynomials import chebyshev
from anomfit.physics.quadrature import unit_midpoint
from anomfit.physics.spline_rows import splines_of_chebyshev, sums_of_rows
from anomfit.rates.pair_events import PairEvents

FORWARD = 0.06  # rad; nodes lie evenly below and logarithmically above this angle
WIDEST = 0.8  # rad, chord: beyond, nothing is near the beam; see tests
AZIMUTHS = 128  # of the table, which is computed once
CELLS = 3  # of the splines in the pair's angle and energy, for each Chebyshev polynomial of the table
RAYLEIGH = 0.5 * np.pi - 1.0  # 1 - variance/sigma^2 of an angle measured about 0


@dataclass(frozen=True)
class ForwardNodes:
    """Numbers of Chebyshev polynomials, static: in the parent's and in the pair's angle, and in ln E.

    A pair whose chance is off by 1e-2 or less, with either sign, where an edge is sharp, is one of many.
    """

    angle: int = 40
    energy: int = 18


@dataclass(frozen=True)
class ForwardTable:
    """The chance below each edge: coefficients of Chebyshev polynomials in the parent's angle, as rows of `spline_rows`
    in the pair's angle and energy; the chance itself, and its mean with the azimuth's cosine, over `_lever` of both
    angles. lowest, highest: energies of pairs in GeV; edges: how many; all three static.
    """

    below: tuple[Float[Array, "pair energies numbers"], Float[Array, "pair energies numbers"]]
    edges: int
    lowest: float
    highest: float

    def place(self, energy: Float[Array, "..."]) -> Float[Array, "..."]:
        """Where the splines stand for an energy in GeV, 0 to 1."""
        return jnp.log(energy / self.lowest) / np.log(self.highest / self.lowest)


jax.tree_util.register_dataclass(ForwardTable, data_fields=["below"], meta_fields=["edges", "lowest", "highest"])


def build_forward_table(
    edges: Float[np.ndarray, " edges"],
    sigma: Callable[[Float[np.ndarray, " energies"]], Float[np.ndarray, " energies"]],
    span: tuple[float, float],
    nodes: ForwardNodes,
) -> ForwardTable:
    """The table for these edges in E theta^2 (GeV rad^2); sigma: Gaussian error of the direction in either projection,
    rad, of pairs with an energy in GeV, which lies in `span`.
    """
    lowest, highest = span
    energy = lowest * (highest / lowest) ** (0.5 * (1.0 + _points(nodes.energy)))
    chord = _chord(_points(nodes.angle))
    first, second = np.triu_indices(nodes.angle)  # both angles can change places
    cosine = np.cos(np.pi * unit_midpoint(AZIMUTHS)[0])
    where = jnp.asarray(_chord_squared(chord[first, None], chord[second, None], cosine))

    @jax.jit
    def means(energy, spread):
        inside = is_below(where, edges[:, None, None] / energy, spread)
        return jnp.stack([jnp.mean(inside, axis=-1), jnp.mean(inside * cosine, axis=-1)])

    shape = (2, len(edges), nodes.angle, nodes.angle, nodes.energy)
    values = np.zeros(shape)
    with jax.ensure_compile_time_eval():
        for i, (at, spread) in enumerate(zip(energy, sigma(energy), strict=True)):
            values[:, :, first, second, i] = values[:, :, second, first, i] = np.asarray(means(at, spread))
    values[1] /= (_lever(chord)[:, None] * _lever(chord))[..., None]
    of_angle, of_energy = _to_coefficients(nodes.angle), _to_coefficients(nodes.energy)
    by_angle = splines_of_chebyshev(nodes.angle, CELLS * nodes.angle, is_even=True) @ of_angle
    by_energy = splines_of_chebyshev(nodes.energy, CELLS * nodes.energy) @ of_energy
    coefficients = np.einsum("xekaj,nk,pa,qj->xpqen", values, of_angle, by_angle, by_energy, optimize=True)
    plain, cosine = (jnp.asarray(kind.reshape(*kind.shape[:2], -1)) for kind in coefficients)
    return ForwardTable((plain, cosine), len(edges), lowest, highest)


def counts_below(
    table: ForwardTable,
    events: PairEvents,
    weights: Float[Array, "*pairs parents decays"],
    shares: Float[Array, "ways *pairs parents #decays"],
) -> Float[Array, "split edges beam"]:
    """Pairs with E theta^2 below each edge, by where they are born: components of the detector's own, and outside.

    weights: how many pairs of each kind a parent leaves that would be selected, wherever they decay; shares: how many
    of those do so where they are seen, of own births, of births in the detector's medium beyond and of the
    surroundings', which are the events' third component if they have it. The energy is the true one. The azimuth phi
    about the parent is uniform, or has the weight that `PairSpin` states.
    """
    of_parent = chebyshev(2.0 * _place(events.cos_parent) ** 2 - 1.0, table.below[0].shape[-1] // table.edges)
    of_pair = (_by_parent(_place(events.cos_decay)), _by_parent(table.place(events.energy)))

    def counted(kind, rate, weights):
        moments = jnp.einsum("ekl,elcb->ekcb", of_parent, rate)
        made = jnp.einsum("ep,ekcb->pkcb", events.onto, moments)
        own, outside = made[:, :, :OWN_COMPONENTS], made[:, :, OWN_COMPONENTS:]
        beyond = jnp.sum(own, axis=2, keepdims=True)
        is_around = outside.shape[2] > 0
        seen = jnp.stack([_by_parent(weights * way) for way in shares[: 3 if is_around else 1]])
        met = sums_of_rows(table.below[kind], seen, *of_pair)
        met = met.reshape(*met.shape[:2], table.edges, -1)
        counts = jnp.einsum("pek,pksb->seb", met[0], own)
        if not is_around:
            return counts
        found = jnp.einsum("wpek,wpksb->seb", met[1:], jnp.stack([beyond, outside]))
        return jnp.concatenate([counts, found])

    counts = counted(0, events.rate, weights)
    if events.spin is not None:
        spin = events.spin
        counts += counted(0, spin.along, weights * spin.cos_star)
        across = spin.across * _lever_of(events.cos_parent)[..., None, None]
        counts += counted(1, across, weights * spin.sin_star * _lever_of(events.cos_decay))
    return counts


def _by_parent(array: Float[Array, "*pairs parents decays"]) -> Float[Array, "parents every"]:
    """Decays of a parent to all pairs in a row."""
    return jnp.moveaxis(array.reshape(-1, *array.shape[-2:]), 0, 1).reshape(array.shape[-2], -1)


def is_below(theta_squared, edge_squared, sigma):
    """Chance to measure an angle squared below `edge_squared` for a true one, rad^2, sigma in either projection.

    The measured angle (Rice's distribution) as a normal one: with its second moment, theta^2 + 2 sigma^2, and a
    variance that is Rayleigh's at theta = 0 and has the right approach to sigma^2. Within 0.0015 of the exact chance
    for edges from 4 sigma on, 0.013 at 2 sigma.
    """
    offset = theta_squared / sigma**2
    variance = 1.0 - RAYLEIGH / (1.0 + 2.0 * RAYLEIGH * offset)
    mean = jnp.sqrt(offset + 2.0 - variance)
    return normal_cdf((jnp.sqrt(edge_squared) / sigma - mean) / jnp.sqrt(variance))


def _chord_squared(first, second, cosine):
    """2 (1 - cos) of the angle between the pair and the beam, from chords of beam to parent and of parent to pair."""
    near, far = 0.5 * first**2, 0.5 * second**2
    sines = first * second * np.sqrt((1.0 - 0.25 * first**2) * (1.0 - 0.25 * second**2))
    return np.maximum(2.0 * (near + far - near * far - sines * cosine), 0.0)


def _place(cosine):
    """Where a direction stands, 0 to 1; functions that are even in the angle are even in it."""
    chord = safe_sqrt(2.0 * (1.0 - cosine))
    return jnp.arcsinh(jnp.minimum(chord, WIDEST) / FORWARD) / np.arcsinh(WIDEST / FORWARD)


def _chord(place: np.ndarray) -> np.ndarray:
    """2 sin(theta/2) where a Chebyshev polynomial stands at this number, -1 to 1."""
    return FORWARD * np.sinh(np.arcsinh(WIDEST / FORWARD) * np.sqrt(0.5 * (1.0 + place)))


def _lever(chord):
    """Odd in the angle, as the mean with the azimuth's cosine is, and level beyond FORWARD."""
    return chord / np.sqrt(chord**2 + FORWARD**2)


def _lever_of(cosine):
    squared = 2.0 * (1.0 - cosine)
    return safe_sqrt(squared) / jnp.sqrt(squared + FORWARD**2)


def _points(n: int) -> np.ndarray:
    """Chebyshev points of the first kind."""
    return np.cos(np.pi * (np.arange(n) + 0.5) / n)


def _to_coefficients(n: int) -> np.ndarray:
    """From values at `_points` to coefficients of the polynomials."""
    matrix = 2.0 / n * np.cos(np.outer(np.arange(n), np.pi * (np.arange(n) + 0.5) / n))
    matrix[0] *= 0.5
    return matrix
