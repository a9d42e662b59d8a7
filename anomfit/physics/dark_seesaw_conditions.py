"""Entries of the dark seesaw's mass matrix from light masses, and from all masses, as conditions.

The matrix of arXiv:2007.11813 (`dark_seesaw`) has a light mass that is a small difference of large terms: it is given
and one entry follows. With one sterile state, all masses together give all entries but M_X. Masses in GeV.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float

from anomfit.physics.dark_seesaw import (
    Bosons,
    Entries,
    field_rows,
    loop_correction,
    mass_matrix,
    mass_states,
)
from anomfit.physics.majorana import MajoranaStates, mass_matrix_of

# -- a light mass as a condition ------------------------------------------------------------------------------------


class Imposed(NamedTuple):
    """The matrix with the wanted light mass, and whether there is one; else the entries mean nothing."""

    entries: Entries
    exists: Bool[Array, ""]


def impose_light_mass(
    entries: Entries, m_light: ArrayLike, sterile: int = 0, generation: int = 0, bosons: Bosons | None = None
) -> Imposed:
    """Entries with M_D[generation, sterile] replaced so that `m_light` (GeV, signed for real entries) is a mass.

    Eliminating every other field from det(M - m) leaves d G(m) d^T = m for the row d of M_D, G = ((m - M')^-1)_NN: an
    exact quadratic equation for each entry of d, of which the solution nearer to the entry's given value is taken.
    With `bosons` the mass includes `loop_correction` (not in Feynman's gauge) to first order, and Newton's steps begin
    at the given value. So they do for complex entries, where m_light is complex too: m e^{i phi} with a positive mass m
    of the light state, whose field nu has the phase phi/2 (U_alpha3^2 ~ e^{-i phi}). Any phi is allowed, as phases of
    nu are not seen. Both are for one generation. Derivatives are those of the implicit function; 0 with respect to the
    replaced value.
    """
    is_complex = any(jnp.iscomplexobj(number) for number in (*entries, m_light))
    if (bosons is not None or is_complex) and len(entries.M_D) != 1:
        raise ValueError(
            "a light mass with loops or of complex entries can be imposed for one active generation only: leave out "
            "bosons and phases, or give one row of M_D"
        )
    dtype = complex if is_complex else float
    entries, m_light = Entries(*map(jnp.asarray, entries)), jnp.asarray(m_light, dtype=dtype)
    if bosons is None and not is_complex:
        return _at_tree_level(entries, m_light, generation, sterile)
    if bosons is not None:
        bosons = Bosons(*(jnp.asarray(boson, dtype=float) for boson in bosons))
    if is_complex:
        entries = Entries(*(entry.astype(complex) for entry in entries))
    return _by_newton(entries, m_light, sterile, bosons)


def _at_tree_level(entries, m_light, generation, sterile):
    """One Vieta step from the given value x: the smaller root y of a y^2 + 2 b y + c = 0, c = d G d^T - m at x."""
    given = jax.lax.stop_gradient(entries.M_D[generation, sterile])
    row = entries.M_D[generation].at[sterile].set(given)
    G = _green_function(entries, m_light, generation)
    a, b, c = G[sterile, sterile], G[sterile] @ row, row @ G @ row - m_light
    discriminant = b**2 - a * c
    exists = discriminant > 0.0
    root = jnp.where(exists, jnp.sqrt(jnp.where(exists, discriminant, 1.0)), 0.0)
    larger = jnp.where(b < 0.0, b - root, b + root)
    nearest = -c / jnp.where(larger != 0.0, larger, 1.0)
    bottom = -b / jnp.where(a != 0.0, a, 1.0)  # of the parabola: the best there is
    return Imposed(_replaced(entries, given + jnp.where(exists, nearest, bottom), generation, sterile), exists)


def _green_function(entries, m_light, generation):
    """((m - M')^-1)_NN, M' without the row of this generation; the heavy fields first, which keeps the digits."""
    rows = field_rows(entries)
    heavy = mass_matrix(entries)[rows.active.stop :, rows.active.stop :]
    n = rows.sterile.stop - rows.sterile.start
    of_sterile = jnp.eye(len(heavy))[:, :n]
    G = jnp.linalg.solve(m_light * jnp.eye(len(heavy)) - heavy, of_sterile)[:n]
    others = jnp.delete(entries.M_D, generation, axis=0)
    if not len(others):
        return G
    light = m_light * jnp.eye(len(others)) - others @ G @ others.T
    return G + G @ others.T @ jnp.linalg.solve(light, others @ G)


def _replaced(entries, value, generation, sterile):
    return entries._replace(M_D=entries.M_D.at[generation, sterile].set(value))


NEWTON_STEPS = 8  # from the given value
CLOSE = 1e-7  # relative to the wanted mass


def _by_newton(entries, m_light, sterile, bosons):
    """Newton's steps, and one more, which alone is differentiated: the implicit derivative. Bosons make loops."""

    def excess(value, entries, m_light, bosons):
        tried = _replaced(entries, value, 0, sterile)
        states = mass_states(tried)
        column, mass = states.mixing[:, 0], states.masses[0]
        if bosons is not None:
            mass = mass + column @ loop_correction(states, tried, bosons) @ column
        if jnp.iscomplexobj(column):
            mass = mass * jnp.conj(column[0]) ** 2 / jnp.abs(column[0]) ** 2
        return mass - m_light

    def step(_, so_far):
        value, _ = so_far
        difference, linear = jax.linearize(lambda x: excess(x, *frozen), value)
        slopes = tuple(linear(unit.astype(value.dtype)) for unit in units)
        return value - _solved(difference, *slopes), slopes

    frozen = jax.lax.stop_gradient((entries, m_light, bosons))
    given = frozen[0].M_D[0, sterile]
    units = jnp.array([1.0, 1j]) if jnp.iscomplexobj(given) else jnp.ones(1)
    start = (given, tuple(jnp.ones_like(given) for _ in units))
    value, slopes = jax.lax.stop_gradient(jax.lax.fori_loop(0, NEWTON_STEPS, step, start))
    difference = excess(value, entries, m_light, bosons)
    entries = _replaced(entries, value - _solved(difference, *slopes), 0, sterile)
    return Imposed(entries, jnp.abs(difference) <= CLOSE * jnp.abs(m_light))


def _solved(difference, slope, turned=None):
    """x of slope x = difference; of complex ones of slope Re x + turned Im x = difference, analytic or not."""
    if turned is None:
        return difference / slope
    area = jnp.imag(jnp.conj(slope) * turned)
    real, imaginary = jnp.imag(jnp.conj(difference) * turned), jnp.imag(jnp.conj(slope) * difference)
    return (real + 1j * imaginary) / area


# -- from masses and mixings to the matrix --------------------------------------------------------------------------


class FromStates(NamedTuple):
    """Entries of given masses and mixings, and how far these are from a dark seesaw."""

    entries: Entries
    forbidden: Float[Array, ""]  # largest size of an entry that gauge symmetry sets to 0, GeV


def entries_from_states(states: MajoranaStates, active: int, sterile: int) -> FromStates:
    """M = U^* diag(m) U^dagger cut into the blocks of equation 2, for any n, d and number of generations.

    Masses and U describe a dark seesaw only if the blocks (alpha alpha), (alpha D), LL and RR vanish, which
    `forbidden` tells. Their real conditions (5 in the paper's case) leave fewer free numbers than masses and angles.
    """
    matrix = mass_matrix_of(states)
    dark = (len(matrix) - active - sterile) // 2
    a, n, left, right = jnp.split(matrix, np.cumsum([active, sterile, dark]), axis=0)
    ends = np.cumsum([active, sterile, dark])
    of_left, of_right = (jnp.split(block, ends, axis=1) for block in (left, right))
    of_sterile = jnp.split(n, ends, axis=1)
    zeros = [a[:, :active], a[:, active + sterile :], of_left[2], of_right[3]]
    forbidden = jnp.max(jnp.concatenate([jnp.abs(block).ravel() for block in zeros]))
    entries = Entries(of_sterile[0].T, of_sterile[1], of_sterile[2], of_sterile[3], of_left[3])
    return FromStates(entries, forbidden)


class FromMasses(NamedTuple):
    """Entries with given masses, and whether these are possible; else squares below 0 are set to 0."""

    entries: Entries
    exists: Bool[Array, ""]


def entries_from_masses(masses: Float[Array, "states"], M_X: Float[Array, "dark"]) -> FromMasses:
    """The real matrix with one active, one sterile and d dark pairs that has these 2 + 2d signed masses, exactly; GeV.

    M_X is diagonal and at or above 0, without loss of generality. With D_+- = (D_L +- D_R)/sqrt2 only N couples to the
    others, which have masses p = 0 and +-M_X: M_N = sum m - sum p, and the squared entry of N with p is -prod_j (p -
    m_j)/prod_q!=p (p - q) (inverse eigenvalue problem of an arrow). It exists if and only if the masses alternate with
    0 and +-M_X; then M_D > 0 and Lambda_L >= |Lambda_R| by choice of signs. Order of the masses is free, the M_X
    differ and are not 0.
    """
    masses, M_X = jnp.asarray(masses, dtype=float), jnp.asarray(M_X, dtype=float)
    dark = len(M_X)
    poles = jnp.concatenate([jnp.zeros(1), M_X, -M_X])
    other = poles[:, None] - poles + jnp.eye(len(poles))  # 1 in place of the pole itself
    squares = -jnp.prod(poles[:, None] - masses, axis=1) / jnp.prod(other, axis=1)
    couplings = jnp.where(squares > 0.0, jnp.sqrt(jnp.where(squares > 0.0, squares, 1.0)), 0.0)
    plus, minus = couplings[1 : 1 + dark], couplings[1 + dark :]
    entries = Entries(
        M_D=couplings[:1, None],
        M_N=jnp.sum(masses)[None, None],
        Lambda_L=((plus + minus) / math.sqrt(2.0))[None],
        Lambda_R=((plus - minus) / math.sqrt(2.0))[None],
        M_X=jnp.diag(M_X),
    )
    return FromMasses(entries, jnp.all(squares >= 0.0))


def dark_mass_from_sterile_fraction(
    masses: Float[Array, "4"], fraction: ArrayLike, state: int = 1
) -> tuple[Float[Array, ""], Bool[Array, ""]]:
    """M_X (GeV) of one active, one sterile and one dark pair with these signed masses and |U_Nj|^2 = `fraction`.

    M_X^2 = m_j^2 - |U_Nj|^2 prod_k!=j (m_j - m_k)/m_j, from |U_Nj|^2 = prod_p (m_j - p)/prod_k!=j (m_j - m_k) over the
    poles p = 0 and +-M_X. With `entries_from_masses` it makes the map from four masses and one mixing to the five
    entries. The flag says whether the square is positive; else 0.
    """
    masses = jnp.asarray(masses, dtype=float)
    mass, others = masses[state], jnp.delete(masses, state)
    square = mass**2 - jnp.asarray(fraction) * jnp.prod(mass - others) / mass
    exists = square > 0.0
    return jnp.where(exists, jnp.sqrt(jnp.where(exists, square, 1.0)), 0.0), exists
