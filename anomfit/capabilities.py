"""The small interfaces that models offer and measurements accept: the waist between physics and experiments.

A measurement names the capabilities it can use; a model offers one by having the method. Nothing here knows of data,
and nothing here knows which model stands behind it.
"""

import inspect
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.errors import InputError, reject
from anomfit.parameters import Nuisance, Parametrisation, Point
from anomfit.physics.exchange import Exchange
from anomfit.physics.extremes import smallest
from anomfit.physics.reaction import (
    AnyReaction,
    OneReaction,
    RadiatedReaction,
    Reaction,
    over_parts,
    summed,
    with_masses,
)
from anomfit.physics.targets import TargetChoices

if TYPE_CHECKING:
    from anomfit.measurements.base import Measurement
    from anomfit.physics.dark_neutrinos import DarkNeutrinos
    from anomfit.physics.gauged_charges import GaugedCharges
    from anomfit.physics.gauged_scalar_sector import SecondDoublet
    from anomfit.physics.heavy_neutrinos import HeavyNeutrinos
    from anomfit.physics.higgs_decays import HiggsDecays
    from anomfit.physics.light_bosons import LightBosons
    from anomfit.physics.neutrino_mass import SeesawStates

T = TypeVar("T")


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
class Upscatters(Protocol):
    """Neutrinos of a beam make heavy neutrinos in a target, whose decays are seen as pairs or not at all."""

    def reactions(self, point: Point, nuisances: Point) -> tuple[AnyReaction, ...]:
        """One for each heavy neutrino that is made and boson that it decays to, at a physical point.

        A `Reaction` without channels makes a heavy neutrino that nobody sees: measurements of pairs leave it out.
        """
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
class HasLightBosons(Protocol):
    """Light neutral bosons with their couplings and widths."""

    def light_bosons(self, point: Point) -> "tuple[LightBosons, ...]":
        """All of them at a physical point, those of one spin together; how many of each spin is static."""
        ...


class _OfSpin(type):
    """Kinds of models that have light bosons of certain spins, as classes, so that `isinstance` answers."""

    spins: frozenset[str]
    words: str

    def __instancecheck__(cls, model: object) -> bool:
        return isinstance(model, HasLightBosons) and not cls.spins.isdisjoint(spins_of(model))


class HasLightScalars(metaclass=_OfSpin):
    """`HasLightBosons` with a CP-even scalar among them."""

    spins, words = frozenset({"scalar"}), "light scalars with their couplings and widths"


class HasLightSpinZero(metaclass=_OfSpin):
    """`HasLightBosons` with a scalar or a pseudoscalar among them."""

    spins, words = frozenset({"scalar", "pseudoscalar"}), "light bosons of spin 0 with their couplings and widths"


class HasLightVectors(metaclass=_OfSpin):
    """`HasLightBosons` with a vector among them."""

    spins, words = frozenset({"vector"}), "light vectors with their couplings and widths"


def spins_of(model: HasLightBosons) -> frozenset[str]:
    """Spins of the model's light bosons; all of them where a user's `light_bosons` fails."""
    return _static_words(_spins, model, frozenset({"scalar", "pseudoscalar", "vector"}))


def _spins(model: Any, chosen: Parametrisation, point: Point) -> frozenset[str]:
    families = jax.eval_shape(lambda at: model.light_bosons(chosen.to_physical(at)), point)
    return frozenset(family.spin for family in families)


def _static_words(read: Callable[..., frozenset[str]], model: Any, otherwise: frozenset[str]) -> frozenset[str]:
    """What `read` finds without computing anything, since it is static.

    `otherwise` where a user's method fails: what asks for its numbers says how.
    """
    try:
        return _traced(read, model) if isinstance(model, Hashable) else _traced.__wrapped__(read, model)
    except Exception:
        return otherwise


@lru_cache(maxsize=128)
def _traced(read: Callable[..., frozenset[str]], model: Any) -> frozenset[str]:
    chosen = next(iter(model.parametrisations.values()))
    return read(model, chosen, dict.fromkeys(chosen.names, jax.ShapeDtypeStruct((), float)))


@runtime_checkable
class HasDarkNeutrinos(Protocol):
    """Heavy neutrinos that a dark photon couples to each other and to light ones."""

    def dark_neutrinos(self, point: Point) -> "DarkNeutrinos":
        """The states with their vertices, and Z', at a physical point; how many of them is static."""
        ...


@runtime_checkable
class MixesHeavyNeutrinos(Protocol):
    """Heavy neutrinos that mix with light ones."""

    def heavy_neutrinos(self, point: Point) -> "HeavyNeutrinos":
        """Masses, mixings and widths at a physical point; how many states, and with what they mix, is static."""
        ...


