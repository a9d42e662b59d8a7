"""What MiniBooNE sees of showers and of e+e- pairs, integrated angle by angle, without anomfit's numerics.

Splines in (ln E, theta) hold the results of explicit integrals: a Gaussian in the measured energy, a two-dimensional
Gaussian in the measured direction, and over the decay angle and azimuth of the pair's leading lepton. Only choices
(numbers of the recipe) are shared with the library; GeV, m, rad.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline, NdBSpline, make_interp_spline
from scipy.special import ndtr, roots_laguerre, roots_legendre

from anomfit.data import load_record
from anomfit.physics.constants import M_E, M_N, M_P

DEGREE = np.pi / 180.0
EDGES = 1e-3 * np.array([200.0, 300.0, 375.0, 475.0, 550.0, 675.0, 800.0, 950.0, 1100.0, 1250.0, 1500.0, 3000.0])
LOWEST, HIGHEST = 0.1, 2.1  # GeV, outside which the efficiency is zero


@dataclass(frozen=True)
class Rule:
    """Numbers of nodes of every step; `finer` doubles them to show that they are enough."""

    energies: int = 100
    angles: int = 81
    azimuths: int = 4
    panel: int = 3
    boost: int = 120
    directions: int = 41
    production: int = 2
    transfer: int = 8

    def finer(self) -> "Rule":
        return Rule(130, 101, 6, 4, 240, 61, 3, 12)


def gauss(edges, n):
    """Composite Gauss-Legendre nodes and weights on the panels between `edges` (last axis)."""
    x, w = roots_legendre(n)
    edges = np.asarray(edges, dtype=float)
    low, width = edges[..., :-1, None], np.diff(edges)[..., None]
    nodes, weights = low + 0.5 * width * (x + 1.0), 0.5 * width * w
    return nodes.reshape(*nodes.shape[:-2], -1), weights.reshape(*weights.shape[:-2], -1)


def surface(x, y, values):
    """Cubic spline through values[x, y, ...]."""
    along = make_interp_spline(x, values, k=3)
    across = make_interp_spline(y, np.moveaxis(along.c, 1, 0), k=3)
    return NdBSpline((along.t, across.t), np.ascontiguousarray(np.moveaxis(across.c, 0, 1)), 3)


def ring(theta, opening, azimuths):
    """Polar angles of directions at `opening` from one at `theta`, at midpoint azimuths (new last axis)."""
    phi = np.pi * (np.arange(azimuths) + 0.5) / azimuths
    theta, opening = np.asarray(theta)[..., None], np.asarray(opening)[..., None]
    cosine = np.cos(theta) * np.cos(opening) + np.sin(theta) * np.sin(opening) * np.cos(phi)
    return np.arccos(np.clip(cosine, -1.0, 1.0))


def efficiency_knots():
    """(energies, efficiencies): bin centres of the release, with zeros at 0.1 and 2.1 GeV."""
    table = load_record("miniboone/efficiency_electron_photon").columns
    centres = [5e-4 * (a + b) for a, b in zip(table["E_lo_MeV"], table["E_hi_MeV"], strict=True)]
    return np.array([LOWEST, *centres[1:], HIGHEST]), np.array([0.0, *table["efficiency"][1:], 0.0])


def efficiency(energy):
    return np.interp(energy, *efficiency_knots(), left=0.0, right=0.0)


def e_nu_qe(visible, cosine):
    """The experiment's formula, with the electron's mass everywhere."""
    e = visible + M_E
    p = np.sqrt(e * e - M_E * M_E)
    return (2.0 * M_N * e - (M_N**2 + M_E**2 - M_P**2)) / (2.0 * (M_N - e + p * cosine))


@lru_cache
def _edge_spline():
    """Visible energy at each edge of E_nu^QE as a function of the measured cosine, by bisection."""
    cosine = np.cos(np.linspace(np.pi, 0.0, 1501))
    low, high = np.full((len(EDGES), cosine.size), 1e-6), np.zeros((len(EDGES), cosine.size))
    high += np.minimum(4.0, (M_N - M_E) / np.maximum(1.0 - cosine, 1e-9) * (1.0 - 1e-9))
    for _ in range(70):
        middle = 0.5 * (low + high)
        value = e_nu_qe(middle, cosine)
        above = (value > EDGES[:, None]) | (value < 0.0)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return CubicSpline(cosine, 0.5 * (low + high), axis=1)


RESOLUTIONS = {"flat": lambda e: 0.115 * e, "stochastic": lambda e: 0.12 * np.sqrt(e) + 0.01}


@lru_cache
def shower(resolution: str, rule: Rule) -> NdBSpline:
    """P(bin of E_nu^QE | true visible energy, true polar angle) as a spline in (ln E, theta)."""
    energy = np.geomspace(0.97 * LOWEST, 1.03 * HIGHEST, rule.energies)
    theta = np.linspace(0.0, np.pi, rule.angles)
    t, w = roots_laguerre(rule.azimuths + 2)
    edges = _edge_spline()
    values = np.empty((energy.size, theta.size, len(EDGES) - 1))
    for i, e in enumerate(energy):
        sigma = (2.7 - np.log(e)) * DEGREE
        measured = np.cos(ring(theta[:, None], sigma * np.sqrt(2.0 * t), rule.azimuths + 2))
        below = ndtr((edges(measured) - e) / RESOLUTIONS[resolution](e))
        values[i] = np.einsum("kijn,j->ik", np.diff(below, axis=0), w) / (rule.azimuths + 2)
    return surface(np.log(energy), theta, values)


def _leptons(energy, mass, x):
    """Energies of the leading and other lepton, opening angle and the leading one's angle to the pair, by a boost."""
    p_star = np.sqrt(0.25 * mass**2 - M_E**2)
    gamma, gamma_beta = energy / mass, np.sqrt((energy - mass) * (energy + mass)) / mass
    across = p_star * np.sqrt(1.0 - x**2)
    along = [gamma * s * p_star * x + gamma_beta * 0.5 * mass for s in (1.0, -1.0)]
    lead, other = (gamma * 0.5 * mass + gamma_beta * s * p_star * x for s in (1.0, -1.0))
    angles = [np.arctan2(across, a) for a in along]
    return lead, other, angles[0] + angles[1], angles[0]


