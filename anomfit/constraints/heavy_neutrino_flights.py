"""Decays in flight of heavy neutrinos N that come with a muon: what shows itself between the ends of a detector.

A published limit holds for an N that decays by its mixing. A model's N counts by how many of it are made and how often
it decays, visibly, in the detector; those that decay before it are lost.
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.capabilities import MixesHeavyNeutrinos
from anomfit.constraints.base import About, Constraint, Outcome
from anomfit.constraints.heavy_neutrino_curves import (
    MIXES,
    NO_REACH,
    mixing_curve,
    nearest_state,
    numbers_of,
    search,
)
from anomfit.constraints.heavy_neutrino_lines import made_beyond
from anomfit.parameters import Point
from anomfit.physics.constants import G_F, HBAR_C_M, M_MU
from anomfit.physics.heavy_neutrino_decays import meson_to_lepton_neutrino, weak_widths
from anomfit.physics.heavy_neutrinos import HeavyNeutrinos, log_seen_in_window
from anomfit.physics.meson_constants import M_CHARGED_KAON
from anomfit.statistics.limits import FARTHEST

MOMENTA = 8
LIGHTEST_OF_KAONS = 0.036  # GeV: below it pions make N as well, and more of them


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of them."""
    return tuple(map(_in_flight, _IN_FLIGHT))


Channel = Literal["to_electrons", "to_muons"]
CHANNELS: tuple[Channel, ...] = ("to_electrons", "to_muons")
Reference = Literal["Dirac", "Majorana", "charged current alone", "nu_e by charged current"]
"""What a curve holds for: |U_mu|^2 alone, but "nu_e by charged current": |U_e U_mu|, U_e in the decay N -> nu e+e- of a
Dirac N by W alone."""


@dataclass(frozen=True)
class InFlight:
    """Decays of N made with a muon, against a curve; static.

    seen: channels. cascade: N of heavier N of kaons counts as well. of_kaons: beyond the last mass of the curve N is
    made until K -> mu N closes.
    """

    seen: tuple[Channel, ...]
    cascade: bool = False
    of_kaons: bool = True

    def __call__(self, model: MixesHeavyNeutrinos, point: Point, nuisances: Point, data) -> Outcome:
        """The mixing at which N of the curve's kind would decay as often, against the curve."""
        states = model.heavy_neutrinos(point)
        made = with_cascades(states, data) if self.cascade else states.U_mu
        if self.of_kaons:
            made = made * made_beyond(states.size, "K", "muon", data["m"][-1])
        seen = sum((getattr(states, channel) for channel in self.seen), start=jnp.zeros_like(states.size))
        decades = jax.vmap(partial(_decades, data))(states.size, made, states.width, seen / states.width)
        mixing = jnp.exp(_at(states.size, data, jnp.log(data["low"]))) * 10.0 ** jnp.clip(decades, -FARTHEST, FARTHEST)
        return nearest_state(states.size, mixing, (decades > jnp.log10(NO_REACH)).astype(float), data)


def _decades(data, mass, made, width, share) -> Float[Array, ""]:
    """Half of log10 of the decays over those on the curve: rates go as the fourth power of mixings."""
    inside = jnp.clip(mass, data["m"][0], data["m"][-1])  # beyond the ends the limit is that of the end
    seen = log_seen_in_window(width, share, inside, data["distance"], data["length"], data["momenta"])
    own = jnp.log(jnp.maximum(made, 1e-300)) + seen
    return 0.5 * (own - _at(inside, data, data["log_decays"])) / jnp.log(10.0)


def _at(mass, data, values):
    return jnp.interp(jnp.log(mass), jnp.log(data["m"]), values)


class _Curve(NamedTuple):
    """A curve with the geometry of its search, and ln of |U_mu|^2 times the probability to see N's decay on it."""

    table: dict[str, np.ndarray]
    geometry: dict[str, np.ndarray]  # distance, length, momenta
    log_decays: np.ndarray


