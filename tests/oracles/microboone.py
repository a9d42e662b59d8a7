"""MicroBooNE's e+e- spectrum, coherent on argon, in (E_nu, Q^2) and the decay's energy: NumPy, panels.

A second opinion on anomfit.measurements.microboone: the efficiency in the angle to the beam is taken at every azimuth,
where the library expands it in Legendre polynomials. GeV, m, cm.
"""

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.stats import norm

from anomfit.data import load_record
from anomfit.physics.constants import M_E
from oracles.shower_table import gauss
from oracles.upscattering import Physics, cross_section, transfer_limits

SEEN = (0.1, 2.1)  # pairs of other energies are left out
PROTONS, NEUTRONS = 18, 22
AZIMUTHS = np.cos(np.pi * (np.arange(40) + 0.5) / 40)


def flux():
    """(knots in GeV, nu_mu and anti-nu_mu x POT x nuclei at the knots)."""
    table, values = load_record("microboone/flux").columns, load_record("microboone/experiment").values
    low, high = table["E_lo_GeV"], table["E_hi_GeV"]
    density = table["numu"] + table["numubar"]
    knots = np.array([1.5 * low[0] - 0.5 * high[0], *(0.5 * (low + high)), 1.5 * high[-1] - 0.5 * low[-1]])
    line = np.array([0.0, *density, 0.0])
    line *= np.sum(density * (high - low)) / np.trapezoid(line, knots)
    return knots, line * values["pot"] * values["argon_nuclei"]


def slice_of(name, at, power):
    """Straight lines between centres; angles beyond the table fall as its end does, energies beyond have nothing."""
    columns = load_record(f"microboone/pair_efficiency_{name}").columns
    centres, values = list(0.5 * (columns["lo"] + columns["hi"])), list(columns["efficiency"])
    if name == "energy":
        knots, heights = [columns["lo"][0], *centres, columns["hi"][-1]], [0.0, *values, 0.0]
    else:
        knots, heights = [0.0, *centres], [values[0], *values]
        while 2 * knots[-1] - knots[-2] <= 180.0:
            knots.append(2 * knots[-1] - knots[-2])
            heights.append(heights[-1] ** 2 / heights[-2])
    return np.interp(at, knots, np.array(heights) ** power)


def of_opening(energy, mass, power):
    """Mean over isotropic decays, angles from the leptons' momenta along and across the flight."""
    c, w = gauss(np.linspace(-1.0, 1.0, 41), 12)
    own = np.sqrt(0.25 * mass**2 - M_E**2)
    gamma, boost = energy / mass, np.sqrt(np.maximum(energy**2 - mass**2, 0.0)) / mass
    along = [gamma[:, None] * sign * own * c + boost[:, None] * 0.5 * mass for sign in (1.0, -1.0)]
    across = own * np.sqrt(1.0 - c**2)
    opening = np.arctan2(across, along[0]) + np.arctan2(across, along[1])
    return 0.5 * slice_of("opening", np.rad2deg(opening), power) @ w