def _recipe(selection, lead, other, opening, mass):
    """Probabilities to be seen as the sum and as the leading lepton alone."""
    energy = lead + other
    if selection in ("overlap-13-mass", "overlap-13", "overlap-8", "overlap-5"):
        limit = float(selection.split("-")[1]) * DEGREE
        overlap = ndtr((limit - opening) / (2.8 * DEGREE))
        asymmetric = ndtr((0.030 - other) / 0.0045) * ndtr((lead - 0.030) / 0.0045)
        cut = 0.03203 + 0.007417 * energy + 0.02738 * energy**2
        keep = ndtr((cut - mass) / (0.15 * cut)) if selection.endswith("mass") else 1.0
        return keep * overlap, keep * (1.0 - overlap) * asymmetric
    if selection == "light-or-5":
        light = ndtr((0.030 - mass) / 0.0045)
        narrow = ndtr((5.0 * DEGREE - opening) / (2.8 * DEGREE))
        return light + (1.0 - light) * narrow, 0.0 * opening
    raise ValueError(selection)


def _decay_nodes(energy, mass, n):
    """Nodes in x = cos theta* of the leading lepton, panels at 15, 30, 45, 60 MeV of the other, and fixed."""
    slope = (
        2.0 * np.sqrt(0.25 * mass**2 - M_E**2) * np.sqrt((energy - mass) * (energy + mass)) / mass
    )  # E_lead - E_other at x = 1
    soft = [np.clip((energy - 2.0 * soft) / np.maximum(slope, 1e-12), 0.0, 1.0) for soft in (0.015, 0.03, 0.045, 0.06)]
    fixed = np.broadcast_to([0.0, 0.4, 0.7, 0.85, 0.95, 0.99, 1.0], (*energy.shape, 7))
    return gauss(np.sort(np.concatenate([np.stack(soft, axis=-1), fixed], axis=-1), axis=-1), n)


