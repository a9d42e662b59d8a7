"""A user's own limit without code: a curve of coupling against mass in a CSV file, named in a card with its meaning.

    [measurements."limit.csv"]
    kind = "curve"
    boson = "vector"        # scalar, pseudoscalar or vector
    coupling = "epsilon"    # or g_e, g_mu, g_tau, g_u, g_d, g_nu
    cl = 0.95               # the confidence level of the curve
    seen = "electrons"      # what the search looks for: anything (default), electrons, muons, leptons, invisible

The file has two columns, the mass with its unit ("m [GeV]") and the largest coupling that is allowed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.special import ndtri

from anomfit.capabilities import HasLightBosons, HasLightScalars, HasLightSpinZero, HasLightVectors
from anomfit.constraints.base import About, Constraint, Outcome
from anomfit.constraints.production import nearest
from anomfit.errors import InputError, quoted, reject
from anomfit.hepdata_csv import CsvTable, energy_scale, read_csv_table
from anomfit.parameters import Point
from anomfit.physics.constants import E_CHARGE
from anomfit.physics.dark_photon import vector_shares
from anomfit.physics.light_bosons import Channel, LightBosons, of_spin
from anomfit.statistics.limits import CURVE_WIDTH, Z_90
from anomfit.units import parse_quantity

BOSONS: Mapping[str, type] = {
    "scalar": HasLightScalars,
    "pseudoscalar": HasLightSpinZero,
    "vector": HasLightVectors,
}
COUPLINGS = ("epsilon", "g_e", "g_mu", "g_tau", "g_u", "g_d", "g_nu")
CHANNELS: Mapping[str, tuple[Channel, ...]] = {
    "anything": (),
    "electrons": ("electrons",),
    "muons": ("muons",),
    "leptons": ("electrons", "muons"),
    "invisible": ("invisible",),
}
OPTIONS = ("kind", "boson", "coupling", "cl", "seen", "source")


def load_own_curve(path: Path, options: Mapping[str, str]) -> Constraint:
    """The constraint of a curve in a CSV file, named by the file's stem; `options` as above, all of them text.

    A curve at another confidence level than 90 % is moved to where a half-Gaussian in the logarithm of the coupling has
    its 90 % (`anomfit.statistics.limits`). Raises InputError for an option that is missing, unknown or without sense,
    and for a file that is no such curve.
    """
    for name in options:
        if name not in OPTIONS:
            raise reject(f"{path.name}.{name}", options[name], f"a curve has {', '.join(OPTIONS)}")
    boson = _one_of(path, options, "boson", BOSONS)
    coupling = _one_of(path, options, "coupling", COUPLINGS)
    seen = _one_of(path, {"seen": "anything", **options}, "seen", CHANNELS)
    if coupling == "epsilon" and boson != "vector":
        raise reject(f"{path.name}.coupling", coupling, f"a {boson} has none; write g_e, its coupling to electrons")
    level = _level(path, options)
    masses, limits = _curve(read_csv_table(path))
    weakening = 10.0 ** (CURVE_WIDTH * (Z_90 - float(ndtri(0.5 * (1.0 + level)))))
    about = About(
        name=path.stem,
        title=f"{path.name}: {coupling} of a light {boson} against its mass",
        quantity=f"{coupling} of the nearest {boson}",
        unit="1",
        kind="curve",
        era="own",
        source=options.get("source", path.name),
        assumption=_assumption(boson, seen, level),
        references=(),
        accepts=(BOSONS[boson],),
    )
    return Constraint({"m": masses, "low": limits * weakening}, about, OwnCurve(boson, coupling, seen))


@dataclass(frozen=True)
class OwnCurve:
    """The physics of an own curve: the boson's coupling, weighed with what is seen of its decays, against the curve."""

    boson: str
    coupling: str
    seen: str

    def __call__(self, model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
        bosons = of_spin(model.light_bosons(point), self.boson)  # type: ignore[arg-type]
        value = bosons.g_e / E_CHARGE if self.coupling == "epsilon" else getattr(bosons, self.coupling)
        return nearest(bosons, value**2 * self._fraction(bosons), data)

    def _fraction(self, bosons: LightBosons) -> Float[Array, " bosons"]:
        """What is seen of the boson's decays, over what is seen of a dark photon's where a vector decays visibly."""
        channels = CHANNELS[self.seen]
        if not channels:
            return jnp.ones_like(bosons.mass)
        fraction = bosons.branching_ratio(*channels)
        if self.boson != "vector" or self.seen == "invisible":
            return fraction
        electrons, muons, _ = vector_shares(bosons.mass)
        shares = {"electrons": electrons, "muons": muons, "leptons": electrons + muons}
        return fraction / jnp.maximum(shares[self.seen], 1e-3)


def _assumption(boson: str, seen: str, level: float) -> str:
    if seen == "anything":
        decays = "it does not matter what the boson decays to"
    elif boson == "vector" and seen != "invisible":
        decays = f"coupling^2 times the branching ratio to {seen}, over a dark photon's"
    else:
        decays = f"coupling^2 times the branching ratio to {seen}"
    moved = "" if level == 0.9 else f"; moved from {level:.3g} to 90 % CL"
    return f"a user's curve: {decays}{moved}"


def _curve(table: CsvTable) -> tuple[np.ndarray, np.ndarray]:
    """Masses in GeV, ascending, and couplings."""
    plain = [name for name in table.columns if not name.upper().endswith((" LOW", " HIGH"))]
    if len(plain) != 2:
        raise table.fault(f"a curve has two columns, mass and coupling; it has {', '.join(map(quoted, plain))}")
    mass, limit = plain
    masses, limits = energy_scale(table, mass) * table.column(mass), table.column(limit)
    if not (np.all(masses > 0.0) and np.all(limits > 0.0)):
        raise table.fault("a mass or a coupling in it is 0 or negative; leave these rows out")
    order = np.argsort(masses)
    if len(masses) < 2 or np.any(np.diff(masses[order]) == 0.0):
        raise table.fault("a curve needs at least two masses, each once; of a closed region give the lower edge")
    return masses[order], limits[order]


def _level(path: Path, options: Mapping[str, str]) -> float:
    text = _given(path, options, "cl", "its confidence level, such as 0.95")
    level = parse_quantity(text, "1", f"{path.name}.cl")
    if not 0.5 <= level <= 0.9999:
        raise reject(f"{path.name}.cl", text, "give the confidence level of the curve, from 0.5 to 0.9999")
    return level


def _one_of(path: Path, options: Mapping[str, str], name: str, known) -> str:
    word = _given(path, options, name, f"one of {', '.join(known)}")
    if word not in known:
        raise reject(f"{path.name}.{name}", word, f"use one of {', '.join(known)}")
    return word


def _given(path: Path, options: Mapping[str, str], name: str, words: str) -> str:
    if name not in options:
        raise InputError(f"{path.name}: it does not say its {name}; add {name} = ..., {words}")
    return options[name]
