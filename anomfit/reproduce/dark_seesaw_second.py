"""Second computations of the numbers of arXiv:2007.11813, with NumPy alone and nothing of the library's physics.

States come from LAPACK's symmetric eigensolver, not from plane rotations; widths from traces of explicit Dirac matrices
on a grid of the Dalitz plot, not from integrated formulas. What agrees with them is not an error of either.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

HBAR_C_CM = 1.973269804e-14  # GeV cm
ALPHA, G_F, SIN2_THETA_W = 1.0 / 137.035999, 1.1663788e-5, 0.23122
M_ELECTRON, M_MUON, M_PION = 0.51099895e-3, 0.1056583755, 0.13957039  # GeV
FIELDS = {"U_mu": 0, "U_N1": 1, "U_N2": 2, "U_N3": 3, "U_DL": 4, "U_DR": 5}
PAIRS = [(j, k) for j in range(3, 7) for k in range(3, j + 1)]


def matrix_of(point: Mapping[str, float], symmetric: bool) -> np.ndarray:
    """Equation A1 in GeV."""
    matrix = np.zeros((6, 6))
    for k in (1, 2, 3):
        matrix[k, k] = point[f"M_{k}"]
        left = point[f"Lambda_L{k}"]
        right = left if symmetric else point[f"Lambda_R{k}"]
        for field, value in ((0, point[f"M_D{k}"]), (4, left), (5, right)):
            matrix[k, field] = matrix[field, k] = value
    matrix[4, 5] = matrix[5, 4] = point["M_X"]
    return matrix


def eigenstates(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Signed masses (GeV) and U from LAPACK, lightest first; the light mass is right to 4e-6 eV."""
    masses, U = np.linalg.eigh(matrix)
    order = np.argsort(np.abs(masses))
    return masses[order], U[:, order]


def of_matrix(point: Mapping[str, float], symmetric: bool) -> dict[str, float]:
    """Masses, mixings and vertices of Tables II, IV and V by name; S also without its transpose ("_one_sided")."""
    matrix = matrix_of(point, symmetric)
    masses, U = eigenstates(matrix)
    v_Phi = point["m_Zprime"] / np.sqrt(4.0 * np.pi * point["alpha_D"])
    V = np.outer(U[4], U[4]) - np.outer(U[5], U[5])
    yukawas = np.sqrt(2.0) * matrix[1:4, 4:] / v_Phi
    half = U[1:4].T @ yukawas @ U[4:]
    found = {f"m_{j}": 1e3 * abs(masses[j - 3]) for j in (4, 5, 6)}
    found |= {f"m_{j}_heavy": abs(masses[j - 3]) for j in (7, 8)}
    found |= {f"{field}{j}": U[row, j - 3] ** 2 for field, row in FIELDS.items() for j in (4, 5, 6)}
    for j, k in PAIRS:
        at = j - 3, k - 3
        found[f"V_{j}{k}"] = V[at] ** 2
        found[f"S_{j}{k}"] = found[f"S_{k}{j}"] = (half + half.T)[at] ** 2
        found[f"S_{j}{k}_one_sided"] = found[f"S_{k}{j}_one_sided"] = half[at] ** 2
        found[f"V_{k}{j}"] = found[f"V_{j}{k}"]
    found["S_sum"] = np.sum((half + half.T) ** 2) / np.sum(yukawas**2)
    found["V_sum"] = np.sum(V**2)
    return {name: float(value) for name, value in found.items()}


# -- widths ---------------------------------------------------------------------------------------------------------

_PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
_ZERO, _ONE = np.zeros((2, 2)), np.eye(2)
GAMMA = np.array(
    [np.block([[_ONE, _ZERO], [_ZERO, -_ONE]]), *(np.block([[_ZERO, s], [-s, _ZERO]]) for s in _PAULI)], dtype=complex
)
GAMMA_5 = 1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]
METRIC = np.diag([1.0, -1.0, -1.0, -1.0])


def _slash(p: np.ndarray) -> np.ndarray:
    return np.einsum("...m,mn,nab->...ab", p, METRIC, GAMMA)


