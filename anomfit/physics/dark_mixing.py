"""Mixing of one active neutrino, a sterile state and a dark pair in physical angles, with the vertices of Z'.

The three light heavy neutrinos of arXiv:2007.11813 are a sterile N and D_+- = (D_L +- D_R)/sqrt2, mixed: to leading
order in small mixings N_4 is N, N_6 is D_+ and N_5 is D_- (its left-right symmetric BP-A has exactly such an N_5).
With real entries the mixing matrix of (nu_mu, N, D_-, D_+) is orthogonal: three angles among the heavy ones, and the
mixing U_mu4, U_mu5, U_mu6 of nu_mu with each. A mass matrix of equation 2 with three sterile states or more, of which
all but one are heavy, has any such matrix and any signed masses: what the heavy ones leave behind fills the entries
(alpha alpha), (alpha D), (D_L D_L) and (D_R D_R), at the price of as much non-unitarity as the heavy ones mix.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

THETA_56 = (-0.25 * math.pi, 0.75 * math.pi)
"""Half a turn that has 0 (N_5 is D_-) and pi/2 (N_5 is D_+) well inside, rad; the other half has the same vertices."""


class Angles(NamedTuple):
    """Mixing of the heavy states (rad) and of nu_mu with each of them, in order of N_4, N_5, N_6."""

    theta_46: ArrayLike
    theta_45: ArrayLike
    theta_56: ArrayLike
    of_muon: Float[Array, "3"]  # at or above 0: a sign is that of a state


def heavy_mixing(theta_46: ArrayLike, theta_45: ArrayLike, theta_56: ArrayLike) -> Float[Array, "3 3"]:
    """R_46 R_45 R_56: rows N, D_-, D_+, columns N_4, N_5, N_6; 1 at angles of 0."""
    return _plane(theta_46, 0, 2) @ _plane(theta_45, 0, 1) @ _plane(theta_56, 1, 2)


def _plane(angle, i: int, j: int):
    """The rotation that turns column i into i cos - j sin."""
    c, s = jnp.cos(jnp.asarray(angle, dtype=float)), jnp.sin(jnp.asarray(angle, dtype=float))
    return jnp.eye(3).at[i, i].set(c).at[j, j].set(c).at[i, j].set(s).at[j, i].set(-s)


def mixing_matrix(angles: Angles) -> Float[Array, "4 4"]:
    """Orthogonal U: rows nu_mu, N, D_-, D_+, columns nu_3, N_4, N_5, N_6.

    The heavy states' rotation, then one in the plane of nu_mu and the combination sum_j U_muj N_j that mixes with it.
    """
    R, u = heavy_mixing(angles.theta_46, angles.theta_45, angles.theta_56), jnp.asarray(angles.of_muon)
    light = jnp.sqrt(1.0 - jnp.sum(u**2))
    along = R @ u
    heavy = R - jnp.outer(along, u) / (1.0 + light)  # (1 - c)/|u|^2 = 1/(1 + c): no 0/0 where nothing mixes
    return jnp.concatenate([jnp.append(light, u)[None], jnp.concatenate([-along[:, None], heavy], axis=1)])


def vertices_of(mixing: Float[Array, "4 states"]) -> Float[Array, "states states"]:
    """V_jk = U_Lj U_Lk - U_Rj U_Rk = U_+j U_-k + U_-j U_+k, arXiv:2007.11813 equation A3, real mixing."""
    minus, plus = mixing[2], mixing[3]
    return jnp.outer(plus, minus) + jnp.outer(minus, plus)


def nearest_angles(fields: Float[Array, "3 4"]) -> Angles:
    """The angles whose matrix is nearest to given rows nu_mu, D_L, D_R of a larger one; columns nu_3, N_4, N_5, N_6.

    Rows that are not quite orthogonal, since a part of them is in heavier states, are replaced by the nearest ones that
    are (polar decomposition).
    """
    nu, left, right = fields
    rows = jnp.stack([nu, (left - right) / jnp.sqrt(2.0), (left + right) / jnp.sqrt(2.0)])
    u, _, v = jnp.linalg.svd(rows, full_matrices=False)
    rows = u @ v
    rows = rows * jnp.where(rows[0] < 0.0, -1.0, 1.0)  # signs of states: U_muj at or above 0
    of_muon, light = rows[0, 1:], rows[0, 0]
    D = rows[1:, 1:] + rows[1:, 1:] @ jnp.outer(of_muon, of_muon) / (light * (1.0 + light))  # the rotation undone
    return Angles(*angles_of_dark(D), of_muon)


def angles_of_dark(D: Float[Array, "2 3"]) -> tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""]]:
    """theta_46, theta_45, theta_56 of the rows D_-, D_+ of a rotation of N_4, N_5, N_6, the row of N being the third.

    Signs of the fields are free.
    """
    N = jnp.cross(D[0], D[1])
    N, plus = (row * jnp.where(N[0] < 0.0, -1.0, 1.0) for row in (N, D[1]))  # signs of fields: theta_46 within pi/2
    theta_46, theta_45 = jnp.arctan2(-plus[0], N[0]), -jnp.arcsin(D[0][0])
    turned = _plane(theta_46, 0, 2).T @ jnp.stack([N, D[0], plus])
    theta_56 = jnp.arctan2(-turned[2, 1], turned[2, 2])
    low, high = THETA_56  # another turn by pi is one of both dark fields' signs, which turns the other angles' signs
    turns = jnp.where(theta_56 < low, 1.0, jnp.where(theta_56 > high, -1.0, 0.0))
    sign = jnp.where(turns == 0.0, 1.0, -1.0)
    return sign * theta_46, sign * theta_45, theta_56 + turns * jnp.pi