def spectrum(given: Physics, powers, nodes=(3, 16, 6)) -> np.ndarray:
    """Events in the six bins; powers: of the slices in energy, opening angle, angle. One channel N_2 -> X h'."""
    values, table = load_record("microboone/experiment").values, load_record("microboone/pair_search_2025").columns
    edges = 1e-3 * np.append(table["Evis_lo_MeV"], table["Evis_hi_MeV"][-1])
    mass, m, mh = values["argon_mass"], given.m_N2, given.m_hprime
    assert sum(share > 0.0 for share in given.branching) == 1
    daughter = given.m_N1 if given.branching[0] > 0.0 else 0.0
    knots, heights = flux()
    e_nu, w_nu = gauss(np.unique(np.append(knots[knots > m + m * m / (2 * mass)], m + m * m / (2 * mass))), nodes[0])
    low, high = transfer_limits(e_nu, m, mass)
    high = np.minimum(high, 0.6)  # no form factor beyond
    v_low, v_high = (np.log(x + min(given.masses) ** 2) for x in (low, high))
    v, w_v = gauss(v_low[:, None] + (v_high - v_low)[:, None] * np.linspace(0.0, 1.0, 5), nodes[1] // 4)
    q_squared = np.exp(v) - min(given.masses) ** 2
    target = (mass, 1.0, PROTONS, NEUTRONS)
    rate = cross_section(e_nu[:, None], q_squared, target, given) * np.exp(v) * w_v
    rate *= (w_nu * np.interp(e_nu, knots, heights))[:, None]
    e_N = e_nu[:, None] - q_squared / (2 * mass)
    p_N = np.sqrt(np.maximum(e_N**2 - m**2, 1e-20))
    cos_N = np.clip((2 * e_nu[:, None] * e_N - q_squared - m**2) / (2 * e_nu[:, None] * p_N), -1, 1)
    marks = np.unique([*SEEN, *_centres("energy"), *np.geomspace(*SEEN, 12)])
    counts = np.zeros(len(edges) - 1)
    seen = _seen(given, powers, edges)
    e_star = (m**2 + mh**2 - daughter**2) / (2 * m)
    p_star = np.sqrt(e_star**2 - mh**2)
    kept = rate > 1e-10 * rate.sum()
    for r, e, p, c in zip(rate[kept], e_N[kept], p_N[kept], cos_N[kept], strict=True):
        first, last = (e * e_star - p * p_star) / m, (e * e_star + p * p_star) / m
        if last <= SEEN[0] or first >= SEEN[1]:
            continue
        panels = [max(first, SEEN[0]), *marks[(marks > first) & (marks < last)], min(last, SEEN[1])]
        energy, weight = gauss(np.unique(panels), nodes[2] // 2)
        along = (daughter**2 - m**2 - mh**2 + 2 * e * energy) / 2
        lean = np.clip(along / (p * np.sqrt(energy**2 - mh**2)), -1, 1)
        around = _around(c, lean, powers[2])
        counts += r / (last - first) * ((weight * around) @ seen(energy))
    return counts * sum(given.branching)


def _centres(name):
    columns = load_record(f"microboone/pair_efficiency_{name}").columns
    return [x for x in 0.5 * (columns["lo"] + columns["hi"]) if SEEN[0] < x < SEEN[1]]


def _stays(length):
    """Chance to end inside a sphere of the active volume's mean chord, born anywhere: first-collision probability."""
    a, b, c = (load_record("microboone/experiment").values[side] for side in ("length", "width", "height"))
    t = 0.75 * (4 * a * b * c / (2 * (a * b + b * c + c * a))) / length
    escapes = np.where(t < 1e3, 3 * (2 * t**2 - 1 + (1 + 2 * t) * np.exp(-2 * t)) / (8 * t**3), 0.75 / t)
    return 1.0 - escapes


def _seen(given: Physics, powers, edges):
    """Function of energies: chance of each bin but for the angle."""
    mh = given.m_hprime
    grid = np.geomspace(max(SEEN[0], mh), SEEN[1], 600)
    opening = CubicSpline(np.log(grid), of_opening(grid, mh, powers[1]))
    sigma = load_record("microboone/experiment").values["energy_resolution"]

    def bins(energy):
        inside = np.diff(norm.cdf((edges - energy[:, None]) / (sigma * energy[:, None])), axis=1)
        stays = _stays(given.decay_length * np.sqrt(energy**2 - mh**2))
        return (slice_of("energy", energy, powers[0]) * opening(np.log(energy)) * stays)[:, None] * inside

    return bins


def _around(cos_N, lean, power):
    """Mean over the azimuth of the slice in the angle to the beam."""
    if power == 0.0:
        return np.ones_like(lean)
    cosine = cos_N * lean + np.sqrt((1 - cos_N**2) * (1 - lean**2)) * AZIMUTHS[:, None]
    return slice_of("angle", np.rad2deg(np.arccos(np.clip(cosine, -1, 1))), power).mean(axis=0)
