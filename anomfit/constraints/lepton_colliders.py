"""Light bosons made in e+e- annihilation: BaBar, KLOE, Belle II, and BaBar's muonic force.

A boson is compared with the published curve at its own mass: production (`anomfit.constraints.production`), and the
branching ratio to what the search looks for over that of the vector on the curve.
"""

from functools import lru_cache, partial

import jax.numpy as jnp
import numpy as np

from anomfit.capabilities import HasDarkNeutrinos
from anomfit.constraints.base import About, Constraint, HasLightBosons, Outcome
from anomfit.constraints.dark_photon_curves import COMPILATION, SOURCES, dark_photon_curve, kind_of_curve
from anomfit.constraints.production import (
    UNSEEN_FRACTION,
    by_annihilation,
    by_radiation_off_muons,
    nearest,
    of_each,
    relative,
    unseen,
)
from anomfit.data import load_record
from anomfit.detectors.recoiling_pairs import missed_pairs
from anomfit.parameters import Point
from anomfit.physics.dark_neutrinos import fates
from anomfit.physics.dark_photon import vector_shares
from anomfit.physics.light_bosons import LightBosons, joined

# curve, name, title, era, root s (GeV), cos of the photon, what is seen
_COLLIDERS = (
    ("BaBar_2014", "babar-visible", "BaBar: e+e- -> gamma X, X -> e+e-, mu+mu-", "1999-2008", 10.58, 0.9, "leptons"),
    ("KLOE_2015_ee", "kloe-electrons", "KLOE: e+e- -> gamma X, X -> e+e-", "2004-2005", 1.0195, 0.643, "electrons"),
    (
        "KLOE_2018_comb",
        "kloe-muons-pions",
        "KLOE: e+e- -> gamma X, X -> mu+mu-, pi+pi-",
        "2004-2005",
        1.0195,
        0.643,
        "muons and pions",
    ),
    ("BaBar_invisible", "babar-invisible", "BaBar: e+e- -> gamma X, X not seen", "2007-2008", 10.02, 0.9, "nothing"),
    (
        "BelleII_visible_projection",
        "belle2-visible",
        "Belle II: e+e- -> gamma X, X -> e+e-, mu+mu-",
        "50/ab, projected",
        10.58,
        0.9,
        "leptons",
    ),
)
_ASSUMES = {
    "electrons": "made like a dark photon but for its spin; only X -> e+e- counts, missing energy does not",
    "leptons": "made like a dark photon but for its spin; only X -> e+e-, mu+mu- count, missing energy does not",
    "muons and pions": "made like a dark photon but for its spin; only X -> mu+mu-, pi+pi- count",
    "nothing": (
        "invisible decays, and what leaves 1 m of detector; of decays to heavy neutrinos that end in e+e- "
        f"{UNSEEN_FRACTION:.0%} go unnoticed in any case (our estimate), those of a dark photon where each neutrino "
        "flies 3.04 m or misses the calorimeter"
    ),
}
BABAR_SIZE = 1.0  # m: a decay inside is seen
BABAR_ENERGY, BABAR_PHOTON = 10.02, 0.6  # GeV; largest |cos| of the photon, from memory


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (*(_collider(*row) for row in _COLLIDERS), _muonic())


def _collider(curve, name, title, era, root_s, cos_max, seen) -> Constraint:
    table = dark_photon_curve(curve)
    reference, source = SOURCES[curve]
    about = About(
        name=name,
        title=title,
        quantity="electron coupling of a vector with the same rate",
        unit="e",
        kind=kind_of_curve(curve),
        era=era,
        source=source,
        assumption=_ASSUMES[seen],
        references=(reference, COMPILATION),
        accepts=(HasLightBosons,),
    )
    numbers = {key: table[key] for key in ("m", "low")} | {
        "root_s": np.asarray(root_s),
        "cos_max": np.asarray(cos_max),
    }
    return Constraint(numbers, about, partial(_annihilation, seen))


def _annihilation(seen: str, model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    families = model.light_bosons(point)
    bosons = joined(families)
    made = of_each(families, lambda family: by_annihilation(family, data["root_s"], data["cos_max"]))
    missed = _missed(model, point) if seen == "nothing" else None
    return nearest(bosons, made * _seen(seen, bosons, data, missed), data)


def _missed(model: HasLightBosons, point: Point):
    """Fraction of the decays of a Z' to heavy neutrinos that BaBar misses; None where the model does not list them."""
    if not isinstance(model, HasDarkNeutrinos):
        return None
    states = model.dark_neutrinos(point)
    return missed_pairs(states, fates(states), BABAR_ENERGY, BABAR_PHOTON)


def _seen(seen: str, bosons: LightBosons, data, missed=None):
    """Fraction of the boson's decays that the search looks for, over the vector's."""
    electrons, muons, hadrons = vector_shares(bosons.mass)
    if seen == "electrons":
        return relative(bosons.branching_ratio("electrons"), electrons)
    if seen == "leptons":
        return relative(bosons.branching_ratio("electrons", "muons"), electrons + muons)
    if seen == "muons and pions":
        return bosons.branching_ratio("muons", "hadrons") / jnp.maximum(muons + hadrons, 1e-3)
    energy = 0.5 * data["root_s"]
    momentum = jnp.sqrt(jnp.maximum(energy**2 - bosons.mass**2, 1e-12))
    return unseen(bosons, momentum, BABAR_SIZE, missed)


def _muonic() -> Constraint:
    columns = load_record("ee_colliders/muonic_force").columns
    about = About(
        name="babar-muons",
        title="BaBar: e+e- -> mu+mu- X, X -> mu+mu-",
        quantity="muon coupling of a vector with the same rate",
        unit="1",
        kind="curve",
        era="1999-2008",
        source="BaBar, arXiv:1606.03501",
        assumption="radiated off the muons like a vector of L_mu - L_tau but for its spin; B(X -> mu mu) of the model",
        references=("arXiv:1606.03501", COMPILATION),
        accepts=(HasLightBosons,),
    )
    return Constraint({"m": columns["m_GeV"], "low": columns["g_prime"]}, about, _radiation)


def _radiation(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    families = model.light_bosons(point)
    bosons = joined(families)
    made = of_each(families, lambda family: by_radiation_off_muons(family, 10.58, data["m"]))
    electrons, muons, _ = vector_shares(bosons.mass)
    to_muons = muons / jnp.maximum(muons + electrons, 1e-12)  # width over that of a massless lepton: neutrinos give 1
    return nearest(bosons, made * bosons.branching_ratio("muons") / jnp.maximum(to_muons, 1e-3), data)
