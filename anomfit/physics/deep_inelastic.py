"""nu + nucleon -> N + hadrons by a light vector at high energies: quarks one by one, from measured structure functions.

A vector that couples to quarks with c_u and c_d, alike in all generations, scatters off the quarks whose charges the
photon counts. Of an isoscalar nucleon its structure function is that of the photon times (c_u^2 + c_d^2)/2 over 5/18
(18/5 of the charges of baryon number): exact for equal u and d quarks and where strange and charm quarks are equally
many, else within a few per cent. There is no F_3: quarks couple to the vector without an axial part. F_2 of the proton
is the parametrisation ALLM97 of data of fixed targets and HERA (H. Abramowicz and A. Levy, hep-ph/9712415); the
neutron's is (1 - 0.8 x) times it. F_L is left out (some per cent), N's mass too. With g the neutrino's vertex,
    d^2 sigma/(dx dQ^2) = (g c)^2/(4 pi x (Q^2 + m^2)^2) (1 - y + y^2/2 - (M x y)^2/Q^2) F_2,      y = Q^2/(2 M E x).
Hadrons of less than 1.3 GeV, the nucleon among them, are left out. Below 1e-6 in x ALLM97 is an extrapolation. GeV.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.constants import GEV2_TO_CM2, M_N, M_P
from anomfit.physics.quadrature import unit_legendre

M = 0.5 * (M_P + M_N)
LIGHTEST_HADRONS = 1.3**2  # GeV^2: smaller squared masses are the nucleon and the Delta
LEAST = 1e-3  # GeV^2: F_2 falls as Q^2 below
PHOTON = 5.0 / 18.0
Shape = tuple[float, float, float]

# hep-ph/9712415, table 1: (c, a, b) of the pomeron and of the reggeon
POMERON: tuple[Shape, Shape, Shape] = (
    (0.28067, 0.22291, 2.1979),
    (-0.0808, -0.44812, 1.1709),
    (0.36292, 1.8917, 1.8439),
)
REGGEON: tuple[Shape, Shape, Shape] = (
    (0.80107, 0.97307, 3.4942),
    (0.58400, 0.37888, 2.6063),
    (0.01147, 3.7582, 0.49338),
)
M_0_SQUARED, M_P_SQUARED, M_R_SQUARED, Q_0_SQUARED, LAMBDA_SQUARED = 0.31985, 49.457, 0.15052, 0.52544, 0.06527


def proton_structure(x: ArrayLike, q_squared: ArrayLike) -> Float[Array, "..."]:
    """F_2 of the proton for the photon, ALLM97, at Bjorken's x and Q^2 (GeV^2) above 0."""
    x, q_squared = jnp.asarray(x), jnp.asarray(q_squared)
    W_squared = M_P**2 + q_squared * (1.0 / x - 1.0)
    t = jnp.log(jnp.log((q_squared + Q_0_SQUARED) / LAMBDA_SQUARED) / np.log(Q_0_SQUARED / LAMBDA_SQUARED))

    def falling(shape: Shape):
        return shape[0] + (shape[0] - shape[1]) * (1.0 / (1.0 + t ** shape[2]) - 1.0)

    def rising(shape: Shape):
        return shape[0] + shape[1] * t ** shape[2]

    def trajectory(c, a, b, own):
        place = (q_squared + own) / (q_squared + own + W_squared - M_P**2)
        return c * place**a * (1.0 - x) ** b

    pomeron = trajectory(falling(POMERON[0]), falling(POMERON[1]), rising(POMERON[2]), M_P_SQUARED)
    reggeon = trajectory(rising(REGGEON[0]), rising(REGGEON[1]), rising(REGGEON[2]), M_R_SQUARED)
    return q_squared / (q_squared + M_0_SQUARED) * (pomeron + reggeon)


def isoscalar_structure(x: ArrayLike, q_squared: ArrayLike) -> Float[Array, "..."]:
    """F_2 of a nucleon, half proton and half neutron, for the photon."""
    return (1.0 - 0.4 * jnp.asarray(x)) * proton_structure(x, q_squared)


def quark_charges(charge_p: ArrayLike, charge_n: ArrayLike) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """c_u and c_d from the couplings to protons and to neutrons, 2 c_u + c_d and c_u + 2 c_d."""
    charge_p, charge_n = jnp.asarray(charge_p), jnp.asarray(charge_n)
    return (2.0 * charge_p - charge_n) / 3.0, (2.0 * charge_n - charge_p) / 3.0


def cross_section(
    e_nu: ArrayLike,
    m_vector: ArrayLike,
    g: ArrayLike,
    c_u: ArrayLike,
    c_d: ArrayLike,
    least: float = 0.0,
    nodes: int = 48,
) -> Float[Array, ""]:
    """cm^2 per nucleon of an isoscalar target at one energy (GeV), with at least `least` GeV of hadronic energy y E.

    Nodes in ln Q^2 and, for each, in ln x; e_nu above 10 GeV, where N's mass does not matter.
    """
    e_nu, m_vector = jnp.asarray(e_nu), jnp.asarray(m_vector)
    u, w = unit_legendre(nodes)
    # for given Q^2: y below 1 gives the least x; the hadrons' mass and energy give the largest
    lowest, highest = jnp.log(LEAST), jnp.log(2.0 * M * e_nu)
    q_squared = jnp.exp(lowest + (highest - lowest) * u)[:, None]
    smallest = q_squared / (2.0 * M * e_nu)
    by_mass = q_squared / (q_squared + LIGHTEST_HADRONS - M**2)
    by_energy = q_squared / (2.0 * M * least) if least > 0.0 else jnp.inf
    greatest = jnp.minimum(by_mass, by_energy)
    opened = greatest > smallest
    stretch = jnp.log(jnp.where(opened, greatest / smallest, 1.0))
    x = smallest * jnp.exp(stretch * u)
    y = jnp.minimum(smallest / x, 1.0)
    propagator = 1.0 / (q_squared + m_vector**2) ** 2
    inside = jnp.where(opened & (x < 1.0), x, 0.5)
    shape = jnp.maximum(1.0 - y + 0.5 * y**2 - (M * inside * y) ** 2 / q_squared, 0.0)
    density = propagator * shape * isoscalar_structure(inside, q_squared) / (4.0 * jnp.pi)  # of dx/x
    over_x = jnp.where(opened[:, 0], jnp.sum(w * density * stretch, axis=1), 0.0)
    total = jnp.sum(w * over_x * q_squared[:, 0]) * (highest - lowest)
    charges = 0.5 * (jnp.asarray(c_u) ** 2 + jnp.asarray(c_d) ** 2) / PHOTON
    return GEV2_TO_CM2 * jnp.asarray(g) ** 2 * charges * total
