"""Neutrino scattering: neutrino-electron samples, T2K ND280, tridents, neutral currents, double cascades."""

from functools import lru_cache, partial

import jax.numpy as jnp
import numpy as np

from anomfit.beams import Beam, Target, make_beam
from anomfit.beams.molecules import CARBON, CH, GLASS, molecules
from anomfit.capabilities import (
    DecaysPartlyInvisibly,
    ExchangesLightScalars,
    ExchangesScalars,
    MakesPairs,
    PairEvents,
)
from anomfit.constraints.base import (
    About,
    Constraint,
    Kind,
    Outcome,
    PredictsLightScalars,
    against_measurement,
    against_upper_limit,
    measured_number,
)
from anomfit.constraints.dark_photon_reference import benchmark, coherent_cross_section
from anomfit.data import load_record
from anomfit.detectors.resolution import normal_cdf
from anomfit.parameters import Point
from anomfit.physics import neutrino_trident
from anomfit.physics.constants import M_P
from anomfit.physics.kinematics import momentum_transfer_limits
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.scalar_upscattering import (
    FormFactors,
    ScalarMediators,
    Targets,
    d_sigma_d_q_squared,
    stack_targets,
)
from anomfit.physics.upscattered_pairs import Nodes

THRESHOLD_WIDTH = 0.1  # of the edge itself: smooths windows in energy


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (
        _comparison("minerva", "MINERvA", (CARBON,)),
        _comparison("charm2", "CHARM-II", GLASS[:1]),
        _counted("minerva_le", "minerva-le", "2010-2012", "upper limit", _NU_E, CH, (("minerva_le", "pot"),), True),
        _counted("minerva_me", "minerva-me", "2013-2019", "upper limit", _NU_E, CH, (("minerva_me", "pot"),), True),
        _counted("charm2", "charm2", "1987-1991", "upper limit", _NU_E, GLASS, _CHARM2, True),
        _counted("nd280", "nd280-fgd1", "2010-2017", "no public data", _FGD1, CH, _ND280, False),
        _counted("nd280", "nd280-photon-sample", "2010-2017", "upper limit", _SAMPLE, CH, _ND280[:1], False),
        *(_trident(name, era) for name, era in (("charm2", "1987-1991"), ("ccfr", "1985-1988"))),
        _neutral_current(),
        *(_double_bang(name) for name in ("deepcore", "icecube")),
    )


_CHARM2 = (("charm2_nu", "pot_nu"), ("charm2_nubar", "pot_nubar"))
_ND280 = (("nd280_fhc", "pot_nu"), ("nd280_rhc", "pot_nubar"))
_NU_E = "coherent pairs in the window of energy, all taken as overlapping and within the angular cut: an upper bound"
_FGD1 = "E of the pair above 300 MeV, efficiency 30 %, both beams, as arXiv:2010.06159; the bound is not public"
_SAMPLE = "the same pairs, neutrino mode, in the bin of 10-20 MeV; limit: excess + 1.645 errors, 23 % of 1163 expected"


# -- counts of pairs ------------------------------------------------------------------------------------------------


def _beam(composition: tuple[Target, ...], sources: tuple[tuple[str, str], ...], values) -> Beam:
    tables, exposures = [], []
    number = molecules(values["mass"], values["molar_mass"])
    for flux, exposure in sources:
        columns = load_record(f"accelerators/flux_{flux}").columns
        tables.append((columns["E_lo_GeV"], columns["E_hi_GeV"], columns["numu"] + columns["numubar"]))
        exposures.append(values[exposure] * number)
    return make_beam(tables, exposures, composition)


def _counted(part, name, era, kind: Kind, assumption, composition, sources, coherent: bool) -> Constraint:
    record = load_record("accelerators/pair_searches").parts[part]
    values = record.values
    about = About(
        name=name,
        title=record.title,
        quantity="e+e- pairs",
        unit="events",
        kind=kind,
        era=era,
        source=record.source,
        assumption=assumption,
        references=record.references,
        accepts=(MakesPairs,),
    )
    data = {
        "beam": _beam(composition, sources, values),
        "window": np.array([values["lowest"], values["highest"]]),
        "efficiency": np.asarray(values["efficiency"]),
        "limit": np.asarray(_event_limit(name, values)),
    }
    nodes = Nodes(energy=96, angle=22, parent=64, polar=16, lowest=0.5 * values["lowest"], highest=values["highest"])
    return Constraint(data, about, partial(_pairs, nodes, coherent), integral=True)


def _event_limit(name: str, values) -> float:
    if name != "nd280-photon-sample":
        return values.get("limit_events", float("inf"))
    bin_ = load_record("accelerators/pair_searches").parts["nd280_photon_sample"].values
    error = np.hypot(np.sqrt(bin_["observed"]), bin_["systematic"] * bin_["expected"])
    return float(max(bin_["observed"] - bin_["expected"], 0.0) + 1.645 * error)


def _pairs(nodes: Nodes, coherent: bool, model: MakesPairs, point: Point, nuisances: Point, data) -> Outcome:
    events = model.pair_events(point, nuisances, data["beam"], nodes)
    seen = count_pairs(events, data["window"]) * data["efficiency"]
    total = jnp.sum(seen[0] if coherent else seen)
    finite = jnp.isfinite(data["limit"])
    ratio = jnp.where(finite, total / jnp.where(finite, data["limit"], 1.0), 0.0)
    return Outcome(total, data["limit"], ratio)


