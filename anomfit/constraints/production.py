"""How often a boson of any spin is made, against a vector of the same mass: one function a mechanism.

Published curves hold for vectors: a vector is compared with them directly, a boson of spin 0 through the ratio of the
rates. What is found is the squared coupling of the vector that would be made as often. Chirality makes scalars and
pseudoscalars alike where the lepton's mass can be neglected.
"""

from collections.abc import Callable, Iterable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.constraints.base import NOT_IN_TABLE, Outcome
from anomfit.physics.constants import E_CHARGE
from anomfit.physics.dark_photon import annihilation_ratio, radiation_ratio
from anomfit.physics.extremes import largest
from anomfit.physics.light_bosons import LightBosons
from anomfit.physics.scalar_bremsstrahlung import scalar_spectrum, vector_spectrum
from anomfit.statistics.limits import CURVE_WIDTH, FARTHEST, decades_above, foremost, is_covered, log_limit

UNSEEN_FRACTION = 0.1
"""Part of semi-visible decays of which nothing is seen even if all decay at once: outside the acceptance or below the
threshold. Our estimate, the solid angle beyond |cos theta| = 0.9."""


def by_annihilation(bosons: LightBosons, root_s: ArrayLike, cos_max: ArrayLike) -> Float[Array, " bosons"]:
    """eps^2 of e+e- -> gamma X at root_s (GeV), the photon within |cos theta| < cos_max."""
    squared = (bosons.g_e / E_CHARGE) ** 2
    return squared if bosons.spin == "vector" else squared * annihilation_ratio(bosons.mass, root_s, cos_max)


def by_radiation_off_muons(bosons: LightBosons, root_s: float, masses) -> Float[Array, " bosons"]:
    """g_mu^2 of e+e- -> mu+mu- X; at a mass outside the ends of `masses` (GeV) the ratio at the end."""
    if bosons.spin == "vector":
        return bosons.g_mu**2
    inside = jnp.clip(bosons.mass, masses[0], masses[-1])
    return bosons.g_mu**2 * jax.vmap(lambda m: radiation_ratio(m, root_s))(inside)


def spectrum_of(bosons: LightBosons) -> Callable:
    """x-dependence of bremsstrahlung off electrons, static."""
    return vector_spectrum if bosons.spin == "vector" else scalar_spectrum


def unseen(
    bosons: LightBosons, momentum: Float[Array, "... bosons"], size: float, missed: ArrayLike | None = None
) -> Float[Array, "... bosons"]:
    """Probability that a boson of this momentum (GeV) shows nothing within `size` (m): a missing-energy search's.

    Those that fly through, and of the others the invisible decays and the fraction `missed` of the semi-visible ones.
    Without it that is `UNSEEN_FRACTION`, with the part of the rest whose visible products begin beyond (with half of
    the momentum).
    """
    survives = jnp.exp(-size / (bosons.decay_length_per_momentum * momentum))
    if missed is None:
        displaced = bosons.semivisible_flight > 0.0
        flight = jnp.where(displaced, bosons.semivisible_flight, 1.0) * 0.5 * momentum
        late = jnp.where(displaced, jnp.exp(-size / flight), 0.0)
        missed = UNSEEN_FRACTION + (1.0 - UNSEEN_FRACTION) * late
    semivisible = bosons.branching_ratio("semivisible") * missed
    return survives + (1.0 - survives) * (bosons.branching_ratio("invisible") + semivisible)


def numbers_on_edges(table, rate: Callable) -> dict[str, np.ndarray]:
    """A published region with the number of decays on both of its edges; `rate` of mass (GeV) and eps, scalars."""
    closed = np.isfinite(table["high"])
    numbers = {key: table[key][closed] for key in ("m", "low", "high")}
    on_edges = jax.jit(jax.vmap(rate))
    return numbers | {f"rate_{edge}": np.asarray(on_edges(numbers["m"], numbers[edge])) for edge in ("low", "high")}


def decades_of_events(data, mass, width, rate, of_vector: Callable) -> Float[Array, ""]:
    """log10(rate/limit) of one boson in a region of `numbers_on_edges`, mass and width in GeV.

    The limit is the number at the lower edge for long lifetimes, at the upper edge for short ones, and interpolated in
    the logarithm of the dark photon's coupling that would live as long; of_vector(mass) is its width at eps = 1 as the
    publication has it. Outside the region's masses it is the limit at its end.
    """
    inside = jnp.clip(mass, data["m"][0], data["m"][-1])
    edges = [log_limit(inside, data["m"], data[key]) for key in ("low", "high", "rate_low", "rate_high")]
    same_lifetime = 0.5 * jnp.log10(width * mass / inside / of_vector(inside))
    place = jnp.clip((same_lifetime - edges[0]) / jnp.maximum(edges[1] - edges[0], 1e-6), 0.0, 1.0)
    limit = (1.0 - place) * edges[2] + place * edges[3]
    return jnp.maximum(jnp.log10(jnp.maximum(rate, 1e-300)) - limit, -FARTHEST)


def decades_in_table(data, mass, decades_at: Callable[[Array, Array], Array]) -> Float[Array, ""]:
    """What `decades_at` says of a mass (GeV) inside the region and of the factor to it; outside it fades away.

    Widths times that factor have the same lifetime in the laboratory.
    """
    inside = jnp.clip(mass, data["m"][0], data["m"][-1])
    scale = mass / inside
    above, out = decades_at(inside, scale), jnp.abs(jnp.log10(scale))
    kept = jnp.clip(1.0 - out / CURVE_WIDTH, 0.0, 1.0)
    return jnp.where(above > 0.0, kept * above, above) - 2.0 * out


def relative(own: Float[Array, " bosons"], of_vector: Float[Array, " bosons"]) -> Float[Array, " bosons"]:
    """A branching ratio over that of the vector on a curve; 0 where the vector has no such decay."""
    some = of_vector > 0.0
    return jnp.where(some, own / jnp.where(some, of_vector, 1.0), 0.0)


def of_each(families: Iterable[LightBosons], function: Callable[[LightBosons], Array]) -> Array:
    """What `function` says of the bosons of each spin, along one axis."""
    return jnp.concatenate([function(family) for family in families])


def nearest(bosons: LightBosons, squared: Float[Array, " bosons"], data) -> Outcome:
    """A squared coupling of each boson against a curve (`m`, `low`): that which comes nearest, or farthest above it."""
    positive = squared > 0.0
    coupling = jnp.where(positive, jnp.sqrt(jnp.where(positive, squared, 1.0)), 0.0)
    decades = jax.vmap(lambda m, value: decades_above(m, value, data["m"], data["low"]))(bosons.mass, coupling)
    covered = is_covered(bosons.mass, data["m"])
    chosen = foremost(decades, covered)
    limit = 10.0 ** log_limit(bosons.mass[chosen], data["m"], data["low"])
    return Outcome(coupling[chosen], jnp.where(covered[chosen], limit, NOT_IN_TABLE), 10.0 ** largest(decades))
