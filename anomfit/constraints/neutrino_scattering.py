"""Neutrino scattering: neutrino-electron samples, T2K ND280, tridents, neutral currents, double cascades."""

from dataclasses import replace
from functools import lru_cache, partial

import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike

from anomfit.beams import Beam, Target, make_beam
from anomfit.beams.molecules import CARBON, CH, GLASS, molecules
from anomfit.capabilities import HasLightScalars, Upscatters, lightest_made, over_reactions, productions
from anomfit.constraints.base import (
    About,
    Constraint,
    HasLightBosons,
    Kind,
    Outcome,
    against_measurement,
    against_upper_limit,
    measured_number,
)
from anomfit.constraints.dark_photon_reference import benchmark, coherent_cross_section
from anomfit.constraints.made_neutrinos import radiated_section
from anomfit.data import Record, load_record
from anomfit.detectors import nd280
from anomfit.detectors.assumed_surroundings import births_name
from anomfit.detectors.resolution import normal_cdf
from anomfit.measurements.neutrino_electron import NeutrinoElectron
from anomfit.measurements.neutrino_electron_charm2 import load_charm2
from anomfit.measurements.neutrino_electron_minerva import load_minerva
from anomfit.parameters import Point
from anomfit.physics import neutrino_trident
from anomfit.physics.boson_strahlung import NODES
from anomfit.physics.constants import M_P
from anomfit.physics.extremes import largest
from anomfit.physics.light_bosons import joined, of_spin
from anomfit.physics.reaction import OneReaction, RadiatedReaction
from anomfit.rates.interactions import cross_section
from anomfit.rates.pair_events import Nodes, PairEvents, pair_events

THRESHOLD_WIDTH = 0.1  # of the edge itself: smooths windows in energy


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (
        _comparison("minerva", "MINERvA", (CARBON,)),
        _comparison("charm2", "CHARM-II", GLASS[:1]),
        _hidden("minerva_le", "2010-2012", load_minerva("le"), _MINERVA),
        _hidden("minerva_me", "2013-2019", load_minerva("me"), _MINERVA),
        _hidden("charm2", "1987-1991", load_charm2(), _CHARM2),
        _counted("nd280-fgd1", "no public data", _FGD1, _ND280),
        _counted("nd280-photon-sample", "upper limit", _SAMPLE, _ND280[:1]),
        *(_trident(name, era) for name, era in (("charm2", "1987-1991"), ("ccfr", "1985-1988"))),
        _neutral_current(),
        *(_double_bang(name) for name in ("deepcore", "icecube")),
    )


# GeV: what nuclei take on is below it, however heavy the mediator. Without it a Z' of 2 GeV left sums 40 % off
TRANSFER = 0.15
# nodes for a sum alone: a hard beam needs energies, a cut in dE/dx that follows the pair's energy needs decays
FEWER = {
    "minerva": {"energy": 128, "angle": 18, "parent": 20, "polar": 24, "spread": (32, 12), "transfer": TRANSFER},
    "charm2": {"energy": 192, "angle": 24, "parent": 32, "polar": 14, "spread": (28, 12), "transfer": TRANSFER},
}
_ND280 = (("nd280_fhc", "pot_nu"), ("nd280_rhc", "pot_nubar"))
_MINERVA = (
    "selected pairs on either side of the cut in dE/dx; coherent or from rock, flight and angle as minerva-nue has them"
)
_CHARM2 = "pairs below 28 MeV in both beams; coherent or from earth, flight, overlap, angle as charm2-nue"
_ONE_NUMBER = "; that measurement has the same data in bins"
_FGD1 = "pairs above 300 MeV decaying anywhere, efficiency 30 %, both beams, as arXiv:2010.06159; no public bound"
_SAMPLE = (
    "pairs of neutrino mode that decay in FGD1, from there or from what is assumed around it, in the bin of 10-20 MeV; "
    "limit: excess + 1.645 errors, 23 % of 1163 expected"
)


# -- pairs among neutrino-electron candidates -----------------------------------------------------------------------


def _hidden(part: str, era: str, measured: NeutrinoElectron, assumption: str) -> Constraint:
    """A limit on the number of pairs that `measured` would select, from its own counts and errors.

    At MINERvA every bin counts, at CHARM-II the signal regions: a background known to 3 per cent on either side of
    28 MeV makes the sideband say nothing about pairs.
    """
    record = load_record("accelerators/pair_searches").parts[part]
    about = About(
        name=part.replace("_", "-"),
        title=record.title,
        quantity="e+e- pairs",
        unit="events",
        kind="upper limit",
        era=era,
        source=record.source,
        assumption=assumption + _ONE_NUMBER,
        references=record.references,
        accepts=(Upscatters,),
    )
    measured = _with_fewer_nodes(measured, FEWER["charm2" if part == "charm2" else "minerva"])
    counted = np.arange(measured.independent_numbers) % 2 == 0 if part == "charm2" else 1.0
    data = {"measured": measured, "counted": np.asarray(counted, float), "limit": _leaf(record, "limit_events")}
    around = {births_name(sample.detector) for sample in measured.samples_of_pairs}
    births = tuple(nuisance for nuisance in measured.nuisances if nuisance.name in around)
    return Constraint(data, about, _selected, births, integral=True)


