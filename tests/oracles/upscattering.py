"""MiniBooNE's E_nu^QE spectrum of the two-Higgs-doublet model, in (E_nu, Q^2) target by target: NumPy and SciPy.

A second opinion on anomfit.measurements.miniboone: the same physics (arXiv:2010.06159 with the corrections that the
library states), another rule and other code. Panels end at the flux's knots; the decays are integrated in the energy of
h' with panels at the knots of the efficiency, and over the azimuth. GeV, m, cm.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import spherical_jn

from anomfit.data import load_record
from anomfit.physics.constants import GEV2_TO_CM2, HBAR_C_FM, HBAR_C_M, M_C12, M_E, M_N, M_P
from oracles.shower_table import Rule, efficiency_knots, gauss, pair_response, ring, surface

BOUND = (6.0, 0.221)  # of the nucleons in CH2 of one kind: those of carbon, its Fermi momentum
# mass, number in CH2, protons, neutrons, and how many of them are bound
TARGETS = ((M_C12, 1.0, 6, 6), (M_P, 8.0, 1, 0, BOUND), (M_N, 6.0, 0, 1, BOUND))
CHARGE_RADII = {12: 2.4702, 16: 2.6991, 28: 3.1224, 40: 3.4274}  # fm, Angeli and Marinova (2013)
F_T = {"dkm": ((0.0208, 0.0411), (0.0189, 0.0451)), "agr1": ((0.020, 0.041), (0.0189, 0.0451))}
M_UP, M_DOWN = 2.16e-3, 4.67e-3
RULE = Rule()


@dataclass(frozen=True)
class Physics:
    """What a prediction needs, from a point of the model."""

    m_N2: float
    m_hprime: float
    m_N1: float
    masses: tuple[float, float]  # H, h'
    charges: tuple[tuple[float, float], tuple[float, float]]  # y F_p, y F_n of H and of h'
    branching: tuple[float, float]  # N_2 -> N_1 h', nu h'
    decay_length: float  # c tau / m of h', m/GeV
    M_S: float = 0.775
    as_published: bool = False


def physics(point, as_published=False, counting=2.0) -> Physics:
    """From physical parameters (y_nu, not the product)."""
    fractions = F_T["agr1" if as_published else "dkm"]
    s = point["sin_delta"]
    c = np.sqrt(1.0 - s * s)
    F = [
        m * (f_u * point["y_u"] / M_UP + f_d * point["y_d"] / M_DOWN)
        for m, (f_u, f_d) in zip((M_P, M_N), fractions, strict=True)
    ]
    m2, m1, mh, mH = point["m_N2"], point["m_N1"], point["m_hprime"], point["m_H"]
    widths = {}
    for name, m, doublet, singlet in (("H", mH, c, -s), ("h", mh, s, c)):
        g, y = counting * point["lambda_N12"] * singlet, point["y_nu"] * doublet
        p = np.sqrt((m2**2 - (m1 + m) ** 2) * (m2**2 - (m1 - m) ** 2)) / (2 * m2) if m2 > m1 + m else 0.0
        widths["N1", name] = g**2 * ((m2 + m1) ** 2 - m**2) * p / (8 * np.pi * m2**2)
        widths["nu", name] = y**2 * m2 / (16 * np.pi) * (1 - m**2 / m2**2) ** 2 if m2 > m else 0.0
    total = sum(widths.values())
    electrons = (s * point["y_e"]) ** 2 * mh / (8 * np.pi) * (1 - 4 * M_E**2 / mh**2) ** 1.5 if mh > 2 * M_E else 0.0
    return Physics(
        m2, mh, m1, (mH, mh),
        tuple((point["y_nu"] * d * d * F[0], point["y_nu"] * d * d * F[1]) for d in (c, s)),  # type: ignore[arg-type]
        (widths["N1", "h"] / total, widths["nu", "h"] / total) if total > 0 and electrons > 0 else (0.0, 0.0),
        HBAR_C_M / (electrons * mh) if electrons > 0 else np.inf,
        as_published=as_published,
    )  # fmt: skip


@lru_cache
def fluxes(flavours="numu+numubar"):
    """(knots in GeV, flux x POT x molecules of both modes at the knots)."""
    experiment = load_record("miniboone/experiment").values
    heights = []
    for mode, right in (("neutrino", "numu"), ("antineutrino", "numubar")):
        table = load_record(f"miniboone/flux_{mode}_mode").columns
        low, high = table["E_lo_GeV"], table["E_hi_GeV"]
        density = table["numu"] + table["numubar"] if flavours == "numu+numubar" else table[right]
        knots = np.array([1.5 * low[0] - 0.5 * high[0], *(0.5 * (low + high)), 1.5 * high[-1] - 0.5 * low[-1]])
        line = np.array([0.0, *density, 0.0])
        line *= np.sum(density * (high - low)) / np.trapezoid(line, knots)
        heights.append(line * experiment[f"pot_{mode}"] * experiment["ch2_molecules"])
    return knots, np.array(heights)


def form_factor_squared(q_squared, nucleons, given: Physics):
    if nucleons == 1:
        return np.ones_like(q_squared) if given.as_published else (1 + q_squared / given.M_S**2) ** -4
    if given.as_published:
        return np.exp(-50.0 * q_squared)
    q = np.sqrt(q_squared) / HBAR_C_FM
    radius = np.sqrt((CHARGE_RADII[nucleons] ** 2 - 3 * 0.81) / 0.6)
    return (3 * spherical_jn(1, q * radius) / (q * radius) * np.exp(-0.405 * q**2)) ** 2


def unblocked(q_squared, target, given: Physics):
    """Share of the nucleons that a shift by |q| leaves outside the Fermi sphere of the others: two spheres' overlap."""
    mass, number, _, _, *binding = target
    if given.as_published or not binding:
        return 1.0
    ((bound, k_F),) = binding
    gap = np.minimum(np.sqrt(q_squared + (q_squared / (2 * mass)) ** 2), 2 * k_F)  # between the spheres' centres
    lens = np.pi * (4 * k_F + gap) * (2 * k_F - gap) ** 2 / 12
    return 1.0 - bound / number * lens / (4 / 3 * np.pi * k_F**3)


