"""A light vector of baryon and lepton numbers: neutrinos in matter, and decays that an anomalous current enhances.

The vector's current is not conserved where heavy fermions cancel its anomaly: Z -> gamma V and decays of mesons to V
grow as (energy/mass)^2. A combination without anomaly, such as B - 3 L_tau, has none of them: ratio 0.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.capabilities import GaugesCharges
from anomfit.constraints.base import NOT_IN_TABLE, About, Constraint, Kind, Outcome, Physics, against_upper_limit
from anomfit.constraints.penguins import BELLE_2
from anomfit.data import Record, load_record
from anomfit.parameters import Point
from anomfit.physics import meson_constants as meson
from anomfit.physics.gauged_charges import (
    GaugedCharges,
    matter_potential,
    meson_width,
    penguin_coupling,
    z_to_photon_width,
)
from anomfit.physics.penguin_decays import LAMBDA_T, VTS_VTB, kaon_f0
from anomfit.statistics.limits import Z_90, is_covered

Z_95 = 1.959964
Z_99 = 2.575829
KAON_POLE = 0.8955  # GeV, K*(892): f_+ of K -> pi
B_POLE = 5.4154  # GeV, B_s*: f_+ of B -> K
B_AT_ZERO = 0.330  # f_+ = f_0 of B -> K at q^2 = 0, as in `penguin_decays`


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return *_matter(), _z(), _meson("kaon/belle2_b_to_k_X"), _meson("kaon/na62_2016_2022_kplus_piplus_X")


def _about(record: Record, name: str, quantity: str, kind: Kind, era: str, words: str, **more: Any) -> About:
    return About(
        name=name,
        title=more.pop("title", record.title),
        quantity=quantity,
        unit="1",
        kind=kind,
        era=era,
        source=record.source.partition(", digitised")[0].partition(", as carried")[0],
        assumption=words,
        references=tuple(dict.fromkeys((*record.references, *more.pop("also", ())))),
        accepts=(GaugesCharges,),
        **more,
    )


# -- neutrinos in matter ----------------------------------------------------------------------------------------------


def _matter() -> tuple[Constraint, ...]:
    words = (
        "two flavours, per electron with the Earth's mean composition; electron neutrinos and the second solution of "
        "solar neutrinos are left out; "
    )
    beside = words + "flavour-changing interactions fitted beside it"
    alone = words + "one interaction at a time"
    parts = load_record("accelerators/gauged_charges").parts
    return (
        _in_matter(parts["matter"], "oscillation-matter", "upper limit", "1996-2001", beside, Z_90 / Z_99),
        _in_matter(parts["matter_2011"], "oscillation-matter-2011", "recalled", "1996-2005", alone, 1.0),
    )


def _in_matter(record: Record, name: str, kind: Kind, era: str, words: str, to_90: float) -> Constraint:
    """to_90: from the confidence level of the published limit to 90 %, of a Gaussian at 0."""
    quantity = "|eps_tautau - eps_mumu| over the potential of electrons"
    about = _about(record, name, quantity, kind, era, words, samples=("atmospheric neutrinos in matter",))
    values = record.values
    numbers = {
        "limit": np.asarray(to_90 * values["limit"] * values["quarks_per_electron"]),
        "neutrons_per_electron": np.asarray(values["neutrons_per_electron"]),
    }
    return Constraint(numbers, about, _potential)


def _potential(model: GaugesCharges, point: Point, nuisances: Point, data) -> Outcome:
    potential = matter_potential(model.gauged_charges(point), data["neutrons_per_electron"])
    return against_upper_limit(_size(potential["tau"] - potential["muon"]), data["limit"])


def _size(x: Float[Array, ""]) -> Float[Array, ""]:
    """|x| with the slope 0 at 0."""
    return jnp.where(x == 0.0, 0.0, jnp.abs(x))


# -- anomalous currents -----------------------------------------------------------------------------------------------


def _z() -> Constraint:
    record = load_record("accelerators/gauged_charges").parts["z_photon"]
    words = "heavy fermions that keep the weak symmetry cancel the anomaly; invisible decays of the vector alone"
    about = _about(record, "z-photon-invisible", "B(Z -> gamma V, V not seen)", "recalled", "1990-1995", words)
    limit = record.values["limit"] * Z_90 / Z_95
    numbers = {"limit": np.asarray(limit), "total_width": np.asarray(record.values["total_width"])}
    return Constraint(numbers, about, _photon)


def _photon(model: GaugesCharges, point: Point, nuisances: Point, data) -> Outcome:
    vector = model.gauged_charges(point)
    return against_upper_limit(vector.invisible * z_to_photon_width(vector) / data["total_width"], data["limit"])


def _meson(name: str) -> Constraint:
    record = load_record(name)
    words = "heavy fermions that keep the weak symmetry cancel the anomaly; a line of the vector's mass, not seen"
    also = ("arXiv:1705.06726",)
    columns = record.columns
    if name.endswith("b_to_k_X"):
        quantity, era, limit = "B(B+ -> K+ V, V not seen)", "2019-2022", columns["best"] + Z_90 * columns["error_up"]
        about = _about(record, "anomalous-B-K", quantity, "upper limit", era, words, also=also, samples=(BELLE_2,))
        physics: Physics = partial(_line, _b_to_k)
    else:
        quantity, era, limit = "B(K+ -> pi+ V, V not seen)", "2016-2022", columns["limit_10000ps"]
        title = "NA62: K+ -> pi+ V through an anomalous current, V not seen"
        samples = ("Kplus-piplus-na62",)  # the row of light bosons with the same data
        about = _about(
            record, "anomalous-K-pi", quantity, "upper limit", era, words, also=also, samples=samples, title=title
        )
        physics = partial(_line, _k_to_pi)
    known = np.isfinite(limit)
    return Constraint({"m": columns["m_X_GeV"][known], "limit": np.asarray(limit[known], float)}, about, physics)


def _line(
    branching: Callable[[GaugedCharges], Float[Array, ""]], model: GaugesCharges, point: Point, nuisances: Point, data
) -> Outcome:
    vector = model.gauged_charges(point)
    predicted = vector.invisible * branching(vector)
    covered = is_covered(vector.mass, data["m"])
    limit = jnp.exp(jnp.interp(vector.mass, data["m"], jnp.log(data["limit"])))
    return Outcome(predicted, jnp.where(covered, limit, NOT_IN_TABLE), predicted / limit)


def _b_to_k(vector: GaugedCharges) -> Float[Array, ""]:
    q_squared = jnp.minimum(vector.mass**2, (meson.M_B_CHARGED - meson.M_CHARGED_KAON) ** 2)
    form_factor = B_AT_ZERO / (1.0 - q_squared / B_POLE**2)
    coupling = penguin_coupling(vector, VTS_VTB)
    width = meson_width(vector, coupling, meson.M_B_CHARGED, meson.M_CHARGED_KAON, form_factor)
    return width / meson.WIDTH_B_CHARGED


def _k_to_pi(vector: GaugedCharges) -> Float[Array, ""]:
    q_squared = jnp.minimum(vector.mass**2, (meson.M_CHARGED_KAON - meson.M_CHARGED_PION) ** 2)
    form_factor = kaon_f0(0.0) / (1.0 - q_squared / KAON_POLE**2)
    coupling = penguin_coupling(vector, LAMBDA_T)
    width = meson_width(vector, coupling, meson.M_CHARGED_KAON, meson.M_CHARGED_PION, form_factor)
    return width / meson.WIDTH_CHARGED_KAON
