"""CHARM's search for decays 480 m behind a dump of 400 GeV protons: bosons made from photons, by kaons and B mesons."""

from functools import lru_cache
from types import MappingProxyType

import jax.numpy as jnp
import numpy as np

from anomfit.beams.dump_kaons import KINDS, Detector, KaonKind, bosons_towards, decays_behind
from anomfit.capabilities import HasLightSpinZero
from anomfit.constraints.base import About, Constraint, HasLightBosons, Outcome, against_upper_limit
from anomfit.constraints.dump_tables import Table, continued, decays_of_all, dump_table, grid, stored_table
from anomfit.constraints.meson_production import meson_decay, with_chiral_rate
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics.light_bosons import joined
from anomfit.physics.primakoff import squared_photon_coupling

KAON_MASSES = (0.005, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.34)  # GeV, of the boson
TOO_FEW = 1e-200  # decays, beyond which the curve is continued
B_MODES = (("B+ -> K+", "B0 -> K0"), ("B+ -> K*+", "B0 -> K*0"))
_ASSUMES = (
    "Primakoff production by photons of mesons (ALPINIST), kaons of the first collision that decay before they "
    "interact (a factor of 2), B mesons (ALPINIST, K* like K); decays to photons or electrons, muons like them"
)


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    record = load_record("photon_dumps/experiments").parts["charm"]
    about = About(
        name="charm",
        title="CHARM: decays to photons or leptons behind a dump of 400 GeV protons",
        quantity="decays in CHARM",
        unit="events",
        kind="region",
        era="1983-1984",
        source="CHARM, PLB 157 (1985) 458, with yields of arXiv:2201.05170 and hep-ph/0101163",
        assumption=_ASSUMES,
        references=("charm-1985", "arXiv:2201.05170", "arXiv:hep-ph/0101163"),
        accepts=(HasLightSpinZero,),
        other_spins="vectors come from pi0 and eta, see charm-vectors",
    )
    reference_b = load_record("photon_dumps/experiments").parts["charm_b"].values["reference"]
    numbers = {name: np.asarray(record.values[name]) for name in ("reference", "limit_events")}
    tables = stored_table("charm") | stored_table("charm_b") | kaon_table()
    data = numbers | {"reference_b": np.asarray(reference_b)} | tables
    return (with_chiral_rate(Constraint(data, about, _charm)),)


@lru_cache
def kaon_table() -> Table:
    """Decays of bosons from kaons at B(K -> pi boson) = 1, all protons, acceptance included; one source a mode."""
    parts = load_record("photon_dumps/experiments").parts
    charm, kaons = parts["charm"].values, parts["kaons"].values
    detector = Detector(*(charm[name] for name in ("beam_energy", "distance", "length", "off_axis", "face")))
    seen = charm["protons"] * charm["acceptance"]

    def curve(mass: float, kind: KaonKind) -> np.ndarray:
        momentum, number = bosons_towards(mass, kind, detector, kaons)
        events = seen * decays_behind(momentum, number, grid(), detector, charm["lowest_energy"])
        known = events > TOO_FEW
        return continued(grid()[known], events[known])

    tables = [
        dump_table(mode, np.asarray(KAON_MASSES), np.stack([curve(mass, kind) for mass in KAON_MASSES]))
        for mode, kind in KINDS.items()
    ]
    return {name: value for table in tables for name, value in table.items()}


def _charm(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    events = jnp.sum(jnp.stack([jnp.sum(value) for value in events_by_source(model, point, data, nuisances).values()]))
    return against_upper_limit(events, data["limit_events"])


def events_by_source(model: HasLightBosons, point: Point, data, nuisances: Point = MappingProxyType({})) -> dict:
    """Decays in CHARM of each boson, by what made it: "photons", the kaons' modes, "B"."""
    bosons = joined(model.light_bosons(point))
    visible = bosons.partial_width("electrons", "muons", "photons")

    def seen(source):
        return decays_of_all(data, source, bosons, visible)

    from_photons = squared_photon_coupling(bosons.mass, bosons.to_photons) / data["reference"]
    from_b = sum(0.5 * meson_decay(model, point, mode).rate for pair in B_MODES for mode in pair) / data["reference_b"]
    kaons = {mode: meson_decay(model, point, mode, nuisances).rate * seen(mode) for mode in KINDS}
    return {"photons": from_photons * seen("charm"), **kaons, "B": from_b * seen("charm_b")}
