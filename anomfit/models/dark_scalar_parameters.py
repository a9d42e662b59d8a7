"""Parameters, parametrisations and published points of the dark-scalar model (arXiv:2005.08920, Table I).

Priors: m_S between 10 MeV and the muon pair's threshold, m_nu4 above m_S; couplings log-uniform around Table I, within
perturbativity. nu_4 may fly: rates know. kappa has either sign, 0 included.
"""

import numpy as np

from anomfit.parameters import Parameter, Parametrisation, Point

PERTURBATIVE = float(np.sqrt(4.0 * np.pi))
LAMBDA_PAPER = 2.0  # TeV

_COLUMNS = ("kappa", "eta_u", "eta_d", "g_D", "U_mu4", "m_S", "m_nu4")
_TABLE_I = {
    "bp1": (0.42, 0.20e-2, 0.56, 0.29, 4.5e-3, 0.133, 0.416),
    "bp2": (0.87, 0.75e-2, 0.27, 1.9, 1.2e-3, 0.113, 0.417),
    "bp3": (1.4, 0.22e-2, 0.15, 1.2, 3.9e-3, 0.116, 0.443),
    "bp4": (0.61, 0.31e-2, 0.39, 0.59, 3.0e-3, 0.109, 0.462),
    "bp5": (0.0, 0.065e-2, 0.89, 3.0, 2.6e-3, 0.134, 0.402),
    "bp6": (0.0, 0.070e-2, 0.87, 3.2, 2.5e-3, 0.129, 0.408),
}

TABLE_I = {name: {**dict(zip(_COLUMNS, row, strict=True)), "Lambda": LAMBDA_PAPER} for name, row in _TABLE_I.items()}
"""Benchmark points 1 to 6, with the cutoff of the text."""

_MASSES = (
    Parameter("m_nu4", r"$m_{\nu_4}$", "GeV", 0.02, 2.0, "log-uniform", "sterile neutrino made in the scattering"),
    Parameter("m_S", r"$m_S$", "GeV", 0.01, 0.21, "log-uniform", "dark scalar, decays to gamma gamma, e+e-, nu nu"),
)
_TO_MATTER = (
    Parameter("kappa", r"$\kappa$", "TeV^-1", -5.0, 5.0, "uniform", "S gamma gamma coupling, L = -(kappa/4) S F F"),
    Parameter("eta_u", r"$\eta_u$", "1", 1e-5, 1.0, "log-uniform", "couplings eta_u m_q/v to u, c, t"),
    Parameter("eta_d", r"$\eta_d$", "1", 1e-3, 10.0, "log-uniform", "couplings eta_d m_f/v to d, s, b and leptons"),
)
_DARK = Parameter("g_D", r"$g_D$", "1", 1e-2, PERTURBATIVE, "log-uniform", "coupling of S to the dark neutrino")
_MIXING = Parameter("U_mu4", r"$U_{\mu4}$", "1", 1e-4, 0.1, "log-uniform", "mixing of nu_mu and nu_4")
_PRODUCT = Parameter(
    "g_D_U_mu4",
    r"$g_D U_{\mu4}$",
    "1",
    1e-6,
    0.1 * PERTURBATIVE,
    "log-uniform",
    "all that production knows",
)
_CUTOFF = Parameter("Lambda", r"$\Lambda$", "TeV", 0.2, 100.0, "log-uniform", "scale at which kappa is made")


def _from_products(point: Point):
    rest = {name: value for name, value in point.items() if name != "g_D_U_mu4"}
    return {**rest, "g_D": point["g_D_U_mu4"] / point["U_mu4"]}


def _to_products(point: Point):
    rest = {name: value for name, value in point.items() if name != "g_D"}
    return {**rest, "g_D_U_mu4": point["g_D"] * point["U_mu4"]}


_UPPER = {"m_S": lambda p: p["m_nu4"]}

PARAMETRISATIONS = {
    "products": Parametrisation(
        "products",
        (*_MASSES, *_TO_MATTER, _MIXING, _PRODUCT, _CUTOFF),
        _from_products,
        _to_products,
        {**_UPPER, "g_D_U_mu4": lambda p: PERTURBATIVE * p["U_mu4"]},
    ),
    "physical": Parametrisation(
        "physical",
        (*_MASSES, *_TO_MATTER, _DARK, _MIXING, _CUTOFF),
        dict,
        dict,
        _UPPER,
    ),
}
"""Products (the default card's) and physical."""
