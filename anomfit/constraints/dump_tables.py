"""Decays behind a beam dump, by mass and width of what decays, as smooth functions.

The decay length in the laboratory is (p/m)/width, so that at one mass only m times the width counts; and what is kept,
ln(events/(m width)), is level where the length is long, hardly changes with the mass (m much smaller than the energy),
and falls like -m width where the boson decays in the shield.
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float
from scipy.interpolate import PchipInterpolator

from anomfit.data import load_record
from anomfit.physics.light_bosons import LightBosons

START, STEP, NODES = -21.0, 0.025, 321
"""Grid of log10(m width/GeV^2): from -21 to -13, linear between; a boson of 10 GeV then flies 2 cm to 2000 km."""

Table = dict[str, np.ndarray]


def grid() -> np.ndarray:
    """m times the width, GeV^2, shape (nodes,)."""
    return 10.0 ** (START + STEP * np.arange(NODES))


@lru_cache
def stored_table(source: str) -> Table:
    """The rows of data/photon_dumps/events.csv of this source, as `dump_table` makes them."""
    columns = load_record("photon_dumps/events").columns
    rows = columns["source"] == source
    m, width, events = (columns[name][rows] for name in ("m_GeV", "width_GeV", "events"))
    masses = np.unique(m)
    curves = [continued(mass * width[m == mass], events[m == mass]) for mass in masses]
    return dump_table(source, masses, np.stack(curves))


def continued(total: np.ndarray, events: np.ndarray) -> np.ndarray:
    """ln(events/total) on `grid`, from points with m width `total` (GeV^2, ascending).

    Level below the first point, monotone cubics between, from the last two on linear in `total`.
    """
    log_yields = np.log(events / total)
    inside = PchipInterpolator(np.log(total), log_yields)(np.log(np.clip(grid(), total[0], total[-1])))
    slope = min((log_yields[-1] - log_yields[-2]) / (total[-1] - total[-2]), 0.0)
    return inside + slope * np.maximum(grid() - total[-1], 0.0)


def dump_table(source: str, masses: np.ndarray, log_yields: np.ndarray) -> Table:
    """ln(events/(m width)) on `grid` for each of the masses (GeV, ascending); names begin with the source's."""
    return {f"{source}_log_mass": np.log(masses), f"{source}_log_yields": log_yields}


def decays(data, source: str, mass: ArrayLike, width: ArrayLike, partial: ArrayLike) -> Float[Array, ""]:
    """Decays of one boson with this mass, width and partial width (GeV) to what the detector sees, of those made.

    Linear in `partial`, 0 with it. Between the masses of the table linear in the logarithm of the mass, outside them
    what holds at its end; between nodes linear; beyond the last one ln(events) goes on falling linearly in m width.
    """
    log_mass, log_yields = (jnp.asarray(data[f"{source}_{name}"]) for name in ("log_mass", "log_yields"))
    total = jnp.asarray(mass) * jnp.asarray(width)
    place = jnp.clip((jnp.log10(total) - START) / STEP, 0.0, NODES - 1.0)
    node = jnp.clip(jnp.floor(place).astype(int), 0, NODES - 2)
    share = place - node
    curves = (1.0 - share) * log_yields[:, node] + share * log_yields[:, node + 1]
    curve = jnp.interp(jnp.log(mass), log_mass, curves)
    end, before = (10.0 ** (START + STEP * (NODES - 1 - back)) for back in (0, 1))
    slope = jnp.interp(jnp.log(mass), log_mass, (log_yields[:, -1] - log_yields[:, -2]) / (end - before))
    beyond = jnp.minimum(slope * jnp.maximum(total - end, 0.0), 0.0)
    return jnp.asarray(mass) * jnp.asarray(partial) * jnp.exp(curve + beyond)


def decays_of_all(data, source: str, bosons: LightBosons, partial: Float[Array, " bosons"]):
    """`decays` of each of the bosons, with their partial widths to what is seen; shape (bosons,)."""
    return jax.vmap(lambda *one: decays(data, source, *one))(bosons.mass, bosons.width, partial)