def _with_fewer_nodes(measured: NeutrinoElectron, fewer: dict) -> NeutrinoElectron:
    """The measurement with nodes for a sum alone: mostly within 1e-3 of its size or 1e-2 of the limit's error, at most
    three times that; docs/rates.md has what was compared.
    """
    samples = [replace(sample, nodes=replace(sample.nodes, **fewer)) for sample in measured.samples_of_pairs]
    return replace(measured, samples_of_pairs=tuple(samples))


def _leaf(record: Record, name: str) -> np.ndarray:
    return np.asarray(record.values[name])


def _selected(model: Upscatters, point: Point, nuisances: Point, data) -> Outcome:
    found = data["measured"].predict(model, point, nuisances)
    return against_upper_limit(jnp.sum(found.total * data["counted"]), data["limit"])


# -- counts of pairs at ND280 ---------------------------------------------------------------------------------------


def _beam(composition: tuple[Target, ...], sources: tuple[tuple[str, str], ...], values) -> Beam:
    tables, exposures = [], []
    number = molecules(values["mass"], values["molar_mass"])
    for flux, exposure in sources:
        columns = load_record(f"accelerators/flux_{flux}").columns
        tables.append((columns["E_lo_GeV"], columns["E_hi_GeV"], columns["numu"] + columns["numubar"]))
        exposures.append(values[exposure] * number)
    return make_beam(tables, exposures, composition)


def _counted(name: str, kind: Kind, assumption: str, sources) -> Constraint:
    record = load_record("accelerators/pair_searches").parts["nd280"]
    values = record.values
    about = About(
        name=name,
        title=record.title,
        quantity="e+e- pairs",
        unit="events",
        kind=kind,
        era="2010-2017",
        source=record.source,
        assumption=assumption,
        references=record.references,
        accepts=(Upscatters,),
    )
    beam = _beam(CH, sources, values)
    data = {
        "beam": nd280.in_sand(beam, values["molar_mass"]) if kind == "upper limit" else beam,
        "window": np.array([values["lowest"], values["highest"]]),
        "efficiency": _leaf(record, "efficiency"),
        "limit": np.asarray(_photon_sample_limit() if kind == "upper limit" else np.inf),
    }
    # energies: the flux has kinks every 50 MeV, and a Z' of 10 to 20 MeV makes pairs of few of them
    nodes = Nodes(energy=256, angle=22, parent=64, polar=16, lowest=0.5 * values["lowest"], highest=values["highest"])
    return Constraint(data, about, partial(_pairs, nodes), integral=True)


def _photon_sample_limit() -> float:
    bin_ = load_record("accelerators/pair_searches").parts["nd280_photon_sample"].values
    error = np.hypot(np.sqrt(bin_["observed"]), bin_["systematic"] * bin_["expected"])
    return float(max(bin_["observed"] - bin_["expected"], 0.0) + 1.645 * error)


def _pairs(nodes: Nodes, model: Upscatters, point: Point, nuisances: Point, data) -> Outcome:
    def of_one(reaction: OneReaction):
        events = pair_events(reaction, data["beam"], nodes)
        arriving = nd280.arriving(events) if data["beam"].surroundings else jnp.ones(())
        return jnp.sum(count_pairs(events, data["window"], arriving))

    total = over_reactions(model, point, nuisances, of_one) * data["efficiency"]
    finite = jnp.isfinite(data["limit"])
    ratio = jnp.where(finite, total / jnp.where(finite, data["limit"], 1.0), 0.0)
    return Outcome(total, data["limit"], ratio)


def count_pairs(events: PairEvents, window, arriving: ArrayLike = 1.0):
    """Pairs with an energy inside `window` (GeV, low and high, smoothed by 10 % at the low end): (component, beam).

    arriving: of those made, how many decay where they are seen, (component, parents, decays).
    """
    low, high = window[0], window[1]
    inside = normal_cdf((events.energy - low) / (THRESHOLD_WIDTH * low)) * (events.energy <= high)
    components, (parents, _) = events.rate.shape[2], events.share.shape
    by_parent = jnp.broadcast_to(jnp.sum(events.share * inside * arriving, axis=-1), (components, parents))
    return jnp.einsum("elcb,ep,cp->cb", events.rate, events.onto, by_parent)


# -- the comparison with a dark photon ------------------------------------------------------------------------------


