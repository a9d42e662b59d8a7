"""nu N -> nu N by the Z on a nucleon at rest. NumPy: no parameter of a model enters.

Llewellyn Smith, Phys. Rept. 3 (1972) 261, with form factors F^Z = (1/2 - 2 s_W^2) F^p - F^n/2 of the proton, p <-> n of
the neutron, and F_A^Z = +-F_A/2: W. M. Alberico, S. M. Bilenky, C. Maieron, Phys. Rept. 358 (2002) 227. Strange quarks
in the nucleon, Fermi motion and final states are left out.
"""

import numpy as np
from jaxtyping import Float

from anomfit.physics.constants import G_F, M_N, M_P
from anomfit.physics.quasi_elastic import G_AXIAL, INCOMING

SIN2_THETA_W = 0.2387  # at low Q^2, PDG 2024
M = {"proton": M_P, "neutron": M_N}
OTHER = {"proton": "neutron", "neutron": "proton"}
MOMENTS = {"proton": 2.7928473446, "neutron": -1.9130427}
DIPOLE = 0.71  # GeV^2


def form_factors(
    nucleon: str, q_squared: Float[np.ndarray, "..."], m_axial: float
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """(F_1, F_2, F_A) of the neutral current at Q^2 in GeV^2; F_A of protons is positive."""
    own, mirror = (_dirac_pauli(name, q_squared) for name in (nucleon, OTHER[nucleon]))
    weak = [(0.5 - 2.0 * SIN2_THETA_W) * a - 0.5 * b for a, b in zip(own, mirror, strict=True)]
    sign = 1.0 if nucleon == "proton" else -1.0
    return weak[0], weak[1], 0.5 * sign * G_AXIAL * (1.0 + q_squared / m_axial**2) ** -2


def _dirac_pauli(nucleon: str, q_squared):
    tau = q_squared / (4.0 * M[nucleon] ** 2)
    dipole = (1.0 + q_squared / DIPOLE) ** -2
    magnetic = MOMENTS[nucleon] * dipole
    electric = dipole if nucleon == "proton" else -tau * magnetic / (1.0 + 5.6 * tau)
    return (electric + tau * magnetic) / (1.0 + tau), (magnetic - electric) / (1.0 + tau)


def d_sigma_d_q_squared(
    nucleon: str, e_nu: Float[np.ndarray, "..."], q_squared: Float[np.ndarray, "..."], incoming: str, m_axial: float
) -> Float[np.ndarray, "..."]:
    """d sigma/dQ^2 in GeV^-4, 0 outside the limits; nucleon: "proton" or "neutron", incoming as in `quasi_elastic`.

    G_F^2 M^2/(8 pi E^2) [A -+ B (s-u)/M^2 + C (s-u)^2/M^4]; neutrinos have the larger one.
    """
    mass = M[nucleon]
    f_1, f_2, f_a = form_factors(nucleon, q_squared, m_axial)
    tau, s_minus_u = q_squared / (4.0 * mass**2), 4.0 * mass * e_nu - q_squared
    a = 4.0 * tau * ((1.0 + tau) * f_a**2 - (1.0 - tau) * f_1**2 + tau * (1.0 - tau) * f_2**2 + 4.0 * tau * f_1 * f_2)
    b = -4.0 * tau * f_a * (f_1 + f_2)
    c = 0.25 * (f_a**2 + f_1**2 + tau * f_2**2)
    terms = a + INCOMING[incoming] * b * s_minus_u / mass**2 + c * (s_minus_u / mass**2) ** 2
    most = 4.0 * mass * e_nu**2 / (mass + 2.0 * e_nu)
    return np.where(q_squared <= most, (mass * G_F / e_nu) ** 2 / (8.0 * np.pi) * terms, 0.0)
