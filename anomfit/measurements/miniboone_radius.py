"""Where in MiniBooNE, and around it, the pairs that it selects are born and where they decay: no data are public."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from anomfit.capabilities import Upscatters, over_reactions
from anomfit.detectors import miniboone as detector
from anomfit.detectors.assumed_surroundings import births_factor
from anomfit.detectors.flight_tables import over_flights
from anomfit.detectors.shower_energies import see_energies
from anomfit.detectors.shower_response import expected
from anomfit.detectors.surroundings import births_by_radius, decays_by_radius
from anomfit.errors import InputError
from anomfit.measurements.miniboone import MiniBooneQuasiElastic, PairChain
from anomfit.measurements.miniboone_plane import MiniBooneProjection
from anomfit.parameters import Point
from anomfit.physics.reaction import OneReaction
from anomfit.rates.pair_events import pair_events

INSIDE = 10  # shells of equal volume of the fiducial sphere
OUTSIDE = (8.0, 10.0, 12.5, 15.0, 20.0, 25.0, 30.0, 40.0, 60.0, 80.0)  # m, edges of births between vault and reach


class Radial(NamedTuple):
    """Selected pairs between radii (edges in m), by where they are born: in the oil, and in the earth."""

    edges: Float[np.ndarray, "edges"]
    oil: Float[np.ndarray, "bins"]
    earth: Float[np.ndarray, "bins"]


def by_radius(
    measurement: MiniBooneQuasiElastic | MiniBooneProjection, model: Upscatters, point: Point, nuisances: Point
) -> tuple[Radial, Radial]:
    """(births, decays) of the pairs in all bins of the measurement, by radius, at a physical point.

    Decays are spread as the efficiency's fiducial sphere has them, with the same efficiency at any radius. InputError
    where the measurement leaves out births outside.
    """
    chain = measurement.chain
    if not chain.beam.surroundings:
        raise InputError("surroundings: 'none' leaves out pairs born outside; use surroundings = 'earth'")
    shell, around = chain.around.shells[0], chain.around
    inside = around.seen * np.linspace(0.0, 1.0, INSIDE + 1) ** (1.0 / 3.0)
    between = [edge for edge in OUTSIDE if shell.inner < edge < shell.outer]
    births = np.array([*inside, around.born, shell.inner, *between, shell.outer])
    found = _counts(chain, point, nuisances, model=model, births=tuple(births), decays=tuple(inside))
    factor = float(births_factor(detector.NAME, nuisances))
    (oil_births, earth_births), (oil, earth) = (tuple(map(np.asarray, part)) for part in found)
    return Radial(births, oil_births, factor * earth_births), Radial(inside, oil, factor * earth)


@partial(jax.jit, static_argnames=("model", "births", "decays"))
def _counts(chain: PairChain, point: Point, nuisances: Point, model, births, decays):
    return over_reactions(model, point, nuisances, lambda one: _counted(one, chain, births, decays))


def _counted(reaction: OneReaction, chain: PairChain, births, decays):
    events = pair_events(reaction, chain.beam, chain.nodes)
    points = chain.response.table.shape[0]
    seen = detector.see(events, chain.selection, points, chain.around)

    def by_radius(shares, edges):
        look_up = partial(shares, around=chain.around, edges=np.array(edges))
        return over_flights(look_up, events, see_energies(points))

    selected = detector.selected(events)

    def counted(own, outside):
        nothing = jnp.zeros_like(own)
        rows = jnp.concatenate([jnp.stack([own, own, nothing], 1), jnp.stack([nothing, nothing, outside], 1)])
        counts = jnp.sum(expected(chain.response, selected, seen._replace(arrives=rows)), axis=(1, 2))
        return jnp.split(counts, 2)

    return (
        counted(*by_radius(births_by_radius, births)),
        counted(*by_radius(decays_by_radius, decays)),
    )