def _comparison(experiment: str, title: str, target: tuple[Target, ...]) -> Constraint:
    values = benchmark()
    about = About(
        name=f"dark-photon-comparison-{experiment}",
        title=f"coherent cross section at {title} against a dark photon that is just allowed there",
        quantity=f"coherent cross section on {target[0].name}, pairs seen",
        unit="cm^2",
        kind="argument",
        era="2019",
        source="arXiv:1812.08768 on arXiv:1807.09877 with |U_mu4| = 1e-4, as arXiv:2010.06159, section VI",
        assumption="both at the beam's mean energy, same efficiencies; an argument, not a fit to data",
        references=("arXiv:1812.08768", "arXiv:1807.09877", "arXiv:2010.06159"),
        accepts=(Upscatters,),
    )
    energy = values[f"energy_{experiment}"]
    limit = coherent_cross_section(energy, target[0], values["U_mu4"] ** 2)
    data = {"energy": np.asarray(energy), "limit": np.asarray(limit)}
    return Constraint(data, about, partial(coherent_on_first, target))


def coherent_on_first(target: tuple[Target, ...], model: Upscatters, point: Point, nuisances: Point, data) -> Outcome:
    """Visible coherent cross section on the one nucleus in `target` at data["energy"] (GeV), against a limit (cm^2)."""

    def of_one(reaction: OneReaction):
        if isinstance(reaction, RadiatedReaction):
            return reaction.visible * radiated_section(reaction.production, data["energy"], target[0], NODES)
        return reaction.visible * cross_section(reaction.production, data["energy"], target[0])

    return against_upper_limit(over_reactions(model, point, nuisances, of_one), data["limit"])


# -- tridents -------------------------------------------------------------------------------------------------------


def _trident(part: str, era: str) -> Constraint:
    record = load_record("accelerators/neutrino_trident").parts[part]
    about = About(
        name=f"trident-{part}",
        title=record.title,
        quantity="trident over the Standard Model",
        unit="1",
        kind="measured",
        era=era,
        source=record.source,
        assumption="nu_mu -> N2 mu mu, coherent, equivalent photons; the e+e- of N2 goes unnoticed: an upper bound",
        references=(*record.references, "arXiv:1406.2332"),
        accepts=((Upscatters, HasLightScalars),),
        other_spins="a vector makes the muons of a trident with other helicities: not the rate of scalars",
        without=1.0,
    )
    numbers = measured_number(record.values["value"], record.values["sigma"])
    physics = partial(_muon_pairs, record.values["energy"], record.values["mass_number"])
    return Constraint(numbers, about, physics, integral=True)


def _muon_pairs(energy, mass_number, model, point: Point, nuisances: Point, data) -> Outcome:
    scalars, made = of_spin(model.light_bosons(point), "scalar"), lightest_made(model, point, nuisances)
    couplings = scalars.g_nu * scalars.g_mu
    excess = neutrino_trident.trident_excess(energy, mass_number, made, scalars.mass, couplings)
    return against_measurement(1.0 + excess, data)


# -- neutral currents and double cascades ---------------------------------------------------------------------------


def _neutral_current() -> Constraint:
    record = load_record("accelerators/pair_searches").parts["neutral_current"]
    about = About(
        name="neutral-current",
        title=record.title,
        quantity="heavy neutrinos made over the neutral current, 10 GeV",
        unit="1",
        kind="upper limit",
        era="1984",
        source=record.source,
        assumption="elastic on a proton at the sample's threshold, no quarks: too low; scalars fall as 1/E^2",
        references=record.references,
        accepts=(Upscatters,),
    )
    data = {name: _leaf(record, name) for name in ("slope", "energy", "limit")}
    return Constraint(data, about, _exchange)


def _exchange(model: Upscatters, point: Point, nuisances: Point, data) -> Outcome:
    proton = Target("proton", M_P, 1.0, 1, 0)
    found = sum(cross_section(each, data["energy"], proton) for each in productions(model, point, nuisances))
    return against_upper_limit(found / (data["slope"] * data["energy"]), data["limit"])


_BANGS = {
    "deepcore": "a study of sensitivity, no search; the longest-lived boson at this energy, not a heavy neutrino",
    "icecube": "longer flights can be told apart: what protects the model is the rate, neutral-current times 1/E^2",
}


def _double_bang(detector: str) -> Constraint:
    record = load_record("accelerators/pair_searches").parts["double_bang"]
    title = {"deepcore": "DeepCore", "icecube": "IceCube"}[detector]
    energy = record.values[f"{detector}_energy"]
    about = About(
        name=f"double-bang-{detector}",
        title=f"{title}: two separated cascades",
        quantity=f"flight of the pair's parent at {energy:g} GeV",
        unit="m",
        kind="projection" if detector == "deepcore" else "no public data",
        era="theory",
        source=record.source,
        assumption=_BANGS[detector],
        references=record.references,
        accepts=(HasLightBosons,),
    )
    data = {"energy": np.asarray(energy), "limit": np.asarray(record.values[detector])}
    return Constraint(data, about, _flight)


def _flight(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    bosons = joined(model.light_bosons(point))
    momentum = jnp.sqrt(jnp.maximum(data["energy"] ** 2 - bosons.mass**2, 1e-12))
    flight = largest(bosons.decay_length_per_momentum * momentum)
    return Outcome(flight, data["limit"], flight / data["limit"])
