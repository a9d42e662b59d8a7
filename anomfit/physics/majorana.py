"""Masses and mixing of Majorana fermions: a symmetric mass matrix of any size, real or complex, diagonalised.

L = -1/2 n^T M n + h.c. of left-handed fields n in the flavour basis; n = U nu with U^T M U = diag(m) (transpose, not
dagger), so that M = U^* diag(m) U^dagger and the columns of U are the mass states. A real M has an orthogonal U and
signed masses, whose signs are CP parities (`diagonalise`); a complex one has a unitary U and m >= 0 (`takagi`:
Autonne-Takagi factorisation, e.g. Dreiner, Haber and Martin, arXiv:0812.1594, appendix D).

The matrices of seesaws have masses that are smaller by 1e11 than their entries. A solver that is right to rounding of
the largest entry loses the light masses. Here each sweep of plane rotations (Jacobi) begins with U^T M U, recomputed
from M: as U comes near, its terms in the rows of the light states are small one by one, and so is their rounding. At
the end U^T M U and U^dagger U are worked out with twice the digits, and U is corrected to first order, twice (Ogita
and Aishima, Japan J. Indust. Appl. Math. 35 (2018) 1007): masses are those of the given entries to their last digits,
and so is U, also between nearly equal masses.

Masses in GeV or any other unit. One matrix at a time: `jax.vmap` makes a batch.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Complex, Float, Inexact

POLISHING_SWEEPS = 4  # of all pairs, once the largest entries have converged
NOISE = 8.0  # units of rounding, below which two masses count as equal in a derivative
LARGEST_CORRECTION = 1e-4  # rad, of U at the end; what would take more has masses that are equal but for rounding
LOWER_BITS = np.uint64(2**27 - 1)


class MajoranaStates(NamedTuple):
    """Mass eigenstates, ordered by the size of their mass."""

    masses: Float[Array, "states"]  # unit of the matrix; signed from `diagonalise`, at or above 0 from `takagi`
    mixing: Inexact[Array, "states states"]  # U, a flavour a row and a mass state a column


def diagonalise(matrix: Float[ArrayLike, "states states"]) -> MajoranaStates:
    """Signed masses and orthogonal U of a real symmetric mass matrix, U^T M U = diag(m), ordered by |m|.

    Of a matrix that is not symmetric the symmetric part counts. The largest entry of each column of U is positive.
    Derivatives of what does not depend on the choice of basis among equal masses are right at any gap, but for
    rounding over the gap; states whose masses differ by less than rounding are not rotated into each other, so that no
    derivative is NaN.
    """
    matrix = jnp.asarray(matrix, dtype=float)
    return MajoranaStates(*_factorise(0.5 * (matrix + matrix.T)))


def takagi(matrix: Complex[ArrayLike, "states states"]) -> MajoranaStates:
    """Masses m >= 0 and unitary U of a complex symmetric mass matrix, U^T M U = diag(m), in rising order.

    Of a matrix that is not symmetric the symmetric part counts. A column's sign is free: Re + Im of its largest entry
    is positive. The phase of a massless state is free too, and not fixed. Derivatives as in `diagonalise`.
    """
    matrix = jnp.asarray(matrix, dtype=complex)
    return MajoranaStates(*_factorise(0.5 * (matrix + matrix.T)))


def with_positive_masses(states: MajoranaStates) -> MajoranaStates:
    """The same states with m >= 0: the columns of negative masses are multiplied by i, and U becomes complex."""
    phases = jnp.where(states.masses < 0.0, 1j, 1.0 + 0j)
    return MajoranaStates(jnp.abs(states.masses), states.mixing * phases)


def mass_matrix_of(states: MajoranaStates) -> Inexact[Array, "states states"]:
    """M = U^* diag(m) U^dagger, in the unit of the masses: the inverse of `diagonalise` and of `takagi`."""
    conjugate = jnp.conj(states.mixing)
    return (conjugate * states.masses) @ conjugate.T


# -- value ----------------------------------------------------------------------------------------------------------


@jax.custom_jvp
def _factorise(matrix):
    """Masses and U of an exactly symmetric matrix; its own derivative is first-order perturbation theory."""
    size = len(matrix)
    padded = jnp.pad(matrix, (0, size % 2))  # the rotations want pairs: an odd size gets one state that mixes with none
    first, following = _tournament(len(padded))

    def sweep(_, mixing):
        return _swept(mixing.T @ padded @ mixing, mixing, following)

    mixing = jax.lax.fori_loop(0, _sweeps(len(padded)), sweep, jnp.eye(len(padded), dtype=matrix.dtype)[:, first])
    mixing = mixing[:, np.argsort(first)][:size, :size]
    masses, mixing = _ordered(_rayleigh(matrix, mixing), mixing)
    if masses.dtype == jnp.float64:  # whose binary digits the products take apart
        for _ in range(2):  # the second takes out what is of second order in the first
            masses, mixing = _corrected(matrix, masses, mixing)
    return _ordered(masses.astype(matrix.dtype), mixing)


def _sweeps(size: int) -> int:
    """Enough for random and graded matrices, complex ones too, up to 24 x 24, and then for states below rounding."""
    return 6 + math.ceil(math.log2(size)) + POLISHING_SWEEPS


def _rayleigh(matrix, mixing):
    """u^T M u/(u^dagger u) of each column: its error is of second order in the column's."""
    return jnp.sum(mixing * (matrix @ mixing), axis=0) / jnp.sum(jnp.abs(mixing) ** 2, axis=0)


