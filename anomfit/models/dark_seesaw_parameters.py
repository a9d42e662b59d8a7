"""Parameters and published points of the dark seesaw, arXiv:2007.11813: the entries of its mass matrix, in GeV.

Priors are flat about the sizes of Table III, with either sign where the matrix has one: they are to look around in, and
a fit has ranges of its own.
"""

import jax.numpy as jnp

from anomfit.parameters import Parameter, Parametrisation, Point
from anomfit.physics.dark_seesaw import BENCHMARK_COUPLINGS, BENCHMARK_MATRICES, Entries

STERILE = (1, 2, 3)
SHARED = ("alpha_D", "epsilon", "m_Zprime")
_MEV, _TEN_MEV, _HUNDRED_MEV = 1e-3, 1e-2, 1e-1  # GeV, the units of Table III


def _signed(name: str, symbol: str, largest: float, words: str) -> Parameter:
    return Parameter(name, symbol, "GeV", -largest, largest, "uniform", words)


_ENTRIES = (
    *(_signed(f"M_D{k}", rf"$M_{{D_{k}}}$", 0.05, f"Dirac mass of nu_mu and N_{k}") for k in STERILE),
    *(_signed(f"M_{k}", rf"$M_{k}$", 50.0, f"Majorana mass of N_{k}") for k in STERILE),
    *(_signed(f"Lambda_L{k}", rf"$\Lambda_{{L_{k}}}$", 2.0, f"mass of D_L and N_{k}") for k in STERILE),
    *(_signed(f"Lambda_R{k}", rf"$\Lambda_{{R_{k}}}$", 2.0, f"mass of D_R and N_{k}") for k in STERILE),
    _signed("M_X", r"$M_X$", 2.0, "Dirac mass of D_L and D_R"),
)
_COUPLINGS = (
    Parameter("alpha_D", r"$\alpha_D$", "1", 1e-4, 4.0, "log-uniform", "dark coupling, g_X^2 / 4 pi"),
    Parameter("epsilon", r"$\epsilon$", "1", 1e-6, 0.1, "log-uniform", "kinetic mixing, coupling e epsilon Q"),
    Parameter("m_Zprime", r"$m_{Z'}$", "GeV", 0.01, 20.0, "log-uniform", "vector that mixes with the photon"),
)


def entries(point: Point) -> Entries:
    """The mass matrix of a point: one generation, three sterile states, one dark pair."""
    of = {name: jnp.stack([point[f"{name}{k}"] for k in STERILE]) for name in ("M_D", "M_", "Lambda_L", "Lambda_R")}
    return Entries(
        M_D=of["M_D"][None, :],
        M_N=jnp.diag(of["M_"]),
        Lambda_L=of["Lambda_L"][:, None],
        Lambda_R=of["Lambda_R"][:, None],
        M_X=jnp.reshape(point["M_X"], (1, 1)),
    )


def _point(name: str) -> dict[str, float]:
    printed, units = BENCHMARK_MATRICES[name], {"M_D": _MEV, "M_N": 1.0, "Lambda_L": _TEN_MEV, "Lambda_R": _TEN_MEV}
    rows = {
        f"{'M_' if field == 'M_N' else field}{k}": unit * printed[field][k - 1]
        for field, unit in units.items()
        for k in STERILE
    }
    return {**rows, "M_X": _HUNDRED_MEV * printed["M_X"], **{key: BENCHMARK_COUPLINGS[name][key] for key in SHARED}}


POINTS = {name: _point(name) for name in BENCHMARK_MATRICES}
"""BP-A to BP-D: Table III as printed, alpha_D of Table II, the rest of appendix A."""

PARAMETRISATIONS = {"lagrangian": Parametrisation("lagrangian", (*_ENTRIES, *_COUPLINGS), dict, dict, {})}
