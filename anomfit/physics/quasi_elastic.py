"""nu_e n -> e- p and anti-nu_e p -> e+ n on a free nucleon at rest. NumPy: no parameter of a model enters.

Llewellyn Smith, Phys. Rept. 3 (1972) 261, with the electron's mass neglected: dipole vector form factors (M_V^2 = 0.71
GeV^2), a dipole axial one. Fermi motion, binding and Pauli blocking are left out.
"""

import numpy as np

from anomfit.physics.constants import G_F, M_N, M_P

M = 0.5 * (M_N + M_P)
V_UD = 0.974  # PDG 2024
G_AXIAL = 1.2754  # PDG 2024, g_A/g_V in size
MAGNETIC = 4.706  # mu_p - mu_n
M_V_SQUARED = 0.71  # GeV^2
M_AXIAL = 1.23  # GeV: MiniBooNE's own, arXiv:0706.0926; includes what a nucleus adds
INCOMING = {"neutrino": -1.0, "antineutrino": 1.0}  # sign of the interference


def form_factors(q_squared: np.ndarray, m_axial: float = M_AXIAL) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(F_1, F_2, F_A) of the charged current at Q^2 in GeV^2; F_2 includes the anomalous moment, F_A is negative."""
    tau = q_squared / (4.0 * M**2)
    electric = (1.0 + q_squared / M_V_SQUARED) ** -2
    magnetic = MAGNETIC * electric
    axial = -G_AXIAL * (1.0 + q_squared / m_axial**2) ** -2
    return (electric + tau * magnetic) / (1.0 + tau), (magnetic - electric) / (1.0 + tau), axial


def d_sigma_d_q_squared(e_nu: np.ndarray, q_squared: np.ndarray, incoming: str, m_axial: float = M_AXIAL) -> np.ndarray:
    """d sigma/dQ^2 in GeV^-4 for e_nu in GeV (equation 3.22); incoming: "neutrino" or "antineutrino"."""
    f_1, f_2, f_a = form_factors(q_squared, m_axial)
    tau, s_minus_u = q_squared / (4.0 * M**2), 4.0 * M * e_nu - q_squared
    a = 4.0 * tau * ((1.0 + tau) * f_a**2 - (1.0 - tau) * f_1**2 + tau * (1.0 - tau) * f_2**2 + 4.0 * tau * f_1 * f_2)
    b = 4.0 * tau * f_a * (f_1 + f_2)
    c = 0.25 * (f_a**2 + f_1**2 + tau * f_2**2)
    sum_of_terms = a + INCOMING[incoming] * b * s_minus_u / M**2 + c * (s_minus_u / M**2) ** 2
    return (M * G_F * V_UD / e_nu) ** 2 / (8.0 * np.pi) * sum_of_terms


def d_sigma_d_cos(e_nu: np.ndarray, cosine: np.ndarray, incoming: str, m_axial: float = M_AXIAL) -> np.ndarray:
    """d sigma/d cos theta of the lepton in GeV^-2, at any angle to the neutrino."""
    energy = M * e_nu / (M + e_nu * (1.0 - cosine))
    q_squared = 2.0 * e_nu * energy * (1.0 - cosine)
    return 2.0 * energy**2 * d_sigma_d_q_squared(e_nu, q_squared, incoming, m_axial)
