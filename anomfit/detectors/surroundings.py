"""Pairs born around a detector that fly in: how many decay inside, per birth in the sphere where decays count.

Spherical: decays count inside a radius, the detector's own medium may go on beyond it, then shells of other matter
follow. The flight is along the beam, whose flux falls as the square of the distance to its source: births upstream
(which fly in) are more than at the detector. In the detector's own medium, close by, the flux is uniform. No model and
no data enter; a flight is the mean distance to the decay, lengths are in m.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.detectors.containment import containment
from anomfit.physics.quadrature import unit_legendre

OWN_COMPONENTS = 2  # coherent and incoherent births in the detector; a third is the surroundings'
SHORTEST = 1e-3  # m: below this flight nothing comes in through any gap
NODES = unit_legendre(32)


@dataclass(frozen=True)
class Shell:
    """Matter between two radii; `density` is its own over that of the detector's medium."""

    inner: float
    outer: float
    density: float


@dataclass(frozen=True)
class Surroundings:
    """A detector and what is around it, static.

    seen: radius of the sphere where decays count; born: radius of the sphere whose births the detector counts as its
    own; medium: radius to which the same medium goes on; shells: other matter, from beyond `seen`; distance: from the
    beam's source to the centre.
    """

    seen: float
    born: float
    medium: float
    shells: tuple[Shell, ...]
    distance: float


def shares(flight: Float[Array, "..."], around: Surroundings) -> Float[Array, "3 ..."]:
    """Decays inside of the detector's own births, of those in its medium beyond, and of those in the shells.

    By the integrals below; `flight_tables` looks the same up.
    """
    return jnp.stack([stays(flight, around), from_medium(flight, around), from_shells(flight, around)])


def stays(flight: Float[Array, "..."], around: Surroundings) -> Float[Array, "..."]:
    """Decays of the detector's own births (`containment`), 1 for prompt ones."""
    return containment(flight, around.seen, around.born)


def from_medium(flight: Float[Array, "..."], around: Surroundings) -> Float[Array, "..."]:
    """Decays of births in the detector's medium beyond its own; 0 where that ends with them."""
    if around.medium == around.born:
        return jnp.zeros_like(jnp.asarray(flight))
    return containment(flight, around.seen, around.medium) - stays(flight, around)


def from_shells(flight: Float[Array, "..."], around: Surroundings) -> Float[Array, "..."]:
    """Decays of births in the shells, had a gram of them as many births as a gram of the detector."""
    parts = [shell.density * from_shell(flight, around.seen, shell, around.distance) for shell in around.shells]
    return sum(parts, start=jnp.zeros_like(jnp.asarray(flight)))


def from_shell(flight: Float[Array, "..."], seen: float, shell: Shell, distance: float) -> Float[Array, "..."]:
    """Decays within radius `seen` of births in one shell of the detector's density, which begins beyond `seen`.

    The births that a displacement brings inside, K(l), are fixed by the geometry; they are averaged over
    exp(-l/L)/L, to 1e-4 of the births in the detector at any flight L.
    """
    displacement, births = _displaced(seen, shell.inner, shell.outer, distance)
    length = jnp.maximum(jnp.asarray(flight), SHORTEST)[..., None]
    return jnp.sum(births * jnp.exp(-displacement / length) / length, axis=-1)


@lru_cache(maxsize=256)
def _displaced(seen: float, inner: float, outer: float, distance: float) -> tuple[np.ndarray, np.ndarray]:
    """Displacements l along the beam and dl K(l): births in the shell that l takes inside, over those in `seen`."""
    u, w = NODES
    corners = sorted({inner - seen, outer - seen, inner + seen, outer + seen})
    displacement, weight = (
        np.concatenate(part) for part in zip(*(_logarithmic(low, high) for low, high in pairwise(corners)), strict=True)
    )
    low, high = np.maximum(inner, displacement - seen), np.minimum(outer, displacement + seen)
    radius = low[:, None] + (high - low)[:, None] * u
    # births with a cosine to the beam between -1 (upstream) and the one from which l ends on the sphere
    l = displacement[:, None]
    reach = np.maximum((seen**2 - (radius - l) ** 2) / (2.0 * radius * l), 0.0)
    # the average of (distance / distance of the birth)^2 over these
    share = distance / (4.0 * radius) * np.log1p(2.0 * distance * radius * reach / (distance - radius) ** 2)
    births = np.sum(w * 3.0 * radius**2 / seen**3 * share, axis=1) * (high - low)
    return displacement, weight * births


def _logarithmic(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    u, w = NODES
    stretch = np.log(high / low)
    nodes = low * np.exp(stretch * u)
    return nodes, w * stretch * nodes


# -- by radius --------------------------------------------------------------------------------------------------------


def births_by_radius(flight: Float[Array, "..."], around: Surroundings, edges: np.ndarray):
    """Decays inside by the radius of the birth, (bins, ...): in the detector's medium, and in the shells."""
    own = jnp.stack([_born_within(flight, around, min(edge, around.medium)) for edge in edges.tolist()])
    outside = [from_shells(flight, _cut(around, low, high)) for low, high in pairwise(edges.tolist())]
    return jnp.diff(own, axis=0), jnp.stack(outside)


def decays_by_radius(flight: Float[Array, "..."], around: Surroundings, edges: np.ndarray):
    """Decays by their radius, up to `seen`, (bins, ...): of births in the detector's medium, and in the shells."""
    own, outside = [], []
    for edge in edges.tolist():
        inside = replace(around, seen=max(edge, SHORTEST))
        share = (edge / around.seen) ** 3
        own.append(share * containment(flight, inside.seen, around.medium))
        outside.append(share * from_shells(flight, inside))
    return jnp.diff(jnp.stack(own), axis=0), jnp.diff(jnp.stack(outside), axis=0)


def _cut(around: Surroundings, low: float, high: float) -> Surroundings:
    """With what of the shells is between two radii."""
    cut = (replace(shell, inner=max(low, shell.inner), outer=min(high, shell.outer)) for shell in around.shells)
    return replace(around, shells=tuple(shell for shell in cut if shell.inner < shell.outer))


def _born_within(flight, around: Surroundings, radius: float):
    """Decays inside of births in the medium within a radius; births and decays can change places."""
    radius = max(radius, SHORTEST)
    if radius >= around.seen:
        return containment(flight, around.seen, radius)
    return (radius / around.seen) ** 3 * containment(flight, radius, around.seen)
