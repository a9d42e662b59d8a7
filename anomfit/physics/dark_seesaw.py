"""The dark seesaw: Majorana mass matrix of active, sterile and dark neutrinos, its vertices and its light mass.

arXiv:2007.11813, equations 2, A1 and A3: fields (nu_alpha, N_1 ... N_n, D_L, D_R) with n sterile states and d pairs of
dark states of charge +-1 under U(1)'; one active generation in the paper, any number here. After M = U^* diag(m)
U^dagger (`majorana`) a row of U is a field of this list and a column a mass state, lightest first: 0 is the paper's
nu_3, 1 its N_4 if there is one generation. Real entries give a real U and signed masses, complex entries a complex U
and masses at or above 0.

Interactions of the Majorana states (with V^*, where A2 prints V^dagger): L = (g_X/2) X_mu sum_jk Nbar_j gamma^mu (V_jk
P_L - V_jk^* P_R) N_k. For j != k the two terms of the sum are equal. Masses in GeV.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Inexact

from anomfit.physics.constants import V_EW
from anomfit.physics.majorana import MajoranaStates, diagonalise, takagi

M_Z, M_HIGGS = 91.1876, 125.25
"""GeV, PDG 2022."""


class Entries(NamedTuple):
    """The mass matrix of equation 2 in GeV, real or complex; M_N is symmetric, each Lambda is Y v_Phi/sqrt2."""

    M_D: Inexact[Array, "active sterile"]  # Y v/sqrt2
    M_N: Inexact[Array, "sterile sterile"]
    Lambda_L: Inexact[Array, "sterile dark"]
    Lambda_R: Inexact[Array, "sterile dark"]
    M_X: Inexact[Array, "dark dark"]  # D_L a row, D_R a column


class Vertices(NamedTuple):
    """Equation A3, between mass states."""

    V: Inexact[Array, "states states"]  # Z', times g_X; hermitian; sum of |V|^2 = 2d
    C: Inexact[Array, "states states"]  # Z, times g/(2 c_W); hermitian; sum of |C|^2 = the number of generations
    S: Inexact[Array, "states states"]  # phi', times 1/(2 sqrt2); symmetric; sum of |S|^2 = 2 (|Y_L|^2 + |Y_R|^2)
    H: Inexact[Array, "states states"]  # h, times 1/(2 sqrt2); symmetric; sum of |H|^2 = 2 |Y|^2


class Bosons(NamedTuple):
    """What else enters vertices and loops, GeV."""

    m_Zprime: ArrayLike
    m_phi: ArrayLike
    v_Phi: ArrayLike  # <Phi> sqrt2 = m_Z'/g_X
    m_Z: ArrayLike = M_Z
    m_h: ArrayLike = M_HIGGS
    v: ArrayLike = V_EW


# -- benchmark points -----------------------------------------------------------------------------------------------

BENCHMARK_MATRICES = {
    "BP-A": {
        "M_D": (0.00950, 0.278, 0.190),
        "M_N": (-0.0429, 1.10, -1.10),
        "Lambda_L": (-2.39, 19.0, 0.0),
        "Lambda_R": (-2.39, 19.0, 0.0),
        "M_X": -1.21,
    },
    "BP-B": {
        "M_D": (-0.0347, 1.98, -3.89),
        "M_N": (-0.0900, 6.00, -18.0),
        "Lambda_L": (3.75, 24.0, 0.0),
        "Lambda_R": (-2.81, 54.0, 0.0),
        "M_X": 1.96,
    },
    "BP-C": {
        "M_D": (0.0336, -0.635, -1.03),
        "M_N": (-0.0963, 5.07, -10.1),
        "Lambda_L": (3.51, 25.5, 12.7),
        "Lambda_R": (-4.04, 44.1, -38.1),
        "M_X": 1.56,
    },
    "BP-D": {
        "M_D": (0.129, 6.72, -11.4),
        "M_N": (0.206, 6.00, -18.0),
        "Lambda_L": (15.0, 33.0, 0.0),
        "Lambda_R": (-14.9, -12.9, 0.0),
        "M_X": 3.50,
    },
}
"""arXiv:2007.11813 Table III as printed; M_N is the diagonal."""

BENCHMARK_UNITS = {"M_D": 1e-3, "M_N": 1.0, "Lambda_L": 1e-2, "Lambda_R": 1e-2, "M_X": 1e-1}
"""The units of Table III in GeV: MeV, GeV, 10 MeV and 100 MeV."""

BENCHMARK_COUPLINGS = {
    name: {"alpha_D": alpha_D, "epsilon": math.sqrt(4.6e-4), "m_Zprime": 1.25, "m_phi": 1.0}
    for name, alpha_D in (("BP-A", 0.39), ("BP-B", 0.32), ("BP-C", 0.76), ("BP-D", 0.11))
}
"""arXiv:2007.11813 Table II (alpha_D) and appendix A (the rest; Table I prints m_phi = 1.6 GeV); masses in GeV."""

BENCHMARK_ELECTRON_RATIO = 0.11
"""M_D of the electron over M_D of the muon at BP-D, arXiv:2007.11813 above equation A4."""


def benchmark_entries(name: str) -> Entries:
    """The mass matrix of "BP-A" ... "BP-D" in GeV: one generation, the muon's, with n = 3 and d = 1."""
    of = {field: BENCHMARK_UNITS[field] * jnp.asarray(row) for field, row in BENCHMARK_MATRICES[name].items()}
    return Entries(
        M_D=of["M_D"][None, :],
        M_N=jnp.diag(of["M_N"]),
        Lambda_L=of["Lambda_L"][:, None],
        Lambda_R=of["Lambda_R"][:, None],
        M_X=jnp.reshape(of["M_X"], (1, 1)),
    )


