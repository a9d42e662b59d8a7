"""Decays of mesons to a light vector V with couplings g_q to quarks: what pi0, eta -> gamma V go with, and K -> pi V.

L = -g_q V_mu qbar gamma^mu q; a dark photon has g_q = e eps Q_q. GeV; everything broadcasts; a closed channel has
value and gradient 0.
"""

from functools import partial
from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics import meson_constants as meson
from anomfit.physics.constants import ALPHA, E_CHARGE, G_F
from anomfit.physics.two_body import two_body_momentum

KAON_FORM_FACTORS = {"K+": (0.531, 1.232), "K_S": (1.06, 0.44)}
"""(a, b) of W = G_F m_K^2 (a + b q^2/m_K^2): K+ -> pi+ ee, linear fit of NA48/2 (arXiv:0903.3130), and K_S -> pi0 ee of
NA48/1 (hep-ex/0309075), b/a of vector dominance; recalled, and tested against the rates of these decays."""


def squared_epsilon(g_u: ArrayLike, g_d: ArrayLike) -> Float[Array, "..."]:
    """eps^2 of the dark photon that pi0 -> gamma V and, with g_s = g_d, eta_8 -> gamma V make as often.

    The anomaly's traces of Q and V's charge with both mesons: (2 g_u + g_d)/e. The rate is 2 eps^2 (1 - m_V^2/m_P^2)^3
    of P -> gamma gamma: Batell, Pospelov, Ritz, arXiv:0903.0363; NA48/2, arXiv:1504.00607, equation 1.
    """
    return ((2.0 * jnp.asarray(g_u) + jnp.asarray(g_d)) / E_CHARGE) ** 2


def kaon_to_pion_vector(kaon: Literal["K+", "K_S"], m_V: ArrayLike, g_u: ArrayLike, g_d: ArrayLike):
    """B(K+ -> pi+ V) or B(K_S -> pi0 V) as the kaon goes to a virtual photon, which is measured in K -> pi e+e-.

    eps^2 alpha |W|^2 m_V^2 p*^3/(128 pi^4 m_K^4)/Gamma: Pospelov, arXiv:0811.1030, with the form factor of D'Ambrosio
    et al., hep-ph/9808289. It falls as m_V^2: a real photon is not emitted. eps as in `squared_epsilon`.
    """
    m_kaon, m_pion, width = {
        "K+": (meson.M_CHARGED_KAON, meson.M_CHARGED_PION, meson.WIDTH_CHARGED_KAON),
        "K_S": (meson.M_NEUTRAL_KAON, meson.M_NEUTRAL_PION, meson.WIDTH_KAON_SHORT),
    }[kaon]
    a, b = KAON_FORM_FACTORS[kaon]
    m_V = jnp.asarray(m_V)
    W = G_F * m_kaon**2 * (a + b * (m_V / m_kaon) ** 2)
    momentum = two_body_momentum(m_kaon, m_pion, m_V)
    rate = ALPHA * W**2 * m_V**2 * momentum**3 / (128.0 * np.pi**4 * m_kaon**4)
    return squared_epsilon(g_u, g_d) * rate / width


VECTOR_RATES = {"K+ -> pi+": partial(kaon_to_pion_vector, "K+"), "K_S -> pi0": partial(kaon_to_pion_vector, "K_S")}
"""Those of the modes of `anomfit.capabilities` that couplings to light quarks give a vector."""
