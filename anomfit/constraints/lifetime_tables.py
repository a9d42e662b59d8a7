"""Limits that depend on mass and life of what escapes: interpolated in the table, continued to short lives."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float

from anomfit.data import Record

PICOSECOND = 1e-12
NO_LIMIT = 69.0  # ln of the weakest limit that is kept, 1e30
GAP = 0.005  # GeV: a wider gap between masses is not bridged
HEAVY_ENOUGH = 0.010  # GeV: the shortest lives of a table are felt from here on


def lifetime_table(record: Record) -> dict[str, np.ndarray]:
    """Masses (GeV), lives (s), ln of the limits (mass, life) and the slope a (s) of their growth exp(a/life).

    Decays in flight: the share that leaves a detector of size d is exp(-d m/(p c tau)), so that a limit grows as exp(a/
    tau) for short tau. a is read off the two shortest lives that have a limit; lives without one get that continuation.
    Below `HEAVY_ENOUGH` these limits may be too near to each other to tell: a is then at least in proportion to m, as
    it is up to ten times that mass.
    Masses in a gap get no limit, nor do lives longer than any that has one. "gaps": ends of the gaps, shape (gaps, 2).
    """
    columns = [name for name in record.columns if name.startswith("limit_")]
    lives = np.array([float(name.removeprefix("limit_").removesuffix("ps")) * PICOSECOND for name in columns])
    logs = np.log(np.stack([record.columns[name] for name in columns], axis=1))
    masses, slopes = record.columns["m_X_GeV"], np.empty(len(logs))
    for row, values in enumerate(logs):
        known = np.flatnonzero(np.isfinite(values))
        first, second = known[0], known[min(1, len(known) - 1)]
        span = 1.0 / lives[first] - 1.0 / lives[second]
        slopes[row] = max((values[first] - values[second]) / span, 0.0) if span > 0.0 else 0.0
        values[:first] = values[first] + slopes[row] * (1.0 / lives[:first] - 1.0 / lives[first])
    light, next_to_it = masses < HEAVY_ENOUGH, (masses >= HEAVY_ENOUGH) & (masses < 10.0 * HEAVY_ENOUGH)
    if np.any(light):
        slopes[light] = np.maximum(slopes[light], masses[light] * np.median(slopes[next_to_it] / masses[next_to_it]))
    before = np.flatnonzero(np.diff(masses) > GAP)
    gaps = np.stack([masses[before], masses[before + 1]], axis=1)
    for index in before[::-1]:
        ends = masses[index : index + 2] + np.array([1e-4, -1e-4])
        masses = np.insert(masses, index + 1, ends)
        logs = np.insert(logs, index + 1, np.full((2, len(lives)), NO_LIMIT), axis=0)
        slopes = np.insert(slopes, index + 1, [0.0, 0.0])
    capped = np.where(np.isnan(logs), NO_LIMIT, np.minimum(logs, NO_LIMIT))
    return {"m": masses, "lives": lives, "logs": capped, "slopes": slopes, "gaps": gaps}


def has_mass(table: Mapping[str, ArrayLike], m: ArrayLike) -> Bool[Array, "..."]:
    """Whether something is published at mass m (GeV): between the table's ends and in none of its gaps."""
    m, masses, gaps = jnp.asarray(m), jnp.asarray(table["m"]), jnp.asarray(table["gaps"])
    in_gap = jnp.any((m[..., None] > gaps[:, 0]) & (m[..., None] < gaps[:, 1]), axis=-1)
    return (m >= masses[0]) & (m <= masses[-1]) & ~in_gap


def log_limit_at(table: Mapping[str, Float[Array, "..."]], m: ArrayLike, life: ArrayLike) -> Float[Array, ""]:
    """ln of the limit at mass m (GeV) and life (s), at most `NO_LIMIT`; no limit outside the masses of the table."""
    m, life = jnp.asarray(m), jnp.asarray(life)
    at_mass = jax.vmap(lambda column: jnp.interp(m, table["m"], column), in_axes=1)(table["logs"])
    slope = jnp.interp(m, table["m"], table["slopes"])
    shortest = table["lives"][0]
    inside = jnp.interp(jnp.log(jnp.maximum(life, shortest)), jnp.log(table["lives"]), at_mass)
    extra = slope * (1.0 / jnp.minimum(life, shortest) - 1.0 / shortest)
    covered = (m >= table["m"][0]) & (m <= table["m"][-1])
    return jnp.where(covered, jnp.minimum(inside + extra, NO_LIMIT), NO_LIMIT)