@lru_cache
def _curves() -> dict[str, _Curve]:
    """By name of the row. The weak widths of all points are one program."""
    tables = {row.name: mixing_curve(row.curve, row.lightest) for row in _IN_FLIGHT}
    geometries = {row.name: _geometry(row.curve) for row in _IN_FLIGHT}
    weak = [row for row in _IN_FLIGHT if row.reference != "nu_e by charged current"]
    columns = []
    for row in weak:
        table, channels = tables[row.name], [float(channel in row.physics.seen) for channel in CHANNELS]
        alone, charges = row.reference == "charged current alone", 2.0 if row.reference == "Majorana" else 1.0
        same = np.array([*channels, float(alone), charges])
        each = (table["m"], table["low"], np.tile(same, (len(table["m"]), 1)))
        columns.append((*each, *(np.stack([x] * len(table["m"])) for x in geometries[row.name].values())))
    with jax.ensure_compile_time_eval():  # the first to ask may be within a trace
        found = np.asarray(jax.jit(jax.vmap(_weak_on_curve))(*map(np.concatenate, zip(*columns, strict=True))))
    ends = np.cumsum([len(tables[row.name]["m"]) for row in weak])[:-1]
    logs = {row.name: part for row, part in zip(weak, np.split(found, ends), strict=True)}
    logs |= {name: _charged_on_curve(tables[name], geometries[name]) for name in tables if name not in logs}
    return {name: _Curve(tables[name], geometries[name], logs[name]) for name in tables}


def _geometry(curve: str) -> dict[str, np.ndarray]:
    """Momenta from the slowest to the fastest, equally spaced in the logarithm."""
    given = numbers_of(search(curve))
    momenta = np.geomspace(given["slowest"], given["fastest"], MOMENTA)
    return {"distance": given["distance"], "length": given["length"], "momenta": momenta}


def _weak_on_curve(mass, mixing, reference, distance, length, momenta):
    """For an N that decays by |U_mu|^2 = mixing; reference: which of `CHANNELS` count, or W alone; 2 if Majorana."""
    weak = weak_widths(mass, 0.0, 1.0, 0.0, majorana=False)
    electrons, muons, alone, charges = reference
    seen = electrons * weak.to_electrons + muons * weak.to_muons
    shown = jnp.where(alone > 0.0, weak.to_unlike + weak.to_muon_pion, seen)
    width = charges * mixing * weak.total
    return jnp.log(mixing) + log_seen_in_window(width, shown / weak.total, mass, distance, length, momenta)


def _charged_on_curve(table, geometry) -> np.ndarray:
    """For |U_e U_mu| on the curve, N -> nu e+e- of a Dirac N by |U_e|^2 and W alone, and a long life."""
    width = G_F**2 * table["m"] ** 5 / (192.0 * np.pi**3)
    per_metre = table["m"] * width / HBAR_C_M * np.mean(1.0 / geometry["momenta"])
    return 2.0 * np.log(table["low"]) + np.log(per_metre * geometry["length"])


def with_cascades(states: HeavyNeutrinos, data) -> Float[Array, " states"]:
    """|U_mu k|^2 that makes as many N_k in K -> mu N_k as are made there and by K -> mu N_j, N_j -> ... -> N_k.

    All N_j that decay before the detector pass on their direction and their energy.
    """
    before = -jnp.expm1(-data["distance"] / (states.flight * jnp.exp(jnp.mean(jnp.log(data["momenta"])))))
    step = before[:, None] * states.cascade
    identity = jnp.eye(len(states.mass))
    chain = jnp.linalg.inv(identity - step)  # 1 + step + step^2 + ..., a sum that ends: heavier states come to lighter
    rate = meson_to_lepton_neutrino(M_CHARGED_KAON, M_MU, states.size)
    opened = rate > 0.0
    return (states.U_mu * rate) @ chain / jnp.where(opened, rate, 1.0) * opened


