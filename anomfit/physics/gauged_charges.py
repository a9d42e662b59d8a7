"""A light vector that gauges baryon or lepton numbers, or a combination: charges, and what breaks its current. GeV.

L = g V_mu [b/3 sum_q qbar gamma^mu q + sum_l q_l (lbar gamma^mu l + nubar_l gamma^mu P_L nu_l)], equation 6 of
arXiv:2006.01948. Kinetic mixing comes on top of it and is no part of this.

Where the anomaly of its current with weak bosons does not vanish, heavy fermions cancel it and leave, at low energies,
    L = -(g A/(16 pi^2 m_V)) phi (g_2^2 W^a W~^a - g_Y^2 B B~),     W~ = eps W/2,
with phi the longitudinal mode: Dror, Lasenby, Pospelov, arXiv:1705.06726 and arXiv:1707.01503. Rates of V then grow as
(energy/m_V)^2. Z -> gamma V follows from the interaction by hand (arXiv:1708.00443 has the width of a spin-0 particle
with g_{a gamma Z} = g g_2 g_Y A/(2 pi^2 m_V)); the coupling of the loop of W and top is theirs.
"""

from dataclasses import dataclass, fields

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.constants import G_F
from anomfit.physics.penguin_decays import M_TOP
from anomfit.physics.two_body import two_body_momentum

ALPHA_AT_Z, SIN2_THETA_W, M_W, M_Z = 1.0 / 127.95, 0.23121, 80.377, 91.1876  # PDG


@dataclass(frozen=True)
class GaugedCharges:
    """One vector: its mass (GeV), g, charges, and the share of its decays of which a detector sees nothing.

    baryon: b, 1 for U(1)_B and for B - 3 L_tau, whose tau is -3; electron, muon, tau: charges of a whole doublet.
    """

    mass: Float[Array, ""]
    g: Float[Array, ""]
    baryon: Float[Array, ""]
    electron: Float[Array, ""]
    muon: Float[Array, ""]
    tau: Float[Array, ""]
    invisible: Float[Array, ""]

    @property
    def anomaly(self) -> Float[Array, ""]:
        """A above, (3 b + sum of the q_l)/2: 3/2 for baryon number alone, 0 for B - r_l L_l with r_l that add up to 3.

        By weak doublets: three colours of three generations with b/3, and three of leptons.
        """
        return 0.5 * (3.0 * self.baryon + self.electron + self.muon + self.tau)


_NUMBERS = tuple(field.name for field in fields(GaugedCharges))
jax.tree_util.register_dataclass(GaugedCharges, data_fields=_NUMBERS, meta_fields=())


# -- anomalies --------------------------------------------------------------------------------------------------------


def z_to_photon_width(vector: GaugedCharges) -> Float[Array, ""]:
    """Width of Z -> gamma V: A^2 g^2 g_2^2 g_Y^2 m_Z^3/(1536 pi^5 m_V^2) (1 - m_V^2/m_Z^2)^3; 0 where it is closed."""
    g_2_squared, g_Y_squared = _electroweak_couplings()
    share = jnp.maximum(1.0 - (vector.mass / M_Z) ** 2, 0.0)
    strength = (vector.anomaly * vector.g) ** 2 * g_2_squared * g_Y_squared
    return strength * M_Z**3 / (1536.0 * jnp.pi**5 * vector.mass**2) * share**3


def penguin_coupling(vector: GaugedCharges, ckm: ArrayLike) -> Float[Array, ""]:
    """g_{d d'} of L = g_{d d'} V_mu d'bar gamma^mu P_L d from the loop of W and top, for |V_td'^* V_td|.

    3 g_2^4 A g F(m_t^2/m_W^2) |V V|/(16 pi^2)^2, F(x) = x (1 + x (ln x - 1))/(1 - x)^2: arXiv:1705.06726, equation 8.
    """
    g_2_squared, _ = _electroweak_couplings()
    x = (M_TOP / M_W) ** 2
    loop = x * (1.0 + x * (jnp.log(x) - 1.0)) / (1.0 - x) ** 2
    return 3.0 * g_2_squared**2 * vector.anomaly * vector.g * loop * jnp.asarray(ckm) / (16.0 * jnp.pi**2) ** 2


def meson_width(vector: GaugedCharges, coupling: ArrayLike, parent: float, daughter: float, form_factor: ArrayLike):
    """Width of P -> P' V by such a coupling, |f_+|^2 g^2 p*^3/(8 pi m_V^2): the longitudinal mode of the vector.

    |<P'|d'bar gamma^mu d|P>| = f_+ (p + p')^mu, and (p + p').eps_L = 2 M p*/m_V; P_L halves it. Closed: 0, slope 0.
    """
    momentum = two_body_momentum(parent, daughter, vector.mass)
    return (jnp.asarray(coupling) * form_factor / vector.mass) ** 2 * momentum**3 / (8.0 * jnp.pi)


def _electroweak_couplings() -> tuple[float, float]:
    """Squared couplings of SU(2) and of hypercharge at the mass of the Z."""
    charge_squared = 4.0 * jnp.pi * ALPHA_AT_Z
    return charge_squared / SIN2_THETA_W, charge_squared / (1.0 - SIN2_THETA_W)


# -- matter -----------------------------------------------------------------------------------------------------------


def matter_potential(vector: GaugedCharges, neutrons_per_electron: ArrayLike) -> dict[str, Float[Array, ""]]:
    """Non-standard interactions eps of each flavour in neutral matter, over the charged current's with electrons.

    eps_ll = q_l (b (1 + Y_n) + q_e) g^2/(2 sqrt2 G_F m_V^2): forward scattering on one electron, one proton and Y_n
    neutrons. Kinetic mixing drops out, since matter is neutral.
    """
    source = vector.baryon * (1.0 + jnp.asarray(neutrons_per_electron)) + vector.electron
    strength = (vector.g / vector.mass) ** 2 / (2.0 * jnp.sqrt(2.0) * G_F) * source
    return {flavour: getattr(vector, flavour) * strength for flavour in ("electron", "muon", "tau")}