def cross_section(e_nu, q_squared, target, given: Physics):
    """d sigma / d Q^2 in cm^2/GeV^2 per target."""
    mass, _, protons, neutrons, *_ = target
    amplitude = sum(
        (protons * p + neutrons * n) / (q_squared + m**2) for m, (p, n) in zip(given.masses, given.charges, strict=True)
    )
    spin = 4 * mass**2 + (q_squared if protons + neutrons == 1 else 0.0)
    squared = (
        (given.m_N2**2 + q_squared) * spin * amplitude**2 * form_factor_squared(q_squared, protons + neutrons, given)
    )
    return GEV2_TO_CM2 * squared * unblocked(q_squared, target, given) / (64 * np.pi * mass**2 * e_nu**2)


def transfer_limits(e_nu, m, mass):
    """Q^2 limits from the invariant: roots of the quadratic for the lab energy of the target's recoil."""
    s = mass * (mass + 2 * e_nu)
    root = 0.5 * (s - mass**2) * np.sqrt(np.maximum((s - (mass + m) ** 2) * (s - (mass - m) ** 2), 0.0)) / s
    centre = (s - mass**2) * (s + m**2 - mass**2) / (2 * s) - m**2
    product = m**4 * mass**2 / s  # Q^2_min Q^2_max
    high = centre + root
    return product / high, high


def production_nodes(target, given: Physics, rule: Rule):
    """(E_nu, Q^2, weight of dE_nu dQ^2) on panels between the flux's knots, from the threshold."""
    mass, m = target[0], given.m_N2
    threshold = m + m * m / (2 * mass)
    knots, _ = fluxes()
    knots = knots[knots > threshold * (1 + 1e-9)]
    if knots.size == 0:
        return None
    first = threshold + (knots[0] - threshold) * np.array([0.0, 0.25, 1.0])
    u, w = gauss(np.sqrt(first - threshold), 2 * rule.production)  # E = threshold + u^2
    e, we = gauss(knots, rule.production)
    e_nu, weight = np.concatenate([threshold + u**2, e]), np.concatenate([2 * u * w, we])
    low, high = transfer_limits(e_nu, m, mass)
    lightest = min(given.masses) ** 2
    v_low, v_high = np.log(low + lightest), np.log(high + lightest)
    cuts = np.array([0.0, 0.3, 0.55, 0.75, 0.9, 1.0])
    v, wv = gauss(v_low[:, None] + (v_high - v_low)[:, None] * cuts, rule.transfer)
    return e_nu[:, None], np.clip(np.exp(v) - lightest, low[:, None], high[:, None]), weight[:, None] * wv * np.exp(v)


def made(given: Physics, rule: Rule = RULE, flavours="numu+numubar"):
    """Interactions before any efficiency: (coherent, incoherent) x mode."""
    counts = np.zeros((2, 2))
    for target in TARGETS:
        nodes = production_nodes(target, given, rule)
        if nodes is None:
            continue
        e_nu, q_squared, weight = nodes
        rate = target[1] * np.sum(weight * cross_section(e_nu, q_squared, target, given), axis=1)
        knots, heights = fluxes(flavours)
        counts[int(target[2] + target[3] == 1)] += [np.sum(rate * np.interp(e_nu[:, 0], knots, h)) for h in heights]
    return counts


