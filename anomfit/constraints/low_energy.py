"""What light bosons do at low energies: neutrons on lead, and the early universe."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.capabilities import HasLightBosons, HasLightScalars, Upscatters, productions
from anomfit.constraints.base import Constraint, Outcome, about_record, against_upper_limit
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics.exchange import ScalarExchange
from anomfit.physics.extremes import largest
from anomfit.physics.light_bosons import joined
from anomfit.physics.nuclei import nucleus
from anomfit.physics.quadrature import unit_legendre

PLANCK_MASS = 1.2209e19  # GeV


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return _neutron_lead(), _early_universe()


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
