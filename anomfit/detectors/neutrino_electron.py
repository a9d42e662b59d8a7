"""How MINERvA and CHARM-II take an e+e- pair for one shower: energy, overlap, flight, direction (arXiv:1812.08768)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.beams import Beam
from anomfit.data import load_record
from anomfit.detectors.assumed_surroundings import assumed, earth, spheres
from anomfit.detectors.flight_tables import pair_shares
from anomfit.detectors.pairs import THRESHOLD_WIDTH, Lepton, Selection, see_pairs
from anomfit.detectors.resolution import normal_cdf
from anomfit.detectors.surroundings import OWN_COMPONENTS, Surroundings
from anomfit.rates.pair_events import PairEvents

OPENING_WIDTH = 0.1  # of the largest opening angle itself: smooths the cut
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
        return (soft / energy**2 + stochastic) / jnp.sqrt(energy) + constant


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


def chances_to_pass(events: PairEvents, cuts: ShowerCuts, around: Surroundings) -> Float[Array, "ways parents decays"]:
    """Chance that a pair is one shower inside the window, whatever its direction, times the decays in the detector.

    Decays of pairs born in the fiducial volume and, if the events have a component born in the surroundings, in the
    detector's medium beyond, and in the surroundings.
    """
    energy = events.energy
    overlap = see_pairs(
        energy, events.mass, _overlapping(cuts), lambda visible, whole: 1.0, events.alignment is not None
    )
    passes = overlap.weight[..., 0]
    if events.alignment is not None and overlap.quadrupole is not None:
        passes = passes + events.alignment * overlap.quadrupole[..., 0]
    ways = 1 if events.rate.shape[2] == OWN_COMPONENTS else 3
    return cuts.efficiency * in_window(energy, cuts) * passes * pair_shares(events, around)[:ways]


def surroundings_of(detector: str, cuts: ShowerCuts) -> Surroundings:
    """The fiducial sphere and what is around it, which is assumed; `detector` is its name in data/surroundings."""
    values, radius = assumed(detector), cuts.flight_radius
    return spheres(values, radius, radius, values["medium"], values["medium_density"], values["distance"])


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