def _tensor(out: np.ndarray, into: np.ndarray, vertex: np.ndarray) -> np.ndarray:
    """Tr[out Gamma^mu into Gammabar^nu], upper indices."""
    bar = np.einsum("ab,mbc,cd->mad", GAMMA[0], np.conj(np.swapaxes(vertex, 1, 2)), GAMMA[0])
    return np.einsum("...ab,mbc,...cd,nda->...mn", out, vertex, into, bar)


def _neutral_vertex(eta: float) -> np.ndarray:
    """gamma^mu (V P_L - V^* P_R) with |V| = 1 and V^2 = eta."""
    V = 1.0 if eta > 0.0 else 1.0j
    left, right = (np.eye(4) - GAMMA_5) / 2.0, (np.eye(4) + GAMMA_5) / 2.0
    return GAMMA @ (V * left - np.conj(V) * right)


def _momentum(M: float | np.ndarray, a: float | np.ndarray, b: float | np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum((M**2 - (a + b) ** 2) * (M**2 - (a - b) ** 2), 0.0)) / (2.0 * M)


@lru_cache
def _grid(n: int) -> tuple[np.ndarray, np.ndarray]:
    x, w = np.polynomial.legendre.leggauss(n)
    u = 0.5 * (x + 1.0)
    return 3.0 * u**2 - 2.0 * u**3, 0.5 * w * 6.0 * u * (1.0 - u)  # smooth in square roots at both ends


def three_body_width(m_j: float, m_k: float, m_Zprime: float, g: float, eta: float, m_lepton: float) -> float:
    """Width (GeV) of N_j -> N_k l+ l- through Z', g = e epsilon g_X |V_jk|; m_k = 0 for a light neutrino.

    1/((2 pi)^3 8 m_j^2) int ds dcos p* k* /(4 sqrt s) |M|^2/2, traces of Dirac matrices at each node.
    """
    low, high = 4.0 * m_lepton**2, (m_j - m_k) ** 2
    if m_j <= m_k + 2.0 * m_lepton:
        return 0.0
    x, w = _grid(120)
    s = low * (high / low) ** x  # even in the logarithm: electrons are light
    w = w * s * np.log(high / low)
    cosines, cosine_weights = np.polynomial.legendre.leggauss(3)  # |M|^2 is of second degree
    root = np.sqrt(s)[:, None]
    p_star, k_star = _momentum(m_j, m_k, root), _momentum(root, m_lepton, m_lepton)
    zero, one = np.zeros_like(root * cosines), np.ones_like(root * cosines)
    sines = np.sqrt(1.0 - cosines**2)
    # the rest frame of the pair, N_j and N_k along z
    lepton = np.stack([0.5 * root * one, k_star * sines, zero, k_star * cosines], axis=-1)
    other = lepton * np.array([1.0, -1.0, -1.0, -1.0])
    along = (p_star * m_j / root) * one
    p_k = np.stack([np.sqrt(m_k**2 + along**2), zero, zero, along], axis=-1)
    p_j = p_k + np.stack([root * one, zero, zero, zero], axis=-1)
    unit = np.eye(4)
    neutral = _tensor(_slash(p_k) + m_k * unit, _slash(p_j) + m_j * unit, _neutral_vertex(eta))
    charged = _tensor(_slash(lepton) + m_lepton * unit, _slash(other) - m_lepton * unit, GAMMA)
    contracted = np.einsum("...mn,...ab,ma,nb->...", neutral, charged, METRIC, METRIC).real
    squared = g**2 * contracted / (s[:, None] - m_Zprime**2) ** 2 / 2.0
    measure = (p_star * k_star / root) * cosine_weights * w[:, None]
    return float(np.sum(squared * measure) / ((2.0 * np.pi) ** 3 * 16.0 * m_j**2))


