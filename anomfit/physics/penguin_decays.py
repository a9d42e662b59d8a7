"""b -> s phi and s -> d phi through the top penguin, in mesons: what a scalar with a coupling to top quarks adds.

A CP-even phi couples to up-type quarks with eta_u m_q/v. The loop of W and top gives
    L = -eta_u (3 m_t^2/16 pi^2 v^2) V_tq^* V_tq' (m_q'/v) phi qbar_L q'_R + h.c.,
Batell, Pospelov, Ritz, PRD 83 (2011) 054005, section II; Willey and Yu, PRD 26 (1982) 3086. Extra charged Higgs bosons
of a model in which down-type quarks couple differently are not included, charm neither (+3.5 % in the kaons'
amplitudes). With h the factor in front of phi qbar_L q'_R the amplitudes (GeV) are
    P -> P' phi:  (h/2) f_0(m^2) (M^2 - M'^2)/(m_q' - m_q)          P -> V phi:  (h/2) 2 M p* A_0(m^2)/(m_q' + m_q).
Masses in GeV; a closed channel has branching ratio 0 and gradient 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.errors import reject
from anomfit.physics import meson_constants as meson
from anomfit.physics.constants import V_EW
from anomfit.physics.meson_decays import two_body_width
from anomfit.physics.nucleon_scalar import M_D
from anomfit.physics.two_body import two_body_momentum

M_B, M_S, M_TOP = 4.18, 0.093, 163.0
"""Running masses of b, s (2 GeV) and t, GeV, PDG."""

M_TOP_POLE = 173.0
"""What papers take that do not run the top mass, GeV."""

VTS_VTB = 0.0413
"""|V_ts^* V_tb|, PDG 2018 fit."""

LAMBDA_T, RE_LAMBDA_T = 3.71e-4, 3.41e-4
"""Size of lambda_t = V_ts^* V_td and of its real part (which is negative), PDG 2018 fit; later fits have 3.5e-4."""

IM_LAMBDA_T = (LAMBDA_T**2 - RE_LAMBDA_T**2) ** 0.5
"""Imaginary part of lambda_t, 1.46e-4."""

LongKaon = Literal["real", "absolute"]


@dataclass(frozen=True)
class Mode:
    """A transition: masses of both mesons, width of the first, quark masses (GeV), CKM factor, form factor of q^2."""

    parent: float
    daughter: float
    width: float
    heavy_quark: float
    light_quark: float
    ckm: float
    form_factor: Callable[[Float[Array, "..."]], Float[Array, "..."]]
    to_vector: bool = False


def kaon_f0(q_squared: ArrayLike) -> Float[Array, "..."]:
    """Scalar form factor of K -> pi, 0.9677 (1 + 0.015 q^2/m_pi^2): lattice value at 0, slope from K_l3 decays."""
    return 0.9677 * (1.0 + 0.015 * jnp.asarray(q_squared) / meson.M_CHARGED_PION**2)


def b_to_k_f0(q_squared: ArrayLike) -> Float[Array, "..."]:
    """f_0 of B -> K, Ball and Zwicky, PRD 71 (2005) 014015: 0.330/(1 - q^2/37.46 GeV^2)."""
    return 0.330 / (1.0 - jnp.asarray(q_squared) / 37.46)


def b_to_kstar_a0(q_squared: ArrayLike) -> Float[Array, "..."]:
    """A_0 of B -> K*, Ball and Zwicky, PRD 71 (2005) 014029: 1.364/(1 - q^2/m_B^2) - 0.990/(1 - q^2/36.78 GeV^2)."""
    q_squared = jnp.asarray(q_squared)
    return 1.364 / (1.0 - q_squared / meson.M_B_ZERO**2) - 0.990 / (1.0 - q_squared / 36.78)


def _kaon(parent: float, daughter: float, width: float, ckm: float) -> Mode:
    return Mode(parent, daughter, width, M_S, M_D, ckm, kaon_f0)


def _b(parent: float, daughter: float, width: float, vector: bool) -> Mode:
    return Mode(parent, daughter, width, M_B, M_S, VTS_VTB, b_to_kstar_a0 if vector else b_to_k_f0, vector)


# K_L and (pi0 phi) are both CP odd: the real part of lambda_t; K_S -> pi0 phi breaks CP: the imaginary part
MODES: dict[str, Mode] = {
    "K+ -> pi+": _kaon(meson.M_CHARGED_KAON, meson.M_CHARGED_PION, meson.WIDTH_CHARGED_KAON, LAMBDA_T),
    "K_L -> pi0": _kaon(meson.M_NEUTRAL_KAON, meson.M_NEUTRAL_PION, meson.WIDTH_KAON_LONG, RE_LAMBDA_T),
    "K_S -> pi0": _kaon(meson.M_NEUTRAL_KAON, meson.M_NEUTRAL_PION, meson.WIDTH_KAON_SHORT, IM_LAMBDA_T),
    "B+ -> K+": _b(meson.M_B_CHARGED, meson.M_CHARGED_KAON, meson.WIDTH_B_CHARGED, False),
    "B0 -> K0": _b(meson.M_B_ZERO, meson.M_NEUTRAL_KAON, meson.WIDTH_B_ZERO, False),
    "B+ -> K*+": _b(meson.M_B_CHARGED, meson.M_KSTAR_CHARGED, meson.WIDTH_B_CHARGED, True),
    "B0 -> K*0": _b(meson.M_B_ZERO, meson.M_KSTAR_ZERO, meson.WIDTH_B_ZERO, True),
}


def penguin_branching_ratio(
    mode: str, m_phi: ArrayLike, eta_u: ArrayLike, m_top: ArrayLike = M_TOP, long_kaon: LongKaon = "real"
) -> Float[Array, "..."]:
    """Branching ratio of one of `MODES` with phi; phi's mass in GeV, eta_u dimensionless.

    long_kaon: "real" takes Re lambda_t for K_L (CP conservation, the default), "absolute" |lambda_t| as the numbers of
    arXiv:2005.08920 do, which gives the Grossman-Nir maximum. Raises InputError for an unknown mode or word.
    """
    if mode not in MODES:
        raise reject("mode", mode, f"use one of {', '.join(MODES)}")
    if long_kaon not in ("real", "absolute"):
        raise reject("long_kaon", long_kaon, "use 'real' or 'absolute'")
    found = MODES[mode]
    ckm = LAMBDA_T if mode == "K_L -> pi0" and long_kaon == "absolute" else found.ckm
    h = penguin_coupling(eta_u, ckm, found.heavy_quark, m_top)
    return two_body_width(_amplitude(found, jnp.asarray(m_phi), h), found.parent, found.daughter, m_phi) / found.width


def penguin_coupling(eta_u: ArrayLike, ckm: ArrayLike, m_quark: ArrayLike, m_top: ArrayLike) -> Float[Array, "..."]:
    """h = eta_u (3 m_t^2/16 pi^2 v^2) |V V| m_q'/v, dimensionless; masses in GeV."""
    loop = 3.0 * jnp.asarray(m_top) ** 2 / (16.0 * jnp.pi**2 * V_EW**2)
    return jnp.asarray(eta_u) * loop * jnp.asarray(ckm) * jnp.asarray(m_quark) / V_EW


def _amplitude(mode: Mode, m_phi: Float[Array, "..."], h: Float[Array, "..."]) -> Float[Array, "..."]:
    inside = m_phi < mode.parent - mode.daughter
    form_factor = mode.form_factor(jnp.where(inside, m_phi, 0.0) ** 2)
    if mode.to_vector:
        momentum = two_body_momentum(mode.parent, mode.daughter, m_phi)
        return h * mode.parent * momentum * form_factor / (mode.heavy_quark + mode.light_quark)
    difference = (mode.parent - mode.daughter) * (mode.parent + mode.daughter)
    return 0.5 * h * form_factor * difference / (mode.heavy_quark - mode.light_quark)
