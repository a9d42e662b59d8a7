"""Parameters, parametrisations and the published point of the dark-photon model (arXiv:1807.09877).

Priors: nu_4 from below what LSND sees to above what the Booster beam makes; Z' lighter than nu_4, so that nu_4 -> nu Z'
is open; couplings within perturbativity and log-uniform, some decades on either side of the published point.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.errors import InputError
from anomfit.parameters import Parameter, Parametrisation, Point
from anomfit.physics.constants import ALPHA
from anomfit.physics.dark_neutrinos import DarkNeutrinos

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
    point = _only_one(point)
    g_D = (4.0 * np.pi * point["alpha_D"]) ** 0.5
    rest = {name: value for name, value in point.items() if name != "alpha_D"}
    return {**rest, "g_D_U_mu4_epsilon": g_D * point["U_mu4"] * point["epsilon"]}


def _only_one(point: Point) -> dict:
    """The point of one heavy neutrino; InputError for one of three."""
    if "V_43" in point:
        raise InputError('parametrisation: this point has three heavy neutrinos; use parametrisation = "vertices"')
    return dict(point)


# -- three heavy neutrinos --------------------------------------------------------------------------------------------

STATES = (4, 5, 6)
AWAY = {"m_N5": 10.0, "m_N6": 20.0}  # GeV, of states that are not there

_SIGNED = tuple(
    Parameter(f"m_N{j}", rf"$m_{{N_{j}}}$", "GeV", -20.0, 20.0, "uniform", "heavy neutrino, its sign the CP parity")
    for j in STATES
)
_VERTICES = tuple(
    Parameter(f"V_{j}{k}", rf"$|V_{{{j}{k}}}|$", "1", 0.0, 2.0, "uniform", words)
    for j in STATES
    for k, words in (
        (3, f"vertex of Z', N_{j} and a light neutrino"),
        *((k, f"vertex of Z', N_{j} and N_{k}") for k in STATES if k <= j),
    )
)
_MIXINGS = tuple(
    Parameter(f"U_mu{j}", rf"$U_{{\mu {j}}}$", "1", 0.0, 1.0, "uniform", f"mixing of nu_mu with N_{j}") for j in STATES
)
_SHARED = (
    _ALPHA_D.within(1e-8, 12.0),
    _EPSILON.within(1e-10, 1.0),
    Parameter("m_Zprime", r"$m_{Z'}$", "GeV", 0.005, 50.0, "log-uniform", "vector that mixes with the photon"),
)


def _to_vertices(point: Point) -> dict:
    """The point in masses and vertices; one heavy neutrino is N_4, the others are away."""
    if "V_43" in point:
        return dict(point)
    light = point["U_mu4"] ** 2
    nothing = 0.0 * light
    absent = {p.name: nothing for p in (*_VERTICES, *_MIXINGS)} | {name: nothing + m for name, m in AWAY.items()}
    return {**absent, **point, "V_43": point["U_mu4"] * (1.0 - light), "V_44": 1.0 - light}


def states(point: Point, g_D, majorana: bool) -> DarkNeutrinos:
    """The three heavy neutrinos of a point in vertices, lighter ones first; phase_jk = arg V_jk if it names them."""
    mass = jnp.stack([point[f"m_N{j}"] for j in STATES])
    to_light = g_D * jnp.abs(jnp.stack([point[f"V_{j}3"] for j in STATES]))
    between = g_D * jnp.abs(
        jnp.stack([jnp.stack([point[f"V_{max(j, k)}{min(j, k)}"] for k in STATES]) for j in STATES])
    )
    mixing = jnp.stack([point[f"U_mu{j}"] for j in STATES]) ** 2
    order = jnp.argsort(jnp.abs(mass))
    one = (mass[order], to_light[order], to_light[order], between[order][:, order])
    phase = phases(point)[order][:, order] if has_phases(point) else None
    return DarkNeutrinos(*one, jnp.zeros(()), mixing[order], point["m_Zprime"], point["epsilon"], majorana, phase)


PHASES = {(j, k): f"phase_{j}{k}" for j in STATES for k in STATES if k < j}
"""Names of arg V_jk, rad, of states of signed masses; a point without them has real vertices."""


def has_phases(point: Point) -> bool:
    """Whether a point in vertices says their phases."""
    return any(name in point for name in PHASES.values())


def phases(point: Point) -> Float[Array, "states states"]:
    """arg V_jk, antisymmetric."""
    nothing = jnp.zeros_like(point["m_N4"])
    of = {pair: point.get(name, nothing) for pair, name in PHASES.items()}
    lower = jnp.stack([jnp.stack([of.get((j, k), nothing) for k in STATES]) for j in STATES])
    return lower - lower.T


_OPEN = {"m_Zprime": lambda p: p["m_N4"]}

PARAMETRISATIONS = {
    "three-plus-one": Parametrisation(
        "three-plus-one",
        (*_MASSES, _ALPHA_D, _EPSILON, _MIXING),
        dict,
        _only_one,
        _OPEN,
    ),
    "products": Parametrisation(
        "products",
        (*_MASSES, _EPSILON, _MIXING, _PRODUCT),
        _from_products,
        _to_products,
        {**_OPEN, "g_D_U_mu4_epsilon": lambda p: PERTURBATIVE * p["U_mu4"] * p["epsilon"]},
    ),
    "vertices": Parametrisation(
        "vertices",
        (*_SIGNED, *_VERTICES, *_MIXINGS, *_SHARED),
        dict,
        _to_vertices,
        {},
    ),
}
"""three-plus-one (physical), products (the default card's), and vertices: three heavy neutrinos, physical too."""
