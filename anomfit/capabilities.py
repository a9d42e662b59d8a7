"""The small interfaces that models offer and measurements accept: the waist between physics and experiments.

A measurement names the capabilities it can use; a model offers one by having the method. Nothing here knows of data,
and nothing here knows which model stands behind it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array, Float

from anomfit.errors import InputError
from anomfit.parameters import Nuisance, Parametrisation, Point

if TYPE_CHECKING:
    from anomfit.beams import Beam
    from anomfit.measurements.base import Measurement
    from anomfit.physics.light_scalars import LightScalars
    from anomfit.physics.neutrino_mass import SeesawStates
    from anomfit.physics.scalar_upscattering import FormFactors, ScalarMediators
    from anomfit.physics.upscattered_pairs import Nodes


class PairSpin(NamedTuple):
    """How a parent's polarisation steers its pairs: an azimuth phi, counted from the beam's side, has the weight

    1 + along cos_star + across sin_star cos(phi); (cos_star, sin_star): the pair's direction in the parent's rest frame
    to the parent's flight; along, across: asymmetry of the decay times polarisation.
    """

    along: Float[Array, "energies directions"]
    across: Float[Array, "energies directions"]
    cos_star: Float[Array, "parents decays"]
    sin_star: Float[Array, "parents decays"]


class PairEvents(NamedTuple):
    """Weighted collimated pairs (e+e- or gamma gamma) made by a beam in a target, on fixed nodes.

    Parents are made at some energies (axis `energies`) under some angles to the beam (axis `directions`). Each of a few
    parents (axis `parents`), between which `onto` interpolates to the energies, sends pairs off at an angle to itself
    (axis `decays`), with uniform azimuth unless `spin` says otherwise. A pair made directly has one decay with
    cos_decay = 1. A pair decays isotropically in its rest frame, after a flight of decay_length_per_momentum x
    momentum.
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
    spin: PairSpin | None = None


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


class ScalarMasses(Protocol):
    """Scalars of a model: masses in GeV and the factor of doublet-type couplings."""

    @property
    def mass(self) -> Float[Array, "scalars"]:
        """GeV."""
        ...

    @property
    def doublet(self) -> Float[Array, "scalars"]:
        """The share of a doublet-type coupling."""
        ...


@runtime_checkable
class UpscattersByScalars(Protocol):
    """A model in which nu_mu makes N_2 by scalar exchange and N_2 -> N_1 h' or nu h', h' -> e+e-.

    Its points have m_N2, m_N1, m_hprime and y_nu. A recoil cannot be had from `MakesPairs`, whose nodes have none.
    """

    def form_factors(self, nuisances: Point) -> "FormFactors":
        """Those in force."""
        ...

    def scalars(self, point: Point) -> ScalarMasses:
        """The exchanged scalars."""
        ...

    def nucleon_couplings(self, point: Point) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Doublet-type (F_p, F_n)."""
        ...

    def hprime_widths(self, point: Point) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Widths to e+e- and to everything else, GeV."""
        ...

    def heavy_neutrino_widths(self, point: Point) -> Sequence[Float[Array, ""]]:
        """Widths of N_2, GeV: first N_1 h', then nu h', then the rest."""
        ...


@runtime_checkable
class ExchangesScalars(Protocol):
    """Scalars that turn nu_mu into a heavy neutrino on a target."""

    def mediators(self, point: Point, nuisances: Point) -> "ScalarMediators":
        """Masses and couplings."""
        ...

    def form_factors(self, nuisances: Point) -> "FormFactors":
        """Those in force."""
        ...

    def heavy_neutrino_mass(self, point: Point) -> Float[Array, ""]:
        """What is made, GeV."""
        ...


@runtime_checkable
class StatesChoices(Protocol):
    """A model that says which of its options are in force."""

    @property
    def choices(self) -> Mapping[str, str]:
        """In words, by what they are about."""
        ...


def choices_of(model: object) -> dict[str, str]:
    """The choices of a model that states them, none of another."""
    return dict(model.choices) if isinstance(model, StatesChoices) else {}


@runtime_checkable
class PredictsLightScalars(Protocol):
    """Light neutral scalars with their couplings and widths."""

    def light_scalars(self, point: Point) -> "LightScalars":
        """All of them at a physical point."""
        ...


@runtime_checkable
class DecaysPartlyInvisibly(Protocol):
    """A heavy neutrino whose decay is not always seen."""

    def visible_share(self, point: Point) -> Float[Array, ""]:
        """Branching ratio to an e+e- or gamma gamma pair and anything."""
        ...


@runtime_checkable
class ExchangesLightScalars(ExchangesScalars, PredictsLightScalars, Protocol):
    """Scalar exchange by scalars whose other couplings are known too."""


@runtime_checkable
class ScattersPartlyInvisibly(MakesPairs, ExchangesScalars, DecaysPartlyInvisibly, Protocol):
    """Pairs made by a neutrino beam through scalar exchange, not every one of which is seen."""


@runtime_checkable
class DecaysThroughScalars(PredictsLightScalars, Protocol):
    """A heavy neutrino nu_4 that decays to a light scalar."""

    def nu4_decay_width(self, point: Point) -> Float[Array, ""]:
        """Its width, GeV."""
        ...


@runtime_checkable
class PredictsLightNeutrinos(Protocol):
    """Masses of the light neutrinos."""

    def light_neutrinos(self, point: Point) -> "SeesawStates":
        """Mass eigenstates of the three generations."""
        ...


@runtime_checkable
class HasYukawaCouplings(Protocol):
    """Dimensionless couplings that an expansion needs small."""

    def largest_coupling(self, point: Point) -> Float[Array, ""]:
        """The largest of them in size."""
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
    UpscattersByScalars: "heavy neutrinos made by scalar exchange, with the recoil of the target",
    ExchangesScalars: "scalar exchange of neutrinos with any target",
    ExchangesLightScalars: "scalar exchange by scalars whose couplings to leptons are known",
    DecaysPartlyInvisibly: "the share of heavy neutrinos that decay visibly",
    PredictsLightScalars: "light scalars with their couplings and widths",
    ScattersPartlyInvisibly: "pairs made by scalar exchange, not all of which are seen",
    DecaysThroughScalars: "light scalars out of a heavy neutrino with its width",
    PredictsLightNeutrinos: "masses of the light neutrinos",
    HasYukawaCouplings: "couplings that must be perturbative",
}


def offered(model: object) -> tuple[str, ...]:
    """What the model supports, in words."""
    return tuple(words for kind, words in CAPABILITY_WORDS.items() if isinstance(model, kind))


def require_offered(model: Model, measurement: "Measurement") -> None:
    """InputError, in words, when the model offers none of the capabilities that the measurement accepts."""
    if not any(isinstance(model, kind) for kind in measurement.accepts):
        needs = " or ".join(CAPABILITY_WORDS.get(kind, kind.__name__) for kind in measurement.accepts)
        raise InputError(
            f"{measurement.name} needs {needs}, which {model.name} does not offer; "
            "'anomfit models' says what each model predicts"
        )
