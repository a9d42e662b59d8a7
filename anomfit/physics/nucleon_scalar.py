"""Coupling of a scalar to a nucleon through its light quarks, and the nucleon's scalar form factor."""

from typing import Literal, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.errors import reject
from anomfit.parameters import Nuisance
from anomfit.physics.constants import M_N, M_P

Nucleon = Literal["proton", "neutron"]

NUCLEON_MASSES: dict[str, float] = {"proton": M_P, "neutron": M_N}


class SigmaFractions(NamedTuple):
    """Fractions f_Tq^N = m_q <N| qbar q |N> / M_N of the nucleon's mass that the light quarks carry; dimensionless."""

    f_u_proton: float
    f_d_proton: float
    f_u_neutron: float
    f_d_neutron: float

    def of(self, nucleon: Nucleon) -> tuple[float, float]:
        """(f_Tu, f_Td) of "proton" or "neutron"."""
        _mass(nucleon)
        return self[:2] if nucleon == "proton" else self[2:]


SIGMA_FRACTIONS: dict[str, SigmaFractions] = {
    "agr1": SigmaFractions(0.020, 0.041, 0.0189, 0.0451),
    "dkm": SigmaFractions(0.0208, 0.0411, 0.0189, 0.0451),
}
"""Named sets. "agr1": arXiv:2010.06159 below equation 27. "dkm", the default of new work: what arXiv:2005.08920 takes
from Crivellin, Hoferichter, Procura, PRD 89 (2014) 054021 with sigma_piN = 59.1 +- 3.5 MeV of Hoferichter et al.,
PRL 115 (2015) 092301, whose errors are 0.0015, 0.0028, 0.0014 and 0.0027, correlated through sigma_piN."""

M_U = 2.16e-3
"""Up-quark mass, MSbar at 2 GeV, GeV: PDG 2022, +0.49 -0.26 MeV (the 2024 average quotes +-0.07 MeV)."""

M_D = 4.67e-3
"""Down-quark mass, MSbar at 2 GeV, GeV: PDG 2022, +0.48 -0.17 MeV (2024: 4.70 +- 0.07 MeV)."""

SIGMA_TERM_SCALE = Nuisance(
    name="sigma_term_scale",
    symbol=r"\sigma_{\pi N}/59.1\,\mathrm{MeV}",
    mean=1.0,
    sigma=0.15,
    description="common factor of all f_Tq: 1 is sigma_piN = 59.1 +- 3.5 MeV from pion-nucleon scattering (PRL 115 "
    "(2015) 092301), 0.71 the 41.9 +- 4.9 MeV of a standard lattice analysis (arXiv:2105.12095, whose own preferred "
    "value with N pi states is 59.6 +- 7.4 MeV). The width is our estimate: half the distance between the two",
)

STRANGE_FRACTION = Nuisance(
    name="f_s",
    symbol=r"f_s",
    mean=0.043,
    sigma=0.011,
    description="share of the nucleon's mass that strange quarks carry: lattice average of PRD 87 (2013) 114510, the "
    "error from memory; the same for proton and neutron",
)

SCALAR_DIPOLE_MASS = Nuisance(
    name="M_S",
    symbol=r"M_S\,[\mathrm{GeV}]",
    mean=0.775,
    sigma=0.13,
    description="dipole mass of the nucleon's scalar form factor, GeV. Our estimate: centre and standard deviation of "
    "a uniform range 0.55 to 1 GeV, whose low end is the pion-nucleon scalar radius (1.6 fm^2) and inside which the "
    "vector dipole lies (0.84 GeV); we know of no data that fix it at the Q^2 of interest",
)


def nucleon_coupling(
    nucleon: Nucleon,
    y_u: ArrayLike,
    y_d: ArrayLike,
    f_u: ArrayLike,
    f_d: ArrayLike,
    m_u: ArrayLike,
    m_d: ArrayLike,
) -> Float[Array, "..."]:
    """Coupling F_N of L = F_N phi Nbar N, dimensionless: M_N (f_u y_u/m_u + f_d y_d/m_d).

    arXiv:2010.06159 equation 27. `nucleon` is "proton" or "neutron" and chooses M_N; y_q are the scalar's quark
    couplings, f_q the fractions f_Tq of this nucleon, m_q the quark masses in GeV at the scale at which y_q is meant
    (only y_q/m_q counts). Raises InputError for another nucleon.
    """
    up = jnp.asarray(f_u) * jnp.asarray(y_u) / jnp.asarray(m_u)
    down = jnp.asarray(f_d) * jnp.asarray(y_d) / jnp.asarray(m_d)
    return _mass(nucleon) * (up + down)


def mass_proportional_coupling(
    nucleon: Nucleon,
    eta_u: ArrayLike,
    eta_d: ArrayLike,
    f_u: ArrayLike,
    f_d: ArrayLike,
    f_s: ArrayLike,
    v: ArrayLike,
) -> Float[Array, "..."]:
    """Coupling C_N of L = -C_N S Nbar N for quark couplings eta_u m_q/v (u, c, t) and eta_d m_q/v (d, s, b).

    (M_N/v) {eta_u [f_u + 2 (2/27) f_G] + eta_d [f_d + f_s + (2/27) f_G]}, f_G = 1 - f_u - f_d - f_s: heavy quarks count
    through the gluons, each as 2/27 f_G (Shifman, Vainshtein, Zakharov, Phys. Lett. B 78 (1978) 443). arXiv:2005.08920
    equation 16; no quark mass is left. v in GeV; dimensionless. Raises InputError for another nucleon.
    """
    f_u, f_d, f_s = jnp.asarray(f_u), jnp.asarray(f_d), jnp.asarray(f_s)
    heavy = 2.0 / 27.0 * (1.0 - f_u - f_d - f_s)
    bracket = jnp.asarray(eta_u) * (f_u + 2.0 * heavy) + jnp.asarray(eta_d) * (f_d + f_s + heavy)
    return _mass(nucleon) / jnp.asarray(v) * bracket


def dipole(q_squared: ArrayLike, m_S: ArrayLike) -> Float[Array, "..."]:
    """Scalar form factor (1 + Q^2/m_S^2)^-2 of the nucleon, amplitude level; Q^2 in GeV^2, m_S in GeV.

    A shape assumed by analogy with the vector form factors; m_S -> infinity is the constant F_N of the papers. Its
    squared radius is 12/m_S^2.
    """
    return (1.0 + jnp.asarray(q_squared) / jnp.asarray(m_S) ** 2) ** -2


def _mass(nucleon: str) -> float:
    if nucleon not in NUCLEON_MASSES:
        raise reject("nucleon", nucleon, "use 'proton' or 'neutron'")
    return NUCLEON_MASSES[nucleon]
