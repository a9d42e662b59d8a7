"""MiniBooNE's pairs of the two-Higgs-doublet model, from docs/recipe.md alone: plain NumPy, quasi-random points.

Every number below stands on that page (and nowhere is the library asked); only the two tables of data that the page
names are read. GeV, m, cm^2.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtr, spherical_jn
from scipy.stats import qmc

M_E, M_P, M_N, M_C = 0.51099895e-3, 0.938272088, 0.939565421, 11.17486
HBAR_C_FM, HBAR_C_M, CM2 = 0.1973269804, 1.973269804e-16, 0.38937937e-27
TABLE_I = {
    "m_2": 0.130, "m_1": 0.085, "m_h": 0.017, "m_H": 0.750, "sin": 0.1, "y_nu": 1.25e-2, "y_q": 8e-6, "lambda": 0.075,
    "y_e": 2.3e-4,
}  # fmt: skip
F_T = {"dkm": ((0.0208, 0.0411), (0.0189, 0.0451)), "agr1": ((0.020, 0.041), (0.0189, 0.0451))}
EDGES = np.array([0.2, 0.3, 0.375, 0.475, 0.55, 0.675, 0.8, 0.95, 1.1, 1.25, 1.5, 3.0])
MODES = {"neutrino": (18.75e20, "numu"), "antineutrino": (11.27e20, "numubar")}
MOLECULES = 3.512e31
DEGREE = np.pi / 180.0


@dataclass(frozen=True)
class Choices:
    """The options of the page; the defaults are the library's."""

    fractions: str = "dkm"
    nucleon: str = "dipole"
    nucleus: str = "measured"
    bound: str = "fermi-gas"
    selection: str = "overlap-13-mass"
    flavours: str = "numu+numubar"


AS_PUBLISHED = Choices("agr1", "constant", "exponential", "none", "light-or-5", "numu-only")


def counts(data: Path, mode: str, chosen: Choices, log2_points: int = 18, seed: int = 1) -> np.ndarray:
    """Selected events in the bins of E_nu^QE: (carbon, nucleons) x bins. data: the folder with miniboone/."""
    found = np.zeros((2, len(EDGES) - 1))
    for target in ((M_C, 1.0, 6, 6), (M_P, 8.0, 1, 0), (M_N, 6.0, 0, 1)):
        points = qmc.Sobol(10, seed=seed).random_base2(log2_points).T
        found[int(target[2] + target[3] == 1)] += _target(data, mode, chosen, target, points)
    return found


def _target(data: Path, mode: str, chosen: Choices, target, u) -> np.ndarray:
    mass, number, _, _ = target
    p = TABLE_I
    m_2, m_h = p["m_2"], p["m_h"]
    threshold = m_2 + m_2**2 / (2 * mass)
    # neutrino's energy: dense at low energies, up to 6 GeV, beyond which the flux is 1e-5 of all
    e_nu = threshold + (6.0 - threshold) * u[0] ** 2
    weight = (6.0 - threshold) * 2 * u[0] * _flux(data, mode, chosen.flavours, e_nu)
    s = mass**2 + 2 * mass * e_nu
    k, e_prime = (s - mass**2) / (2 * np.sqrt(s)), (s + m_2**2 - mass**2) / (2 * np.sqrt(s))
    k_prime = np.sqrt(np.maximum(e_prime**2 - m_2**2, 0.0))
    high = 2 * k * (e_prime + k_prime) - m_2**2
    low = m_2**4 * mass**2 / s / high  # the product of both is m_2^4 M^2/s: no cancellation
    stretch = np.log((high + m_h**2) / (low + m_h**2))
    q2 = (low + m_h**2) * np.exp(stretch * u[1]) - m_h**2
    weight = weight * stretch * (q2 + m_h**2) * number * _cross_section(e_nu, q2, target, chosen)
    e_N = e_nu - q2 / (2 * mass)
    p_N = np.sqrt(e_N**2 - m_2**2)
    to_beam = (2 * e_nu * e_N - q2 - m_2**2) / (2 * e_nu * p_N)
    result = np.zeros(len(EDGES) - 1)
    for branching, m_1 in zip(_branchings(), (p["m_1"], 0.0), strict=True):
        e_star = (m_2**2 + m_h**2 - m_1**2) / (2 * m_2)
        p_star = np.sqrt(e_star**2 - m_h**2)
        c_star = 2 * u[2] - 1
        energy = (e_N * e_star + p_N * p_star * c_star) / m_2
        along = (p_N * e_star + e_N * p_star * c_star) / m_2
        cos_h = _turned(to_beam, along / np.sqrt(energy**2 - m_h**2), 2 * np.pi * u[3])
        for seen, cosine, chance in _seen(energy, cos_h, u, chosen.selection):
            result += branching * _binned(weight * chance * _efficiency(data, seen), seen, cosine, u)
    return result / u.shape[1]