def _after_decay(given: Physics, response, rule: Rule):
    """Spline in (boost, theta_N) of the chance of each bin for an N_2 of that boost asinh(p/m) and polar angle."""
    m, mh = given.m_N2, given.m_hprime
    knots = efficiency_knots()[0]
    marks = np.unique(np.concatenate([knots, np.sqrt(knots[:-1] * knots[1:]), np.geomspace(knots[0], knots[1], 4)]))
    channels, reaches = [], []
    for daughter, share in zip((given.m_N1, 0.0), given.branching, strict=True):
        if share > 0.0:
            e_star = (m**2 + mh**2 - daughter**2) / (2 * m)
            p_star = np.sqrt((m**2 - (mh + daughter) ** 2) * (m**2 - (mh - daughter) ** 2)) / (2 * m)
            channels.append((share, daughter, e_star, p_star))
            # rapidity of N_2 below which no h' has 0.1 GeV
            reaches.append(np.arccosh(max(knots[0] / mh, 1.0)) - np.arccosh(max(e_star / mh, 1.0)))
    start, top = max(min(reaches), 0.0), np.arcsinh(12.0 / m)
    count = int(np.ceil(rule.boost * (top - start) / 4.0)) + 8
    boost = np.linspace(max(start - 0.05, 0.0), top, count)
    theta = np.linspace(0.0, np.pi, rule.directions)
    values = np.zeros((count, rule.directions, 11))
    for share, daughter, e_star, p_star in channels:
        for k, y in enumerate(boost):
            e_N, p_N = m * np.cosh(y), m * np.sinh(y)
            low, high = (e_N * e_star - p_N * p_star) / m, (e_N * e_star + p_N * p_star) / m
            if high <= marks[0] or low >= marks[-1]:
                continue
            if high - low > 1e-9 * high:
                panels = np.unique(
                    np.concatenate([[max(low, marks[0]), min(high, marks[-1])], marks[(marks > low) & (marks < high)]])
                )
                e, w = gauss(panels, rule.panel)
                w = w / (high - low)
            else:
                e, w = np.array([0.5 * (low + high)]), np.ones(1)
            p = np.sqrt((e - mh) * (e + mh))
            along = (daughter**2 - m**2 - mh**2 + 2 * e_N * e) / 2  # p_N . p_h'
            opening = (
                np.arccos(np.clip(along / np.maximum(p_N * p, 1e-300), -1, 1))
                if p_N > 0
                else np.arccos(np.zeros_like(e))
            )
            values[k] += share * _ring_average(response, e, w, theta, opening, rule)
    return surface(boost, theta, values), boost


def _ring_average(response, e, w, theta, opening, rule: Rule):
    angles = ring(theta[None, :], opening[:, None], rule.azimuths)  # energy, theta, azimuth
    return np.einsum("e,etb->tb", w, response(np.broadcast_to(e[:, None, None], angles.shape), angles).mean(axis=2))


def spectrum(
    given: Physics, selection="overlap-13-mass", resolution="flat", flavours="numu+numubar", rule: Rule = RULE
):
    """Events in the bins: (coherent, incoherent) x (neutrino mode, antineutrino mode) x 11 bins."""
    counts = np.zeros((2, 2, 11))
    if sum(given.branching) == 0.0:
        return counts
    response = pair_response(given.m_hprime, given.decay_length, selection, resolution, rule)
    decayed, boost = _after_decay(given, response, rule)
    knots, heights = fluxes(flavours)
    for target in TARGETS:
        nodes = production_nodes(target, given, rule)
        if nodes is None:
            continue
        e_nu, q_squared, weight = nodes
        e_N = e_nu - q_squared / (2 * target[0])
        p_N = np.sqrt(np.maximum(e_N**2 - given.m_N2**2, 0.0))
        cosine = (2 * e_nu * e_N - q_squared - given.m_N2**2) / (2 * e_nu * np.maximum(p_N, 1e-300))
        y = np.arcsinh(p_N / given.m_N2)
        kept = (y >= boost[0]) & (y <= boost[-1])
        places = np.stack([np.clip(y, boost[0], boost[-1]), np.arccos(np.clip(cosine, -1, 1))], axis=-1)
        seen = np.where(kept[..., None], decayed(places), 0.0)
        rate = target[1] * weight * cross_section(e_nu, q_squared, target, given)
        by_energy = np.einsum("eq,eqb->eb", rate, seen)
        component = int(target[2] + target[3] == 1)
        counts[component] += np.stack([np.interp(e_nu[:, 0], knots, h) @ by_energy for h in heights])
    return counts
