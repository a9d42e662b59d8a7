"""MicroBooNE's e+e- search (arXiv:2502.10900): efficiency from its published slices, flight, visible energy.

Public are averages of the efficiency by the pair's energy, opening angle and angle to the beam, each over the paper's
own signal; a map is not. In that signal the three fall together (soft pairs are wide and fly off the beam). Were they
functions of one another, each slice would be the whole efficiency, and so would their geometric mean: that is the
default. It treats the three alike and, unlike their product, gives every slice back. One slice alone is the other
reading: too much for pairs that are good in it and bad in the others.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float
from scipy.special import eval_legendre

from anomfit.beams import Beam
from anomfit.data import load_record
from anomfit.detectors.assumed_surroundings import assumed, earth, spheres
from anomfit.detectors.direction_response import DirectionResponse
from anomfit.detectors.flight_tables import arrivals, grid_shares
from anomfit.detectors.pairs import Lepton, Seen, Selection, see_pairs
from anomfit.detectors.resolution import Resolution
from anomfit.detectors.shower_energies import see_energies
from anomfit.detectors.shower_response import Binning, build_response
from anomfit.detectors.spread_response import SpreadTable, build_direction_table, expected_of_spread_by_direction
from anomfit.detectors.surroundings import OWN_COMPONENTS, Surroundings
from anomfit.errors import reject
from anomfit.physics.corners import interpolate
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.reaction import SpreadReaction
from anomfit.rates.pair_events import PairEvents
from anomfit.rates.spread_events import SpreadEvents

NAME = "microboone"  # in data/surroundings and of the nuisance
ARGON_MOLAR_MASS = 39.948  # g/mol
WAVES = 128  # of the response in the angle; tests compare with exact angles


@dataclass(frozen=True)
class Efficiency:
    """A reading of the slices: the efficiency is the product of their powers."""

    name: str
    words: str
    energy: float
    opening: float
    angle: float


EFFICIENCIES = {
    reading.name: reading
    for reading in (
        Efficiency(
            "mean", "geometric mean of the slices by energy, opening angle and angle to the beam", *(3 * [1 / 3])
        ),
        Efficiency("energy", "the slice by energy alone", 1.0, 0.0, 0.0),
        Efficiency("opening", "the slice by opening angle alone", 0.0, 1.0, 0.0),
        Efficiency("angle", "the slice by angle to the beam alone", 0.0, 0.0, 1.0),
    )
}


def find_efficiency(name: str) -> Efficiency:
    """The reading of that name."""
    if name not in EFFICIENCIES:
        raise reject("efficiency", name, f"use one of {', '.join(EFFICIENCIES)}")
    return EFFICIENCIES[name]


def slice_power(name: str, power: float, at: ArrayLike) -> Float[Array, "..."]:
    """A power of the slice "energy" (GeV), "opening" or "angle" (degrees): linear between the centres of its bins.

    Corners are rounded (`physics.corners`). Angles below the first centre have its value, those beyond the table's end
    what is left if the slice falls on as from the last but one bin to the last. Energies fall to 0, which is beyond.
    """
    return interpolate(jnp.asarray(at), *slice_knots(name, power))


def slice_knots(name: str, power: float) -> tuple[np.ndarray, np.ndarray]:
    """Places and values of the corners."""
    columns = load_record(f"microboone/pair_efficiency_{name}").columns
    centres, values = 0.5 * (columns["lo"] + columns["hi"]), columns["efficiency"]
    if name == "energy":
        ends = columns["lo"][:1], columns["hi"][-1:]
        return np.concatenate([ends[0], centres, ends[1]]), np.concatenate([[0.0], values, [0.0]]) ** power
    step = centres[-1] - centres[-2]
    beyond = np.arange(1, 1 + int((180.0 - centres[-1]) / step))
    tail = values[-1] * (values[-1] / values[-2]) ** beyond
    places = np.concatenate([columns["lo"][:1], centres, centres[-1] + step * beyond])
    return places, np.concatenate([values[:1], values, tail]) ** power


def see(events: PairEvents, efficiency: Efficiency, points: int, around: Surroundings | None = None) -> Seen:
    """What is seen of the events' pairs at the `points` energies of `shower_response.see_energies`: both showers.

    With the efficiency's part in the opening angle and the chance to decay in the active volume; `selected` weights the
    events with the part in the energy, the response of `build` has that in the angle. If the events have a component
    born in the surroundings, pairs of it and of the argon outside of the active volume are seen as those born inside.
    `around` is `surroundings()` unless given.
    """
    around = around or surroundings()
    energy = see_energies(points)
    is_aligned = events.alignment is not None
    seen = see_pairs(
        energy, events.mass, opening_cut(efficiency), lambda visible, whole: jnp.ones_like(visible), is_aligned
    )
    components, shares = events.rate.shape[2], grid_shares(events, energy, around)
    if components == OWN_COMPONENTS and events.parent_flight is None:
        return seen.times(shares[0])
    return seen._replace(arrives=arrivals(shares, components))


@lru_cache
def opening_cut(efficiency: Efficiency) -> Selection:
    """The efficiency's part in the opening angle."""
    return Selection("pairs", "", lambda pair: _of_opening(pair, efficiency.opening), _nothing)