def _flux(data: Path, mode: str, flavours: str, energy):
    """Times protons and molecules; 1/GeV/cm^2."""
    table = _columns(data / f"miniboone/flux_{mode}_mode.csv")
    protons, right = MODES[mode]
    density = table["numu"] + table["numubar"] if flavours == "numu+numubar" else table[right]
    width = table["E_hi_GeV"] - table["E_lo_GeV"]
    centre = 0.5 * (table["E_hi_GeV"] + table["E_lo_GeV"])
    knots = np.concatenate([[centre[0] - width[0]], centre, [centre[-1] + width[-1]]])
    line = np.concatenate([[0.0], density, [0.0]])
    line = line * np.sum(density * width) / np.trapezoid(line, knots)
    return protons * MOLECULES * np.interp(energy, knots, line)


def _cross_section(e_nu, q2, target, chosen: Choices):
    """d sigma/dQ^2 of one target of the molecule, cm^2/GeV^2."""
    mass, _, protons, neutrons = target
    p, cosine = TABLE_I, np.sqrt(1 - TABLE_I["sin"] ** 2)
    F_p, F_n = (
        m * (f_u / 2.16e-3 + f_d / 4.67e-3) * p["y_q"]
        for m, (f_u, f_d) in zip((M_P, M_N), F_T[chosen.fractions], strict=True)
    )
    exchange = sum(
        p["y_nu"] * mixing**2 * (protons * F_p + neutrons * F_n) / (q2 + m**2)
        for m, mixing in ((p["m_H"], cosine), (p["m_h"], p["sin"]))
    )
    if protons + neutrons > 1:
        spin, form, binding = 4 * mass**2, _nucleus(q2, chosen.nucleus), 1.0
    else:
        spin = 4 * mass**2 + q2
        form = (1 + q2 / 0.775**2) ** -2 if chosen.nucleon == "dipole" else 1.0
        free = 2.0 / 8.0 if protons else 0.0
        binding = free + (1 - free) * _bound(q2, mass, chosen.bound)
    squared = (p["m_2"] ** 2 + q2) * spin * exchange**2 * form**2 * binding
    return CM2 * squared / (64 * np.pi * mass**2 * e_nu**2)


def _nucleus(q2, name: str):
    if name == "exponential":
        return np.exp(-25.0 * q2)
    s = 0.9
    radius2 = {
        "measured": 5 / 3 * (2.4702**2 - 3 * s**2),
        "helm": (1.23 * 12 ** (1 / 3) - 0.60) ** 2 + 7 / 3 * np.pi**2 * 0.52**2 - 5 * s**2,
    }[name]
    q = np.sqrt(q2) / HBAR_C_FM
    return 3 * spherical_jn(1, q * np.sqrt(radius2)) / (q * np.sqrt(radius2)) * np.exp(-0.5 * (q * s) ** 2)


def _bound(q2, mass, name: str):
    if name == "none":
        return 1.0
    x = np.minimum(np.sqrt(q2 * (1 + q2 / (4 * mass**2))) / (2 * 0.221), 1.0)
    return (3 * x - x**3) / 2


