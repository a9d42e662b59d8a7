"""Parameters, parametrisations and the published point of the two-Higgs-doublet model (arXiv:2010.06159, Table I).

Priors: masses log-uniform wherever a pair can be made in some beam (N_2 -> N_1 h' open, h' -> e+e- open), couplings
log-uniform over two decades or more around Table I and below sqrt(4 pi).
"""

from functools import lru_cache

import jax.numpy as jnp
import numpy as np

from anomfit.parameters import Parameter, Parametrisation, Point
from anomfit.physics.constants import V_EW
from anomfit.physics.neutrino_mass import DELTA_M2_21_NUFIT, DELTA_M2_31_NUFIT
from anomfit.physics.nucleon_scalar import M_D, M_U, SIGMA_FRACTIONS, nucleon_coupling
from anomfit.physics.scalar_sector import masses_from_potential, potential_from_masses

PERTURBATIVE = float(np.sqrt(4.0 * np.pi))

# Unmixed couplings of Table I: its h' (H) columns over sin delta (cos delta), to the table's digits.
TABLE_I = {
    "m_N2": 0.130,
    "m_hprime": 0.017,
    "m_N1": 0.085,
    "m_N3": 10.0,
    "m_H": 0.750,
    "sin_delta": 0.1,
    "y_nu": 1.25e-2,
    "y_u": 8e-6,
    "y_d": 8e-6,
    "lambda_N12": 0.075,
    "y_mu": 1.6e-3,
    "y_e": 2.3e-4,
    "y_nu1": 0.0,
    "m_nu1": 1e-3,
    "delta_m2_21": DELTA_M2_21_NUFIT,
    "delta_m2_31": DELTA_M2_31_NUFIT,
    "y_tau": 0.0,
    "y_emu": 0.0,
    "y_mue": 0.0,
    "y_etau": 0.0,
    "y_taue": 0.0,
    "y_mutau": 0.0,
    "y_taumu": 0.0,
}

_MASSES = (
    Parameter("m_N2", r"$m_{N_2}$", "GeV", 0.01, 2.0, "log-uniform", "heavy neutrino made in the scattering"),
    Parameter("m_hprime", r"$m_{h'}$", "GeV", 0.0015, 0.2, "log-uniform", "singlet-like scalar, decays to e+e-"),
    Parameter("m_N1", r"$m_{N_1}$", "GeV", 0.001, 2.0, "log-uniform", "lighter heavy neutrino, escapes"),
)
_SCALARS = (
    Parameter("m_H", r"$m_H$", "GeV", 0.2, 10.0, "log-uniform", "doublet-like scalar"),
    Parameter("sin_delta", r"$\sin\delta$", "1", 0.01, 0.99, "log-uniform", "mixing of doublet and singlet"),
)
_NEUTRINO_YUKAWA = Parameter(
    "y_nu", r"$y_\nu$", "1", 1e-4, PERTURBATIVE, "log-uniform", "doublet's nu_mu-N_2 Yukawa coupling"
)
_QUARKS = (
    Parameter("y_u", r"$y_u$", "1", 1e-8, 1e-2, "log-uniform", "doublet's up-quark Yukawa coupling"),
    Parameter("y_d", r"$y_d$", "1", 1e-8, 1e-2, "log-uniform", "doublet's down-quark Yukawa coupling"),
)
_COUPLINGS = (
    Parameter(
        "lambda_N12", r"$\lambda_{N_{12}}$", "1", 5e-3, PERTURBATIVE, "log-uniform", "singlet's N_1-N_2 coupling"
    ),
    Parameter("y_mu", r"$y_\mu$", "1", 1e-4, 2e-2, "log-uniform", "doublet's muon Yukawa coupling"),
    Parameter("y_e", r"$y_e$", "1", 2e-5, 3e-3, "log-uniform", "doublet's electron Yukawa coupling"),
)
_PRODUCT = Parameter(
    "y_nu_F_N",
    r"$y_\nu F_N$",
    "1",
    1e-7,
    1e-4,
    "log-uniform",
    "y_nu times the mean of F_p and F_n: all that a rate knows",
)
_REST = (
    Parameter("m_N3", r"$m_{N_3}$", "GeV", 2.0, 1e4, "log-uniform", "heaviest neutrino, only in the seesaw"),
    Parameter(
        "y_nu1", r"$y_{\nu_1}$", "1", 1e-10, 1e-3, "log-uniform", "doublet's nu_mu-N_1 Yukawa coupling: N_1 -> nu h'"
    ),
    Parameter("m_nu1", r"$m_{\nu_1}$", "eV", 1e-6, 1.0, "log-uniform", "lightest neutrino"),
    Parameter("delta_m2_21", r"$\Delta m^2_{21}$", "eV^2", 6e-5, 9e-5, "uniform", "solar splitting"),
    Parameter(
        "delta_m2_31", r"$\Delta m^2_{31}$", "eV^2", 2.2e-3, 2.8e-3, "uniform", "atmospheric splitting, normal ordering"
    ),
    *(
        Parameter(f"y_{pair}", f"$y_{{{label}}}$", "1", -0.1, 0.1, "uniform", f"doublet's {words} Yukawa coupling")
        for pair, label, words in (
            ("tau", r"\tau", "tau"),
            ("emu", r"e\mu", "e_L-mu_R"),
            ("mue", r"\mu e", "mu_L-e_R"),
            ("etau", r"e\tau", "e_L-tau_R"),
            ("taue", r"\tau e", "tau_L-e_R"),
            ("mutau", r"\mu\tau", "mu_L-tau_R"),
            ("taumu", r"\tau\mu", "tau_L-mu_R"),
        )
    ),
)
_POTENTIAL = (
    Parameter("mu_H", r"$\mu_H$", "GeV^2", -100.0, 400.0, "uniform", "doublet entry of the mass matrix, equation 6"),
    Parameter(
        "mu_hprime", r"$\mu_{h'}$", "GeV^2", -100.0, 400.0, "uniform", "singlet entry of the mass matrix, equation 6"
    ),
    Parameter("m_12", r"$m_{12}$", "GeV", -1.0, 1.0, "uniform", "singlet-doublet coupling that mixes them"),
)


