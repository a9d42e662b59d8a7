"""What the lepton Yukawa matrix of a second Higgs doublet does in loops: magnetic moments and l -> l' gamma.

L = -sum_i,j y_ij H_2 lbar_iL l_jR + h.c. with a real matrix, rows and columns e, mu, tau; a light scalar phi has the
share `factor` of H_2, so that its couplings are factor y_ij. arXiv:2006.01948, equations 25, 26, 33, 34.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.errors import reject
from anomfit.physics import radiative_lepton_decays
from anomfit.physics.constants import M_E, M_MU, M_TAU
from anomfit.physics.lepton_moments import off_diagonal_scalar_moment, scalar_moment

FLAVOURS = ("electron", "muon", "tau")
SUFFIXES = ("e", "mu", "tau")
MASSES = (M_E, M_MU, M_TAU)
NAMES = tuple(tuple(f"y_{one}" if one == other else f"y_{one}{other}" for other in SUFFIXES) for one in SUFFIXES)
"""Names of the entries: y_etau is that of e_L and tau_R."""


def yukawas(point: Mapping[str, Float[Array, ""]]) -> Float[Array, "3 3"]:
    """The matrix at a point that names its entries as `NAMES`."""
    return jnp.stack([jnp.stack([jnp.asarray(point[name]) for name in row]) for row in NAMES])


def flavour(name: str) -> int:
    """The row of a lepton. Raises InputError for another word than "electron", "muon" or "tau"."""
    if name not in FLAVOURS:
        raise reject("lepton", name, "use 'electron', 'muon' or 'tau'")
    return FLAVOURS.index(name)


def moments(
    matrix: Float[Array, "3 3"], lepton: str, mass: Float[Array, " scalars"], factor: Float[Array, " scalars"]
) -> Float[Array, " scalars"]:
    """Delta a of a lepton from each scalar, with every lepton in the loop; masses in GeV."""
    own = flavour(lepton)
    others = jnp.array([i for i in range(3) if i != own])
    inner = jnp.array(MASSES)[others]

    def of_scalar(m, share):
        changing = jax.vmap(off_diagonal_scalar_moment, in_axes=(None, 0, None, 0, 0))(
            MASSES[own], inner, m, share * matrix[own, others], share * matrix[others, own]
        )
        return scalar_moment(MASSES[own], m, share * matrix[own, own]) + jnp.sum(changing)

    return jax.vmap(of_scalar)(mass, factor)


def radiative_width(
    matrix: Float[Array, "3 3"],
    parent: str,
    daughter: str,
    mass: Float[Array, " scalars"],
    factor: Float[Array, " scalars"],
) -> Float[Array, ""]:
    """Width of parent -> daughter gamma, GeV: the sum of all scalars and of all leptons in the loop.

    Raises InputError unless the parent is the heavier lepton.
    """
    one, two = flavour(parent), flavour(daughter)
    if one <= two:
        raise reject("daughter", daughter, f"name a lepton lighter than the {parent}")

    def of_pair(m, share, inner):
        def vertex(out, into):  # (L, R) of outbar (..) into
            return share * matrix[into, out], share * matrix[out, into]

        return radiative_lepton_decays.dipole(
            MASSES[one], jnp.array(MASSES)[inner], m, vertex(two, inner), vertex(inner, one)
        )

    each = jax.vmap(jax.vmap(of_pair, in_axes=(None, None, 0)), in_axes=(0, 0, None))(mass, factor, jnp.arange(3))
    return radiative_lepton_decays.width(MASSES[one], jax.tree.map(jnp.sum, each))
