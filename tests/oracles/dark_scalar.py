"""The dark scalar for the independent integrals: couplings and widths written out, points of its prior, spectra."""

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.detectors.microboone import find_efficiency
from anomfit.measurements.microboone import load_microboone
from anomfit.models.dark_scalar import dark_scalar
from anomfit.physics.constants import HBAR_C_M, M_N, M_P, V_EW
from oracles import comparison, microboone, upscattering
from oracles.shower_table import Rule

STRANGE = 0.043
BP1 = {name: float(value) for name, value in dark_scalar.points["bp1"].items()}


def reference(point) -> upscattering.Physics:
    """One scalar, one channel with a massless daughter; physical parameters."""
    y = point["g_D"] * point["U_mu4"] * (1.0 - point["U_mu4"] ** 2)
    charges = []
    for mass, (f_u, f_d) in zip((M_P, M_N), upscattering.F_T["dkm"], strict=True):
        gluons = 2.0 / 27.0 * (1.0 - f_u - f_d - STRANGE)
        sum_ = point["eta_u"] * (f_u + 2.0 * gluons) + point["eta_d"] * (f_d + STRANGE + gluons)
        charges.append(y * mass / V_EW * sum_)
    widths = dark_scalar.scalar_widths({key: jnp.asarray(value) for key, value in point.items()})
    total = float(widths.total)
    visible = float(widths.to_photons + widths.to_electrons) / total
    return upscattering.Physics(
        m_N2=point["m_nu4"],
        m_hprime=point["m_S"],
        m_N1=0.0,
        masses=(point["m_S"], point["m_S"]),
        charges=(tuple(charges), (0.0, 0.0)),  # type: ignore[arg-type]
        branching=(visible, 0.0) if point["m_nu4"] > point["m_S"] else (0.0, 0.0),
        decay_length=HBAR_C_M / (total * point["m_S"]),
    )


def edges() -> dict[str, dict[str, float]]:
    """Places where a rule may fail: thresholds, fast and slow S, long lives, the ends of the box."""
    light = {"U_mu4": 4e-3, "g_D": 3.0, "eta_d": 1.0}
    to_photons = {"kappa": 0.71, "eta_d": 0.038, "eta_u": 6e-5, "g_D": 1.4, "U_mu4": 0.05}
    changes = {
        "bp1": {},
        "light": {"m_S": 0.020, "m_nu4": 0.15},
        "lightest S, light nu_4": {"m_S": 0.010, "m_nu4": 0.020, **light},
        "lightest S, heavy nu_4": {"m_S": 0.010, "m_nu4": 1.0, **light},
        "heaviest nu_4": {"m_S": 0.030, "m_nu4": 2.0, **light},
        "S all but at rest in nu_4": {"m_S": 0.150, "m_nu4": 0.1501, **light},
        "closed": {"m_S": 0.150, "m_nu4": 0.1499, **light},
        "heaviest S": {"m_S": 0.21, "m_nu4": 0.5, **light},
        "at the mass cut": {"m_S": 0.04, "m_nu4": 0.4, **light},
        "long-lived": {**to_photons, "m_S": 0.012, "m_nu4": 0.16, "kappa": 0.05},
        "to photons": {**to_photons, "m_S": 0.011, "m_nu4": 0.159},
    }
    return {name: {**BP1, **change} for name, change in changes.items()}


def scattered(n: int, seed: int) -> dict[str, dict[str, float]]:
    """Random points of the prior of the physical parameters, S lighter than nu_4."""
    rng = np.random.default_rng(seed)
    points = {}
    for k in range(n):
        values = {}
        for p in dark_scalar.parametrisations["physical"].parameters:
            high = min(p.high, values["m_nu4"]) if p.name == "m_S" else p.high
            u = rng.random()
            values[p.name] = float(p.low * (high / p.low) ** u if p.is_log else p.low + (high - p.low) * u)
        points[f"random {k}"] = values
    return points


def all_points(n: int) -> dict[str, dict[str, float]]:
    """The first n of edges and random points."""
    return dict(list({**edges(), **scattered(n, 3)}.items())[:n])


def comparisons(number: int, rule: Rule):
    """(measurement, point, library's bins, the reference's, data) at the first points, MiniBooNE and MicroBooNE."""
    points, chosen = all_points(number), find_efficiency("mean")
    measured = comparison.measurement(), load_microboone(surroundings="none")
    counts = np.asarray(measured[0].data.counts), np.asarray(measured[1].counts)

    @jax.jit
    def run(measured, columns):
        return jax.lax.map(lambda p: [m.predict(dark_scalar, p, {}).total for m in measured], columns, batch_size=4)

    found = run(measured, {name: jnp.asarray([point[name] for point in points.values()]) for name in BP1})
    for k, (name, point) in enumerate(points.items()):
        given = reference(point)
        closed = given.branching[0] == 0.0
        powers = (chosen.energy, chosen.opening, chosen.angle)
        expected = (
            np.zeros(22) if closed else upscattering.spectrum(given, rule=rule).sum(axis=0).ravel(),
            np.zeros(6) if closed else microboone.spectrum(given, powers, nodes=(12, 32, 12)),
        )
        for which, label in enumerate(("miniboone", "microboone")):
            yield label, name, np.asarray(found[which][k]), expected[which], counts[which]