def nucleon_couplings(fractions: str, y_u, y_d):
    """(F_p, F_n) of quark couplings y_u, y_d for a named set of f_Tq; dimensionless, equation 27."""
    chosen = SIGMA_FRACTIONS[fractions]
    return (
        nucleon_coupling("proton", y_u, y_d, *chosen.of("proton"), M_U, M_D),
        nucleon_coupling("neutron", y_u, y_d, *chosen.of("neutron"), M_U, M_D),
    )


@lru_cache
def parametrisations(fractions: str) -> dict[str, Parametrisation]:
    """The three parametrisations; `products` needs to know which f_Tq define F_N."""
    # upper bounds hold in each as far as its parameters allow: the masses come first and in this order
    upper = {
        "m_hprime": lambda p: p["m_N2"] - _MASSES[2].low,
        "m_N1": lambda p: p["m_N2"] - p["m_hprime"],
    }

    def mean_coupling(point: Point):
        F_p, F_n = nucleon_couplings(fractions, point["y_u"], point["y_d"])
        return 0.5 * (F_p + F_n)

    def from_products(point: Point):
        coupling = mean_coupling(point)
        y_nu = point["y_nu_F_N"] / jnp.where(coupling > 0.0, coupling, 1.0)
        return {**{k: v for k, v in point.items() if k != "y_nu_F_N"}, "y_nu": jnp.where(coupling > 0.0, y_nu, 0.0)}

    def to_products(point: Point):
        return {**{k: v for k, v in point.items() if k != "y_nu"}, "y_nu_F_N": point["y_nu"] * mean_coupling(point)}

    return {
        "products": Parametrisation(
            "products",
            (*_MASSES, *_SCALARS, _PRODUCT, *_COUPLINGS, *_QUARKS, *_REST),
            from_products,
            to_products,
            upper,
            absorbs=("sigma_term_scale",),
        ),
        "physical": Parametrisation(
            "physical",
            (*_MASSES, *_SCALARS, _NEUTRINO_YUKAWA, *_COUPLINGS, *_QUARKS, *_REST),
            dict,
            dict,
            upper,
        ),
        "potential": Parametrisation(
            "potential",
            (_MASSES[0], _MASSES[2], *_POTENTIAL, _NEUTRINO_YUKAWA, *_COUPLINGS, *_QUARKS, *_REST),
            _from_potential,
            _to_potential,
            {"m_N1": lambda p: p["m_N2"]},
        ),
    }


def _from_potential(point: Point):
    masses = masses_from_potential(point["mu_H"], point["mu_hprime"], point["m_12"], V_EW)
    rest = {name: value for name, value in point.items() if name not in ("mu_H", "mu_hprime", "m_12")}
    return {**rest, "m_H": masses.m_H, "m_hprime": masses.m_hprime, "sin_delta": masses.sin_delta}


def _to_potential(point: Point):
    potential = potential_from_masses(point["m_H"], point["m_hprime"], point["sin_delta"], V_EW)
    rest = {name: value for name, value in point.items() if name not in ("m_H", "m_hprime", "sin_delta")}
    return {**rest, "mu_H": potential.mu_H, "mu_hprime": potential.mu_hprime, "m_12": potential.m_12}