def benchmark_bosons(name: str) -> Bosons:
    """Z' and phi' of "BP-A" ... "BP-D"."""
    printed = BENCHMARK_COUPLINGS[name]
    v_Phi = vacuum_expectation_value(printed["m_Zprime"], printed["alpha_D"])
    return Bosons(printed["m_Zprime"], printed["m_phi"], v_Phi)


def vacuum_expectation_value(m_Zprime: ArrayLike, alpha_D: ArrayLike) -> Float[Array, "..."]:
    """v_Phi = m_Z'/g_X in GeV, with alpha_D = g_X^2/(4 pi)."""
    return jnp.asarray(m_Zprime) / jnp.sqrt(4.0 * jnp.pi * jnp.asarray(alpha_D))


# -- matrix, states, vertices ---------------------------------------------------------------------------------------


class Rows(NamedTuple):
    """Where the fields stand in the matrix."""

    active: slice
    sterile: slice
    left: slice
    right: slice


def field_rows(entries: Entries) -> Rows:
    """The rows of the active, sterile, D_L and D_R fields, from the shapes of M_D and M_X."""
    active, sterile = jnp.shape(entries.M_D)
    dark = jnp.shape(entries.M_X)[0]
    ends = np.cumsum([0, active, sterile, dark, dark])
    return Rows(*(slice(int(a), int(b)) for a, b in pairwise(ends)))


def mass_matrix(entries: Entries) -> Inexact[Array, "states states"]:
    """The symmetric matrix of equation 2, GeV, states = active + n + 2d; of M_N the symmetric part counts."""
    M_D, M_N, Lambda_L, Lambda_R, M_X = (jnp.asarray(entry) for entry in entries)
    active, dark = len(M_D), len(M_X)
    nothing, apart = jnp.zeros((active, active + 2 * dark)), jnp.zeros((dark, dark))
    return jnp.concatenate(
        [
            jnp.concatenate([nothing[:, :active], M_D, nothing[:, active:]], axis=1),
            jnp.concatenate([M_D.T, 0.5 * (M_N + M_N.T), Lambda_L, Lambda_R], axis=1),
            jnp.concatenate([nothing[:, active : active + dark].T, Lambda_L.T, apart, M_X], axis=1),
            jnp.concatenate([nothing[:, active : active + dark].T, Lambda_R.T, M_X.T, apart], axis=1),
        ]
    )


def mass_states(entries: Entries) -> MajoranaStates:
    """Masses (GeV) and U at tree level, lightest first: signed masses if all entries are real, else at or above 0."""
    return states_of(mass_matrix(entries))


def states_of(matrix: Inexact[Array, "states states"]) -> MajoranaStates:
    """`diagonalise` of a real, `takagi` of a complex matrix."""
    return takagi(matrix) if jnp.iscomplexobj(matrix) else diagonalise(matrix)


def vertices(states: MajoranaStates, entries: Entries, v_Phi: ArrayLike, v: ArrayLike = V_EW) -> Vertices:
    """Equation A3 with Y = sqrt2 M_D/v and Y_L,R = sqrt2 Lambda_L,R/v_Phi; v_Phi and v in GeV.

    In the basis of `states`: real where masses are signed. Through `with_positive_masses`, V is imaginary between
    states of opposite parity.
    """
    active, sterile, left, right = (states.mixing[rows] for rows in field_rows(entries))
    of_dark = (jnp.asarray(entries.Lambda_L) @ left + jnp.asarray(entries.Lambda_R) @ right) / jnp.asarray(v_Phi)
    of_higgs = jnp.asarray(entries.M_D).T @ active / jnp.asarray(v)
    scalar, higgs = sterile.T @ of_dark, sterile.T @ of_higgs
    return Vertices(
        V=left.conj().T @ left - right.conj().T @ right,
        C=active.conj().T @ active,
        S=math.sqrt(2.0) * (scalar + scalar.T),
        H=math.sqrt(2.0) * (higgs + higgs.T),
    )