def _ordered(values, mixing):
    """Rising |m|; phases that make complex values real and positive; then signs of the columns."""
    order = jnp.argsort(jnp.abs(values))
    values, mixing = values[order], mixing[:, order]
    if jnp.iscomplexobj(values):
        sizes = jnp.abs(values)
        massive = sizes > 0.0
        phases = jnp.where(massive, values / jnp.where(massive, sizes, 1.0), 1.0)
        values, mixing = sizes, mixing / jnp.sqrt(phases)
    largest = jnp.take_along_axis(mixing, jnp.argmax(jnp.abs(mixing), axis=0)[None], axis=0)[0]
    return values, mixing * jnp.where(jnp.real(largest) + jnp.imag(largest) < 0.0, -1.0, 1.0)


def _swept(matrix, mixing, following):
    """`mixing` times plane rotations, one for each pair, that make `matrix` = U^T M U, of even size, more diagonal.

    Neighbouring pairs are rotated all at once. The tournament's permutation makes new neighbours after each step and
    comes back after size - 1 of them.
    """

    def step(_, so_far):
        matrix, mixing = so_far
        rotation = _rotation(matrix)
        matrix = _columns_rotated(_columns_rotated(matrix, rotation).T, rotation)
        return matrix[following][:, following], _columns_rotated(mixing, rotation)[:, following]

    return jax.lax.fori_loop(0, len(matrix) - 1, step, (matrix, mixing))[1]