def count_pairs(events: PairEvents, window):
    """Pairs with an energy inside `window` (GeV, low and high, smoothed by 10 % at the low end): (component, beam)."""
    low, high = window[0], window[1]
    inside = normal_cdf((events.energy - low) / (THRESHOLD_WIDTH * low)) * (events.energy <= high)
    by_parent = jnp.sum(events.share * inside, axis=-1)
    return jnp.einsum("elcb,ep,p->cb", events.rate, events.onto, by_parent)


# -- the comparison with a dark photon ------------------------------------------------------------------------------


def _comparison(experiment: str, title: str, target: tuple[Target, ...]) -> Constraint:
    values = benchmark()
    about = About(
        name=f"dark-photon-comparison-{experiment}",
        title=f"coherent cross section at {title} against a dark photon that is just allowed there",
        quantity=f"coherent cross section on {target[0].name}, pairs seen",
        unit="cm^2",
        kind="upper limit",
        era="2019",
        source="arXiv:1812.08768 on arXiv:1807.09877 with |U_mu4| = 1e-4, as arXiv:2010.06159, section VI",
        assumption="both at the beam's mean energy, same efficiencies; an argument, not a fit to data",
        references=("arXiv:1812.08768", "arXiv:1807.09877", "arXiv:2010.06159"),
        accepts=(ExchangesScalars,),
    )
    energy = values[f"energy_{experiment}"]
    limit = coherent_cross_section(energy, target[0], values["U_mu4"] ** 2)
    data = {"energy": np.asarray(energy), "limit": np.asarray(limit)}
    return Constraint(data, about, partial(coherent_on_first, target))


def coherent_on_first(target, model: ExchangesScalars, point: Point, nuisances: Point, data) -> Outcome:
    """Visible coherent cross section on the one nucleus in `target` at data["energy"] (GeV), against a limit (cm^2)."""
    mediators, forms = model.mediators(point, nuisances), model.form_factors(nuisances)
    made = model.heavy_neutrino_mass(point)
    predicted = scalar_cross_section(data["energy"], made, mediators, stack_targets(target), forms)
    visible = model.visible_share(point) if isinstance(model, DecaysPartlyInvisibly) else 1.0
    return against_upper_limit(visible * predicted, data["limit"])


def scalar_cross_section(e_nu, m_N, mediators: ScalarMediators, targets: Targets, forms: FormFactors, nodes: int = 64):
    """Integral of `d_sigma_d_q_squared` over Q^2 for one target, cm^2; 0 below threshold."""
    low, high = momentum_transfer_limits(e_nu, m_N, targets.mass[0])
    light = jnp.min(mediators.mass) ** 2
    u, w = unit_legendre(nodes)
    is_open = high > low
    stretch = jnp.log(jnp.where(is_open, (high + light) / (low + light), 2.0))
    q_squared = (low + light) * jnp.exp(stretch * u) - light
    density = d_sigma_d_q_squared(e_nu, q_squared[:, None], m_N, mediators, targets, forms)[:, 0]
    return jnp.where(is_open, jnp.sum(w * stretch * (q_squared + light) * density), 0.0)


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
        accepts=(ExchangesLightScalars,),
        without=1.0,
    )
    numbers = measured_number(record.values["value"], record.values["sigma"])
    physics = partial(_muon_pairs, record.values["energy"], record.values["mass_number"])
    return Constraint(numbers, about, physics, integral=True)


def _muon_pairs(energy, mass_number, model: ExchangesLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    scalars, made = model.light_scalars(point), model.heavy_neutrino_mass(point)
    excess = neutrino_trident.trident_excess(energy, mass_number, made, scalars.mass, scalars.y_nu * scalars.y_mu)
    return against_measurement(1.0 + excess, data)


# -- neutral currents and double cascades ---------------------------------------------------------------------------


def _neutral_current() -> Constraint:
    record = load_record("accelerators/pair_searches").parts["neutral_current"]
    about = About(
        name="neutral-current",
        title=record.title,
        quantity="scalar exchange over the neutral current, 10 GeV",
        unit="1",
        kind="upper limit",
        era="1980s on",
        source=record.source,
        assumption="elastic on one proton with F_N constant: more than all partons together; falls as 1/E^2 from here",
        references=record.references,
        accepts=(ExchangesScalars,),
    )
    return Constraint({key: np.asarray(value) for key, value in record.values.items()}, about, _exchange)


def _exchange(model: ExchangesScalars, point: Point, nuisances: Point, data) -> Outcome:
    constant = FormFactors("constant", "helm", 1.0)
    proton = stack_targets((Target("proton", M_P, 1.0, 1, 0),))
    made, mediators = model.heavy_neutrino_mass(point), model.mediators(point, nuisances)
    found = scalar_cross_section(data["energy"], made, mediators, proton, constant)
    return against_upper_limit(found / (data["slope"] * data["energy"]), data["limit"])


_BANGS = {
    "deepcore": "the longest-lived scalar with this energy; N2 itself lives shorter by far",
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
        kind="curve" if detector == "deepcore" else "no public data",
        era="theory",
        source=record.source,
        assumption=_BANGS[detector],
        references=record.references,
        accepts=(PredictsLightScalars,),
    )
    data = {"energy": np.asarray(energy), "limit": np.asarray(record.values[detector])}
    return Constraint(data, about, _flight)


def _flight(model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    scalars = model.light_scalars(point)
    momentum = jnp.sqrt(jnp.maximum(data["energy"] ** 2 - scalars.mass**2, 1e-12))
    flight = jnp.max(scalars.decay_length_per_momentum * momentum)
    return Outcome(flight, data["limit"], flight / data["limit"])
