"""Two Higgs doublets and a singlet whose vacuum value gives a Z' its mass: quartic couplings <-> masses and mixing.

arXiv:2006.01948, equations 14 to 21 and appendices A and B, in the Higgs basis and the alignment limit: lambda_6 =
lambda'_3 = 0, and lambda_7 = lambda'_4 = 0. The mass matrix of the two light CP-even scalars has the form of
`scalar_sector`, whose functions take it to masses, mixing and back:
    [[mbar_H^2, lambda'_5 v v'], [lambda'_5 v v', 2 lambda'_2 v'^2]],     v' = m_Z'/g_d.
Masses and vacuum values in GeV, couplings dimensionless. Everything broadcasts.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.constants import V_EW
from anomfit.physics.scalar_sector import Quartics, ScalarPotential
from anomfit.physics.two_body import is_open

M_HIGGS = 125.20
"""GeV, PDG 2024; the boson of the aligned doublet, lambda_1 = (m_h/v)^2."""


class SingletCouplings(NamedTuple):
    """mbar_H^2 = mu_2 + (lambda_3 + lambda_4 + lambda_5) v^2/2, GeV^2, and the two couplings of the singlet."""

    mbar_H_squared: Float[Array, "..."]
    lambda_2_prime: Float[Array, "..."]
    lambda_5_prime: Float[Array, "..."]


def singlet_vacuum_value(m_Zprime: ArrayLike, g_d: ArrayLike) -> Float[Array, "..."]:
    """v' of m_Z'^2 = g_d^2 v'^2, below equation 13."""
    return jnp.asarray(m_Zprime) / jnp.asarray(g_d)


def radiation_vertex(m_Zprime: ArrayLike, g_d: ArrayLike) -> Float[Array, "..."]:
    """G of the vertex i G g^{mu nu} of Z', Z' and H_3, equation 13: 2 m_Z'^2/v' = 2 g_d m_Z', GeV."""
    return 2.0 * jnp.asarray(g_d) * jnp.asarray(m_Zprime)


def potential_from_couplings(couplings: SingletCouplings, v: ArrayLike, v_prime: ArrayLike) -> ScalarPotential:
    """The block of equation A2 in the form of `scalar_sector.ScalarPotential`: its m_12 is sqrt(2) lambda'_5 v'."""
    v_prime = jnp.asarray(v_prime)
    return ScalarPotential(
        mu_H=jnp.asarray(couplings.mbar_H_squared),
        mu_hprime=2.0 * couplings.lambda_2_prime * v_prime**2,
        m_12=jnp.sqrt(2.0) * couplings.lambda_5_prime * v_prime * jnp.ones_like(jnp.asarray(v, dtype=float)),
    )


def couplings_from_potential(potential: ScalarPotential, v_prime: ArrayLike) -> SingletCouplings:
    """The inverse of `potential_from_couplings`."""
    v_prime = jnp.asarray(v_prime)
    return SingletCouplings(
        mbar_H_squared=jnp.asarray(potential.mu_H),
        lambda_2_prime=0.5 * potential.mu_hprime / v_prime**2,
        lambda_5_prime=potential.m_12 / (jnp.sqrt(2.0) * v_prime),
    )


def heavy_mass(lambda_5: ArrayLike, mbar_H_squared: ArrayLike, v: ArrayLike) -> Float[Array, "..."]:
    """m_H+- = m_A for lambda_4 = lambda_5 < 0, GeV: equations 20 and 21 give mbar_H^2 - lambda_5 v^2."""
    return jnp.sqrt(jnp.asarray(mbar_H_squared) - jnp.asarray(lambda_5) * jnp.asarray(v) ** 2)