@dataclass(frozen=True)
class PairResponse:
    """P(bin | pair energy, pair angle) = containment x (efficiency x whole(E, theta) + leading(E, theta))."""

    whole: NdBSpline
    leading: NdBSpline | None
    decay_length: float  # c tau / m of the pair, m/GeV
    mass: float

    def __call__(self, energy, theta):
        places = np.stack(np.broadcast_arrays(np.log(energy), theta), axis=-1)
        seen = self.whole(places) * efficiency(energy)[..., None]
        if self.leading is not None:
            seen = seen + self.leading(places)
        momentum = np.sqrt(np.maximum(energy**2 - self.mass**2, 0.0))
        return seen * contained(self.decay_length * momentum)[..., None]


def pair_response(mass, decay_length, selection: str, resolution: str, rule: Rule) -> PairResponse:
    """The response to pairs of this mass (GeV); what decays to the pair flies decay_length x momentum (m)."""
    energy = np.geomspace(max(LOWEST, mass * (1 + 1e-12)), HIGHEST, rule.energies)
    theta = np.linspace(0.0, np.pi, rule.angles)
    table = shower(resolution, rule)
    x, w = _decay_nodes(energy, mass, rule.panel + 1)
    lead, other, opening, tilt = _leptons(energy[:, None], mass, x)
    whole, leading = _recipe(selection, lead, other, opening, mass)
    places = np.stack(np.broadcast_arrays(np.log(energy)[:, None], theta), axis=-1)
    summed = np.sum(w * whole, axis=1)[:, None, None] * table(places)
    weight = w * leading * efficiency(lead)
    seen = weight > 1e-9
    if not seen.any():
        return PairResponse(surface(np.log(energy), theta, summed), None, decay_length, mass)
    i, j = np.nonzero(seen)
    alone = np.zeros_like(summed)
    for rows in np.array_split(np.arange(i.size), max(1, i.size // 200)):
        angles = ring(theta, tilt[i[rows], j[rows], None], rule.azimuths)
        spots = np.stack(np.broadcast_arrays(np.log(lead[i[rows], j[rows]])[:, None, None], angles), axis=-1)
        np.add.at(alone, i[rows], weight[i[rows], j[rows], None, None] * table(spots).mean(axis=2))
    return PairResponse(
        surface(np.log(energy), theta, summed), surface(np.log(energy), theta, alone), decay_length, mass
    )


@lru_cache
def _containment_spline():
    """ln L against the containment, from composite panels of the displacement and the lens formula of two spheres."""
    record = load_record("miniboone/experiment").values
    r, R = record["fiducial_radius"], record["radius"]
    lengths = np.geomspace(1e-4, 1e8, 1201)
    values = [_contained_once(L, r, R) for L in lengths]
    return CubicSpline(np.log(lengths), np.log(values))


def _contained_once(L, r, R):
    edges = np.unique(
        np.concatenate([[R - r, R + r], np.clip(R - r + L * np.array([0.1, 0.3, 1, 2, 4, 8, 16, 40]), R - r, R + r)])
    )
    d, w = gauss(edges, 20)
    lens = np.pi * (R + r - d) ** 2 * (d**2 + 2 * d * (R + r) - 3 * (R - r) ** 2) / (12 * d)
    return -np.expm1(-(R - r) / L) + np.sum(w * np.exp(-d / L) / L * lens) / (4 / 3 * np.pi * r**3)


def contained(length):
    """Chance to decay in the fiducial sphere for births anywhere in the oil, over the same for a prompt decay."""
    inside = np.clip(length, 1e-4, 1e8)
    return np.exp(_containment_spline()(np.log(inside))) * inside / np.maximum(length, 1e-4)
