"""K+ and pi+ -> mu+ N phi: light scalars radiated off the neutrino, where it turns into the heavy neutrino N.

The muon's helicity suppresses K+ -> mu+ nu but not these decays. N decays to a second scalar at once. Where both leave
the detector, or decay to what is not seen, there is a muon and nothing else, as in the decays to three neutrinos that
have been searched for. Several N count as the lightest of them, with all couplings together.
"""

from dataclasses import replace
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.capabilities import HasLightScalars, Upscatters, lightest_made
from anomfit.constraints.base import About, Constraint, Outcome, against_upper_limit
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics import meson_decays
from anomfit.physics.light_bosons import LightBosons, of_spin
from anomfit.physics.meson_constants import M_CHARGED_KAON, M_CHARGED_PION

TO_MUON = 0.6356  # B(K+ -> mu+ nu), PDG 2024; that of pi+ is 1
OTHER_SPINS = "a vector is radiated by the meson, too, and longitudinally: not the rate of a scalar"
INVISIBLE = "both scalars leave the detector, off neutrino and muon; muon's spectrum that of three neutrinos"


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    kaon = _invisible("Kplus_munununu", "Kplus-muN-invisible", "B(K+ -> mu+ N2 phi)", "2016-2018", M_CHARGED_KAON)
    pion = _invisible("piplus_munununu", "piplus-muN-invisible", "B(pi+ -> mu+ N2 phi)", "2009-2012", M_CHARGED_PION)
    return kaon, pion, _visible(kaon)


def _invisible(part: str, name: str, quantity: str, era: str, mass: float) -> Constraint:
    record = load_record("kaon/rare_decays").parts[part]
    about = About(
        name=name,
        title=f"{record.title}, as a search for mu+ N2 and a scalar",
        quantity=f"{quantity} and mu+ nu phi, nothing seen",
        unit="1",
        kind="upper limit",
        era=era,
        source=record.source,
        assumption=INVISIBLE,
        references=record.references,
        ceiling=1.0,
        accepts=((Upscatters, HasLightScalars),),
        other_spins=OTHER_SPINS,
    )
    numbers = {key: np.asarray(value) for key, value in record.values.items()}
    return Constraint(numbers, about, partial(_nothing_seen, mass, TO_MUON if mass == M_CHARGED_KAON else 1.0))


def _visible(like: Constraint) -> Constraint:
    about = replace(
        like.about,
        name="Kplus-muN-pairs",
        title="K+ -> mu+ N2 h', two e+e- pairs",
        quantity="B(K+ -> mu+ N2 phi, phi -> e+e-)",
        kind="no public data",
        source="no search for a muon with two light e+e- pairs is known to us",
        assumption="off the neutrino alone; E865 and NA48/2 look at pairs above 140 MeV",
    )
    return Constraint({}, about, _pairs)


def _off_neutrino(mass: float, made, scalars: LightBosons):
    return jax.vmap(lambda m, y: meson_decays.scalar_off_neutrino(mass, made, m, y))(scalars.mass, scalars.g_nu)


def _nothing_seen(mass: float, to_muon: float, model, point: Point, nuisances: Point, data):
    scalars, made = of_spin(model.light_bosons(point), "scalar"), lightest_made(model, point, nuisances)
    flies = jnp.exp(-data["distance"] / (data["momentum"] * scalars.decay_length_per_momentum))
    leaves = flies + (1.0 - flies) * scalars.branching_ratio("invisible")
    off_neutrino = _off_neutrino(mass, made, scalars)
    off_muon = jax.vmap(lambda m, y: meson_decays.scalar_off_muon(mass, m, y))(scalars.mass, scalars.g_mu)
    predicted = to_muon * jnp.sum(off_neutrino * leaves**2 + off_muon * leaves)
    return against_upper_limit(predicted, data["limit"])


def _pairs(model, point: Point, nuisances: Point, data) -> Outcome:
    scalars, made = of_spin(model.light_bosons(point), "scalar"), lightest_made(model, point, nuisances)
    rate = TO_MUON * _off_neutrino(M_CHARGED_KAON, made, scalars)
    predicted = jnp.sum(rate * scalars.branching_ratio("electrons"))
    return Outcome(predicted, jnp.full_like(predicted, jnp.inf), jnp.zeros_like(predicted))