class _OfFlavour(type):
    """Kinds of models whose heavy neutrinos mix with certain flavours, as classes, so that `isinstance` answers."""

    flavour: str
    base: type
    words: str

    def __instancecheck__(cls, model: object) -> bool:
        return isinstance(model, MixesHeavyNeutrinos) and cls.flavour in flavours_of(model)


class MixesMuonNeutrinos(metaclass=_OfFlavour):
    """`MixesHeavyNeutrinos` with nu_mu."""

    flavour, base, words = "muon", MixesHeavyNeutrinos, "heavy neutrinos that mix with nu_mu"


class MixesElectronNeutrinos(metaclass=_OfFlavour):
    """`MixesHeavyNeutrinos` with nu_e."""

    flavour, base, words = "electron", MixesHeavyNeutrinos, "heavy neutrinos that mix with nu_e"


def flavours_of(model: MixesHeavyNeutrinos) -> frozenset[str]:
    """Flavours with which the model's heavy neutrinos mix; all of them where a user's `heavy_neutrinos` fails."""
    return _static_words(_flavours, model, frozenset({"electron", "muon", "tau"}))


def _flavours(model: Any, chosen: Parametrisation, point: Point) -> frozenset[str]:
    states = jax.eval_shape(lambda at: model.heavy_neutrinos(chosen.to_physical(at)), point)
    return frozenset(states.flavours)


@runtime_checkable
class PredictsLightNeutrinos(Protocol):
    """Masses of the light neutrinos."""

    def light_neutrinos(self, point: Point) -> "SeesawStates":
        """Mass eigenstates of the three generations."""
        ...


@runtime_checkable
class GaugesCharges(Protocol):
    """A light vector that gauges baryon number, lepton numbers, or a combination of them."""

    def gauged_charges(self, point: Point) -> "GaugedCharges":
        """The vector with its charges at a physical point."""
        ...


@runtime_checkable
class DecaysLeptons(Protocol):
    """l1 -> l2 gamma through couplings that change the lepton's flavour."""

    def radiative_width(self, point: Point, parent: str, daughter: str) -> Float[Array, ""]:
        """Width of parent -> daughter gamma, GeV; the leptons are "electron", "muon" or "tau"."""
        ...


@runtime_checkable
class HasSecondDoublet(Protocol):
    """A second Higgs doublet with a charged and a CP-odd scalar."""

    def second_doublet(self, point: Point) -> "SecondDoublet":
        """Its scalars and quartic couplings at a physical point."""
        ...


@runtime_checkable
class DecaysHiggs(Protocol):
    """Decays of the Higgs boson to new particles."""

    def higgs_decays(self, point: Point) -> "HiggsDecays":
        """Widths that the Standard Model lacks, and how strongly h couples to its particles."""
        ...


@runtime_checkable
class HasCouplings(Protocol):
    """Dimensionless couplings that an expansion needs small."""

    def largest_coupling(self, point: Point) -> Float[Array, ""]:
        """The largest of them in size."""
        ...


MESON_MODES = ("K+ -> pi+", "K_L -> pi0", "K_S -> pi0", "B+ -> K+", "B0 -> K0", "B+ -> K*+", "B0 -> K*0")


@runtime_checkable
class DecaysMesons(HasLightBosons, Protocol):
    """Flavour-changing decays of mesons to light bosons, at rates of the model's own.

    Without it the rates that couplings to light quarks make are used (`anomfit.constraints.meson_production`).
    """

    def meson_branching_ratios(self, point: Point, mode: str) -> tuple[Float[Array, " bosons"], ...]:
        """Branching ratio of one of `MESON_MODES` with each boson, in the order of `light_bosons`; 0 where there is no
        such decay.
        """
        ...


@runtime_checkable
class HasTargets(Protocol):
    """A model that scatters neutrinos off targets, with what is assumed of these."""

    @property
    def targets(self) -> TargetChoices:
        """Form factors and binding, for all measurements alike."""
        ...


def with_targets(model: Model, words: Mapping[str, str]) -> Model:
    """The model with other choices about its targets, by field of `TargetChoices`; the same model where none is given.

    Raises InputError for a field or a word that is not known, and for a model without targets.
    """
    if not words:
        return model
    known = [field.name for field in fields(TargetChoices)]
    for name in words:
        if name not in known:
            raise reject("targets", name, f"use one of {', '.join(known)}")
    if not (isinstance(model, HasTargets) and is_dataclass(model)):
        raise InputError(f"targets: {model.name} has none; leave out the choices, or give the model a field 'targets'")
    return replace(model, targets=replace(model.targets, **words))  # type: ignore[return-value]


