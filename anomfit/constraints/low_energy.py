"""What light bosons do at low energies: neutrons on lead, the early universe, neutrinos of stopped pions."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.beams import Target
from anomfit.capabilities import HasLightBosons, HasLightScalars, Upscatters, productions
from anomfit.constraints.base import Constraint, Outcome, about_record, against_upper_limit
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics.constants import M_MU
from anomfit.physics.exchange import Exchange, ScalarExchange
from anomfit.physics.extremes import largest
from anomfit.physics.kinematics import threshold_energy
from anomfit.physics.light_bosons import joined
from anomfit.physics.meson_constants import M_CHARGED_PION
from anomfit.physics.muon_decay_at_rest import ENDPOINT, muon_antineutrino_spectrum
from anomfit.physics.nuclei import nucleus
from anomfit.physics.quadrature import unit_legendre
from anomfit.rates.interactions import cross_section
from anomfit.statistics.limits import Z_90

PROMPT = 0.5 * (M_CHARGED_PION**2 - M_MU**2) / M_CHARGED_PION  # GeV, nu_mu of pi+ at rest
PLANCK_MASS = 1.2209e19  # GeV
UNIT = 1e-39  # cm^2, of cross sections at COHERENT
FLAVOURS = 3.0  # nu_mu, nu_e and anti-nu_mu of a stopped pi+


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return _neutron_lead(), _early_universe(), _coherent()


# -- neutrons on lead -----------------------------------------------------------------------------------------------


def _neutron_lead() -> Constraint:
    record = load_record("accelerators/light_mediators").parts["neutron_lead"]
    about = about_record(
        record,
        name="neutron-lead",
        quantity="F_n F_Pb/(4 pi m^4), F_Pb of a nucleon in lead",
        unit="MeV^-4",
        kind="recalled",
        era="1966",
        assumption="asymmetry of neutrons of 10 keV in Born approximation: weaker than m^-4 below some 10 MeV; "
        "H and h' add up",
        accepts=((Upscatters, HasLightScalars),),
        other_spins="the neutron has no charge: a vector that mixes with the photon leaves it alone",
    )
    return Constraint({name: np.asarray(record.values[name]) for name in ("limit", "momentum")}, about, _asymmetry)


def _asymmetry(model: Upscatters, point: Point, nuisances: Point, data) -> Outcome:
    exchanges = [each for each in productions(model, point, nuisances) if isinstance(each, ScalarExchange)]
    if not exchanges:  # the scalars do not couple to nucleons
        return against_upper_limit(jnp.zeros(()), data["limit"])
    scalars, lead = exchanges[0], nucleus("Pb208")  # whichever heavy neutrino is made, the scalars are the same
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
    about = about_record(
        record,
        name="early-universe",
        quantity="3.7 MeV over the lightest boson in equilibrium",
        unit="1",
        kind="curve",
        era="2019",
        assumption="in equilibrium with electrons (decays faster than the expansion at T = m); a scalar's bound; "
        "2 sigma",
        accepts=(HasLightBosons,),
    )
    return Constraint({name: np.asarray(value) for name, value in record.values.items()}, about, _too_light)


def _too_light(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    bosons = joined(model.light_bosons(point))
    decays = bosons.partial_width("electrons", "photons")
    expansion = 1.66 * jnp.sqrt(data["relativistic"]) * bosons.mass**2 / PLANCK_MASS
    ratio = largest(data["lightest"] / bosons.mass * decays / (decays + expansion))
    return against_upper_limit(ratio, jnp.ones_like(ratio))


# -- neutrinos of stopped pions -------------------------------------------------------------------------------------


def _coherent() -> Constraint:
    record = load_record("accelerators/light_mediators").parts["coherent_argon"]
    about = about_record(
        record,
        name="coherent-argon",
        quantity="cross section on argon that new exchanges add, averaged over the flux",
        unit="1e-39 cm^2",
        kind="recalled",
        era="2017-2018",
        assumption="nu_mu and anti-nu_mu make a heavy neutrino up to 53 MeV; recoils alone count, above 20 keV "
        "(recalled)",
        accepts=(Upscatters,),
    )
    values = record.values
    limit = values["value"] + Z_90 * values["sigma"] - values["standard_model"]
    numbers = {name: np.asarray(values[name]) for name in ("threshold", "share_seen")} | {"limit": np.asarray(limit)}
    return Constraint(numbers, about, _on_argon)


def _on_argon(model: Upscatters, point: Point, nuisances: Point, data) -> Outcome:
    """What is added above the threshold, as if it were distributed as the Standard Model's."""
    argon = nucleus("Ar40")
    target = Target(argon.name, argon.mass, 1.0, argon.protons, argon.neutrons)
    least = 2.0 * argon.mass * data["threshold"]

    def added_by(exchange: Exchange):
        lowest = threshold_energy(exchange.m_N, argon.mass)
        return averaged_over_stopped_pions(lambda e: cross_section(exchange, e, target, least=least), lowest)

    added = sum(added_by(exchange) for exchange in productions(model, point, nuisances))
    return against_upper_limit(added / (UNIT * data["share_seen"]), data["limit"])


def averaged_over_stopped_pions(cross_section, lowest, nodes: int = 32):
    """Mean over nu_mu, nu_e, anti-nu_mu of a stopped pi+; `cross_section` of the energy (GeV), 0 up to `lowest` and for
    nu_e.
    """
    u, w = unit_legendre(nodes)
    span = ENDPOINT - jnp.minimum(lowest, ENDPOINT)
    energy = ENDPOINT - span * jnp.asarray(1.0 - u)
    late = span * jnp.sum(w * muon_antineutrino_spectrum(energy) * jax.vmap(cross_section)(energy))
    return (cross_section(PROMPT) + late) / FLAVOURS