def _tournament(size: int):
    """Round robin: the first order of the players, neighbours playing, and what permutes one round into the next."""
    players = list(range(size))
    orders = []
    for circle in (players, [players[0], players[-1], *players[1:-1]]):
        orders.append([circle[place] for i in range(size // 2) for place in (i, size - 1 - i)])
    return np.array(orders[0]), np.argsort(orders[0])[orders[1]]


def _rotation(matrix):
    """Cosine c and complex sine s of R = ((c, s), (-s^*, c)) that make each neighbours' block R^T A R diagonal.

    A = ((a, b), (b, d)). Phases e^{+-i delta/2} on the two states, besides the common one that makes b positive, make
    d - a real; a real rotation does the rest, by at most 45 degrees. No mass enters squared: equal masses are no
    special case.
    """
    diagonal = jnp.diagonal(matrix)
    a, d, b = diagonal[0::2], diagonal[1::2], jnp.diagonal(matrix[0::2, 1::2])
    size = jnp.abs(b)
    back = jnp.conj(jnp.where(size > 0.0, b / jnp.where(size > 0.0, size, 1.0), 1.0))
    a, d = a * back, d * back
    phase = _unit(jnp.real(a + d), jnp.imag(d - a))
    gap = phase[0] * jnp.real(d - a) + phase[1] * jnp.imag(a + d)
    scale = jnp.abs(gap) + jnp.hypot(gap, 2.0 * size)
    tangent = jnp.where(gap < 0.0, -2.0, 2.0) * size / jnp.where(scale > 0.0, scale, 1.0)
    cosine = 1.0 / jnp.sqrt(1.0 + tangent**2)
    sine = cosine * tangent * phase[0]
    return cosine, sine + 1j * cosine * tangent * phase[1] if jnp.iscomplexobj(matrix) else sine


def _unit(x, y):
    """Cosine and sine of arctan(y/x), the cosine at or above 0; (1, 0) for x = y = 0."""
    length = jnp.hypot(x, y)
    some = length > 0.0
    safe = jnp.where(some, length, 1.0)
    return jnp.where(some, jnp.abs(x) / safe, 1.0), jnp.where(x < 0.0, -y, y) / safe


def _columns_rotated(matrix, rotation):
    cosine, sine = rotation
    left, right = matrix[:, 0::2], matrix[:, 1::2]
    pairs = (cosine * left - jnp.conj(sine) * right, sine * left + cosine * right)
    return jnp.stack(pairs, axis=-1).reshape(matrix.shape)


# -- the last digits ------------------------------------------------------------------------------------------------


def _corrected(matrix, masses, mixing):
    """Masses and U from U^T M U and U^dagger U with all their digits, for a U that is right to rounding.

    U (1 + E) is unitary and makes U^T M U diagonal if E + E^dagger = 1 - U^dagger U and, for j != k, Re E_jk = Re(T_jk
    + m_k L_kj)/(m_k - m_j), Im E_jk = -Im(T_jk + m_k L_kj)/(m_j + m_k) with T = U^T M U, L = 1 - U^dagger U. States
    that this would turn far into each other stay as they are.
    """
    first, of_first = _product(matrix, mixing)
    turned, rest = _product(mixing.T, first)
    turned = turned + (rest + mixing.T @ of_first)
    square, rest = _product(mixing.conj().T, mixing)
    lack = (jnp.eye(len(matrix)) - square) - rest
    masses = jnp.real(jnp.diagonal(turned)) / (1.0 - jnp.real(jnp.diagonal(lack)))
    asked = turned + lack.T * masses
    skew = _small(jnp.real(asked - 0.5 * lack.T * (masses - masses[:, None])), masses - masses[:, None])
    if jnp.iscomplexobj(matrix):
        phases = jnp.imag(asked + 0.5 * lack * (masses + masses[:, None]))
        skew = skew - 1j * _small(phases, masses + masses[:, None])
    turn = skew + 0.5 * skew @ skew + skew @ skew @ skew / 6.0
    return masses, mixing + mixing @ (0.5 * lack + turn)


def _small(numerator, denominator):
    """numerator/denominator of symmetric sizes; 0 where it is not small."""
    small = jnp.maximum(jnp.abs(numerator), jnp.abs(numerator).T) < LARGEST_CORRECTION * jnp.abs(denominator)
    return jnp.where(small, numerator / jnp.where(small, denominator, 1.0), 0.0)


def _product(left, right):
    """left @ right as a sum of two matrices of float64, right to 1e-31 of the largest terms."""
    if not jnp.iscomplexobj(left):
        return _real_product(left, right)
    size = len(right)
    real, imaginary = jnp.real(left), jnp.imag(left)
    doubled = jnp.concatenate([jnp.concatenate([real, -imaginary], axis=1), jnp.concatenate([imaginary, real], axis=1)])
    parts = _real_product(doubled, jnp.concatenate([jnp.real(right), jnp.imag(right)]))
    return tuple(part[:size] + 1j * part[size:] for part in parts)


def _real_product(left, right):
    """Numbers are cut in halves, whose products are exact whatever a compiler makes of them; sums keep their error."""
    left_high, right_high = _upper_half(left), _upper_half(right)
    left_low, right_low = left - left_high, right - right_high
    columns = jnp.concatenate([left_high, left_high, left_low, left_low], axis=1)
    rows = jnp.concatenate([right_high, right_low, right_high, right_low])

    def add(k, so_far):
        total, error = so_far
        term = columns[:, k, None] * rows[k]
        larger = total + term
        added = larger - total
        return larger, error + ((total - (larger - added)) + (term - added))

    nothing = jnp.zeros((len(left), rows.shape[1]), dtype=rows.dtype)
    return jax.lax.fori_loop(0, len(rows), add, (nothing, nothing))


def _upper_half(x):
    """The number without its last 27 binary digits."""
    bits = jax.lax.bitcast_convert_type(x, jnp.uint64)
    return jax.lax.bitcast_convert_type(bits & ~LOWER_BITS, jnp.float64)


# -- derivative -----------------------------------------------------------------------------------------------------


@_factorise.defjvp
def _factorise_jvp(primals, tangents):
    """dm = Re(dT_jj) and dU = U K with dT = U^T dM U and, for j != k, an anti-hermitian K.

    Re K_jk = Re dT_jk/(m_k - m_j) and Im K_jk = -Im dT_jk/(m_j + m_k), the latter also for j = k.
    """
    (matrix,), (tangent,) = primals, tangents
    masses, mixing = _factorise(matrix)
    turned = mixing.T @ tangent @ mixing
    size = jnp.sum(jnp.abs(mixing) * (jnp.abs(matrix) @ jnp.abs(mixing)), axis=0)
    noise = NOISE * jnp.finfo(masses.dtype).eps * (size[:, None] + size)  # of the difference of two masses
    rotated = jnp.real(turned) * _inverse(masses - masses[:, None], noise)
    if jnp.iscomplexobj(turned):
        rotated = rotated - 1j * jnp.imag(turned) * _inverse(masses + masses[:, None], noise)
    return (masses, mixing), (jnp.real(jnp.diagonal(turned)), mixing @ rotated)


def _inverse(difference, noise):
    """1/difference, and 0 where it is rounding."""
    real = jnp.abs(difference) > noise
    return jnp.where(real, 1.0 / jnp.where(real, difference, 1.0), 0.0)
