"""The small interfaces that models offer and measurements accept: the waist between physics and experiments.

A measurement names the capabilities it can use; a model offers one by having the method. Nothing here knows of data,
and nothing here knows which model stands behind it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array, Float

from anomfit.parameters import Nuisance, Parametrisation, Point

if TYPE_CHECKING:
    from anomfit.beams import Beam
    from anomfit.physics.upscattered_pairs import Nodes


class PairEvents(NamedTuple):
    """Weighted collimated pairs (e+e- or gamma gamma) made by a beam in a target, on fixed nodes.

    Parents are made at some energies (axis `energies`) under some angles to the beam (axis `directions`). Each of a few
    parents (axis `parents`), between which `onto` interpolates to the energies, sends pairs off at an angle to itself
    (axis `decays`), with uniform azimuth. A pair made directly has one decay with cos_decay = 1. A pair decays
    isotropically in its rest frame, after a flight of decay_length_per_momentum x momentum.
    """

    rate: Float[Array, "energies directions component beam"]  # interactions, quadrature weights included
    cos_parent: Float[Array, "energies directions"]  # parent's direction to the beam
    onto: Float[Array, "energies parents"]
    share: Float[Array, "parents decays"]  # branching ratio times quadrature weight
    energy: Float[Array, "parents decays"]  # GeV, of the pair
    cos_decay: Float[Array, "parents decays"]  # pair's direction to its parent's
    made: Float[Array, "component beam"]  # all pairs made; the nodes above leave out energies that are never seen
    mass: Float[Array, ""]  # GeV, of the pair
    decay_length_per_momentum: Float[Array, ""]  # m/GeV: c tau / mass of what decays to the pair


@runtime_checkable
class Model(Protocol):
    """What every model has."""

    @property
    def name(self) -> str:
        """The name in commands and cards."""
        ...

    @property
    def title(self) -> str:
        """One line for a listing."""
        ...

    @property
    def references(self) -> tuple[str, ...]:
        """Keys of data/references.toml."""
        ...

    @property
    def parametrisations(self) -> Mapping[str, Parametrisation]:
        """Sets of parameters that describe it, the default card's first."""
        ...

    @property
    def points(self) -> Mapping[str, Mapping[str, float]]:
        """Named points, in physical parameters."""
        ...

    @property
    def nuisances(self) -> tuple[Nuisance, ...]:
        """Parameters of the theory that other data constrain."""
        ...


@runtime_checkable
class MakesPairs(Protocol):
    """A beam makes e+e- pairs in a target."""

    def pair_events(self, point: Point, nuisances: Point, beam: "Beam", nodes: "Nodes") -> PairEvents:
        """The pairs at this physical point; `nodes` are the numbers of quadrature nodes, static."""
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


class MesonScalars(NamedTuple):
    """Light neutral bosons that mesons decay to, one an entry: mass in GeV, mean life in s, branching ratios."""

    mass: Float[Array, " scalars"]
    lifetime: Float[Array, " scalars"]
    to_electrons: Float[Array, " scalars"]
    to_photons: Float[Array, " scalars"]
    to_invisible: Float[Array, " scalars"]


MESON_MODES = ("K+ -> pi+", "K_L -> pi0", "K_S -> pi0", "B+ -> K+", "B0 -> K0", "B+ -> K*+", "B0 -> K*0")


@runtime_checkable
class ProducesScalarsInMesonDecays(Protocol):
    """Decays of mesons to a light boson and what becomes of it."""

    def meson_scalars(self, point: Point) -> MesonScalars:
        """The bosons at a physical point."""
        ...

    def meson_branching_ratio(self, point: Point, mode: str) -> Float[Array, " scalars"]:
        """Branching ratio of one of `MESON_MODES` with each boson; 0 where a model has no such decay."""
        ...


CAPABILITY_WORDS = {
    MakesPairs: "e+e- pairs made by a neutrino beam",
    PredictsLeptonMoment: "magnetic moments of charged leptons",
    PredictsAppearance: "nu_mu -> nu_e appearance",
    ProducesScalarsInMesonDecays: "meson decays to light scalars",
}


def offered(model: object) -> tuple[str, ...]:
    """What the model supports, in words."""
    return tuple(words for kind, words in CAPABILITY_WORDS.items() if isinstance(model, kind))