def relative_parity(
    masses: Float[Array, "states"], V: Inexact[Array, "states states"]
) -> Float[Array, "states states"]:
    """eta_jk = Re(V_jk^2)/|V_jk|^2 for masses at or above 0: 1 an axial current, -1 a vector current, between a mix.

    Widths and cross sections are linear in it. For signed masses and real V it is sign(m_j m_k); 1 for j = k. A V of 0
    counts as real.
    """
    sign = jnp.where(jnp.asarray(masses) < 0.0, -1.0, 1.0)
    V = jnp.asarray(V)
    size = jnp.abs(V) ** 2
    some = size > 0.0
    return sign[:, None] * sign * jnp.where(some, jnp.real(V * V) / jnp.where(some, size, 1.0), 1.0)


def vertex_phases(V: Inexact[Array, "states states"]) -> Float[Array, "states states"]:
    """arg V_jk in rad, antisymmetric; 0, with slope 0, where V_jk is 0. eta of positive masses is cos(2 arg V)."""
    V = jnp.asarray(V)
    some = jnp.abs(V) > 0.0
    safe = jnp.where(some, V, 1.0)
    return jnp.where(some, jnp.arctan2(jnp.imag(safe), jnp.real(safe)), 0.0)


# -- one loop -------------------------------------------------------------------------------------------------------


def loop_correction(
    states: MajoranaStates, entries: Entries, bosons: Bosons, feynman: bool = False
) -> Inexact[Array, "states states"]:
    """Finite one-loop entries, GeV, where the tree has 0 and no counterterm: (alpha alpha), LL and RR.

    1/(16 pi^2 v_Phi^2) sum_k {(Lambda_a U_Nk)(Lambda_b U_Nk) m_k f(m_k^2/m_phi^2) + 3 U_ak^* U_bk^* m_k^3
    f(m_k^2/m_Z'^2)} for a, b both D_L or both D_R, f(x) = ln x/(x - 1); and 1/(16 pi^2 v^2) sum_k U_ak^* U_bk^* m_k^3
    [3 f(m_k^2/m_Z^2) + f(m_k^2/m_h^2)] for active ones. The finite loop of hep-ph/9901206 and arXiv:1209.4051, with a
    second scalar and vector. An estimate: other entries get divergent renormalisations, and the dark entries depend on
    the gauge.
    `feynman` has 4 U^* U^* m^3 - (Lambda U)(Lambda U) m for 3 U^* U^* m^3.
    """
    rows, masses = field_rows(entries), states.masses
    active, sterile = states.mixing[rows.active], states.mixing[rows.sterile]
    dark_loop = 1.0 / (16.0 * jnp.pi**2 * jnp.asarray(bosons.v_Phi) ** 2)
    from_scalar = masses * _log_ratio((masses / bosons.m_phi) ** 2)
    from_vector = _log_ratio((masses / bosons.m_Zprime) ** 2)
    correction = jnp.zeros_like(states.mixing)
    for row, Lambda in ((rows.left, entries.Lambda_L), (rows.right, entries.Lambda_R)):
        field, yukawa = jnp.conj(states.mixing[row]), jnp.asarray(Lambda).T @ sterile
        vector = _outer(field, (4.0 if feynman else 3.0) * masses**3 * from_vector)
        if feynman:
            vector = vector - _outer(yukawa, masses * from_vector)
        correction = correction.at[row, row].set(dark_loop * (_outer(yukawa, from_scalar) + vector))
    standard = 3.0 * _log_ratio((masses / bosons.m_Z) ** 2) + _log_ratio((masses / bosons.m_h) ** 2)
    weak = _outer(jnp.conj(active), masses**3 * standard) / (16.0 * jnp.pi**2 * jnp.asarray(bosons.v) ** 2)
    return correction.at[rows.active, rows.active].set(weak)


def _outer(field, weights):
    """sum_k field_ak field_bk weights_k."""
    return (field * weights) @ field.T


def _log_ratio(x):
    """f(x) = ln x/(x - 1) for x >= 0; 1 at x = 1; 0 at x = 0, where it stands before a mass of 0."""
    y = x - 1.0
    near, massive = jnp.abs(y) < 1e-3, x > 0.0
    series = 1.0 - y * (1 / 2 - y * (1 / 3 - y * (1 / 4 - y * (1 / 5 - y / 6))))
    safe = jnp.where(massive & ~near, x, 2.0)
    return jnp.where(near, series, jnp.where(massive, jnp.log(safe) / (safe - 1.0), 0.0))


def light_masses(
    states: MajoranaStates, correction: Inexact[Array, "states states"], active: int = 1
) -> Float[Array, "active"]:
    """The lightest `active` masses (GeV) with a small correction of the mass matrix, to first order, lightest first.

    m_3 + sum_ab U_a3 U_b3 dM_ab for one generation. For several, the corrected block of the light states is
    diagonalised again, since loops may be as large as differences of light masses.
    """
    columns = states.mixing[:, :active]
    block = jnp.diag(states.masses[:active]) + columns.T @ correction @ columns
    if active == 1:
        return jnp.abs(block[0]) if jnp.iscomplexobj(block) else block[0]
    return states_of(block).masses