def strongest_lambda_5(lambda_1: ArrayLike, singlet: SingletCouplings, largest: ArrayLike) -> Float[Array, "..."]:
    """The most negative lambda_4 = lambda_5 of a stable potential whose couplings are at most `largest` in size.

    Equation B10 with lambda_2 = lambda_3 = largest: 2 |lambda_5| < largest + sqrt(lambda_1 largest) - lambda'_5^2/
    lambda'_2. Half as far as the bound |lambda_5| < largest alone, for lambda_3 has to make up for both.
    """
    largest = jnp.asarray(largest)
    room = largest + jnp.sqrt(jnp.asarray(lambda_1) * largest) - singlet.lambda_5_prime**2 / singlet.lambda_2_prime
    return -jnp.minimum(largest, 0.5 * room)


def quartics(lambda_1: ArrayLike, largest: ArrayLike, lambda_5: ArrayLike, singlet: SingletCouplings) -> Quartics:
    """The couplings with lambda_2 = lambda_3 = largest and lambda_4 = lambda_5, for `scalar_sector`'s conditions."""
    largest, lambda_5 = jnp.asarray(largest), jnp.asarray(lambda_5)
    own = (singlet.lambda_2_prime, singlet.lambda_5_prime)
    return Quartics(jnp.asarray(lambda_1), largest, largest, lambda_5, lambda_5, *own)


# -- the second doublet: masses <-> quartic couplings -----------------------------------------------------------------


class DoubletMasses(NamedTuple):
    """Masses (GeV) of the charged and the CP-odd scalar, and lambda_3 + lambda_4 + lambda_5, which h has for pairs."""

    m_charged: Float[Array, "..."]
    m_A: Float[Array, "..."]
    lambda_345: Float[Array, "..."]


def quartics_from_masses(
    doublet: DoubletMasses, lambda_2: ArrayLike, singlet: SingletCouplings, v: ArrayLike = V_EW
) -> Quartics:
    """All quartic couplings: equations 19 to 21 solved for lambda_3, lambda_4, lambda_5; lambda_1 from the Higgs boson.

    m_A^2 = mbar_H^2 - lambda_5 v^2 and m_H+-^2 = mbar_H^2 - (lambda_4 + lambda_5) v^2/2.
    """
    v_squared = jnp.asarray(v) ** 2
    heavy, odd = jnp.asarray(doublet.m_charged) ** 2, jnp.asarray(doublet.m_A) ** 2
    lambda_5 = (singlet.mbar_H_squared - odd) / v_squared
    lambda_4 = (singlet.mbar_H_squared + odd - 2.0 * heavy) / v_squared
    return Quartics(
        lambda_1=M_HIGGS**2 / v_squared,
        lambda_2=jnp.asarray(lambda_2),
        lambda_3=doublet.lambda_345 - lambda_4 - lambda_5,
        lambda_4=lambda_4,
        lambda_5=lambda_5,
        lambda_2_prime=singlet.lambda_2_prime,
        lambda_5_prime=singlet.lambda_5_prime,
    )


def masses_from_quartics(
    lambda_3: ArrayLike, lambda_4: ArrayLike, lambda_5: ArrayLike, mbar_H_squared: ArrayLike, v: ArrayLike = V_EW
) -> DoubletMasses:
    """The inverse of `quartics_from_masses`; a negative squared mass gives a mass of 0 with slope 0."""
    v_squared, mbar = jnp.asarray(v) ** 2, jnp.asarray(mbar_H_squared)
    lambda_4, lambda_5 = jnp.asarray(lambda_4), jnp.asarray(lambda_5)
    squared = (mbar - 0.5 * (lambda_4 + lambda_5) * v_squared, mbar - lambda_5 * v_squared)
    heavy, odd = (jnp.where(m > 0.0, jnp.sqrt(jnp.where(m > 0.0, m, 1.0)), 0.0) for m in squared)
    return DoubletMasses(heavy, odd, jnp.asarray(lambda_3) + lambda_4 + lambda_5)


# -- H -> h' h' -------------------------------------------------------------------------------------------------------


