"""What light scalars do at low energies: neutrons on lead, the early universe, neutrinos of stopped pions."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.beams import Target
from anomfit.capabilities import ExchangesScalars, PredictsLightScalars
from anomfit.constraints.base import About, Constraint, Kind, Outcome, against_upper_limit
from anomfit.constraints.neutrino_scattering import scalar_cross_section
from anomfit.data import Record, load_record
from anomfit.parameters import Point
from anomfit.physics.constants import M_MU
from anomfit.physics.meson_constants import M_CHARGED_PION
from anomfit.physics.muon_decay_at_rest import ENDPOINT, muon_antineutrino_spectrum
from anomfit.physics.nuclei import nucleus
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.scalar_upscattering import stack_targets
from anomfit.statistics.limits import Z_90

PROMPT = 0.5 * (M_CHARGED_PION**2 - M_MU**2) / M_CHARGED_PION  # GeV, nu_mu of pi+ at rest
PLANCK_MASS = 1.2209e19  # GeV
UNIT = 1e-39  # cm^2, of cross sections at COHERENT
FLAVOURS = 3.0  # nu_mu, nu_e and anti-nu_mu of a stopped pi+


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return _neutron_lead(), _early_universe(), _coherent()


def _about(record: Record, name: str, quantity: str, unit: str, kind: Kind, era: str, accepts: type, words: str):
    return About(
        name=name,
        title=record.title,
        quantity=quantity,
        unit=unit,
        kind=kind,
        era=era,
        source=record.source,
        assumption=words,
        references=record.references,
        accepts=(accepts,),
    )


# -- neutrons on lead -----------------------------------------------------------------------------------------------


def _neutron_lead() -> Constraint:
    record = load_record("accelerators/light_mediators").parts["neutron_lead"]
    words = "asymmetry of neutrons of 10 keV in Born approximation: weaker than m^-4 below some 10 MeV; H and h' add up"
    quantity = "F_n F_Pb/(4 pi m^4), F_Pb of a nucleon in lead"
    about = _about(record, "neutron-lead", quantity, "MeV^-4", "recalled", "1966", ExchangesScalars, words)
    return Constraint({name: np.asarray(record.values[name]) for name in ("limit", "momentum")}, about, _asymmetry)


def _asymmetry(model: ExchangesScalars, point: Point, nuisances: Point, data) -> Outcome:
    scalars, lead = model.mediators(point, nuisances), nucleus("Pb208")
    in_lead = (lead.protons * scalars.F_p + lead.neutrons * scalars.F_n) / lead.mass_number
    per_mass = jax.vmap(lambda m: dipole_of_exchange(m, data["momentum"]))(scalars.mass)  # GeV^-4
    found = jnp.sum(scalars.F_n * in_lead * per_mass) / (4.0 * jnp.pi)
    return against_upper_limit(1e-12 * found, data["limit"])


def dipole_of_exchange(mass, momentum, nodes: int = 48):
    """Coefficient of cos theta in 1/(m^2 + Q^2), Q^2 = 2 k^2 (1 - cos theta), over 2 k^2: m^-4 for k far below m."""
    u, w = unit_legendre(nodes)
    cosine = 2.0 * u - 1.0
    exchange = 1.0 / (mass**2 + 2.0 * momentum**2 * (1.0 - cosine))
    return jnp.sum(3.0 * w * cosine * exchange) / (2.0 * momentum**2)


# -- the early universe ---------------------------------------------------------------------------------------------


def _early_universe() -> Constraint:
    record = load_record("accelerators/light_mediators").parts["electrophilic"]
    words = "h' in equilibrium with electrons (decays faster than the universe expands at T = m); 2 standard deviations"
    quantity = "3.7 MeV over the lightest scalar in equilibrium"
    about = _about(record, "early-universe", quantity, "1", "curve", "2019", PredictsLightScalars, words)
    return Constraint({name: np.asarray(value) for name, value in record.values.items()}, about, _too_light)


def _too_light(model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    scalars = model.light_scalars(point)
    decays = scalars.to_electrons + scalars.to_photons
    expansion = 1.66 * jnp.sqrt(data["relativistic"]) * scalars.mass**2 / PLANCK_MASS
    ratio = jnp.max(data["lightest"] / scalars.mass * decays / (decays + expansion))
    return against_upper_limit(ratio, jnp.ones_like(ratio))


# -- neutrinos of stopped pions -------------------------------------------------------------------------------------


def _coherent() -> Constraint:
    record = load_record("accelerators/light_mediators").parts["coherent_argon"]
    words = "nu_mu and anti-nu_mu make N2 up to 53 MeV; recoils alone count, above 20 keV (recalled)"
    quantity = "cross section on argon that scalars add, averaged over the flux"
    about = _about(record, "coherent-argon", quantity, "1e-39 cm^2", "recalled", "2017-2018", ExchangesScalars, words)
    values = record.values
    limit = values["value"] + Z_90 * values["sigma"] - values["standard_model"]
    numbers = {name: np.asarray(values[name]) for name in ("threshold", "share_seen")} | {"limit": np.asarray(limit)}
    return Constraint(numbers, about, _on_argon)


def _on_argon(model: ExchangesScalars, point: Point, nuisances: Point, data) -> Outcome:
    """What is added above the threshold, as if it were distributed as the Standard Model's."""
    argon = nucleus("Ar40")
    target = stack_targets((Target(argon.name, argon.mass, 1.0, argon.protons, argon.neutrons),))
    made, mediators, forms = model.heavy_neutrino_mass(point), model.mediators(point, nuisances), model.form_factors
    least = 2.0 * argon.mass * data["threshold"]

    def seen(energy):
        return scalar_cross_section(energy, made, mediators, target, forms(nuisances), least=least)

    lowest = made * (1.0 + 0.5 * made / argon.mass)
    added = averaged_over_stopped_pions(seen, lowest) / (UNIT * data["share_seen"])
    return against_upper_limit(added, data["limit"])


def averaged_over_stopped_pions(cross_section, lowest, nodes: int = 32):
    """Mean over nu_mu, nu_e, anti-nu_mu of a stopped pi+; `cross_section` of the energy (GeV), 0 up to `lowest` and for
    nu_e.
    """
    u, w = unit_legendre(nodes)
    span = ENDPOINT - jnp.minimum(lowest, ENDPOINT)
    energy = ENDPOINT - span * jnp.asarray(1.0 - u)
    late = span * jnp.sum(w * muon_antineutrino_spectrum(energy) * jax.vmap(cross_section)(energy))
    return (cross_section(PROMPT) + late) / FLAVOURS