def zprime_width(m_Zprime: float, m_j: float, m_k: float, g: float, eta: float) -> float:
    """Width (GeV) of Z' to two different Majorana states, g = g_X |V_jk|, from traces; half of it for equal ones."""
    p = _momentum(m_Zprime, m_j, m_k)
    first = np.array([np.sqrt(m_j**2 + p**2), 0.0, 0.0, p])
    other = np.array([np.sqrt(m_k**2 + p**2), 0.0, 0.0, -p])
    tensor = _tensor(_slash(first) + m_j * np.eye(4), _slash(other) - m_k * np.eye(4), _neutral_vertex(eta))
    q = np.array([m_Zprime, 0.0, 0.0, 0.0])
    sum_of_spins = -METRIC + np.outer(q, q) / m_Zprime**2  # lower indices: q has a time component alone
    squared = np.einsum("mn,mn->", tensor, sum_of_spins).real / 3.0
    return float(g**2 * squared * p / (8.0 * np.pi * m_Zprime**2))


def weak_width(m_N: float, mixing_squared: float) -> float:
    """Weak width (GeV) of a Majorana state that mixes with nu_mu: to 3 nu and nu e+e-, e massless."""
    single = G_F**2 * m_N**5 * mixing_squared / (192.0 * np.pi**3)
    left, right = SIN2_THETA_W - 0.5, SIN2_THETA_W
    return 2.0 * single * (1.0 + left**2 + right**2)


# -- bosons ---------------------------------------------------------------------------------------------------------


def scalar_width(m_scalar: float, g: float) -> float:
    """Width (GeV) of a scalar to two different massless Majorana states, vertex g, from a trace."""
    first = np.array([1.0, 0.0, 0.0, 1.0]) * m_scalar / 2.0
    other = first * np.array([1.0, 1.0, 1.0, -1.0])
    squared = g**2 * np.trace(_slash(first) @ _slash(other)).real
    return float(squared / (16.0 * np.pi * m_scalar))


def width_to_scalars(m_vector: float, g: float) -> float:
    """Width (GeV) of a vector to a massless scalar and its antiparticle, vertex g (p - p')^mu, from the spin sum."""
    difference = np.array([0.0, 0.0, 0.0, m_vector])  # p - p' in the rest frame
    squared = -(g**2) * difference @ METRIC @ difference / 3.0
    return float(squared / (16.0 * np.pi * m_vector))


def width_to_vectors(m_scalar: float, m_vector: float, v: float) -> float:
    """Width (GeV) of a scalar to two identical vectors, vertex 2 m_V^2/v g^mu nu, all masses kept."""
    p = _momentum(m_scalar, m_vector, m_vector)
    product = 0.5 * m_scalar**2 - m_vector**2
    squared = (2.0 * m_vector**2 / v) ** 2 * (2.0 + product**2 / m_vector**4)
    return float(0.5 * squared * p / (8.0 * np.pi * m_scalar**2))


# -- scattering and kaons -------------------------------------------------------------------------------------------

HBAR_C_FM, GEV2_CM2 = 0.1973269804, 0.3893793721e-27
M_NUCLEON = {"proton": 0.93827209, "neutron": 0.93956542}  # GeV
MAGNETIC = {"proton": 2.792847, "neutron": -1.913043}
M_KAON = 0.493677  # GeV


