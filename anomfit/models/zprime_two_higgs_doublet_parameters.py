"""Parameters and the published point of the light Z' with a second Higgs doublet (arXiv:2006.01948, Table I).

Priors: masses log-uniform about Table I, wherever the Booster beam can make nu_4 and h'; couplings log-uniform over
two decades or more on either side of it and below sqrt(4 pi). nu_4 is lighter than Z' and h' than H, which stand
before them.
"""

import jax.numpy as jnp
import numpy as np

from anomfit.parameters import Parameter, Parametrisation, Point
from anomfit.physics.constants import V_EW
from anomfit.physics.gauged_scalar_sector import (
    DoubletMasses,
    SingletCouplings,
    couplings_from_potential,
    masses_from_quartics,
    potential_from_couplings,
    quartics_from_masses,
    singlet_vacuum_value,
)
from anomfit.physics.scalar_sector import masses_from_potential, potential_from_masses

PERTURBATIVE = float(np.sqrt(4.0 * np.pi))
TAU_PRODUCT = 5.6e-7  # |y_etau y_taue| of Table I, whose sign is negative

TABLE_I = {
    "m_nu4": 0.050,
    "m_Zprime": 0.800,
    "m_H": 0.106,
    "m_hprime": 0.023,
    "sin_delta": 0.28,
    "g_d": 2.85,
    "g_B": 3e-4,
    "U_mu4": float(np.sqrt(2.6e-5)),
    "y_mu": 6.3e-4,
    "y_e": 0.45e-4 / 0.28,
    "y_etau": float(np.sqrt(TAU_PRODUCT)),
    "y_taue": -float(np.sqrt(TAU_PRODUCT)),
    "y_tau": 0.0,
    "m_Hpm": 200.0,
    "m_A": 200.0,
    "lambda_2": 1.0,
    "lambda_345": 0.0,
    "y_emu": 0.0,
    "y_mue": 0.0,
    "y_mutau": 0.0,
    "y_taumu": 0.0,
}
"""The benchmark. The paper prints the product of y_etau and y_taue alone: here both have its root. It does not print
y_tau, m_H+-, m_A and quartic couplings: here they are 0, 200 GeV (between its bounds of 110 and 460 GeV), 1, and 0 for
what the Higgs boson has for pairs of light scalars.
"""

_HEAVY = (
    Parameter("m_Zprime", r"$m_{Z'}$", "GeV", 0.1, 3.0, "log-uniform", "vector that is exchanged"),
    Parameter("m_nu4", r"$m_{\nu_4}$", "GeV", 0.01, 1.0, "log-uniform", "heavy neutrino made with the scalar"),
)
_SCALARS = (
    Parameter("m_H", r"$m_H$", "GeV", 0.02, 1.0, "log-uniform", "doublet-like scalar"),
    Parameter("m_hprime", r"$m_{h'}$", "GeV", 0.005, 0.2, "log-uniform", "singlet-like scalar, decays to e+e-"),
    Parameter("sin_delta", r"$\sin\delta$", "1", 0.01, 0.99, "log-uniform", "mixing of doublet and singlet"),
)
_G_D = Parameter("g_d", r"$g_d$", "1", 0.01, PERTURBATIVE, "log-uniform", "coupling of Z' to the dark neutrino")
_G_B = Parameter("g_B", r"$g_B$", "1", 1e-6, 0.1, "log-uniform", "coupling of Z' to baryon number")
_MIXING = Parameter("U_mu4", r"$U_{\mu 4}$", "1", 1e-4, 0.1, "log-uniform", "mixing of nu_mu with nu_4")
_PRODUCT = Parameter(
    "g_d2_g_B_U_mu4",
    r"$g_d^2 g_B U_{\mu 4}$",
    "1",
    1e-8,
    1e-3,
    "log-uniform",
    "all that the rate of scalars knows beside masses and mixing",
)
_YUKAWAS = (
    Parameter("y_mu", r"$y_\mu$", "1", 1e-5, 1e-2, "log-uniform", "doublet's muon Yukawa coupling"),
    Parameter("y_e", r"$y_e$", "1", 1e-6, 1e-2, "log-uniform", "doublet's electron Yukawa coupling"),
    Parameter("y_etau", r"$y_{e\tau}$", "1", 1e-6, 0.1, "log-uniform", "doublet's e_L-tau_R Yukawa coupling"),
    Parameter("y_taue", r"$y_{\tau e}$", "1", -0.01, 0.01, "uniform", "doublet's tau_L-e_R Yukawa coupling"),
    Parameter("y_tau", r"$y_\tau$", "1", -0.1, 0.1, "uniform", "doublet's tau Yukawa coupling"),
)
_DOUBLET = (
    Parameter("m_Hpm", r"$m_{H^\pm}$", "GeV", 95.0, 460.0, "uniform", "charged scalar of the second doublet"),
    Parameter("m_A", r"$m_A$", "GeV", 95.0, 460.0, "uniform", "CP-odd scalar of the second doublet"),
    Parameter("lambda_2", r"$\lambda_2$", "1", 0.01, PERTURBATIVE, "log-uniform", "quartic coupling of the doublet"),
    Parameter(
        "lambda_345",
        r"$\lambda_{345}$",
        "1",
        -0.02,
        0.02,
        "uniform",
        "lambda_3 + lambda_4 + lambda_5: Higgs boson to pairs of light scalars",
    ),
)
_OTHERS = tuple(
    Parameter(f"y_{pair}", f"$y_{{{label}}}$", "1", -0.1, 0.1, "uniform", f"doublet's {words} Yukawa coupling")
    for pair, label, words in (
        ("emu", r"e\mu", "e_L-mu_R"),
        ("mue", r"\mu e", "mu_L-e_R"),
        ("mutau", r"\mu\tau", "mu_L-tau_R"),
        ("taumu", r"\tau\mu", "tau_L-mu_R"),
    )
)
_QUARTICS = (
    Parameter("mbar_H", r"$\bar m_H$", "GeV", 0.01, 1.0, "log-uniform", "doublet entry of the masses, equation 14"),
    Parameter("lambda_2p", r"$\lambda'_2$", "1", 1e-6, PERTURBATIVE, "log-uniform", "singlet's quartic coupling"),
    Parameter("lambda_5p", r"$\lambda'_5$", "1", -1e-3, 1e-3, "uniform", "coupling of the singlet to both doublets"),
    _DOUBLET[2],
    *(
        Parameter(f"lambda_{i}", rf"$\lambda_{i}$", "1", -PERTURBATIVE, PERTURBATIVE, "uniform", "quartic coupling")
        for i in (3, 4, 5)
    ),
)
_FROM_QUARTICS = ("m_H", "m_hprime", "sin_delta", "m_Hpm", "m_A", "lambda_345")


