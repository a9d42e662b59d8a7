"""The small interfaces that models offer and measurements accept: the waist between physics and experiments.

A measurement names the capabilities it can use; a model offers one by having the method. Nothing here knows of data, and
nothing here knows which model stands behind it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array, Float

from anomfit.parameters import Nuisance, Parametrisation, Point

if TYPE_CHECKING:
    from anomfit.beams import Beam


class PairEvents(NamedTuple):
    """Weighted collimated pairs (e+e- or gamma gamma) made by a beam in a target, on fixed nodes.

    All arrays broadcast against each other over the grid axes (...); axes that a quantity does not depend on have
    length 1, so that what depends on the energy alone is computed once. A pair decays isotropically in its rest frame.
    """

    rate: Float[Array, "... component beam"]  # interactions in the exposure, quadrature weight of the production included
    share: Float[Array, "..."]  # quadrature weight of the decay chain (sums to the branching ratio), no component axis
    energy: Float[Array, "..."]  # GeV, of the pair
    cos_theta: Float[Array, "..."]  # of the pair's momentum to the beam
    mass: Float[Array, ""]  # GeV, of the pair
    decay_length: Float[Array, "..."]  # m, mean distance from the scattering to the pair's birth


@runtime_checkable
class Model(Protocol):
    """What every model has."""

    name: str
    title: str
    references: tuple[str, ...]  # keys of data/references.toml
    parametrisations: Mapping[str, Parametrisation]
    points: Mapping[str, Mapping[str, float]]  # named points, in physical parameters
    nuisances: tuple[Nuisance, ...]


@runtime_checkable
class MakesPairs(Protocol):
    """A beam makes e+e- pairs in a target."""

    def pair_events(self, point: Point, nuisances: Point, beam: "Beam") -> PairEvents:
        """The pairs at this physical point."""
        ...


@runtime_checkable
class PredictsLeptonMoment(Protocol):
    """A shift of a charged lepton's anomalous magnetic moment."""

    def lepton_moment(self, point: Point, lepton: str) -> Float[Array, ""]:
        """Delta a_l, dimensionless; `lepton` is "electron", "muon" or "tau"."""
        ...


@runtime_checkable
class PredictsAppearance(Protocol):
    """nu_mu -> nu_e (and antineutrino) appearance."""

    def appearance_probability(self, point: Point, energy, length) -> Float[Array, "..."]:
        """Probability at `energy` (GeV) and `length` (m), arrays that broadcast."""
        ...


CAPABILITY_WORDS = {
    MakesPairs: "e+e- pairs made by a neutrino beam",
    PredictsLeptonMoment: "magnetic moments of charged leptons",
    PredictsAppearance: "nu_mu -> nu_e appearance",
}


def offered(model: object) -> tuple[str, ...]:
    """What the model supports, in words."""
    return tuple(words for kind, words in CAPABILITY_WORDS.items() if isinstance(model, kind))