CAPABILITY_WORDS = {
    Upscatters: "heavy neutrinos made by a neutrino beam",
    PredictsLeptonMoment: "magnetic moments of charged leptons",
    PredictsAppearance: "nu_mu -> nu_e appearance",
    DecaysMesons: "meson decays to light bosons",
    HasLightBosons: "light bosons with their couplings and widths",
    HasDarkNeutrinos: "heavy neutrinos that couple to a dark photon",
    MixesHeavyNeutrinos: "heavy neutrinos that mix with light ones",
    PredictsLightNeutrinos: "masses of the light neutrinos",
    GaugesCharges: "a light vector of baryon or lepton number",
    DecaysLeptons: "radiative decays of muons and taus to other leptons",
    HasSecondDoublet: "the scalars of a second Higgs doublet",
    DecaysHiggs: "decays of the Higgs boson to new particles",
    HasCouplings: "couplings that must be perturbative",
}

Needs = type | tuple[type, ...]
"""A capability, or several that are all needed together."""


def offered(model: object) -> tuple[str, ...]:
    """What the model supports, in words."""
    return tuple(words for kind, words in CAPABILITY_WORDS.items() if isinstance(model, kind))


def offers(model: object, accepts: tuple[Needs, ...]) -> bool:
    """Whether the model offers any of what is accepted: a capability, or all of several."""
    return any(all(isinstance(model, kind) for kind in together(needs)) for needs in accepts)


def together(needs: Needs) -> tuple[type, ...]:
    """The capabilities that are needed together."""
    return needs if isinstance(needs, tuple) else (needs,)


def require_offered(model: Model, measurement: "Measurement") -> None:
    """InputError, with what is lacking, when the model offers none of the capabilities that the measurement accepts."""
    if not offers(model, measurement.accepts):
        needs = " or ".join(" with ".join(map(_words, together(needs))) for needs in measurement.accepts)
        lacked = [" and ".join(_lacked(model, kind) for kind in together(needs)) for needs in measurement.accepts]
        missing = ", or ".join(dict.fromkeys(lacked))
        raise InputError(f"{measurement.name} needs {needs}, which {model.name} does not offer: it lacks {missing}")


def _words(kind: type) -> str:
    return CAPABILITY_WORDS.get(kind, kind.__name__)


def _lacked(model: object, kind: type) -> str:
    """What a model lacks of a capability: the methods as they are called, and where they are explained."""
    if isinstance(kind, _OfSpin):
        if isinstance(model, HasLightBosons):
            return f"a {' or a '.join(sorted(kind.spins))} among its light bosons"
        kind = HasLightBosons
    if isinstance(kind, _OfFlavour):
        if isinstance(model, MixesHeavyNeutrinos):
            return f"mixing of its heavy neutrinos with the {kind.flavour}'s neutrino"
        kind = kind.base
    return f"{called(kind)} (see {kind.__module__}.{kind.__qualname__})"


def called(kind: type) -> str:
    """The methods that a capability asks for as they are called, such as `light_bosons(point)`; a class by its name."""
    methods = {name: x for name, x in vars(kind).items() if not name.startswith("_") and inspect.isfunction(x)}
    if Protocol not in kind.__mro__ or not methods:
        return f"`{kind.__name__}`"
    arguments = {name: list(inspect.signature(method).parameters)[1:] for name, method in methods.items()}
    return " and ".join(f"`{name}({', '.join(names)})`" for name, names in arguments.items())


def productions(model: Upscatters, point: Point, nuisances: Point) -> tuple[Exchange, ...]:
    """How the model's heavy neutrinos are made, each way once: reactions that share one differ in their decays.

    What makes a boson beside the heavy neutrino is another process, with three bodies behind it.
    """
    reactions = model.reactions(point, nuisances)
    found = [reaction.production for reaction in reactions if not isinstance(reaction, RadiatedReaction)]
    return tuple({id(exchange): exchange for exchange in found}.values())


def pair_reactions(model: Upscatters, point: Point, nuisances: Point) -> tuple[AnyReaction, ...]:
    """The model's reactions without those whose heavy neutrino nobody sees."""
    return tuple(each for each in model.reactions(point, nuisances) if not isinstance(each, Reaction) or each.channels)


def lightest_made(model: Upscatters, point: Point, nuisances: Point) -> Float[Array, ""]:
    """Mass (GeV) of the lightest heavy neutrino that the model makes: of the only one, where there is one."""
    return smallest(jnp.stack([exchange.m_N for exchange in productions(model, point, nuisances)]))


def over_reactions(
    model: Upscatters, point: Point, nuisances: Point, of_one: Callable[[OneReaction], T], masses: int | None = None
) -> T:
    """The sum of what `of_one` finds for each reaction of the model and each of its pairs, pytrees of one kind.

    masses: of how many masses the pairs of a decay may be, where what is found is smooth in the mass (`with_masses`).
    """
    found = list(pair_reactions(model, point, nuisances))
    if masses is not None:
        found = [with_masses(reaction, masses) for reaction in found]
    return summed([over_parts(reaction, of_one) for reaction in found])