def singlet_couplings(point: Point) -> SingletCouplings:
    """mbar_H^2, lambda'_2 and lambda'_5 of a physical point."""
    potential = potential_from_masses(point["m_H"], point["m_hprime"], point["sin_delta"], V_EW)
    return couplings_from_potential(potential, singlet_vacuum_value(point["m_Zprime"], point["g_d"]))


def quartics(point: Point):
    """All quartic couplings of a physical point, lambda_1 from the mass of the Higgs boson."""
    doublet = DoubletMasses(point["m_Hpm"], point["m_A"], point["lambda_345"])
    return quartics_from_masses(doublet, point["lambda_2"], singlet_couplings(point))


def _without(point: Point, names) -> dict:
    return {name: value for name, value in point.items() if name not in names}


def _from_quartics(point: Point):
    v_prime = singlet_vacuum_value(point["m_Zprime"], point["g_d"])
    singlet = SingletCouplings(point["mbar_H"] ** 2, point["lambda_2p"], point["lambda_5p"])
    states = masses_from_potential(*potential_from_couplings(singlet, V_EW, v_prime), V_EW)
    own = (point["lambda_3"], point["lambda_4"], point["lambda_5"])
    doublet = masses_from_quartics(*own, singlet.mbar_H_squared)
    found = dict(zip(_FROM_QUARTICS, (*states, *doublet), strict=True))
    return {**_without(point, [p.name for p in _QUARTICS if p.name != "lambda_2"]), **found}


def _to_quartics(point: Point):
    singlet, found = singlet_couplings(point), quartics(point)
    own = {
        "mbar_H": jnp.sqrt(singlet.mbar_H_squared),
        "lambda_2p": singlet.lambda_2_prime,
        "lambda_5p": singlet.lambda_5_prime,
        **{f"lambda_{i}": getattr(found, f"lambda_{i}") for i in (3, 4, 5)},
    }
    return {**_without(point, _FROM_QUARTICS), **own}


def _from_products(point: Point):
    g_B = point["g_d2_g_B_U_mu4"] / (point["g_d"] ** 2 * point["U_mu4"])
    return {**_without(point, ("g_d2_g_B_U_mu4",)), "g_B": g_B}


def _to_products(point: Point):
    return {**_without(point, ("g_B",)), "g_d2_g_B_U_mu4": point["g_d"] ** 2 * point["g_B"] * point["U_mu4"]}


_OPEN = {"m_nu4": lambda p: p["m_Zprime"]}
_LIGHTER = {**_OPEN, "m_hprime": lambda p: p["m_H"]}

PARAMETRISATIONS = {
    "products": Parametrisation(
        "products",
        (*_HEAVY, *_SCALARS, _G_D, _MIXING, _PRODUCT, *_YUKAWAS, *_DOUBLET, *_OTHERS),
        _from_products,
        _to_products,
        {**_LIGHTER, "g_d2_g_B_U_mu4": lambda p: _G_B.high * p["g_d"] ** 2 * p["U_mu4"]},
    ),
    "physical": Parametrisation(
        "physical",
        (*_HEAVY, *_SCALARS, _G_D, _G_B, _MIXING, *_YUKAWAS, *_DOUBLET, *_OTHERS),
        dict,
        dict,
        _LIGHTER,
    ),
    "quartics": Parametrisation(
        "quartics",
        (*_HEAVY, _G_D, _G_B, _MIXING, *_QUARTICS, *_YUKAWAS, *_OTHERS),
        _from_quartics,
        _to_quartics,
        _OPEN,
    ),
}
"""products (the default card's), physical (masses and mixing), quartics (couplings of the potential, equation 8)."""
