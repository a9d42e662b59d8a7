"""A light vector that gauges a combination of baryon number and lepton numbers: mass, coupling, charges. GeV.

L = g V_mu [b/3 sum_q qbar gamma^mu q + sum_l q_l (lbar gamma^mu l + nubar_l gamma^mu P_L nu_l)]: arXiv:2006.01948, equation
6. Kinetic mixing comes on top of it and is no part of this.
"""

from dataclasses import dataclass, fields

import jax
from jaxtyping import Array, Float


@dataclass(frozen=True)
class GaugedCharges:
    """One vector: its mass (GeV), g, charges, and the share of its decays of which a detector sees nothing.

    baryon: 1 for U(1)_B and for B - 3 L_tau, whose tau is -3; electron, muon, tau: charges of both members of a doublet.
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
        """A of the anomaly with two weak bosons, 3/2 for baryon number alone: (3 b + sum of the q_l)/2.

        0 for B - r_l L_l with r_l that add up to 3: arXiv:1705.06726, equation 2, with lepton doublets added.
        """
        return 0.5 * (3.0 * self.baryon + self.electron + self.muon + self.tau)


_NUMBERS = tuple(field.name for field in fields(GaugedCharges))
jax.tree_util.register_dataclass(GaugedCharges, data_fields=_NUMBERS, meta_fields=())