def pair_coupling(m_H: ArrayLike, m_hprime: ArrayLike, sin_delta: ArrayLike, v_prime: ArrayLike) -> Float[Array, "..."]:
    """kappa of L = -kappa H h'^2, GeV: -s c^2 (m_H^2 + 2 m_h'^2)/(2 v'), from lambda'_2 and lambda'_5 of the potential.

    lambda'_2 v' H_3^3 + (lambda'_5 v/2) H_2 H_3^2 in mass eigenstates, whose couplings the masses and the mixing fix.
    The paper does not have this decay.
    """
    sine = jnp.asarray(sin_delta)
    masses = jnp.asarray(m_H) ** 2 + 2.0 * jnp.asarray(m_hprime) ** 2
    return -0.5 * sine * (1.0 - sine) * (1.0 + sine) * masses / jnp.asarray(v_prime)


def width_to_hprime_pair(m_H: ArrayLike, m_hprime: ArrayLike, kappa: ArrayLike) -> Float[Array, "..."]:
    """Width of H -> h' h', L = -kappa H h'^2: kappa^2/(8 pi m_H) sqrt(1 - 4 m_h'^2/m_H^2), GeV."""
    m_H, m_hprime = jnp.broadcast_arrays(jnp.asarray(m_H), jnp.asarray(m_hprime))
    opened = is_open(m_H, m_hprime, m_hprime)
    heavy = jnp.where(opened, m_H, 1.0)
    ratio = jnp.where(opened, 2.0 * m_hprime / heavy, 0.0)
    width = jnp.asarray(kappa) ** 2 / (8.0 * jnp.pi * heavy) * jnp.sqrt((1.0 - ratio) * (1.0 + ratio))
    return jnp.where(opened, width, 0.0)


# -- what asks for heavy scalars of a certain kind --------------------------------------------------------------------


class SecondDoublet(NamedTuple):
    """Scalars of a second doublet: H+- and A, the light CP-even ones with their share of it, quartic couplings. GeV."""

    m_charged: Float[Array, ""]
    m_A: Float[Array, ""]
    light: Float[Array, " scalars"]
    shares: Float[Array, " scalars"]
    quartics: Quartics


def oblique_T(doublet: SecondDoublet, alpha: ArrayLike, v: ArrayLike = V_EW) -> Float[Array, ""]:
    """T of H+-, A and the light scalars in the alignment limit: Grimus et al., arXiv:0711.4022.

    alpha T = [F(c, A) + sum_i s_i^2 (F(c, i) - F(A, i))]/(16 pi^2 v^2) with F of squared masses and shares s_i of
    H_2; 0 where m_A = m_H+-.
    """
    heavy, odd, light = doublet.m_charged**2, doublet.m_A**2, doublet.light**2
    own = _spread(heavy, odd) + jnp.sum(doublet.shares**2 * (_spread(heavy, light) - _spread(odd, light)))
    return own / (16.0 * jnp.pi**2 * jnp.asarray(v) ** 2 * jnp.asarray(alpha))


def _spread(x, y):
    """F(x, y) = (x + y)/2 - x y ln(x/y)/(x - y), GeV^2, 0 for equal ones; a series stands near them."""
    x, y = jnp.broadcast_arrays(jnp.asarray(x), jnp.asarray(y))
    u = (x - y) / (x + y)  # x, y = (x + y)(1 +- u)/2
    near = jnp.abs(u) < 0.02
    tiny, safe = jnp.where(near, u, 0.0), jnp.where(near, 0.5, u)
    series = 2.0 / 3.0 * tiny**2 + 2.0 / 15.0 * tiny**4 + 2.0 / 35.0 * tiny**6
    closed = 1.0 - 0.5 * (1.0 - safe**2) * jnp.log((1.0 + safe) / (1.0 - safe)) / safe
    return 0.5 * (x + y) * jnp.where(near, series, closed)