@dataclass(frozen=True)
class SpreadPairs:
    """Bins of visible energy (edges in GeV; None for those of the search) of pairs of many masses, static.

    energies: polynomials of their table. docs/rates.md has what they leave.
    """

    efficiency: Efficiency
    edges: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    energies: int = 40


@lru_cache(maxsize=16)
def spread_table(pairs: SpreadPairs) -> SpreadTable:
    """The table of these bins, worked out when it is first asked for."""
    edges = None if pairs.edges is None else (np.asarray(pairs.edges[0]), np.asarray(pairs.edges[1]))
    with jax.ensure_compile_time_eval():
        response = build(pairs.efficiency, 48, waves=1, edges=edges)
        return build_direction_table(response, opening_cut(pairs.efficiency), pairs.energies)


def expected_together(
    pairs: SpreadPairs,
    waves: Float[Array, "waves"],
    reaction: SpreadReaction,
    events: SpreadEvents,
    around: Surroundings,
) -> Float[Array, "component beam bins"]:
    """Events in each bin of a reaction's pairs of all masses; waves: those of the response."""
    of_energy = slice_power("energy", pairs.efficiency.energy, events.energy)
    chosen = events._replace(share=events.share * of_energy)
    return expected_of_spread_by_direction(spread_table(pairs), waves, reaction, chosen, around)


def surroundings() -> Surroundings:
    """The active volume's sphere, the argon around it, the pit, and earth; all but the first assumed."""
    values, experiment = assumed(NAME), load_record("microboone/experiment").values
    radius = chord_radius()
    medium = radius * (values["medium_mass"] / experiment["mass"]) ** (1.0 / 3.0)
    return spheres(values, radius, radius, medium, values["medium_density"], experiment["distance"])


def in_earth(beam: Beam) -> Beam:
    """The beam with a component of births in earth, in the mass of one argon atom."""
    return replace(beam, surroundings=earth(assumed(NAME)["water"], ARGON_MOLAR_MASS))


def selected(events: PairEvents, efficiency: Efficiency) -> PairEvents:
    """The events weighted with the efficiency's part in the energy."""
    return events._replace(share=events.share * slice_power("energy", efficiency.energy, events.energy))


def build(
    efficiency: Efficiency,
    energies: int,
    waves: int = WAVES,
    edges: tuple[Float[np.ndarray, " bins"], Float[np.ndarray, " bins"]] | None = None,
) -> DirectionResponse:
    """The response in visible energy, and the Legendre waves of the efficiency's part in the angle to the beam.

    edges: lower and upper ends of the bins in GeV; None for those of the search.
    """
    columns = load_record("microboone/pair_search_2025").columns
    own = (1e-3 * columns["Evis_lo_MeV"], 1e-3 * columns["Evis_hi_MeV"])
    low, high = own if edges is None else edges
    whole = Binning(len(low), (-1.0, 1.0), lambda cosine: (low, high))
    of_energy = build_response(whole, visible_energy(), energies, waves=1).table
    return DirectionResponse(of_energy[:, 0], jnp.asarray(angle_waves(efficiency.angle, waves)))


def angle_waves(power: float, waves: int) -> Float[np.ndarray, "waves"]:
    """Coefficients c_l of a power of the slice in the angle: sum c_l P_l(cos theta); panels end at its knots."""
    knots = np.deg2rad(np.append(slice_knots("angle", power)[0], 180.0))
    u, w = unit_legendre(32)
    theta = knots[:-1, None] + np.diff(knots)[:, None] * u
    share = np.diff(knots)[:, None] * w * np.sin(theta) * np.asarray(slice_power("angle", power, np.rad2deg(theta)))
    wave = np.arange(waves)
    return (wave + 0.5) * np.einsum("pu,pul->l", share, eval_legendre(wave, np.cos(theta)[..., None]))


def visible_energy() -> Resolution:
    """Energy resolution of a pair; the angle is the true one, as the efficiency's."""
    relative = load_record("microboone/experiment").values["energy_resolution"]
    words = f"{relative:.0%} of the energy, assumed: none was released"
    return Resolution("assumed", words, lambda energy: relative * energy, jnp.zeros_like)


def chord_radius() -> float:
    """Radius (m) of the sphere with the active volume's mean chord, 4 V/S: the same loss of pairs that fly a little."""
    values = load_record("microboone/experiment").values
    a, b, c = (values[side] for side in ("length", "width", "height"))
    return 0.75 * 4.0 * a * b * c / (2.0 * (a * b + b * c + c * a))


def _of_opening(pair: Lepton, power: float):
    return slice_power("opening", power, jnp.rad2deg(pair.opening))


def _nothing(pair: Lepton):
    return jnp.zeros_like(pair.opening)
