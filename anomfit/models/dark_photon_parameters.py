"""Parameters, parametrisations and the published point of the dark-photon model (arXiv:1807.09877).

Priors: nu_4 from below what LSND sees to above what the Booster beam makes; Z' lighter than nu_4, so that nu_4 -> nu Z'
is open; couplings within perturbativity and log-uniform, some decades on either side of the published point.
"""

import numpy as np

from anomfit.parameters import Parameter, Parametrisation, Point
from anomfit.physics.constants import ALPHA

PERTURBATIVE = float(np.sqrt(4.0 * np.pi))  # of g_D: alpha_D = 1
ALPHA_EPSILON_SQUARED = 2.0e-10  # of the published point

BERTUZZO = {
    "m_N4": 0.420,
    "m_Zprime": 0.030,
    "alpha_D": 0.25,
    "epsilon": float(np.sqrt(ALPHA_EPSILON_SQUARED / ALPHA)),
    "U_mu4": float(np.sqrt(9.0e-7)),
}
"""The benchmark of arXiv:1807.09877: alpha epsilon^2 = 2e-10, |U_mu4|^2 = 9e-7."""

_MASSES = (
    Parameter("m_N4", r"$m_{N_4}$", "GeV", 0.02, 2.0, "log-uniform", "heavy neutrino made in the scattering"),
    Parameter("m_Zprime", r"$m_{Z'}$", "GeV", 0.005, 1.0, "log-uniform", "vector that mixes with the photon"),
)
_ALPHA_D = Parameter("alpha_D", r"$\alpha_D$", "1", 1e-4, 1.0, "log-uniform", "dark coupling, g_D^2 / 4 pi")
_EPSILON = Parameter("epsilon", r"$\epsilon$", "1", 1e-6, 0.1, "log-uniform", "kinetic mixing, coupling e epsilon Q")
_MIXING = Parameter("U_mu4", r"$U_{\mu 4}$", "1", 1e-5, 0.1, "log-uniform", "mixing of nu_mu with nu_4")
_PRODUCT = Parameter(
    "g_D_U_mu4_epsilon",
    r"$g_D U_{\mu 4} \epsilon$",
    "1",
    1e-10,
    0.01 * PERTURBATIVE,
    "log-uniform",
    "all that production knows beside the masses",
)


def _from_products(point: Point):
    g_D = point["g_D_U_mu4_epsilon"] / (point["U_mu4"] * point["epsilon"])
    rest = {name: value for name, value in point.items() if name != "g_D_U_mu4_epsilon"}
    return {**rest, "alpha_D": g_D**2 / (4.0 * np.pi)}


def _to_products(point: Point):
    g_D = (4.0 * np.pi * point["alpha_D"]) ** 0.5
    rest = {name: value for name, value in point.items() if name != "alpha_D"}
    return {**rest, "g_D_U_mu4_epsilon": g_D * point["U_mu4"] * point["epsilon"]}


_OPEN = {"m_Zprime": lambda p: p["m_N4"]}

PARAMETRISATIONS = {
    "three-plus-one": Parametrisation(
        "three-plus-one",
        (*_MASSES, _ALPHA_D, _EPSILON, _MIXING),
        dict,
        dict,
        _OPEN,
        amplitudes=("U_mu4",),
    ),
    "products": Parametrisation(
        "products",
        (*_MASSES, _EPSILON, _MIXING, _PRODUCT),
        _from_products,
        _to_products,
        {**_OPEN, "g_D_U_mu4_epsilon": lambda p: PERTURBATIVE * p["U_mu4"] * p["epsilon"]},
        amplitudes=("g_D_U_mu4_epsilon",),
    ),
}
"""three-plus-one (physical) and products (the default card's)."""