def higgs_to_light_scalars(doublet: SecondDoublet, v: ArrayLike = V_EW) -> Float[Array, ""]:
    """Width of h -> H H, H h', h' h' together, GeV, for scalars far lighter than h: lambda_345^2 v^2/(32 pi m_h).

    L = -(lambda_345 v/2) h H_2^2, whatever the mixing.
    """
    quartics = doublet.quartics
    coupling = (quartics.lambda_3 + quartics.lambda_4 + quartics.lambda_5) * jnp.asarray(v)
    return coupling**2 / (32.0 * jnp.pi * M_HIGGS)


def stability_ratio(quartics: Quartics) -> Float[Array, ""]:
    """What `scalar_sector.is_bounded_from_below` asks for, as a ratio that is 1 where stability ends; scalars.

    The largest of -lambda_3, -lambda_3 - lambda_4 + lambda_5 and -lambda_3 - lambda_4 - lambda_5 +
    lambda'_5^2/lambda'_2, over sqrt(lambda_1 lambda_2): equation B10 and its relatives of the other signs. 0 where it
    is negative.
    """
    q = quartics
    singlet = q.lambda_5_prime**2 / jnp.maximum(q.lambda_2_prime, SMALLEST_COUPLING)
    needs = jnp.stack(
        jnp.broadcast_arrays(
            -q.lambda_3, -q.lambda_3 - q.lambda_4 + q.lambda_5, -q.lambda_3 - q.lambda_4 - q.lambda_5 + singlet
        )
    )
    most = needs[jnp.argmax(needs)]
    allowed = jnp.sqrt(q.lambda_1 * jnp.maximum(q.lambda_2, SMALLEST_COUPLING))
    return jnp.maximum(most, 0.0) / allowed


SMALLEST_COUPLING = 1e-30


def quartic_potential(quartics: Quartics, theta, phi, rho, gamma) -> Float[Array, "..."]:
    """V_4/r^4 in a direction of the fields: equation B3, whose last term has c_phi^2 s_phi^2."""
    q = quartics
    c, s, c_phi, s_phi = jnp.cos(theta), jnp.sin(theta), jnp.cos(phi), jnp.sin(phi)
    doublets = 0.5 * q.lambda_1 * c**4 + 0.5 * q.lambda_2 * s**4
    mixed = (c * s) ** 2 * (q.lambda_3 + rho**2 * (q.lambda_4 + q.lambda_5 * jnp.cos(2.0 * gamma)))
    singlet = q.lambda_2_prime * c_phi**4 + 2.0 * q.lambda_5_prime * rho * c * s * (c_phi * s_phi) ** 2 * jnp.cos(gamma)
    return (doublets + mixed) * s_phi**4 + singlet


def lowest_quartic_potential(quartics: Quartics, zooms: int = 24) -> Float[Array, ""]:
    """The least of V_4/r^4 over the directions of the fields, by a lattice that closes in on its lowest point; scalars.

    A minimisation, for a potential whose closed conditions one does not trust: below 0 it is not bounded. The lattice
    has a few thousand directions, and each zoom halves its width about the lowest.
    """
    steps = (np.linspace(-1.0, 1.0, n) for n in (33, 33, 5, 5))
    offsets = [jnp.asarray(grid.reshape(-1)) for grid in np.meshgrid(*steps, indexing="ij")]
    low, high = jnp.zeros(4), jnp.array([0.5 * jnp.pi, 0.5 * jnp.pi, 1.0, jnp.pi])

    def closer(i, best):
        half = 0.5 * (high - low) * 0.5**i
        points = [jnp.clip(best[k] + half[k] * offsets[k], low[k], high[k]) for k in range(4)]
        lowest = jnp.argmin(quartic_potential(quartics, *points))
        return jnp.stack([axis[lowest] for axis in points])

    best = jax.lax.fori_loop(0, zooms, closer, 0.5 * (low + high))
    return quartic_potential(quartics, *best)