def _branchings() -> tuple[float, float]:
    """To N_1 h' and nu h'; h' goes to electrons alone."""
    p, cosine = TABLE_I, np.sqrt(1 - TABLE_I["sin"] ** 2)
    m_2, m_1 = p["m_2"], p["m_1"]
    widths = []
    for m, singlet, doublet in ((p["m_h"], cosine, p["sin"]), (p["m_H"], p["sin"], cosine)):
        g, y = 2 * p["lambda"] * singlet, p["y_nu"] * doublet
        momentum = np.sqrt(max((m_2**2 - (m_1 + m) ** 2) * (m_2**2 - (m_1 - m) ** 2), 0.0)) / (2 * m_2)
        momentum = momentum if m_1 + m < m_2 else 0.0
        widths.append(g**2 * ((m_2 + m_1) ** 2 - m**2) * momentum / (8 * np.pi * m_2**2))
        widths.append(y**2 * m_2 / (16 * np.pi) * (1 - m**2 / m_2**2) ** 2 if m < m_2 else 0.0)
    return widths[0] / sum(widths), widths[1] / sum(widths)


def _seen(energy, cos_h, u, selection: str):
    """(visible energy, cosine to the beam, probability) of the sum and of the leading lepton."""
    mass = TABLE_I["m_h"]
    momentum = np.sqrt(energy**2 - mass**2)
    reach = u[4] * momentum / energy * np.sqrt(1 - 4 * M_E**2 / mass**2)
    e_1, e_2 = 0.5 * energy * (1 + reach), 0.5 * energy * (1 - reach)
    p_1, p_2 = np.sqrt(e_1**2 - M_E**2), np.sqrt(np.maximum(e_2**2 - M_E**2, 1e-12))
    opening = np.arccos(np.clip((e_1 * e_2 - 0.5 * mass**2 + M_E**2) / (p_1 * p_2), -1, 1))
    if selection == "light-or-5":
        light, narrow = ndtr((0.030 - mass) / 0.0045), ndtr((5 * DEGREE - opening) / (2.8 * DEGREE))
        return ((energy, cos_h, 1 - (1 - light) * (1 - narrow)),)
    narrow = ndtr((13 * DEGREE - opening) / (2.8 * DEGREE))
    asymmetric = ndtr((0.030 - e_2) / 0.0045) * ndtr((e_1 - 0.030) / 0.0045)
    cut = 0.03203 + 0.007417 * energy + 0.02738 * energy**2
    keep = ndtr((cut - mass) / (0.15 * cut))
    tilt = np.arcsin(np.clip(p_2 * np.sin(opening) / momentum, -1, 1))
    leading = _turned(cos_h, np.cos(tilt), 2 * np.pi * u[5])
    return (energy, cos_h, keep * narrow), (e_1, leading, keep * (1 - narrow) * asymmetric)


def _efficiency(data: Path, energy):
    table = _columns(data / "miniboone/efficiency_electron_photon.csv")
    centres = 5e-4 * (table["E_lo_MeV"] + table["E_hi_MeV"])
    knots = np.concatenate([[0.1], centres[1:], [2.1]])
    return np.interp(energy, knots, np.concatenate([[0.0], table["efficiency"][1:], [0.0]]), left=0.0, right=0.0)


def _binned(weight, energy, cosine, u) -> np.ndarray:
    """Sums in the bins of E_nu^QE; measured energy and direction are thrown."""
    radius, azimuth = np.sqrt(-2 * np.log(1 - u[6])), 2 * np.pi * u[7]
    sigma = np.maximum(2.7 - np.log(energy), 1.0) * DEGREE
    measured = _turned(cosine, np.cos(sigma * radius), azimuth)
    normal = np.sqrt(-2 * np.log(1 - u[8])) * np.cos(2 * np.pi * u[9])
    e = np.maximum(energy * (1 + 0.115 * normal), 0.0) + M_E
    p = np.sqrt(e**2 - M_E**2)
    quasi_elastic = (2 * M_N * e - (M_N**2 + M_E**2 - M_P**2)) / (2 * (M_N - e + p * measured))
    return np.histogram(quasi_elastic, EDGES, weights=weight)[0]


def _turned(cosine, opening_cosine, azimuth):
    """Cosine to the beam of a direction at an angle to one of this cosine."""
    sines = np.sqrt(np.maximum((1 - cosine**2) * (1 - opening_cosine**2), 0.0))
    return cosine * opening_cosine + sines * np.cos(azimuth)


def _columns(path: Path) -> dict[str, np.ndarray]:
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
