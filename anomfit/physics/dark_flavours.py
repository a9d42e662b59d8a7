"""Three active neutrinos in the dark seesaw: mixing of nu_e, nu_mu, nu_tau with N_4, N_5, N_6, and vertices of light
ones.

`dark_mixing` has one active neutrino. With three, and B_aj = U_aj of flavour a and heavy state j, the orthogonal matrix
of (nu_e, nu_mu, nu_tau, N, D_-, D_+) and three light and three heavy states is

    U = ((sqrt(1 - B B^T), B), (-R B^T, R sqrt(1 - B^T B))),

R the rotation of the heavy states alone. A rotation of the light states among each other may follow from the right. It
moves no rate: light masses are far below all momenta, so that only sums over the light states count. Where one row of B
alone is not 0 this is `dark_mixing.mixing_matrix`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Inexact

from anomfit.physics.dark_mixing import Angles, angles_of_dark, heavy_mixing
from anomfit.physics.majorana import MajoranaStates

ACTIVE = 3
ROOT_STEPS = 9
"""Newton steps of the root: the error e becomes 3/4 e^2, from up to 0.8 of squared mixings to rounding."""


def mixing_matrix(
    theta_46: Float[Array, ""], theta_45: Float[Array, ""], theta_56: Float[Array, ""], of_flavours: Float[Array, "3 3"]
) -> Float[Array, "6 6"]:
    """Orthogonal U: rows nu_e, nu_mu, nu_tau, N, D_-, D_+; columns three light states, N_4, N_5, N_6.

    Angles in rad; of_flavours: U_aj, a flavour a row, signed, with sum |U_aj|^2 well below 1.
    """
    R, B = heavy_mixing(theta_46, theta_45, theta_56), jnp.asarray(of_flavours)
    top = jnp.concatenate([root_of_the_rest(B @ B.T), B], axis=1)
    return jnp.concatenate([top, jnp.concatenate([-R @ B.T, R @ root_of_the_rest(B.T @ B)], axis=1)])


def root_of_the_rest(square: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """sqrt(1 - X) of a symmetric positive X with eigenvalues well below 1, smooth at X = 0.

    Coupled Newton iteration (Denman and Beavers as Schulz, Higham, Functions of Matrices, section 6.7): no eigenvectors
    that would be undefined where nothing mixes.
    """
    one = jnp.eye(len(square))

    def step(_, pair):
        root, inverse = pair
        middle = 0.5 * (3.0 * one - inverse @ root)
        return root @ middle, middle @ inverse

    return jax.lax.fori_loop(0, ROOT_STEPS, step, (one - square, one))[0]


class LightVertices(NamedTuple):
    """V of Z' between heavy states, all of them in a row, and light neutrinos; sizes."""

    to_light: Float[Array, "heavy"]  # root of sum |V_jl|^2 over the light states l: what N_j decays with
    of_beam: Float[Array, "active heavy"]  # |sum_l V_jl U_al^*|/|nu_a|: what a beam of nu_a makes N_j with


def light_vertices(mixing: Inexact[Array, "fields states"], V: Inexact[Array, "states states"]) -> LightVertices:
    """Of `ACTIVE` generations, whose fields are the first rows and whose light states are the first columns."""
    light, between = mixing[:ACTIVE, :ACTIVE], V[:ACTIVE, ACTIVE:]
    whole = jnp.sqrt(jnp.sum(jnp.abs(light) ** 2, axis=1))
    return LightVertices(
        to_light=_root(jnp.sum(jnp.abs(between) ** 2, axis=0)),
        of_beam=jnp.abs(light @ between) / whole[:, None],
    )


def _root(squared):
    """The root, with slope 0 where it is 0."""
    some = squared > 0.0
    return jnp.where(some, jnp.sqrt(jnp.where(some, squared, 1.0)), 0.0)


def light_block(states: MajoranaStates) -> Inexact[Array, "3 3"]:
    """m_ab = sum of U_al^* m_l U_bl^* over the light states, GeV: the mass matrix of nu_e, nu_mu, nu_tau.

    -M_D M^-1 M_D^T of the seesaw, with M all that is heavy, but for terms of the order of the squared mixings.
    """
    light = jnp.conj(states.mixing[:ACTIVE, :ACTIVE])
    return (light * states.masses[:ACTIVE]) @ light.T


def nearest_flavours(fields: Float[Array, "5 6"]) -> tuple[Angles, Float[Array, "3 3"]]:
    """The angles, and U_aj, whose matrix is nearest to given rows nu_e, nu_mu, nu_tau, D_L, D_R of a larger one.

    Columns: three light states, N_4, N_5, N_6. The polar decomposition makes the rows orthogonal (as in
    `dark_mixing.nearest_angles`); signs of the heavy states make U_muj positive, which is `Angles.of_muon` too.
    """
    left, right = fields[ACTIVE], fields[ACTIVE + 1]
    rows = jnp.concatenate([fields[:ACTIVE], jnp.stack([left - right, left + right]) / jnp.sqrt(2.0)])
    u, _, v = jnp.linalg.svd(rows, full_matrices=False)
    rows = (u @ v)[:, ACTIVE:]
    rows = rows * jnp.where(rows[1] < 0.0, -1.0, 1.0)
    B = rows[:ACTIVE]
    D = rows[ACTIVE:] @ jnp.linalg.inv(root_of_the_rest(B.T @ B))
    return Angles(*angles_of_dark(D), B[1]), B
