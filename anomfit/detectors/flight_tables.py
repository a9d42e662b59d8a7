"""What surroundings do with pairs, looked up by flight: the integrals of `surroundings` on a grid, cubics between.

A geometry is fixed, so that all of it is a smooth function of one length. The grid is even in ln(1 + L/fine), linear
for flights that are short and logarithmic for long ones; what is kept is the share times 1 + L/seen, which levels off
at both ends. Slopes at the nodes are exact: within 1e-8 of the integrals (tests), in a tenth of their time.
"""

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float
from scipy.interpolate import CubicHermiteSpline

from anomfit.detectors.containment import after_two_flights
from anomfit.detectors.surroundings import Surroundings, shares
from anomfit.physics.kinematics import safe_sqrt
from anomfit.rates.pair_events import PairEvents

Rates = Float[Array, "energies directions component beam"]
Arrivals = Float[Array, "split component ..."]
LookUp = Callable[[Float[Array, "..."]], Float[Array, "shares ..."]]

NODES = 1024
FINE = 0.02  # of the radius where decays count: flights below it are resolved linearly
SHORTEST = 1e-6  # a place next to 0
LONGEST = 1e8  # of that radius; shares fall as 1/L from long before


class FlightTable(NamedTuple):
    """Coefficients of the cubic in each cell, by cell, power (highest first) and share; step of the grid."""

    cubics: np.ndarray
    step: float


def tabulated_shares(flight: Float[Array, "..."], around: Surroundings) -> Float[Array, "3 ..."]:
    """`surroundings.shares` of mean flights in m, by the table of this geometry."""
    table, length = flight_table(around), jnp.asarray(flight)
    place = jnp.clip(jnp.log1p(length / (FINE * around.seen)) / table.step, 0.0, NODES - 1.0)
    cell = jnp.clip(jnp.floor(place).astype(int), 0, NODES - 2)
    offset = (place - cell)[..., None]
    cubic = jnp.asarray(table.cubics)[cell]
    value = cubic[..., 0, :]
    for power in range(1, cubic.shape[-2]):
        value = value * offset + cubic[..., power, :]
    return jnp.moveaxis(value, -1, 0) / (1.0 + length / around.seen)


def grid_shares(events: PairEvents, energy: ArrayLike, around: Surroundings) -> Float[Array, "3 *few energies"]:
    """`tabulated_shares` of the events' pairs at these energies (GeV), as `over_flights` has them."""
    return over_flights(partial(tabulated_shares, around=around), events, energy)


def over_flights(look_up: LookUp, events: PairEvents, energy: ArrayLike) -> Float[Array, "shares *few energies"]:
    """A look-up by mean flight (m) for the events' pairs at these energies (GeV), an axis of their own.

    Where parents fly before they decay, an axis of the few of `ParentFlight` stands before it. Where pairs have no
    flight of their own, the axis is that of the energies at which parents are made.
    """
    if events.decay_length_per_momentum is None:
        assert events.parent_flight is not None
        return look_up(events.onto @ events.parent_flight.each)
    flight = events.decay_length_per_momentum * safe_sqrt(jnp.asarray(energy) ** 2 - events.mass**2)
    if events.parent_flight is None:
        return look_up(flight)
    return after_two_flights(look_up, events.parent_flight.few[:, None], flight[None, :])


def with_arrivals(events: PairEvents, rates: Rates, arrives: Arrivals | None) -> tuple[Rates, Arrivals | None]:
    """Rates of production, and what is left of `Seen.arrives` behind them.

    Pairs without a flight of their own arrive as their parents do: `arrives` is then a factor of the rates, whose axis
    of components becomes that of what the result is split into.
    """
    if events.decay_length_per_momentum is None and arrives is not None:
        return jnp.einsum("etcb,sce->etsb", rates, arrives), None
    return rates, arrives


def pair_shares(events: PairEvents, around: Surroundings) -> Float[Array, "3 ... parents #decays"]:
    """`tabulated_shares` of the events' pairs themselves, laid out as their energies.

    Where pairs have no flight of their own, shares depend on the parent alone: (3, parents, 1).
    """
    look_up = partial(tabulated_shares, around=around)
    if events.decay_length_per_momentum is None:
        assert events.parent_flight is not None
        return look_up(events.parent_flight.each[:, None])
    flight = events.decay_length_per_momentum * safe_sqrt(events.energy**2 - events.mass**2)
    if events.parent_flight is None:
        return look_up(flight)
    parents = events.parent_flight.each[:, None]
    return after_two_flights(look_up, parents.reshape(*(1,) * (flight.ndim - parents.ndim), *parents.shape), flight)


def arrivals(shares: Float[Array, "3 ..."], components: int = 3) -> Float[Array, "split component ..."]:
    """Decays inside of births of each component (coherent, incoherent, surroundings), split by where the birth was:
    coherent and incoherent of the detector, and everything outside of it. Other axes as those of the shares.

    components: those of the events; without births in surroundings both axes end with incoherent.
    """
    own, beyond, outside = shares
    nothing = jnp.zeros_like(own)
    rows = ((own, nothing, nothing), (nothing, own, nothing), (beyond, beyond, outside))
    return jnp.stack([jnp.stack(row[:components]) for row in rows[:components]])


@lru_cache(maxsize=64)
def flight_table(around: Surroundings) -> FlightTable:
    """The table of one geometry."""
    step = math.log1p(LONGEST / FINE) / (NODES - 1)
    place = step * np.arange(NODES)
    # the integrals are level below 1e-9 m, where their slope vanishes: at 0 it is that of a place next to it
    at = np.maximum(place, SHORTEST)

    def kept(place):
        flight = FINE * around.seen * jnp.expm1(place)
        return shares(flight, around) * (1.0 + flight / around.seen)

    with jax.ensure_compile_time_eval():
        found = jax.jvp(kept, (jnp.asarray(at),), (jnp.ones(NODES),))
    values, slopes = (np.asarray(part) for part in found)
    hermite = CubicHermiteSpline(np.arange(NODES), (values + slopes * (place - at)).T, step * slopes.T)
    return FlightTable(np.moveaxis(hermite.c, 0, 1), step)
