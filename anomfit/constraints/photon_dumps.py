"""Searches for a boson made from photons: NuCal's dump, NA64's electrons, photon pairs at LEP; and E137's share of it.

Each is known for a pseudoscalar of spin 0 that decays to two photons alone. A scalar with the same coupling is made as
often (`anomfit.physics.primakoff`); what its other decays change, its life and the share that is seen, is worked out.
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.capabilities import HasLightBosons, HasLightSpinZero
from anomfit.constraints.base import NOT_IN_TABLE, About, Constraint, Outcome, against_upper_limit
from anomfit.constraints.dump_tables import Table, decays_of_all, stored_table
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics.constants import HBAR_C_M
from anomfit.physics.extremes import largest
from anomfit.physics.light_bosons import LightBosons, of_spin
from anomfit.physics.primakoff import squared_photon_coupling
from anomfit.statistics.limits import decades_above, foremost, is_covered, log_limit

ACCEPTS = (HasLightSpinZero,)
LANDAU_YANG = "two photons neither make a vector nor come from one (Landau and Yang)"
LEP_ENERGY = 45.6  # GeV, of either beam
LEP_SIZE = 1.0  # m: a decay within looks like a photon


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return _nucal(), _na64(), _lep()


def primakoff_table(source: str) -> Table:
    """Numbers for `primakoff_events`: the table of a dump, its reference coupling and its limit."""
    values = load_record("photon_dumps/experiments").parts[source].values
    numbers = {f"{source}_{name}": np.asarray(values[name]) for name in ("reference", "limit_events")}
    return stored_table(source) | numbers


def primakoff_events(data, source: str, scalars: LightBosons):
    """Decays to electrons, muons and photons in a dump's detector, of scalars made from photons: all of them."""
    visible = scalars.partial_width("electrons", "muons", "photons")
    made = squared_photon_coupling(scalars.mass, scalars.to_photons) / data[f"{source}_reference"]
    return jnp.sum(made * decays_of_all(data, source, scalars, visible))


def _of_spin_zero(model: HasLightBosons, point: Point) -> LightBosons:
    return of_spin(model.light_bosons(point), "scalar", "pseudoscalar")


def _nucal() -> Constraint:
    about = About(
        name="nucal",
        title="NuCal: decays behind a dump of 70 GeV protons, made from photons",
        quantity="decays in NuCal",
        unit="events",
        kind="region",
        era="1989",
        source="NuCal at U70, recast of arXiv:1311.3870, yields of arXiv:2201.05170",
        assumption="Primakoff production by photons of mesons alone (ALPINIST); electrons, muons seen like photons",
        references=("arXiv:1311.3870", "arXiv:2201.05170"),
        accepts=ACCEPTS,
        other_spins=LANDAU_YANG,
    )
    return Constraint(primakoff_table("nucal"), about, _events_in_nucal)


def _events_in_nucal(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    events = primakoff_events(data, "nucal", _of_spin_zero(model, point))
    return against_upper_limit(events, data["nucal_limit_events"])


def _na64() -> Constraint:
    about = About(
        name="na64-photons",
        title="NA64: bosons made from photons that leave the first calorimeter",
        quantity="events over the number at the edge of the region",
        unit="1",
        kind="region",
        era="2016-2018",
        source="NA64, arXiv:2005.02710",
        assumption="g^2 exp(-a m width), a from both edges by mass, held outside 11.4 to 54.6 MeV; neutrinos count too",
        references=("arXiv:2005.02710", "axion-limits"),
        accepts=ACCEPTS,
        other_spins=LANDAU_YANG,
    )
    return Constraint(_na64_numbers(), about, _leaves_na64)


def _curve(name: str) -> tuple[np.ndarray, np.ndarray]:
    columns = load_record("photon_dumps/photon_curves").columns
    rows = columns["curve"] == name
    return columns["m_GeV"][rows], columns["g_per_GeV"][rows]


def _na64_numbers() -> Table:
    """a, and ln of the squared coupling on the lower edge if nothing decayed, by mass: equal rates on both edges."""
    m, high = _curve("na64_high")
    low = np.exp(np.interp(np.log(m), *np.log(_curve("na64_low"))))
    at_low, at_high = (m * _alp_width(m, g) for g in (low, high))
    a = 2.0 * np.log(high / low) / (at_high - at_low)
    return {"log_mass": np.log(m), "log_a": np.log(a), "log_g2": 2.0 * np.log(low) - a * at_low}


def _alp_width(m, g):
    return g**2 * m**3 / (64.0 * np.pi)


def _leaves_na64(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    scalars = _of_spin_zero(model, point)

    def one(mass, width, g2, hidden):
        log_a, log_g2 = (jnp.interp(jnp.log(mass), data["log_mass"], data[name]) for name in ("log_a", "log_g2"))
        survives = jnp.exp(-jnp.exp(log_a) * mass * width)
        return g2 * jnp.exp(-log_g2) * (survives + hidden / width * (1.0 - survives))

    g2 = squared_photon_coupling(scalars.mass, scalars.to_photons)
    ratio = jnp.sum(jax.vmap(one)(scalars.mass, scalars.width, g2, scalars.to_invisible + scalars.to_semivisible))
    return against_upper_limit(ratio, 1.0)


def _lep() -> Constraint:
    about = About(
        name="lep-photons",
        title="LEP: e+e- -> gamma X, X -> gamma gamma seen as one photon",
        quantity="coupling to two photons",
        unit="GeV^-1",
        kind="curve",
        era="1989-1993",
        source="LEP, recast of arXiv:1509.00476 (95 % CL)",
        assumption=f"B(X -> gamma gamma); decays within {LEP_SIZE:g} m over those of a pseudoscalar on the curve",
        references=("arXiv:1509.00476", "axion-limits"),
        accepts=ACCEPTS,
        other_spins=LANDAU_YANG,
    )
    m, g = _curve("lep")
    return Constraint({"m": m, "low": g}, about, _photons_at_lep)


def _photons_at_lep(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    """The scalar that is nearest to its limit; an effective coupling that a pseudoscalar on the curve would have."""
    scalars = _of_spin_zero(model, point)
    masses, limits = jnp.asarray(data["m"]), jnp.asarray(data["low"])

    def one(mass, width, to_photons):
        on_curve = 10.0 ** log_limit(mass, masses, limits)
        early, early_on_curve = (_decays_early(mass, each) for each in (width, _alp_width(mass, on_curve)))
        g2 = squared_photon_coupling(mass, to_photons) * to_photons / width * early / early_on_curve
        positive = g2 > 0.0
        g = jnp.where(positive, jnp.sqrt(jnp.where(positive, g2, 1.0)), 0.0)
        return g, decades_above(mass, g, masses, limits)

    g, decades = jax.vmap(one)(scalars.mass, scalars.width, scalars.to_photons)
    covered = is_covered(scalars.mass, masses)
    nearest = foremost(decades, covered)
    limit = jnp.where(covered[nearest], 10.0 ** log_limit(scalars.mass[nearest], masses, limits), NOT_IN_TABLE)
    return Outcome(g[nearest], limit, 10.0 ** largest(decades))


def _decays_early(mass, width):
    """Probability to decay within LEP's tracking chamber, with the beam's energy."""
    momentum = jnp.sqrt(jnp.maximum(LEP_ENERGY**2 - mass**2, 1.0))
    return -jnp.expm1(-LEP_SIZE * mass * width / (momentum * HBAR_C_M))