_CASCADES = (
    "as {of}, and N_k of heavier N_j of K -> mu N_j, with their direction and energy (our estimate: a factor of 2)"
)


class _Search(NamedTuple):
    curve: str
    name: str
    era: str
    reference: Reference
    physics: InFlight
    assumption: str
    sample: str = ""  # the data that it shares with others
    lightest: float = 0.0  # GeV


_IN_FLIGHT = (
    _Search(
        "PS191_1988_electron_muon",
        "ps191-pairs",
        "1984",
        "nu_e by charged current",
        InFlight(("to_electrons",)),
        "published for a Dirac N, N -> nu e+e- by W alone; rescaled by the rate of decays to e+e- in the detector",
        "ps191-pairs",
    ),
    _Search(
        "PS191_1988_electron_muon",
        "ps191-cascades",
        "1984",
        "nu_e by charged current",
        InFlight(("to_electrons",), cascade=True),
        _CASCADES.format(of="ps191-pairs"),
        "ps191-pairs",
        LIGHTEST_OF_KAONS,
    ),
    _Search(
        "PS191_1988_muon",
        "ps191-muons",
        "1984",
        "charged current alone",
        InFlight(("to_muons",)),
        "N -> mu e nu, mu pi of a Dirac N by W alone; rescaled by the rate of decays with a muon in the detector",
    ),
    _Search(
        "T2K_2021_muon_pairs",
        "t2k-pairs",
        "2010-2017",
        "Majorana",
        InFlight(("to_electrons",)),
        "N -> nu e+e- by Z, Majorana (assumed); rescaled by the rate of decays to e+e- in the detector",
        "t2k-heavy-neutrinos",
    ),
    _Search(
        "T2K_2021_muon_pairs",
        "t2k-cascades",
        "2010-2017",
        "Majorana",
        InFlight(("to_electrons",), cascade=True),
        _CASCADES.format(of="t2k-pairs"),
        "t2k-heavy-neutrinos",
        LIGHTEST_OF_KAONS,
    ),
    _Search(
        "T2K_2019_muon",
        "t2k-decays",
        "2010-2017",
        "Majorana",
        InFlight(("to_electrons", "to_muons")),
        "all decays with two charged leptons or mu pi alike, Majorana; rescaled by their rate in the detector",
        "t2k-heavy-neutrinos",
    ),
    _Search(
        "NuTeV_1999_muon",
        "nutev-decays",
        "1996-1997",
        "Majorana",
        InFlight(("to_muons",), of_kaons=False),
        "N of kaons and charm; decays with a muon alone; the curve is taken to be a Majorana N's (the weaker reading)",
    ),
    _Search(
        "BEBC_1985_muon",
        "bebc-decays",
        "1982",
        "Majorana",
        InFlight(("to_electrons", "to_muons"), of_kaons=False),
        "N of charm; decays to two charged particles; the curve is taken to be a Majorana N's (the weaker reading)",
    ),
    _Search(
        "LSND_2001_muon",
        "lsnd-decays",
        "1993-1998",
        "Dirac",
        InFlight(("to_electrons",), of_kaons=False),
        "N of muons and pions at rest; recast of nu e scattering; rescaled by the rate of decays to e+e-",
    ),
)


def _in_flight(row: _Search) -> Constraint:
    record = search(row.curve)
    mixing = "|U_e U_mu|" if row.reference == "nu_e by charged current" else "|U_mu|^2"
    about = About(
        name=row.name,
        title=record.title + (", cascades included" if row.physics.cascade else ""),
        quantity=f"{mixing} of an N as published with as many decays",
        unit="1",
        kind="curve",
        era=row.era,
        source=record.source,
        assumption=row.assumption,
        references=record.references,
        samples=(row.sample,) if row.sample else (),
        **MIXES["muon"],
    )
    curve = _curves()[row.name]
    return Constraint({**curve.table, **curve.geometry, "log_decays": curve.log_decays}, about, row.physics)
