"""T2K's ND280: what is around FGD1, from where pairs come in; all of it assumed."""

from dataclasses import replace

from anomfit.beams import Beam
from anomfit.detectors.assumed_surroundings import assumed, earth
from anomfit.detectors.flight_tables import arrivals, pair_shares
from anomfit.detectors.surroundings import Shell, Surroundings
from anomfit.rates.pair_events import PairEvents

NAME = "nd280"  # in data/surroundings


def in_sand(beam: Beam, molar_mass: float) -> Beam:
    """The beam with a component of births in sand, in the mass of a molecule (g/mol) of the detector."""
    return replace(beam, surroundings=earth(assumed(NAME)["water"], molar_mass))


def surroundings() -> Surroundings:
    """FGD1, the detectors upstream, the pit and sand."""
    values = assumed(NAME)
    ends = (("upstream_inner", "upstream_outer", "upstream_density"), ("inner", "outer", "density"))
    own = values["medium_density"]
    shells = tuple(Shell(values[inner], values[outer], values[density] / own) for inner, outer, density in ends)
    return Surroundings(values["seen"], values["seen"], values["seen"], shells, values["distance"])


def arriving(events: PairEvents):
    """Decays in FGD1 by component (coherent, incoherent, surroundings) of the events, of those made."""
    return arrivals(pair_shares(events, surroundings())).sum(axis=0)
