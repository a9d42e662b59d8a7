"""Parameters and published points of the dark seesaw, arXiv:2007.11813: entries of its mass matrix, or what they make.

lagrangian: the entries in GeV. Priors are flat about the sizes of Table III, with either sign where the matrix has
one: they are to look around in, and a fit has ranges of its own.
mixings: masses of N_4, N_5, N_6 and angles (`physics.dark_mixing`), for any number of heavier states.
left-right: the same with D_L and D_R alike, as at the paper's BP-A. A beam of nu_mu then makes N_5 alone.
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.parameters import Parameter, Parametrisation, Point
from anomfit.physics.dark_mixing import THETA_56, Angles, nearest_angles
from anomfit.physics.dark_seesaw import (
    BENCHMARK_COUPLINGS,
    BENCHMARK_MATRICES,
    BENCHMARK_UNITS,
    Entries,
    field_rows,
    mass_states,
)

STERILE = (1, 2, 3)
SHARED = ("alpha_D", "epsilon", "m_Zprime")


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
    printed, units = BENCHMARK_MATRICES[name], BENCHMARK_UNITS
    rows = {
        f"{'M_' if field == 'M_N' else field}{k}": units[field] * printed[field][k - 1]
        for field in units
        if field != "M_X"
        for k in STERILE
    }
    return {**rows, "M_X": units["M_X"] * printed["M_X"], **{key: BENCHMARK_COUPLINGS[name][key] for key in SHARED}}


POINTS = {name: _point(name) for name in BENCHMARK_MATRICES}
"""BP-A to BP-D: Table III as printed, alpha_D of Table II, the rest of appendix A."""

# -- masses and mixings -----------------------------------------------------------------------------------------------

_MASSES = (
    Parameter("m_N6", r"$m_{N_6}$", "GeV", 0.02, 2.0, "log-uniform", "heaviest of the three, CP parity not N_5's"),
    Parameter("m_N5_over_m_N6", r"$m_{N_5}/m_{N_6}$", "1", 0.05, 0.999, "uniform", "N_5, in units of N_6's mass"),
    Parameter("m_N4_over_m_N5", r"$m_{N_4}/m_{N_5}$", "1", -0.999, 0.999, "uniform", "N_4; < 0: CP parity not N_5's"),
)
_MUON = {
    j: Parameter(f"U_mu{j}", rf"$U_{{\mu {j}}}$", "1", 1e-8, 0.1, "log-uniform", f"mixing of nu_mu with N_{j}")
    for j in (4, 5, 6)
}
_QUARTER = (-0.5 * math.pi, 0.5 * math.pi)
_ANGLES = {
    name: Parameter(name, rf"$\theta_{{{name[-2:]}}}$", "1", *bounds, "uniform", words)
    for name, bounds, words in (
        ("theta_46", _QUARTER, "angle of N and D_+, which N_4 and N_6 are"),
        ("theta_45", _QUARTER, "angle by which N_5 is not dark alone; 0 if D_L and D_R are alike"),
        ("theta_56", THETA_56, "angle of D_- and D_+; 0 if D_L and D_R are alike"),
    )
}
_MIXING_COUPLINGS = (_COUPLINGS[0].within(1e-4, 1.0), *_COUPLINGS[1:])
_BROKEN = ("U_mu5", "theta_45", "theta_56")  # by a difference of D_L and D_R
SYMMETRIC = 1e-9  # sizes of these that rounding of a symmetric matrix leaves


def has_angles(point: Point) -> bool:
    """Whether a physical point is one of masses and mixings, not of entries."""
    return "theta_46" in point


def is_symmetric(point: Point) -> bool:
    """Whether a point of masses and mixings is left-right symmetric by its names."""
    return not any(name in point for name in _BROKEN)


def signed_masses(point: Point) -> Float[Array, "3"]:
    """m_N4, m_N5, m_N6 of a point of masses and mixings; GeV, signs are CP parities."""
    m_6 = point["m_N6"]
    m_5 = point["m_N5_over_m_N6"] * m_6
    return jnp.stack([point["m_N4_over_m_N5"] * m_5, m_5, -m_6])


def angles(point: Point) -> Angles:
    """The mixing of a point of masses and mixings."""
    nothing = jnp.zeros_like(point["theta_46"])
    theta_46, theta_45, theta_56 = (point.get(name, nothing) for name in _ANGLES)
    return Angles(theta_46, theta_45, theta_56, jnp.stack([point.get(f"U_mu{j}", nothing) for j in _MUON]))


def _to_mixings(point: Point) -> dict:
    """Masses and mixings of the three lighter heavy states of a matrix, in the nearest orthogonal matrix."""
    if has_angles(point):
        return dict(point)
    matrix = entries(point)
    states, rows = mass_states(matrix), field_rows(matrix)
    fields = jnp.concatenate([states.mixing[block] for block in (rows.active, rows.left, rows.right)])
    found = nearest_angles(fields[:, :4])
    m_4, m_5, m_6 = states.masses[1:4]
    masses = {"m_N6": jnp.abs(m_6), "m_N5_over_m_N6": jnp.abs(m_5 / m_6), "m_N4_over_m_N5": m_4 / m_5}
    mixings = {f"U_mu{j}": found.of_muon[j - 4] for j in _MUON}
    return {
        **masses,
        **mixings,
        **{name: getattr(found, name) for name in _ANGLES},
        **{name: point[name] for name in SHARED},
    }


def _to_left_right(point: Point) -> dict:
    """The same of a symmetric point; of another one the couplings alone, since it has no place here."""
    found = _to_mixings(point)
    broken = [found.pop(name) for name in _BROKEN if name in found]
    if all(abs(float(size)) < SYMMETRIC for size in broken):
        return found
    return {name: found[name] for name in SHARED}


PARAMETRISATIONS = {
    "lagrangian": Parametrisation("lagrangian", (*_ENTRIES, *_COUPLINGS), dict, dict, {}),
    "mixings": Parametrisation(
        "mixings",
        (*_MASSES, *_MUON.values(), *_ANGLES.values(), *_MIXING_COUPLINGS),
        dict,
        _to_mixings,
        {},
    ),
    "left-right": Parametrisation(
        "left-right",
        tuple(p for p in (*_MASSES, *_MUON.values(), *_ANGLES.values(), *_MIXING_COUPLINGS) if p.name not in _BROKEN),
        dict,
        _to_left_right,
        {},
    ),
}
