"""A model of your own in one file: a dark photon that mixes with the photon and shifts magnetic moments.

Fit it as it stands:  anomfit fit docs/examples/my_model.py:dark_photon --out my-fit
or name it in a card:  model = "my_model.py:dark_photon"  (a path in a card is relative to the card)
"""

from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np

from anomfit.parameters import Parameter, Parametrisation

ALPHA = 7.2973525693e-3  # fine-structure constant, CODATA 2018
LEPTON_MASS = {"electron": 0.51099895e-3, "muon": 0.1056583755, "tau": 1.77686}  # GeV, PDG 2024

_nodes, _weights = np.polynomial.legendre.leggauss(64)
_u = 0.5 * (_nodes + 1.0)
Z, WEIGHT = _u**2, _u * _weights  # fixed nodes on (0, 1), dense near 0, where a light lepton peaks

m_dark = Parameter("m_dark", r"$m_{A'}$", "GeV", 1e-3, 10.0, "log-uniform", "dark-photon mass")
epsilon = Parameter("epsilon", r"$\epsilon$", "1", 1e-6, 0.1, "log-uniform", "kinetic mixing")


def unchanged(point):
    """Parameters and physical point are the same here."""
    return dict(point)


@dataclass(frozen=True, eq=False)
class DarkPhoton:
    """All that a model must have; the one capability below is what the g-2 measurements ask for."""

    name: str = "dark-photon"
    title: str = "A dark photon that mixes kinetically"
    references: tuple[str, ...] = ()
    parametrisations: dict = field(
        default_factory=lambda: {
            "physical": Parametrisation("physical", (m_dark, epsilon), unchanged, unchanged, upper={})
        }
    )
    points: dict = field(default_factory=lambda: {"example": {"m_dark": 0.1, "epsilon": 1e-3}})
    nuisances: tuple = ()

    def lepton_moment(self, point, lepton):
        """Delta a_l = alpha eps^2 / (2 pi) int_0^1 dz 2 m^2 z (1-z)^2 / (m^2 (1-z)^2 + m_A'^2 z), arXiv:0811.1030."""
        m_squared = LEPTON_MASS[lepton] ** 2
        heavy = point["m_dark"] ** 2 * Z
        integrand = 2.0 * m_squared * Z * (1.0 - Z) ** 2 / (m_squared * (1.0 - Z) ** 2 + heavy)
        return ALPHA * point["epsilon"] ** 2 / (2.0 * jnp.pi) * jnp.sum(WEIGHT * integrand)


dark_photon = DarkPhoton()
