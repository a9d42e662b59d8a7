"""How MINERvA and CHARM-II take an e+e- pair for one shower: energy, overlap, flight, direction (arXiv:1812.08768)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial.chebyshev import chebpts1

from anomfit.beams import Beam
from anomfit.data import load_record
from anomfit.detectors.assumed_surroundings import assumed, earth, spheres
from anomfit.detectors.forward_pairs import ForwardNodes, ForwardTable, build_forward_table
from anomfit.detectors.pairs import THRESHOLD_WIDTH, Lepton, Selection, see_pairs
from anomfit.detectors.resolution import normal_cdf
from anomfit.detectors.shower_energies import to_coefficients
from anomfit.detectors.surroundings import Surroundings
from anomfit.physics.polynomials import chebyshev
from anomfit.rates.pair_events import PairEvents

OPENING_WIDTH = 0.1  # of the largest opening angle itself: smooths the cut
SMOOTHED = 5.0  # widths beyond which a smooth cut is sharp
OVERLAPS = 32  # energies at which the chance to overlap is worked out for each mass
NO_END = 1e3  # GeV: a window without an upper end


@dataclass(frozen=True)
class ShowerCuts:
    """Numbers of one experiment, static: GeV, rad, m.

    energy: (a, b) of sigma/E = a/sqrt(E/GeV) + b, which smooths the window's ends; angle: (s, a, b) of
    sigma = (s/E^2 + a)/sqrt(E) + b, E in GeV, of the direction in either projection.
    """

    window: tuple[float, float]
    efficiency: float
    opening: float
    each: float
    energy: tuple[float, float]
    angle: tuple[float, float, float]
    flight_radius: float

    def energy_sigma(self, energy):
        """GeV."""
        stochastic, constant = self.energy
        return stochastic * jnp.sqrt(energy) + constant * energy

    def angle_sigma(self, energy):
        """Rad, in either projection."""
        soft, stochastic, constant = self.angle
        return (soft / energy**2 + stochastic) / energy**0.5 + constant


def minerva_cuts(era: str) -> ShowerCuts:
    """Of the era "le" or "me"; the window has no upper end."""
    search = load_record("accelerators/pair_searches").parts[f"minerva_{era}"].values
    values = load_record("accelerators/minerva_nue_dedx").parts["cuts"].values
    energy, angle = (0.0, values["energy_resolution"]), (0.0, 0.0, 1e-3 * values["angle_constant"])
    return _cuts(values, (search["lowest"], NO_END), search["efficiency"], energy, angle)


def charm2_cuts() -> ShowerCuts:
    """Of both beams."""
    search = load_record("accelerators/pair_searches").parts["charm2"].values
    values = load_record("accelerators/charm2_nue_etheta2").parts["cuts"].values
    soft, stochastic, constant = (1e-3 * values[f"angle_{part}"] for part in ("soft", "stochastic", "constant"))
    energy = (values["energy_stochastic"], values["energy_constant"])
    window = (search["lowest"], search["highest"])
    return _cuts(values, window, search["efficiency"], energy, (soft, stochastic, constant))


def _cuts(values: Mapping[str, float], window, efficiency: float, energy, angle) -> ShowerCuts:
    opening = math.radians(values["opening"])
    return ShowerCuts(window, efficiency, opening, values["each"], energy, angle, values["flight_radius"])


def chances_to_pass(
    events: PairEvents, cuts: ShowerCuts, span: tuple[float, float]
) -> Float[Array, "pairs parents decays"]:
    """Chance that a pair is one shower inside the window, whatever its direction and wherever it decays.

    events: those of `all_pair_events`, with energies in `span` (GeV).
    """
    return cuts.efficiency * in_window(events.energy, cuts) * _chance_to_overlap(events, cuts, span)


def _chance_to_overlap(events: PairEvents, cuts: ShowerCuts, span: tuple[float, float]):
    """Worked out at a few energies for each mass, Chebyshev points in ln E, and handed on to those of the events.

    They lie above the energy from which on pairs are narrow enough, where the chance has its bend.
    """
    narrow = events.mass * 2.0 / (cuts.opening * (1.0 + SMOOTHED * OPENING_WIDTH))
    lowest = jnp.clip(narrow, span[0], 0.9 * span[1])
    stretch = jnp.log(span[1] / lowest)
    at = lowest * jnp.exp(0.5 * stretch * (1.0 + chebpts1(OVERLAPS)))  # (pairs, 1, energies)
    is_aligned = events.alignment is not None
    place = 2.0 * jnp.log(events.energy / lowest) / stretch - 1.0
    inside = (place > -1.0) & (place < 1.0)
    basis = chebyshev(jnp.where(inside, place, 0.0), OVERLAPS)  # (pairs, parents, energies, decays)

    def overlap(energy, mass):
        return see_pairs(energy, mass, _overlapping(cuts), lambda visible, whole: 1.0, is_aligned)

    def handed_on(values):
        coefficients = values[:, 0] @ to_coefficients(OVERLAPS).T
        return jnp.where(inside, jnp.einsum("nk,npkd->npd", coefficients, basis), 0.0)

    found = jax.vmap(overlap)(at, events.mass[:, 0, 0])
    passes = handed_on(found.weight[..., 0])
    if events.alignment is not None and found.quadrupole is not None:
        passes = passes + events.alignment * handed_on(found.quadrupole[..., 0])
    return passes


def surroundings_of(detector: str, cuts: ShowerCuts) -> Surroundings:
    """The fiducial sphere and what is around it, which is assumed; `detector` is its name in data/surroundings."""
    values, radius = assumed(detector), cuts.flight_radius
    return spheres(values, radius, radius, values["medium"], values["medium_density"], values["distance"])


@lru_cache(maxsize=32)
def forward_table(
    edges: tuple[float, ...], cuts: ShowerCuts, span: tuple[float, float], nodes: ForwardNodes
) -> ForwardTable:
    """Chances to be below edges in E theta^2 (GeV rad^2) with the experiment's angle, for energies in `span` (GeV)."""
    return build_forward_table(np.asarray(edges), cuts.angle_sigma, span, nodes)


def in_rock(detector: str, beam: Beam, molar_mass: float) -> Beam:
    """The beam with a component of births in rock, in the mass of a molecule (g/mol) of the detector."""
    return replace(beam, surroundings=earth(assumed(detector)["water"], molar_mass))


def in_window(energy, cuts: ShowerCuts):
    """Chance to measure an energy in the window, each end with the resolution there."""
    low, high = (jnp.asarray(end) for end in cuts.window)
    above = normal_cdf((energy - low) / cuts.energy_sigma(low))
    return above * normal_cdf((high - energy) / cuts.energy_sigma(high))


def _overlapping(cuts: ShowerCuts) -> Selection:
    def as_sum(pair: Lepton):
        narrow = normal_cdf((cuts.opening - pair.opening) / (OPENING_WIDTH * cuts.opening))
        return narrow * normal_cdf((pair.other - cuts.each) / THRESHOLD_WIDTH)

    return Selection("overlap", "", as_sum, lambda pair: jnp.zeros_like(pair.opening))
