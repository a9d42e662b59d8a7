"""MiniBooNE's response to e+e- pairs: efficiency and containment, and its bins in E_nu^QE or in (E_vis, cos theta)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.beams import Beam
from anomfit.data import load_record
from anomfit.detectors.assumed_surroundings import assumed, earth, spheres
from anomfit.detectors.flight_tables import arrivals, grid_shares
from anomfit.detectors.pairs import Seen, Selection, see_pairs
from anomfit.detectors.resolution import find_resolution
from anomfit.detectors.shower_energies import see_energies
from anomfit.detectors.shower_response import Binning, build_response
from anomfit.detectors.spread_response import SpreadTable, build_spread_table, expected_of_spread
from anomfit.detectors.surroundings import OWN_COMPONENTS, Surroundings
from anomfit.physics.constants import M_E, M_N, M_P
from anomfit.physics.corners import interpolate
from anomfit.physics.reaction import SpreadReaction
from anomfit.rates.pair_events import PairEvents
from anomfit.rates.spread_events import SpreadEvents

NAME = "miniboone"  # in data/surroundings and of the nuisance
CH2_MOLAR_MASS = 14.027  # g/mol
EFFICIENCY_WORDS = "single electron/photon, release with arXiv:1207.4809, linear between bin centres, corners rounded"


def single_shower_efficiency(energy):
    """Probability that a shower of `energy` (GeV), born anywhere in the oil, is selected; linear between bin centres.

    Collaboration release with arXiv:1207.4809; zero below 0.1 and above 2.1 GeV. It contains every cut, the fiducial
    one too.
    """
    columns = load_record("miniboone/efficiency_electron_photon").columns
    centre = 0.5e-3 * (columns["E_lo_MeV"] + columns["E_hi_MeV"])
    knots = np.concatenate([[1e-3 * columns["E_hi_MeV"][0]], centre[1:], [1e-3 * columns["E_hi_MeV"][-1]]])
    return interpolate(energy, knots, np.concatenate([[0.0], columns["efficiency"][1:], [0.0]]))


def relative_efficiency(visible, whole):
    """Efficiency for a shower of energy `visible` over that for `whole` (GeV, a little more); 1 where both vanish.

    At most 2, which is reached within 60 MeV of the end of the table at 2.1 GeV, where hardly any event is left.
    """
    reference = single_shower_efficiency(whole)
    is_seen = reference > 0.0
    ratio = single_shower_efficiency(visible) / jnp.where(is_seen, reference, 1.0)
    return jnp.where(is_seen, jnp.minimum(ratio, 2.0), 1.0)


def selection_probability(energy, mass, selection: Selection):
    """Probability that a prompt pair of this energy and mass (GeV) is selected, whatever its angle."""
    seen = see_pairs(energy, mass, selection, relative_efficiency)
    return jnp.sum(seen.weight, axis=-1) * single_shower_efficiency(energy)


def see(events: PairEvents, selection: Selection, points: int, around: Surroundings | None = None) -> Seen:
    """What MiniBooNE sees of the events' pairs, at the `points` energies of `shower_response.see_energies`.

    Without the efficiency for one shower of the pair's energy, which has kinks: `selected` weights the events with it.
    If the events have a component born in the surroundings, a pair of it that decays in the fiducial volume is seen as
    one born in the oil is. `around` is `surroundings()` unless given.
    """
    around = around or surroundings()
    energy = see_energies(points)
    seen = see_pairs(energy, events.mass, selection, relative_efficiency, events.alignment is not None)
    components, shares = events.rate.shape[2], grid_shares(events, energy, around)
    if components == OWN_COMPONENTS and events.parent_flight is None:
        return seen.times(shares[0])
    return seen._replace(arrives=arrivals(shares, components))


def surroundings() -> Surroundings:
    """The oil, the vault and the earth around it, the last two assumed."""
    experiment = load_record("miniboone/experiment").values
    seen, born = experiment["fiducial_radius"], experiment["radius"]
    return spheres(assumed(NAME), seen, born, born, experiment["density"], experiment["distance"])


def in_earth(beam: Beam) -> Beam:
    """The beam with a component of births in earth, in the mass of one CH2."""
    return replace(beam, surroundings=earth(assumed(NAME)["water"], CH2_MOLAR_MASS))


@dataclass(frozen=True)
class SpreadPairs:
    """Bins of E_nu^QE (edges in GeV) of pairs of many masses, static, and how fine their table is.

    resolution: its name; isotropic, aligned: energies and waves of the table's two parts. docs/rates.md has what they
    leave.
    """

    edges: tuple[float, ...]
    selection: Selection
    resolution: str
    isotropic: tuple[int, int] = (28, 20)
    aligned: tuple[int, int] = (16, 16)


@lru_cache(maxsize=16)
def spread_table(pairs: SpreadPairs) -> SpreadTable:
    """The table of these bins, worked out when it is first asked for."""
    waves = max(pairs.isotropic[1], pairs.aligned[1])
    with jax.ensure_compile_time_eval():
        response = build_response(quasi_elastic_bins(pairs.edges), find_resolution(pairs.resolution), 48, waves)
        return build_spread_table(response, pairs.selection, relative_efficiency, pairs.isotropic, pairs.aligned)


def expected_together(
    pairs: SpreadPairs, reaction: SpreadReaction, events: SpreadEvents, around: Surroundings
) -> Float[Array, "component beam bins"]:
    """Events in each bin of a reaction's pairs of all masses."""
    chosen = events._replace(share=events.share * single_shower_efficiency(events.energy))
    return expected_of_spread(spread_table(pairs), reaction, chosen, around)


def selected(events: PairEvents) -> PairEvents:
    """The events weighted with the efficiency for one shower of the pair's energy."""
    return events._replace(share=events.share * single_shower_efficiency(events.energy))


def quasi_elastic_edge(e_nu_qe, cos_theta):
    """Visible energy (GeV) at which E_nu^QE takes a value at a measured angle: the inverse of the experiment's formula.

    p = E - m_e^2 / 2E for the electron, exact to 1e-6 MeV.
    """
    backward = M_N + e_nu_qe * (1.0 - cos_theta)
    energy = (e_nu_qe * M_N + 0.5 * (M_N**2 + M_E**2 - M_P**2)) / backward
    return energy - e_nu_qe * cos_theta * M_E**2 / (2.0 * energy) / backward - M_E


def quasi_elastic_bins(edges: Sequence[float]) -> Binning:
    """Bins of E_nu^QE with these edges in GeV."""
    values = np.asarray(edges)

    def energy_edges(cosine):
        visible = quasi_elastic_edge(values, cosine)
        return visible[:-1], visible[1:]

    return Binning(bins=len(values) - 1, cos_edges=(-1.0, 1.0), energy_edges=energy_edges)


def plane_bins(
    low: np.ndarray, high: np.ndarray, cos_low: np.ndarray, cos_high: np.ndarray, window: tuple[float, float] | None
) -> Binning:
    """Bins of (E_vis, cos theta), edges in GeV, each kept to `window` in E_nu^QE (GeV) where the data are."""

    def energy_edges(cosine):
        here = (cos_low <= cosine) & (cosine < cos_high)
        if window is None:
            return np.where(here, low, 1.0), np.where(here, high, 0.0)
        least, most = (quasi_elastic_edge(value, cosine) for value in window)
        return np.where(here, np.maximum(low, least), 1.0), np.where(here, np.minimum(high, most), 0.0)

    cos_edges = tuple(float(c) for c in np.unique(np.concatenate([cos_low, cos_high])))
    return Binning(bins=len(low), cos_edges=cos_edges, energy_edges=energy_edges)