def cross_section(e_nu: float, m_N: float, target: str, charge: float, m_Zprime: float) -> float:
    """nu + target -> N + target, cm^2, over (g e epsilon)^2 with a left-handed vertex g; traces at each node of Q^2.

    target: "proton", "neutron" (dipoles of 0.71 GeV^2) or "Ar40" (spin 0, Helm with s = 0.9 fm and r_rms = 3.427 fm).
    """
    nucleon = target in M_NUCLEON
    M = M_NUCLEON[target] if nucleon else 37.21554
    s = M**2 + 2.0 * M * e_nu
    if s <= (m_N + M) ** 2:
        return 0.0
    root = np.sqrt(s)
    k, p = (s - M**2) / (2.0 * root), _momentum(root, m_N, M)
    energy = np.sqrt(p**2 + m_N**2)
    low, high = (-(m_N**2) + 2.0 * k * (energy - sign * p) for sign in (1.0, -1.0))
    x, w = np.polynomial.legendre.leggauss(48)
    light = m_Zprime**2 if nucleon else 0.07**2  # where the integrand falls
    stretch = np.log((high + light) / (low + light))
    Q2 = (low + light) * np.exp(0.5 * stretch * (x + 1.0)) - light
    jacobian = 0.5 * stretch * (Q2 + light) * w
    cosine = (energy - (Q2 + m_N**2) / (2.0 * k)) / p
    sine, one = np.sqrt(np.maximum(1.0 - cosine**2, 0.0)), np.ones_like(Q2)
    nu = np.stack([k * one, 0 * one, 0 * one, k * one], axis=-1)
    out = np.stack([energy * one, p * sine, 0 * one, p * cosine], axis=-1)
    target_in = np.stack([(root - k) * one, 0 * one, 0 * one, -k * one], axis=-1)
    target_out = nu + target_in - out
    vertex = GAMMA @ ((np.eye(4) - GAMMA_5) / 2.0)
    leptons = _tensor(_slash(out) + m_N * np.eye(4), _slash(nu), vertex)
    if nucleon:
        hadrons = _nucleon_tensor(target, M, Q2, target_in, target_out) / 2.0
    else:
        both = target_in + target_out
        hadrons = (charge * _helm(Q2))[:, None, None] ** 2 * both[:, :, None] * both[:, None, :]
    squared = np.einsum("...mn,...ab,ma,nb->...", leptons, hadrons, METRIC, METRIC).real / (Q2 + m_Zprime**2) ** 2
    return float(np.sum(jacobian * squared) / (16.0 * np.pi * (s - M**2) ** 2) * GEV2_CM2)


def _helm(Q2: np.ndarray) -> np.ndarray:
    """Helm's form factor of argon-40, 1 at Q^2 = 0."""
    q, s = np.sqrt(Q2) / HBAR_C_FM, 0.9
    radius = np.sqrt(5.0 / 3.0 * (3.4274**2 - 3.0 * s**2))
    x = q * radius
    return 3.0 * (np.sin(x) - x * np.cos(x)) / x**3 * np.exp(-0.5 * (q * s) ** 2)


def _nucleon_tensor(name: str, M: float, Q2: np.ndarray, p: np.ndarray, p_out: np.ndarray) -> np.ndarray:
    """Spin sum of the nucleon's current F_1 gamma^mu + i F_2 sigma^{mu nu} q_nu/2M."""
    dipole, tau = (1.0 + Q2 / 0.71) ** -2, Q2 / (4.0 * M**2)
    electric, magnetic = (dipole if name == "proton" else 0.0 * dipole), MAGNETIC[name] * dipole
    F1, F2 = (electric + tau * magnetic) / (1.0 + tau), (magnetic - electric) / (1.0 + tau)
    q = np.einsum("nm,mk->nk", p_out - p, METRIC)
    sigma = 0.5j * (np.einsum("mab,nbc->mnac", GAMMA, GAMMA) - np.einsum("nab,mbc->mnac", GAMMA, GAMMA))
    current = F1[:, None, None, None] * GAMMA + 1j * (F2 / (2.0 * M))[:, None, None, None] * np.einsum(
        "mnab,kn->kmab", sigma, q
    )
    bar = np.einsum("ab,kmbc,cd->kmad", GAMMA[0], np.conj(np.swapaxes(current, 2, 3)), GAMMA[0])
    into, out = _slash(p) + M * np.eye(4), _slash(p_out) + M * np.eye(4)
    return np.einsum("kab,kmbc,kcd,knda->kmn", out, current, into, bar)


def kaon_rate(m_N: float) -> float:
    """K+ -> mu+ N over |U|^2 times K+ -> mu+ nu: the trace of f_K p^mu on the leptons, and phase space."""

    def squared(m: float) -> float:
        p = _momentum(M_KAON, M_MUON, m)
        e_mu, e_N = np.sqrt(p**2 + M_MUON**2), np.sqrt(p**2 + m**2)
        product = e_mu * e_N + p**2
        return float((2.0 * M_KAON**2 * e_mu * e_N - M_KAON**2 * product) * p)

    return squared(m_N) / squared(0.0)
